"""What cannot go on is found and named."""

import asyncio
import contextlib
import os
import select
import socket
import threading
import time

import pytest

from tcpemu.testing import StuckError, World


def stuck(function, patience=None, calls=None):
    """What is said of a program that cannot go on."""
    with World() as world:
        computers = world._driver.computers
        computers.patience = patience or computers.patience
        computers.calls_allowed = calls or computers.calls_allowed
        world.run(world.host("host"), function, name="program")
        with pytest.raises(StuckError) as caught:
            world.until()
        for program in world.programs:
            program.disregard_failure()
    return str(caught.value)


def test_a_deadlock_says_who_waits_for_what():
    def main():
        def other():
            pair = socket.socketpair()
            pair[0].recv(1)

        threading.Thread(target=other, name="reader", daemon=True).start()
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    said = stuck(main)
    assert "nothing can happen any more" in said
    assert "program (MainThread) waits for a lock" in said
    assert "program (reader) waits in send() or recv() for a socketpair()" in said


def test_a_loop_that_lets_no_time_pass():
    def main():
        until = time.time() + 1
        while time.time() < until:
            pass

    said = stuck(main, calls=900)
    assert "900 calls at 0 s of virtual time" in said
    assert "in main" in said
    assert "while time.time() < until" in said
    assert "/tcpemu/programs/" not in said


def test_a_loop_in_a_thread_is_not_lost_in_it():
    def main():
        def spin():
            while True:
                time.monotonic()

        threading.Thread(target=spin).start()
        time.sleep(10)

    assert "900 calls" in stuck(main, calls=900)


def test_a_call_that_blocks_for_real():
    def main():
        reading, _ = os.pipe()
        os.read(reading, 1)

    said = stuck(main, patience=0.2)
    assert "thread MainThread blocks for real" in said
    assert "os.read(reading, 1)" in said


def test_a_loop_without_a_call():
    def main():
        while True:
            pass

    assert "of real time without a call" in stuck(main, patience=0.05)


def test_a_coroutine_that_waits_for_what_never_comes():
    async def never():
        await asyncio.Event().wait()

    with World() as world:
        task = world.start(world.host("host"), never(), name="waiter")
        with pytest.raises(StuckError, match=r"waiter waits in .*never, .*test_stuck.py"):
            world.until(task)


def test_asyncio_that_spins():
    async def spin():
        while True:
            await asyncio.sleep(0)

    with World() as world:
        world._driver.computers.calls_allowed = 900
        task = world.start(world.host("host"), spin())
        with pytest.raises(StuckError, match="900 calls at 0 s"):
            world.until(task)


def test_time_that_passes_is_no_loop():
    def main():
        for _ in range(3000):
            time.sleep(0.001)
        return time.monotonic() > 3

    with World() as world:
        world._driver.computers.calls_allowed = 100
        assert world.until(world.run(world.host("host"), main)) is True


def test_who_waits_beside_a_server_that_looks_around_is_found_in_an_hour():
    def serve():
        listener = socket.create_server(("", 80))
        listener.settimeout(0.5)
        kept = []
        while True:
            with contextlib.suppress(TimeoutError):
                kept.append(listener.accept())

    def ask():
        with socket.create_connection(("server", 80)) as connection:
            connection.recv(10)

    with World() as world:
        world.run(world.host("server"), serve)
        client = world.run(world.host("client"), ask)
        with pytest.raises(StuckError, match="for 3600 s there was no packet") as caught:
            world.until(client)
        assert 3600 < world.now < 7300
        client.disregard_failure()
    assert "client (MainThread) waits in recv(10) of the connection with 10.0.0.1:80" in str(caught.value)


def test_who_has_a_limit_of_his_own_is_waited_for():
    def serve():
        listener = socket.create_server(("", 80))
        while True:
            select.select([listener], [], [], 0.5)

    def sleep():
        time.sleep(20_000)

    def wait():
        one, _ = socket.socketpair()
        one.settimeout(15_000)
        with pytest.raises(TimeoutError):
            one.recv(1)

    async def coroutine():
        await asyncio.sleep(18_000)

    def speaks_late():
        listener = socket.create_server(("", 81))
        connection, _ = listener.accept()
        time.sleep(15_000)
        connection.send(b"x")

    def listens():
        with socket.create_connection(("late", 81)) as connection:
            assert connection.recv(1) == b"x"

    with World() as world:
        world.run(world.host("server"), serve)
        for program in (sleep, wait):
            world.run(world.host(program.__name__), program)
        world.start(world.host("coroutine"), coroutine())
        world.run(world.host("late"), speaks_late)
        world.run(world.host("listens"), listens, at="1 s")
        world.until()
        assert 20_000 <= world.now < 20_002


def test_it_is_said_who_took_a_lock_and_which_files_are_waited_for():
    def main():
        lock, taken = threading.Lock(), threading.Event()

        def holds():
            lock.acquire()
            taken.set()
            listener = socket.create_server(("", 80))
            one, _ = socket.socketpair()
            select.select([listener, one], [], [])

        threading.Thread(target=holds, name="holder", daemon=True).start()
        taken.wait()
        lock.acquire()

    with World() as world:
        world.run(world.host("host"), main, name="program")
        world.until("1 s")
        said = list(world._driver.who_waits())
    assert said[0].endswith("program (MainThread) waits for a lock that program (holder) took")
    assert said[1].endswith("waits in poll() for one of 2 files: the listener on port 80, a socketpair()")


def test_what_was_refused_before_is_said():
    def main():
        with contextlib.suppress(OSError):
            socket.socket(socket.AF_UNIX)
        one, _other = socket.socketpair()
        one.recv(1)

    assert "program was refused something before: the address family AF_UNIX is not emulated" in stuck(main)
