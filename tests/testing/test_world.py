"""A network for tests: hosts, links, faults, programs, time, and what happened."""

import asyncio
import socket
import time

import pytest

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.testing import Conditions, World, crash, lose
from tcpemu.wire.capture_file import read_capture


def serve(backlog=5):
    """The server that so many questions about listen() begin with: it says the time and closes."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", 5000))
    listener.listen(backlog)
    while True:
        connection, _ = listener.accept()
        connection.send(time.ctime(time.time()).encode() + b"\r\n")
        connection.close()


def ask():
    with socket.create_connection(("server", 5000)) as connection:
        return connection.recv(100), time.monotonic()


def world_of_thirteen(world, program=serve, apart=0.02):
    """A server and twelve clients, each 20 ms away."""
    server = world.host("server")
    world.run(server, program)
    clients = []
    for number in range(12):
        client = world.host(f"c{number + 1}")
        world.link(client, server, "20 ms")
        clients.append(world.run(client, ask, at=number * apart))
    return clients


def test_twelve_clients_are_told_the_time():
    with World(seed=3) as world:
        clients = world_of_thirteen(world)
        world.until()
        assert {client.result()[0] for client in clients} == {b"Tue Nov 14 22:13:20 2023\r\n"}
        assert [round(client.ended_at / 1e9, 3) for client in clients] == [
            round(0.08 + number * 0.02, 3) for number in range(12)
        ]
        assert world.counters("server")["ListenOverflows"] == 0
        assert world.counters("server")["PassiveOpens"] == 12


def test_a_lost_third_ack_makes_one_of_them_wait_a_second():
    with World(seed=3) as world:
        clients = world_of_thirteen(world)
        world.fault(lose("third-ack", of="c3"))
        world.until()
        assert [client.name for client in clients if client.ended_at > 10**9] == ["c3"]
        assert world.unmet_faults == []
        assert "lost" in world.ladder()


def test_a_full_backlog():
    def slow():
        listener = socket.create_server(("", 5000), backlog=1)
        while True:
            time.sleep(1)
            connection, _ = listener.accept()
            connection.send(b"at last")
            connection.close()

    with World(seed=3, sysctls={"net.ipv4.tcp_syncookies": 0}) as world:
        clients = world_of_thirteen(world, slow)
        world.until()
        assert {client.result()[0] for client in clients} == {b"at last"}
        assert world.counters("server")["ListenOverflows"] > 0
        assert world.now > 10


def test_the_same_seed_gives_the_same_octets_and_another_seed_others(tmp_path):
    def octets(seed):
        with World(seed) as world:
            world_of_thirteen(world)
            world.until()
            return world.save(tmp_path / "x.pcapng").read_bytes()

    assert octets(5) == octets(5)
    assert octets(5) != octets(6)


def test_a_capture_has_every_packet_and_the_ladder_too(tmp_path):
    with World() as world:
        world.run(world.host("server"), serve)
        world.until(world.run(world.host("client"), ask))
        world.until(world.now + 0.1)
        packets = read_capture(world.save(tmp_path / "x.pcapng")).packets
        assert len(packets) == len({packet.number for packet in world.record.packets()})
        assert len(read_capture(world.save(tmp_path / "x.pcap")).packets) == len(packets)
        assert "SYN-RECV" in world.ladder()
        assert "TIME-WAIT" in world.ss("server")
        assert world.counters("client")["ActiveOpens"] == 1


def test_what_failed_unseen_is_raised_at_the_end():
    async def fail_as_coroutine():
        raise LookupError("of a coroutine")

    def fail_as_program():
        raise LookupError("of a program")

    def in_a_world(begin):
        with World() as world:
            begin(world, world.host("a"))
            world.until("1 s")

    with pytest.raises(LookupError, match="of a coroutine"):
        in_a_world(lambda world, host: world.start(host, fail_as_coroutine()))
    with pytest.raises(LookupError, match="of a program"):
        in_a_world(lambda world, host: world.run(host, fail_as_program))


def test_what_failed_is_raised_once():
    def fail():
        raise LookupError("mine")

    with World() as world:
        program = world.run(world.host("a"), fail)
        with pytest.raises(LookupError, match="mine"):
            world.until(program)


def test_time_goes_on_as_far_as_it_is_asked_to():
    def work():
        time.sleep(5)
        return "done"

    with World() as world:
        program = world.run(world.host("a"), work, at="2 s")
        world.until("3 s")
        assert (world.now, program.done) == (3.0, False)
        with pytest.raises(RuntimeError, match=r"a has not ended: it sleeps for 5 s"):
            program.result()
        world.until("1 min")
        assert (world.now, program.result()) == (7.0, "done")


def test_who_listens_for_a_while_is_no_server():
    """Its end is waited for, once it no longer listens."""

    def program():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            one = socket.create_connection(listener.getsockname())
        time.sleep(5)
        one.close()
        return time.monotonic()

    with World() as world:
        running = world.run(world.host("alone"), program)
        world.until()
        assert running.done
        assert 5 < world.now < 7


def test_programs_and_coroutines_meet():
    async def ask_async():
        reader, writer = await asyncio.open_connection("server", 5000)
        answer = await reader.read()
        writer.close()
        return answer

    with World() as world:
        world.run(world.host("server"), serve)
        answers = [world.start(world.host(name), ask_async()) for name in ("a", "b")]
        assert world.until(answers[1]).startswith(b"Tue Nov 14")
        assert answers[0].result() == answers[1].result()


def test_addresses_are_given_out_or_given():
    with World() as world:
        hosts = [world.host("a"), world.host("b", "10.0.0.3"), world.host("c"), world.host("d")]
        assert [host.addresses for host in hosts] == [
            ("10.0.0.1",),
            ("10.0.0.3",),
            ("10.0.0.4",),
            ("10.0.0.5",),
        ]


def test_links():
    with World() as world:
        world.every_link(Conditions(delay=10**9))
        world.host("server")
        world.run("server", serve)
        near, far = world.host("near"), world.host("far")
        world.link("near", "server", "2 ms")
        programs = [world.run(host, ask) for host in (near, far)]
        world.until()
        assert [round(program.ended_at / 1e9, 3) for program in programs] == [0.008, 4.0]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda world: world.run("nobody", serve), "there is no host 'nobody'; there is a"),
        (lambda world: world.until("10 parsec"), "'10 parsec' is no duration"),
        (lambda world: world.until(-1), "a time is text like '20 ms', or a number of seconds"),
        (lambda world: world.host("a"), "give each node a name of its own"),
        (lambda world: world.fault(lose("third-ack", of="b")), "there is no host 'b'"),
    ],
)
def test_mistakes_are_told(mistake, words):
    with World() as world:
        world.host("a")
        with pytest.raises(ConfigurationError, match=words):
            mistake(world)


def test_nothing_runs_outside_of_it():
    world = World()
    world.host("a")
    with pytest.raises(RuntimeError, match="with World"):
        world.run("a", serve)


def echo_for_ever():
    listener = socket.create_server(("", 7))
    while True:
        connection, _ = listener.accept()
        while octets := connection.recv(100):
            connection.sendall(octets)


def talk_for_ten_seconds():
    connection = socket.create_connection(("server", 7))
    try:
        for _ in range(10):
            connection.sendall(b"x")
            connection.recv(1)
            time.sleep(1)
    finally:
        connection.close()  # after a crash nobody hears of it


def test_the_programs_of_a_host_end_with_it_and_servers_begin_anew():
    with World(seed=1) as world:
        server, client = world.host("server"), world.host("client")
        world.link(client, server, "20 ms")
        world.fault(crash("server", at="3.5 s", until="5 s"))
        first = world.run(server, echo_for_ever)
        with pytest.raises(ConnectionResetError):
            world.until(world.run(client, talk_for_ten_seconds))
        assert first.done
        assert first.status is None
        with pytest.raises(RuntimeError, match="server: server has crashed"):
            first.result()
        assert len(world.programs) == 3
        second = world.programs[-1]
        assert not second.done
        assert second.name == "server"
        late = world.host("late")
        world.fault(crash("late", at=world.network.now + 2 * 10**9))
        program = world.run(late, talk_for_ten_seconds)
        with pytest.raises(RuntimeError, match="late: late has crashed"):
            world.until(program)
        assert world.ss("late").count("ESTAB") == 0
        assert world.ss("server").count("ESTAB") == 1, "nobody has told it"
        sent = [packet for packet in world.record.packets(node="late") if packet.at > world.network.now]
        assert sent == []


def test_a_program_that_is_to_begin_while_its_host_is_off_does_not():
    ran = []
    with World() as world:
        host = world.host("host")
        world.fault(crash(host, at="1 s", until="3 s"))
        world.run(host, lambda: ran.append("early"), at="0.5 s")
        world.run(host, lambda: ran.append("never"), at="2 s")
        world.run(host, lambda: ran.append("late"), at="4 s")
        world.until("5 s")
    assert ran == ["early", "late"]


def test_coroutines_end_with_their_host():
    async def forever():
        await asyncio.sleep(1000)

    with World() as world:
        host = world.host("host")
        world.fault(crash(host, at="1 s", until="2 s"))
        task = world.start(host, forever())
        with pytest.raises(asyncio.CancelledError, match="host has crashed"):
            world.until(task)
        assert world.now == 1
