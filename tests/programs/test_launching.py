"""Programs: files, modules and functions; what is their own; how they end."""

import asyncio
import os
import random
import signal
import sys
import time
import uuid

import pytest

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.testing import World
from tests.programs.pair_of_hosts import run_alone


@pytest.fixture
def script(tmp_path):
    def write(text, name="program.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def run(what):
    """The program, at its end."""
    with World() as world:
        program = world.run(world.host("host"), what)
        world.until()
        program.disregard_failure()
        return program


def test_a_file_is_the_main_module_with_arguments_of_its_own(script):
    path = script(
        "import sys, helper\n"
        "def main(): print(__name__, sys.argv[1:], helper.VALUE, sys.modules['__main__'].main is main)\n"
        "if __name__ == '__main__': main()\n"
    )
    script("VALUE = 7\n", "helper.py")
    program = run(f"{path} one 'two words'")
    assert program.output == "__main__ ['one', 'two words'] 7 True\n"
    assert program.status == 0
    assert "helper" not in sys.path
    sys.modules.pop("helper")


def test_each_has_its_own_globals(script):
    path = script("import sys, time\nname = sys.argv[1]\ntime.sleep(1)\nprint(name)\n")
    with World() as world:
        host = world.host("host")
        programs = [world.run(host, [path, text]) for text in ("a", "b")]
        world.until()
    assert [program.output for program in programs] == ["a\n", "b\n"]


def test_a_module():
    assert run("-m platform").output.startswith("Linux")
    assert "usage" in run("-m json.tool --help").output


def test_a_function_with_arguments_and_its_value():
    with World() as world:
        assert world.until(world.run(world.host("host"), [pow, 2, 10])) == 1024


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("raise SystemExit", 0, ""),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('too bad')", 1, "too bad\n"),
        ("import os; os._exit(4)", 4, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143, ""),
        ("def f():\n  1/0\nf()", 1, "ZeroDivisionError: division by zero\n"),
    ],
)
def test_exit_status(script, code, status, said):
    program = run(script(code))
    assert program.status == status
    assert program.errors.endswith(said)


def test_a_traceback_is_that_of_the_program_alone(script):
    path = script("import socket\nsocket.create_connection(('nowhere', 1))\n")
    program = run(path)
    assert "/tcpemu/" not in program.errors
    assert f'File "{path}", line 2, in <module>' in program.errors


def test_lines_go_out_under_the_name_of_the_program(capsys, script):
    path = script("import sys\nprint('one\\ntwo')\nprint('half', end='')\nprint('!', file=sys.stderr)\n")
    with World(echo=True) as world:
        world.run(world.host("web"), path)
        world.until()
    assert capsys.readouterr() == ("web | one\nweb | two\nweb | half\n", "web | !\n")


def test_what_is_not_there_is_refused(script):
    with World() as world:
        host = world.host("host")
        for what, words in (
            ("nowhere.py", "nowhere.py: there is no such file to run"),
            ("-m no.such.module", "there is no such module"),
            (script("1 +\n"), "line 1: invalid syntax"),
            ("", "there is no program to run"),
        ):
            with pytest.raises(ConfigurationError, match=words):
                world.run(host, what)


def test_a_signal_meets_the_handler_of_its_process():
    def main():
        found = []
        before = signal.signal(signal.SIGTERM, lambda number, _: found.append(number))
        os.kill(os.getpid(), signal.SIGTERM)
        return found, before, callable(signal.getsignal(signal.SIGTERM))

    handler = signal.getsignal(signal.SIGTERM)
    assert run_alone(main) == ([signal.SIGTERM], signal.SIG_DFL, True)
    assert signal.getsignal(signal.SIGTERM) == handler


def test_an_alarm_ends_a_wait_by_what_its_handler_raises():
    def main():
        class TooLateError(Exception):
            pass

        def ring(*_):
            raise TooLateError

        signal.signal(signal.SIGALRM, ring)
        signal.alarm(3)
        begin = time.monotonic()
        with pytest.raises(TooLateError):
            time.sleep(100)
        return time.monotonic() - begin, signal.alarm(0)

    assert run_alone(main) == (3.0, 0)


def test_a_wait_goes_on_after_a_handler_that_raises_nothing():
    def main():
        rings = []
        signal.signal(signal.SIGALRM, lambda *_: rings.append(time.monotonic() - begin))
        begin = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 1, 0.5)
        time.sleep(2.25)
        signal.setitimer(signal.ITIMER_REAL, 0)
        return rings, time.monotonic() - begin

    assert run_alone(main) == ([1.0, 1.5, 2.0], 2.25)


def test_a_signal_ends_an_event_loop_in_good_order():
    def serve():
        async def main():
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await stop.wait()
            await asyncio.sleep(0.5)
            return "in good order"

        return asyncio.run(main())

    with World() as world:
        program = world.run(world.host("server"), serve)
        world.until("2 s")
        program.signal(signal.SIGTERM)
        assert world.until(program) == "in good order"
        assert world.now == 2.5


def test_chance_comes_from_the_seed():
    def main():
        return random.random(), uuid.uuid4(), os.urandom(4), time.time()

    def drawn(seed):
        with World(seed) as world:
            return world.until(world.run(world.host("host"), main))

    before = random.getstate()
    assert drawn(1) == drawn(1)
    assert drawn(1)[:3] != drawn(2)[:3]
    assert random.getstate() == before
