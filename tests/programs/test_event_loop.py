"""asyncio on hosts: one event loop, many hosts, no thread."""

import asyncio
import contextvars
import socket
import struct
import threading
import time

import pytest

from tcpemu.programs.event_loop.emulated_loop import EmulatedEventLoop
from tcpemu.testing import World


async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve_echo():
    server = await asyncio.start_server(echo, "0.0.0.0", 7)
    async with server:
        await server.serve_forever()


def between(ask, serve=serve_echo, seed=1, **link):
    """What a coroutine gives on the client, while another runs on the server."""
    with World(seed) as world:
        server, client = world.host("server"), world.host("client")
        world.link(client, server, "20 ms", **link)
        world.start(server, serve())
        return world.until(world.start(client, ask()))


def test_streams():
    async def ask():
        loop = asyncio.get_running_loop()
        begin = loop.time()
        reader, writer = await asyncio.open_connection("server", 7)
        connected = loop.time()
        writer.write(b"hello")
        answer = await reader.read(100)
        writer.close()
        await writer.wait_closed()
        times = round(connected - begin, 6), round(loop.time() - connected, 6)
        return answer, times, writer.get_extra_info("peername"), type(loop)

    assert between(ask) == (b"hello", (0.04, 0.04), ("10.0.0.1", 7), EmulatedEventLoop)


@pytest.mark.parametrize("in_a_thread", [False, True])
def test_what_arrives_at_one_instant_is_one_turn_of_the_loop(in_a_thread):
    """The server is woken behind all that arrives then: connections beyond its queue meet a full one."""

    async def serve():
        server = await asyncio.start_server(echo, "0.0.0.0", 7, backlog=1)
        await server.serve_forever()

    async def ask():
        reader, writer = await asyncio.open_connection("server", 7)
        writer.write(b"x")
        await reader.read(1)
        writer.close()

    with World(1) as world:
        server, client = world.host("server"), world.host("client")
        world.link(client, server, "20 ms")
        if in_a_thread:
            world.run(server, lambda: asyncio.run(serve()))
        else:
            world.start(server, serve())
        world.wait("1 s")
        tasks = [world.start(client, ask()) for _ in range(3)]
        for task in tasks:
            world.until(task)
        assert world.counters(server)["ListenOverflows"] == 2  # its third ACK, and its data


def test_it_makes_no_thread():
    async def ask():
        reader, writer = await asyncio.open_connection("server", 7)
        writer.write(b"x")
        await reader.read(1)
        writer.close()
        return threading.active_count()

    assert between(ask) == threading.active_count()


def test_tasks_are_on_the_host_that_they_were_started_on():
    async def name(wait):
        await asyncio.sleep(wait)
        return socket.gethostname(), await asyncio.create_task(inner())

    async def inner():
        return socket.gethostname(), contextvars.copy_context().run(socket.gethostname)

    with World() as world:
        tasks = [world.start(world.host(text), name(wait)) for text, wait in (("a", 2), ("b", 1))]
        assert [world.until(task) for task in tasks] == [("a", ("a", "a")), ("b", ("b", "b"))]
        assert world.now == 2


def test_timers_are_exact_and_cost_no_real_time():
    async def wait():
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 12.5)
        await asyncio.sleep(80_000)
        return loop.time() - begin, time.monotonic() == loop.time()

    with World() as world:
        assert world.until(world.start(world.host("a"), wait())) == (80_012.5, True)


def test_calls_of_the_loop_on_sockets():
    async def ask():
        loop = asyncio.get_running_loop()
        with socket.socket() as one:
            one.setblocking(False)
            await loop.sock_connect(one, ("server", 7))
            await loop.sock_sendall(one, b"hello")
            into = bytearray(10)
            count = await loop.sock_recv_into(one, into)
            readable = loop.create_future()
            loop.add_reader(one, readable.set_result, None)
            await loop.sock_sendall(one, b"x")
            await readable
            loop.remove_reader(one)
            return bytes(into[:count]), await loop.sock_recv(one, 10)

    async def serve():
        loop = asyncio.get_running_loop()
        listener = socket.create_server(("", 7))
        listener.setblocking(False)
        one, _ = await loop.sock_accept(listener)
        while data := await loop.sock_recv(one, 1000):
            await loop.sock_sendall(one, data)

    assert between(ask, serve) == (b"hello", b"x")


