"""The fixture `world`: what its options and marks do, which event loop runs what, what a failing test prints.

Each test writes a small project and has a pytest of its own run it.
"""

import importlib.metadata
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tcpemu.wire.capture_file import read_capture

pytest_plugins = ["pytester"]

PLUGIN = "tcpemu.testing.pytest_plugin"
INSTALLED = any(point.value == PLUGIN for point in importlib.metadata.entry_points(group="pytest11"))
SERVER_AND_CLIENT = """
import asyncio
import socket
import time

import pytest

from tcpemu.testing import World, lose


def serve():
    with socket.create_server(("", 80), backlog=5) as listener:
        while True:
            connection, _ = listener.accept()
            connection.sendall(b"hello")
            connection.close()


def ask():
    with socket.create_connection(("server", 80)) as connection:
        return connection.recv(100)


def asked(world):
    server, client = world.host("server"), world.host("client")
    world.link(client, server, "20 ms")
    world.run(server, serve)
    return world.until(world.run(client, ask))


async def echo(reader, writer):
    writer.write(await reader.readline())
    writer.close()


async def serve_echo():
    server = await asyncio.start_server(echo, "0.0.0.0", 7)
    await server.serve_forever()


async def say(text):
    reader, writer = await asyncio.open_connection("server", 7)
    writer.write(text)
    answer = await reader.read()
    writer.close()
    return answer

"""


def run(pytester, source, *options, also=()):
    """Run a file of tests: its result, and what pytest prints."""
    pytester.makepyfile(test_it=SERVER_AND_CLIENT + source)
    given = [*(() if INSTALLED else ("-p", PLUGIN)), *(also or ("-p", "no:asyncio")), *options]
    command = [sys.executable, "-m", "pytest", "-Werror", *given]
    done = pytester.run(*command)
    return done, "\n".join([*done.outlines, *done.errlines])


def outcomes(done):
    return {name: number for name, number in done.parseoutcomes().items() if name != "warnings"}


def account_of(said):
    """What is printed of a failing test's world."""
    return said[re.search(r"^-+ tcpemu -+$", said, re.MULTILINE).end() :]


def test_it_is_announced_to_pytest():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {"tcpemu": PLUGIN}
    assert importlib.util.find_spec(PLUGIN) is not None


