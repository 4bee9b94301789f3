"""Files that others made, disks that are full, names that are odd: one line and status 2, and no file is lost."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from xml.dom import minidom

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.cli.printing import free_name
from tcpemu.wire import Capture, Interface, Packet, capture_file, encode, pcap, write_capture
from tcpemu.wire.capture_values import CaptureError
from tests.stack.base.test_host_arguments import SYN_OF_A_PEER

PROGRAM = [sys.executable, "-m", "tcpemu"]
HOSTILE = 'title = "a bell \\u0007 \\u001b[31m \\u202e"\nduration = "1 s"\n[[clients]]\nname = "c"\n'
TRACE = '{"until":1,"steps":[[0,"listen",1]]}'


def tcpemu(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def as_process(*arguments, **more):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], text=True, check=False, stderr=subprocess.PIPE, **more
    )


def refused(done, words):
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert "Traceback" not in done.output


# Places for files.


def test_runs_that_are_named_alike_have_files_of_their_own(tmp_path):
    names = ("one", "a b", "a-b", "A B", "мир", "世界", "!!!", "b" * 400)
    variants = "".join(f'[[variants]]\nname = "{name}"\nset = {{}}\n' for name in names)
    (tmp_path / "s.toml").write_text('title = "t"\nduration = "1 ms"\n' + variants)
    done = tcpemu("run", tmp_path / "s.toml", "-o", tmp_path / "x.pcapng")
    written = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Written:")]
    assert len(set(written)) == len(names)
    assert {path.name for path in tmp_path.glob("*.pcapng")} == {os.path.basename(each) for each in written}


def test_a_free_name_is_short_enough_in_octets(tmp_path):
    taken = [tmp_path / "A.pcap"]
    for _ in range(3):
        taken.append(free_name(tmp_path, "世" * 300, ".pcap", taken))
    assert free_name(tmp_path, "a", ".pcap", taken).name == "a-2.pcap"
    assert len({path.name for path in taken}) == 4
    assert all(len(os.fsencode(path.name)) <= 255 for path in taken)


@pytest.mark.parametrize("command", ["run", "report", "plot"])
def test_a_scenario_is_never_replaced_by_what_is_made_of_it(tmp_path, command):
    path = tmp_path / {"run": "s.pcapng", "report": "s.html", "plot": "s.svg"}[command]
    path.write_text(HOSTILE)
    (tmp_path / ("linked" + path.suffix)).hardlink_to(path)
    for output in (path, tmp_path / ("linked" + path.suffix)):
        refused(tcpemu(command, path, "-o", output), "is the file that is read; give another name")
    assert path.read_text() == HOSTILE


def test_nor_are_step_traces(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(TRACE)
    refused(tcpemu("trace", path, "-o", path), "is the file that is read")
    refused(tcpemu("trace", tmp_path, "-o", tmp_path), "is the file that is read")
    assert path.read_text() == TRACE


def test_nor_by_a_column_of_a_comparison(tmp_path):
    path = tmp_path / "backlog=1.pcapng"
    path.write_text(HOSTILE)
    refused(
        tcpemu("compare", path, "--vary", "server.backlog=1,2", "-o", tmp_path), "is the file that is read"
    )


def test_a_name_that_is_too_long_is_told_before_the_run(tmp_path):
    refused(tcpemu("run", "handshake", "-o", tmp_path / ("x" * 260 + ".pcapng")), "255 octets at most")


def test_a_file_keeps_its_mode(tmp_path):
    path = tmp_path / "x.pcapng"
    path.write_text("old")
    path.chmod(0o600)
    assert tcpemu("run", "handshake", "-o", path).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Disks and signals.


@pytest.mark.parametrize(
    "arguments", [["run", "handshake"], ["run", "handshake", "--json"], ["schema"], ["list"]], ids=" ".join
)
def test_a_full_disk_behind_standard_output(arguments):
    with open("/dev/full", "w") as full:
        done = as_process(*arguments, stdout=full)
    assert (done.returncode, done.stderr) == (2, "tcpemu: standard output: No space left on device\n")


def test_a_full_disk_behind_a_link(tmp_path):
    (tmp_path / "full.pcapng").symlink_to("/dev/full")
    refused(
        tcpemu("run", "handshake", "-o", tmp_path / "full.pcapng"), "full.pcapng: No space left on device"
    )


def test_sigterm_leaves_no_half_file(tmp_path):
    program = (
        "import os, time\nfrom pathlib import Path\nfrom tcpemu import cli\nfrom tcpemu.wire import atomic_write\n"
        "def slow(path, pieces):\n    path.write_bytes(b''.join(pieces))\n"
        "    print('half', flush=True)\n    time.sleep(60)\n"
        "atomic_write._write_new = slow\n"
        f"import sys\nsys.argv = ['tcpemu', 'run', 'handshake', '-o', {str(tmp_path / 'x.pcapng')!r}]\ncli.main()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "half\n"
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_a_message(monkeypatch):
    def all_gone(*_):
        raise MemoryError

    monkeypatch.setattr("tcpemu.cli.run_command.run_and_tell", all_gone)
    refused(tcpemu("run", "handshake"), "the run took more memory than")


# Foreign text.


def test_control_characters_of_a_scenario_are_escaped(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(HOSTILE)
    shown = tcpemu("run", path).stdout + tcpemu("run", path, "--json").stdout + tcpemu("explain", path).stdout
    assert not set(shown) & set("\x07\x1b\u202e")
    assert r"a bell \x07 \x1b[31m \u202e" in " ".join(shown.split())


def test_so_are_those_of_a_capture_and_of_a_mistake(tmp_path):
    path = tmp_path / "x.pcapng"
    packet = Packet(1, encode(SYN_OF_A_PEER), comments=("\x1b[2J\x9b31mred",))
    write_capture(path, Capture((Interface("\x1b]0;owned\x07"),), (packet,), "tcpemu 0.1.0"))
    shown = tcpemu("explain", path, "--frame", 1).output + tcpemu("run", "\x1b[31m").output
    assert not set(shown) & set("\x07\x1b\x9b")
    assert r"\x1b[2J\x9b31mred" in shown


def test_a_picture_with_a_bell_is_well_formed(tmp_path):
    (tmp_path / "s.toml").write_text(HOSTILE)
    assert tcpemu("plot", tmp_path / "s.toml", "-o", tmp_path / "x.svg").exit_code == 0
    minidom.parse(str(tmp_path / "x.svg"))


@pytest.mark.parametrize("output", ["x.html", "x.svg", "x.pcapng"])
def test_a_file_name_that_is_not_utf8(tmp_path, output):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.toml")
    shutil.copy(_written(tmp_path), name)
    command = {"x.html": "report", "x.svg": "plot", "x.pcapng": "run"}[output]
    done = as_process(command, name, "-o", tmp_path / output, stdout=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def _written(folder):
    path = folder / "s.toml"
    path.write_text(HOSTILE)
    return path


# Large files.


def test_a_capture_too_large_for_memory_is_not_read(tmp_path, monkeypatch):
    for name, words in (("x.pcap", "at most 268435456 are read"), ("x.bin", "is neither pcapng nor pcap")):
        path = tmp_path / name
        if name == "x.pcap":
            write_capture(path, Capture((Interface(""),), ()))
        with path.open("ab") as file:
            file.truncate(2**31)
        began = time.monotonic()
        refused(tcpemu("explain", path, "--frame", 1), words)
        assert time.monotonic() - began < 5
    monkeypatch.setattr(pcap, "MOST_PACKETS", 3)
    path = tmp_path / "y.pcap"
    write_capture(path, Capture((Interface(""),), (Packet(1, b"x"),) * 4))
    with pytest.raises(CaptureError, match="more than"):
        capture_file.read_capture(path)


# Step traces.


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('[0,"in",1,"S",0,null,{"win":1.5}]', "win is 1.5; it is a whole number"),
        (
            '[0,"in",1,"S",0,null,{"lenght":5}]',
            "unknown key 'lenght'; a segment has badsum, ip, isn, label, len",
        ),
        ('[0,"in",1,"S",0,null,{"ip":5}]', "ip is 5; it is an address"),
        ('[0,"in",1,"S",0,null,{"ttl":"x"}]', "ttl is 'x'; it is a whole number"),
        ('[0,"in",1,"S",0,null,{"opts":[["mss",1.5]]}]', "steps[0]"),
        ('[0,"in",1,"S",0,null,[1]]', "more of a segment is a table"),
        ('[0,"listen",1.5]', "found 1.5; it must be a whole number"),
        ('[0,"listen",true]', "found True; it must be a whole number"),
        ('[0,"listen",1,{"port":"x"}]', "found 'x'; it must be a whole number"),
    ],
)
def test_a_step_that_is_not_understood_is_refused_and_the_others_go_on(tmp_path, step, words):
    for name, text in (("a.json", f'{{"until":1,"steps":[{step}]}}'), ("b.json", TRACE)):
        (tmp_path / name).write_text(text)
    done = tcpemu("trace", tmp_path, "-o", tmp_path / "out")
    refused(done, words)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.json"]


def test_what_utf8_cannot_hold_stays_an_escape(tmp_path):
    (tmp_path / "a.json").write_text('{"name":"\\ud800","until":1,"steps":[]}')
    done = tcpemu("trace", tmp_path / "a.json", "-o", tmp_path / "b.json")
    assert done.exit_code == 0
    assert r'"name":"\ud800"' in (tmp_path / "b.json").read_text()


def test_a_capture_is_no_step_trace(tmp_path):
    tcpemu("run", "handshake", "-o", tmp_path / "x.pcap")
    refused(tcpemu("trace", tmp_path / "x.pcap"), "this is a capture, not a step trace")