def test_errors_are_those_of_the_kernel():
    async def ask():
        found = []
        for address in (("server", 8), ("10.9.9.9", 1), ("nowhere", 1)):
            try:
                await asyncio.open_connection(*address)
            except OSError as error:
                found.append(type(error))
        return found

    assert between(ask) == [ConnectionRefusedError, TimeoutError, socket.gaierror]


def test_drain_waits_for_a_peer_that_does_not_read():
    async def serve():
        async def lazy(reader, writer):
            await asyncio.sleep(5)
            await reader.read()
            writer.close()

        await (await asyncio.start_server(lazy, "0.0.0.0", 7)).serve_forever()

    async def ask():
        loop = asyncio.get_running_loop()
        _, writer = await asyncio.open_connection("server", 7)
        begin = loop.time()
        for _ in range(60):
            writer.write(bytes(100_000))
            await writer.drain()
        writer.close()
        return loop.time() - begin > 4

    assert between(ask, serve) is True


def test_an_executor_runs_threads_of_the_host():
    async def ask():
        def work():
            time.sleep(1)
            return socket.gethostname(), socket.create_connection(("server", 7)).getpeername()

        begin = time.monotonic()
        both = await asyncio.gather(asyncio.to_thread(work), asyncio.to_thread(work))
        return both, round(time.monotonic() - begin, 3)

    assert between(ask) == ([("client", ("10.0.0.1", 7))] * 2, 1.04)


def test_a_blocking_call_stops_the_other_coroutines_but_not_the_network():
    async def ask():
        ticks = []

        async def tick():
            while True:
                ticks.append(time.monotonic())
                await asyncio.sleep(0.1)

        task = asyncio.create_task(tick())
        await asyncio.sleep(0.05)
        time.sleep(3)
        await asyncio.sleep(0.01)
        task.cancel()
        return round(ticks[-1] - ticks[0], 2), len(ticks)

    assert between(ask) == (3.05, 2)


def test_a_task_raises_what_ended_it():
    async def fail():
        await asyncio.sleep(1)
        raise ValueError("mine")

    with World() as world:
        task = world.start(world.host("a"), fail())
        with pytest.raises(ValueError, match="mine"):
            world.until(task)


def test_a_server_that_still_runs_is_cancelled_and_cleans_up():
    cleaned = []

    async def serve():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            cleaned.append(True)

    with World() as world:
        world.start(world.host("a"), serve())
        world.until("1 s")
    assert cleaned == [True]


def test_a_file_of_the_machine_cannot_be_waited_for():
    async def wait():
        with open(__file__) as file:
            asyncio.get_running_loop().add_reader(file, print)

    with World() as world:
        task = world.start(world.host("a"), wait())
        with pytest.raises(ValueError, match="not of an emulated socket"):
            world.until(task)


def test_an_event_loop_within_an_event_loop_of_another_kind():
    async def test():
        with World() as world:
            world.host("server")
            world.start("server", serve_echo())
            return await world.on(world.host("client"), ask()), world.now

    async def ask():
        reader, writer = await asyncio.open_connection("server", 7)
        writer.write(b"hello")
        answer = await reader.read(10)
        writer.close()
        return answer

    assert asyncio.run(test()) == (b"hello", 0.002)


def test_a_close_that_lingers_stops_the_loop_as_any_blocking_call_does():
    async def serve():
        server = await asyncio.start_server(lambda _reader, _writer: None, "0.0.0.0", 7)
        await server.serve_forever()

    async def ask():
        loop = asyncio.get_running_loop()
        _, writer = await asyncio.open_connection("server", 7)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3)
        )
        ticks = []
        ticking = asyncio.ensure_future(tick(ticks))
        await asyncio.sleep(0.015)
        writer.close()
        await writer.wait_closed()
        ticking.cancel()
        return ticks[-1] - ticks[-2] if loop.time() < ticks[-1] + 0.01 else loop.time() - ticks[-1]

    async def tick(ticks):
        while True:
            ticks.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.01)

    assert 0.03 < between(ask, serve) < 0.06