def test_where_nobody_uses_it_nothing_else_of_tcpemu_is_loaded():
    code = (
        f"import sys, pytest, {PLUGIN}; print(*(name for name in sys.modules if name.startswith('tcpemu')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()) == {"tcpemu", "tcpemu.version", "tcpemu.testing", PLUGIN}


def test_nor_by_a_run_of_tests_without_a_world(pytester):
    pytester.makepyfile(
        test_plain="""
        import sys

        def test_one():
            assert 1 == 2

        def test_two():
            assert {name for name in sys.modules if name.startswith("tcpemu.testing.")} == {
                "tcpemu.testing.pytest_plugin"
            }
        """
    )
    done, _ = run(pytester, "", "test_plain.py")
    assert outcomes(done) == {"passed": 1, "failed": 1}


# What runs.


def test_a_test_has_a_world_of_its_own(pytester):
    done, said = run(
        pytester,
        """
def test_one(world):
    assert asked(world) == b"hello"
    assert (world.now, world.network.seed) == (0.08, 0)

def test_two(world, tcpemu_seed):
    assert world.hosts == {} and world.now == 0
    assert tcpemu_seed == 0

@pytest.fixture
def server(world):
    world.run(world.host("server"), serve)
    yield world
    assert world.now == 0.002

class TestHere:
    def test_three(self, server, world):
        assert server is world
        assert world.until(world.run(world.host("client"), ask)) == b"hello"
""",
    )
    assert outcomes(done) == {"passed": 3}, said


def test_a_coroutine_runs_in_the_event_loop_of_its_world(pytester):
    done, said = run(
        pytester,
        """
async def test_it(world):
    world.start(world.host("server"), serve_echo())
    before = time.monotonic()
    await asyncio.sleep(3600)
    assert (world.now, time.monotonic() - before) == (3600, 3600)
    assert await world.on(world.host("client"), say(b"x\\n")) == b"x\\n"
    world.run("server", serve)
    assert await world.run("client", ask) == b"hello"
    with pytest.raises(RuntimeError, match="await program"):
        world.until("3 s")

async def test_sockets_of_the_test_itself_are_on_a_host_of_its_own(world):
    world.start(world.host("server"), serve_echo())
    await asyncio.sleep(0)
    assert list(world.hosts) == ["server"]
    assert await say(b"y\\n") == b"y\\n"
    assert list(world.hosts) == ["server", "test"]
    listener = await asyncio.start_server(echo, "localhost", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    writer.write(b"z\\n")
    assert await reader.read() == b"z\\n"
    writer.close()

async def test_a_program_that_fails_fails_in_its_await(world):
    def program():
        raise LookupError("of the program")
    with pytest.raises(LookupError, match="of the program"):
        await world.run(world.host("a"), program)
""",
    )
    assert outcomes(done) == {"passed": 3}, said


def test_what_can_never_end_says_who_waits(pytester):
    done, said = run(
        pytester,
        """
async def test_stuck(world):
    await asyncio.get_running_loop().create_future()

async def test_for_ever(world):
    while True:
        await asyncio.sleep(600)

async def test_a_program_too(world):
    await world.run(world.host("server"), serve)
""",
    )
    assert outcomes(done) == {"failed": 3}
    assert re.search(r"nothing can happen any more:\n +Task-\d+ waits in test_stuck, .*test_it.py:\d+", said)
    assert re.search(r"at 86400 s this still does not end:\n +Task-\d+ waits in test_for_ever", said)
    assert re.search(
        r"server \(MainThread\) waits in accept\(\)\n +Task-\d+ waits in test_a_program_too,", said
    )
    assert "run_until_complete" not in said


def test_what_failed_unseen_makes_the_test_fail(pytester):
    done, said = run(
        pytester,
        """
async def fail():
    raise LookupError("of a coroutine")

def test_it(world):
    world.start(world.host("a"), fail())
    world.until("1 s")
""",
    )
    assert outcomes(done) == {"failed": 1}, said
    assert "LookupError: of a coroutine" in said
    assert "pytest_plugin.py" not in said


def test_pytest_asyncio_runs_tests_and_fixtures_in_it_and_leaves_others_alone(pytester):
    pytest.importorskip("pytest_asyncio", "1.4")
    done, said = run(
        pytester,
        """
import pytest_asyncio

@pytest_asyncio.fixture
async def first():
    return asyncio.get_running_loop()

@pytest_asyncio.fixture
async def server(world):
    world.start(world.host("server"), serve_echo())
    await asyncio.sleep(5)
    yield asyncio.get_running_loop()
    await asyncio.sleep(1000)

@pytest.mark.asyncio
async def test_in_the_world(first, server, world):
    assert first is server is asyncio.get_running_loop() is world.event_loop
    assert world.now == 5
    assert await world.on(world.host("client"), say(b"x\\n")) == b"x\\n"
    await asyncio.sleep(3600)

@pytest.mark.asyncio
async def test_outside(first):
    assert type(first).__module__.startswith("asyncio")
""",
        "-v",
        *("-o", "asyncio_default_fixture_loop_scope=function"),
        also=("-p", "no:anyio"),
    )
    assert outcomes(done) == {"passed": 2}, said
    assert "::test_outside PASSED" in said
    auto, said = run(
        pytester,
        """
async def test_it(world):
    await asyncio.sleep(3600)
    assert world.now == 3600

async def test_outside():
    assert type(asyncio.get_running_loop()).__module__.startswith("asyncio")
""",
        *("--asyncio-mode=auto", "--tcpemu-seeds=2", "-o", "asyncio_default_fixture_loop_scope=function"),
        also=("-p", "no:anyio"),
    )
    assert outcomes(auto) == {"passed": 3}, said


def test_anyio_too(pytester):
    done, said = run(
        pytester,
        """
import anyio

@pytest.fixture
async def server(world):
    world.start(world.host("server"), serve_echo())
    await anyio.sleep(5)
    yield asyncio.get_running_loop()
    await anyio.sleep(1000)

@pytest.mark.anyio
async def test_in_the_world(server, world):
    assert server is asyncio.get_running_loop() is world.event_loop
    assert await world.on(world.host("client"), say(b"x\\n")) == b"x\\n"
    with anyio.move_on_after(3600):
        await anyio.sleep_forever()
    assert 3605 <= world.now < 3606

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_outside(anyio_backend):
    assert type(asyncio.get_running_loop()).__module__.startswith("asyncio")

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_in_a_loop_of_its_own_choice(anyio_backend, world):
    world.start(world.host("server"), serve_echo())
    assert await world.on(world.host("client"), say(b"x\\n")) == b"x\\n"
""",
        "-v",
    )
    assert outcomes(done) == {"passed": 3}, said
    assert "test_in_the_world[tcpemu] PASSED" in said


def test_another_projects_own_world_is_left_alone(pytester):
    done, said = run(
        pytester,
        """
@pytest.fixture
def world():
    return "round"

def test_it(world):
    assert world == "round"
""",
        *("--tcpemu-seeds=3", "--tcpemu-generation=linux-3.10"),
    )
    assert outcomes(done) == {"passed": 1}, said


# Options and marks.


def test_seeds_and_kernels_are_parameters(pytester):
    done, said = run(
        pytester,
        """
def test_it(world, tcpemu_seed, tcpemu_generation):
    host = world.host("a")
    assert (world.network.seed, host.host.generation.name) == (tcpemu_seed, tcpemu_generation)

@pytest.mark.parametrize("number", [1, 2])
def test_other(world, number):
    pass

def test_without_a_world():
    pass
""",
        *("--tcpemu-seed=7", "--tcpemu-seeds=3", "--tcpemu-generation", "linux-3.10, freebsd-14", "-v"),
    )
    assert outcomes(done) == {"passed": 6 + 12 + 1}, said
    ids = set(re.findall(r"test_it\[(.*)\] PASSED", said))
    assert ids == {f"{kernel}-seed{seed}" for kernel in ("linux-3.10", "freebsd-14") for seed in (7, 8, 9)}


def test_one_seed_alone_changes_no_name(pytester):
    done, said = run(
        pytester,
        """
def test_it(world):
    assert world.network.seed == 7

@pytest.mark.tcpemu(seed=3)
def test_a_mark_gives_way(world):
    assert world.network.seed == 7
""",
        *("--tcpemu-seed", "7", "-v"),
    )
    assert outcomes(done) == {"passed": 2}, said
    assert "::test_it PASSED" in said


def test_a_mark_says_what_the_world_is_made_with(pytester):
    done, said = run(
        pytester,
        """
pytestmark = pytest.mark.tcpemu(seed=5, generation="linux-5.10")

@pytest.mark.tcpemu(generation="linux-3.10", sysctls={"net.core.somaxconn": 7})
def test_it(world):
    host = world.host("a").host
    assert (world.network.seed, host.generation.name) == (5, "linux-3.10")
    assert host.sysctls.somaxconn == 7
""",
        "--strict-markers",
    )
    assert outcomes(done) == {"passed": 1}, said


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("sed=5", "it takes seed=, generation=, sysctls=, echo= and no others"),
        ("5", "it takes seed=, generation=, sysctls=, echo= and no others"),
    ],
)
def test_a_mistake_in_a_mark_is_one_sentence(pytester, mark, sentence):
    done, said = run(pytester, f"\n@pytest.mark.tcpemu({mark})\ndef test_it(world):\n    pass\n")
    assert outcomes(done) == {"errors": 1}
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--tcpemu-seed=x", "'x' is no whole number from 0 on"),
        ("--tcpemu-seeds=0", "'0' is no whole number from 1 on"),
        ("--tcpemu-generation=linux-9", "linux-9"),
        ("--tcpemu-generation=,", "it names no kernel"),
    ],
)
def test_a_mistake_in_an_option_is_one_sentence(pytester, option, sentence):
    done, said = run(pytester, "\ndef test_it(world):\n    pass\n", option)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert sentence in said
    assert "Traceback" not in said


