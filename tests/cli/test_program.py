"""The program as a process: start-up, pipes, colours, and what is left behind."""

import os
import pty
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-m", "tcpemu"]


def tcpemu(*arguments, **more):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, **more
    )


def test_a_mistake_leaves_no_traceback_and_no_file(tmp_path):
    done = tcpemu("run", "nonsense", "-o", tmp_path / "x.pcapng")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_is_status_2():
    done = tcpemu("run", "--nonsense")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_module_is_the_program():
    assert tcpemu("--version").stdout.startswith("tcpemu ")


@pytest.mark.parametrize(
    "arguments",
    [["run", "syn-flood", "--all"], ["run", "syn-flood", "--json"], ["list"], ["schema"], ["--help"]],
)
def test_a_reader_that_leaves_is_no_error(arguments):
    """As `| head -1` does: nothing on standard error, and no wait."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(60)


def test_a_reader_that_was_never_there():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PROGRAM, "run", "handshake"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141


def test_the_capture_is_whole_though_the_reader_left(tmp_path):
    read, write = os.pipe()
    os.close(read)
    subprocess.run([*PROGRAM, "run", "handshake", "-o", tmp_path / "x.pcapng"], stdout=write, check=False)
    os.close(write)
    tcpemu("run", "handshake", "-o", tmp_path / "y.pcapng")
    assert (tmp_path / "x.pcapng").read_bytes() == (tmp_path / "y.pcapng").read_bytes()


def on_a_terminal(**environment):
    """What the program prints where standard output is a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "run", "handshake"], stdout=follower, env={**os.environ, "TERM": "xterm", **environment}
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says EIO when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    process.wait(60)
    return shown.decode()


def test_colours_only_on_a_terminal_and_only_where_welcome():
    assert "\x1b[" in on_a_terminal(NO_COLOR="")
    assert "\x1b[" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal(TERM="dumb", NO_COLOR="")
    assert "\x1b[" not in tcpemu("run", "handshake").stdout


def test_a_terminal_that_knows_only_ascii_gets_ascii():
    done = tcpemu("run", "ignored-ack", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "- SYN seq 0 win 64240 -" in done.stdout
    assert done.stdout.isascii()
    assert "?" not in done.stdout


def test_help_and_list_load_no_heavy_room():
    code = (
        "import sys, tcpemu.cli, tcpemu.cli.app\n"
        "heavy = {'scapy', 'pydantic', 'rich.progress', 'tcpemu.network', 'tcpemu.stack'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_running_a_scenario_loads_no_scapy():
    code = (
        "import sys\nfrom tcpemu.cli.app import app\n"
        "try:\n    app(['run', 'handshake'])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(str('scapy' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "False"


def test_without_standard_output_there_is_no_traceback():
    """`tcpemu run ... >&-`, as a service may start it."""
    for command in ("run handshake --json", "run handshake", "list"):
        done = subprocess.run(
            f'exec "{sys.executable}" -m tcpemu {command} >&-',
            shell=True,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