def test_a_world_is_for_one_test(pytester):
    done, said = run(
        pytester,
        """
@pytest.fixture(scope="module")
def server(world):
    pass

def test_it(server):
    pass
""",
    )
    assert outcomes(done) == {"errors": 1}
    assert "ScopeMismatch" in said


# What a failing test prints.


FAILS = """
def test_it(world):
    server = world.host("server")
    world.fault(lose("syn", of=server), lose("third-ack", of=world.host("client2")))
    assert asked_again(world) == b"good bye"

def asked_again(world):
    client = world.host("client")
    world.fault(lose("syn", of=client))
    world.run("server", serve)
    return world.until(world.run(client, ask))
"""


def test_a_failing_test_tells_all_of_its_world(pytester):
    done, said = run(pytester, FAILS, "--tcpemu-seed=7", "--tcpemu-dir=out")
    assert outcomes(done) == {"failed": 1}
    account = account_of(said)
    lines = account.splitlines()
    assert lines[1:6] == [
        "seed 7, linux-6.18, at 1.002 s",
        "again:    pytest test_it.py::test_it --tcpemu-seed 7",
        "fault:    lose the syn of server (no packet has met it)",
        "fault:    lose the third-ack of client2 (no packet has met it)",
        "fault:    lose the syn of client",
    ]
    path = pytester.path / "out" / "test_it-test_it.pcapng"
    assert lines[6] == f"capture:  {path}"
    assert len(read_capture(path).packets) >= 6
    assert "lost by a fault: lose the syn of client" in account
    assert "[tcp_timer.c: tcp_retransmit_timer]" in account
    assert re.search(r"server: ss -tan\n +State.*\n(.*\n)?.*FIN-WAIT-1", account)
    assert re.search(r"client: counters that moved\n(.*\n)*? +TcpExt +TCPSynRetrans +1 ", account)


def test_a_traceback_has_the_programs_own_lines_alone(pytester):
    _, said = run(
        pytester,
        """
def test_it(world):
    def ask_in_vain():
        with socket.create_connection(("server", 80), timeout=0.5) as connection:
            return connection.recv(100)

    world.host("server")
    world.run("server", serve)
    world.fault(lose("third-ack"))
    world.until(world.run(world.host("client"), ask_in_vain))
""",
    )
    assert "return connection.recv(100)" in said
    assert "world.until(world.run(" in said
    assert re.findall(r"^\S+\.py:\d+: .*", said, re.MULTILINE)[-1].startswith("test_it.py")
    assert "emulated_socket.py" not in said


def test_of_a_long_run_it_shows_the_last_part(pytester):
    _, said = run(
        pytester,
        """
def test_it(world):
    server, client = world.host("server"), world.host("client")
    world.run(server, serve)
    for number in range(50):
        world.until(world.run(client, ask, at=number))
    assert world.now < 0
""",
    )
    account = account_of(said)
    left_out = int(re.search(r"… (\d+) lines before these; the capture has all packets", account)[1])
    assert left_out > 10
    assert "49.00" in account
    assert account.count("─▶") + account.count("◀─") < 50


def test_without_a_folder_captures_are_with_what_pytest_keeps(pytester):
    _, said = run(pytester, FAILS, f"--basetemp={pytester.path / 'kept'}")
    path = Path(re.search(r"capture: +(.*)", said)[1])
    assert path == pytester.path / "kept" / "tcpemu" / "test_it-test_it.pcapng"
    assert path.is_file()


def test_where_no_capture_can_be_written_the_account_says_so(pytester):
    pytester.makefile("", out="a file")
    _, said = run(pytester, FAILS, "--tcpemu-dir=out/deeper")
    assert re.search(r"capture: +not written: .*Not a directory", said)
    assert "TCPSynRetrans" in said


SOMETIMES = """
@pytest.mark.parametrize("text", ["a b", "c"])
def test_it(world, text):
    server, client = world.host("server"), world.host("client")
    world.link(client, server, "20 ms", loss=0.3)
    world.run(server, serve)
    world.until(world.run(client, ask))
    assert world.now < 1
"""


def test_the_line_that_repeats_it_does(pytester):
    options = ("--tcpemu-seeds=8", "--tcpemu-seed=3", "--tcpemu-generation=linux-3.10,linux-6.18")
    done, said = run(pytester, SOMETIMES, *options)
    lines = re.findall(r"^again: +(.*)", said, re.MULTILINE)
    assert 0 < len(lines) == outcomes(done)["failed"] < 32
    again = shlex.split(lines[0])
    assert again[0] == "pytest"
    alone, said_alone = run(pytester, SOMETIMES, *again[1:])
    assert outcomes(alone) == {"failed": 1}
    ladders = [
        text[text.index("time (s)") : text.index("counters that moved")] for text in (said, said_alone)
    ]
    assert ladders[0] == ladders[1]


def test_workers_of_xdist_tell_the_same(pytester):
    done, said = run(pytester, SOMETIMES, "--tcpemu-seeds=8", "--tcpemu-dir=out", "-n2")
    accounts = re.findall(r"^again: +(.*)\n(?:fault.*\n)*capture: +(.*)", said, re.MULTILINE)
    assert 0 < len(accounts) == outcomes(done)["failed"] < 16
    assert len(set(accounts)) == len(accounts)
    assert all(Path(path).parent == pytester.path / "out" and Path(path).is_file() for _, path in accounts)


def test_a_world_that_the_test_has_made_by_itself_is_told_of_too(pytester):
    done, said = run(
        pytester,
        """
def test_it():
    with World(3) as world:
        asked(world)
    with World(4) as world:
        assert asked(world) == b"good bye"

def test_other():
    assert 1 == 2
""",
    )
    assert outcomes(done) == {"failed": 2}
    assert re.findall(r"^seed \d+.*", said, re.MULTILINE) == ["seed 4, linux-6.18, at 0.08 s"]
