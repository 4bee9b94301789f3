"""`tcpemu exec`: programs on emulated hosts, and on the loopback of the machine."""

import sys

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.cli.exec_request import faults_of, link_conditions, placed
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.network import Conditions, crash, cut, delay, lose, reset
from tcpemu.wire.capture_file import read_capture

SERVER = """
import socket
import time

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 5000))
listener.listen(5)
while True:
    connection, peer = listener.accept()
    now = time.ctime(time.time()) + "\\r\\n"
    connection.send(now.encode("ascii"))
    connection.close()
"""
CLIENT = """
import socket
import sys

connection = socket.create_connection((sys.argv[1], 5000))
print("it is", connection.recv(100).decode().strip())
connection.close()
"""


@pytest.fixture(autouse=True)
def scripts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "client.py").write_text(CLIENT)
    return tmp_path


def tcpemu(*arguments):
    return CliRunner().invoke(app, ["exec", *map(str, arguments)])


THIRTEEN = ("--host", "server=server.py", "--host", "c*12=client.py server", "--link", "delay 20 ms")


def test_the_server_and_twelve_clients(scripts):
    done = tcpemu(*THIRTEEN, "--every", "20 ms", "-o", "x.pcapng")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"c{number} | it is Tue Nov 14 22:13:20 2023" for number in range(1, 13)
    ]
    assert "stopped: server waits in accept()" in done.stderr
    assert len(read_capture(scripts / "x.pcapng").packets) == 12 * 8


def test_the_same_seed_gives_the_same_octets(scripts):
    for name in ("a", "b"):
        tcpemu(*THIRTEEN, "--seed", "7", "--lose", "third-ack:c3", "-o", f"{name}.pcapng")
    assert (scripts / "a.pcapng").read_bytes() == (scripts / "b.pcapng").read_bytes()


def test_a_lost_third_ack():
    done = tcpemu(*THIRTEEN, "--every", "20 ms", "--lose", "third-ack:c3", "--ladder")
    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if " | it is" in line]
    assert lines[-1] == "c3 | it is Tue Nov 14 22:13:21 2023"
    assert "lost" in done.stdout
    assert "no packet was there" not in done.stderr


def test_twelve_clients_at_one_instant_are_more_than_the_backlog_takes():
    """With SYN cookies nothing is left of a final ACK that met a full queue: the client waits for ever."""
    done = tcpemu(*THIRTEEN)
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 6
    assert "some programs do not end" in done.stderr
    assert "c7 (MainThread) waits in recv(100)" in done.stderr


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(3)", 3), ("1/0", 1), ("import time; time.sleep(9); raise SystemExit(4)", 5), ("", 5)],
)
def test_the_exit_status_is_that_of_the_first_that_failed(scripts, code, status):
    (scripts / "a.py").write_text(code)
    (scripts / "b.py").write_text("import time; time.sleep(1); raise SystemExit(5)")
    assert tcpemu("--host", "b=b.py", "--host", "a=a.py").exit_code == status


def test_until(scripts):
    (scripts / "late.py").write_text("import time; time.sleep(10); print('late')")
    done = tcpemu("--host", "a=late.py", "--until", "2 s")
    assert done.exit_code == 0
    assert done.stderr == "tcpemu: 2 s of virtual time; stopped: a sleeps for 10 s\n"
    assert tcpemu("--host", "a=late.py", "--until", "20 s").stdout == "a | late\n"


def test_a_module_and_a_kernel():
    done = tcpemu("--host", "web=-m http.server 80", "--generation", "linux-2.6.32", "--until", "2 s")
    assert done.exit_code == 0
    assert "web | Serving HTTP on 0.0.0.0 port 80" in done.stdout


def test_a_fault_that_met_nothing_is_told():
    done = tcpemu("--host", "server=server.py", "--host", "c=client.py server", "--lose", "data 9:c")
    assert "no packet was there to be lost: lose the data 9 of c" in done.stderr


STAYS = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 7))
for number in range(4):
    connection.sendall(b"x")
    print(connection.recv(10).decode(), flush=True)
    time.sleep(1)
"""
ECHO = """
import socket
listener = socket.create_server(("", 7))
while True:
    connection, _ = listener.accept()
    print("accepted", flush=True)
    while octets := connection.recv(100):
        connection.sendall(octets)
"""


def test_a_server_that_crashes_runs_again_with_its_host(scripts):
    (scripts / "echo.py").write_text(ECHO)
    (scripts / "stays.py").write_text(STAYS)
    hosts = "--host", "server=echo.py", "--host", "c=stays.py server", "--host", "d=stays.py server"
    done = tcpemu(*hosts, "--crash", "server@1.5 s..2 s", "--crash", "d@0.5 s", "--report", "x.html")
    assert done.exit_code == 1, "the client met a RST"
    assert "ConnectionResetError" in done.stderr
    lines = done.stdout.splitlines()
    assert not any(line.startswith("d |") for line in lines), "its connection waited to be accepted"
    assert lines.count("c | x") == 2
    assert "server crashes" not in done.stderr
    page = (scripts / "x.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "echo · stays" in page


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--reset", "c@9 s"), "no connection was there to be reset: reset of c at 9 s"),
        (("--cut", "c@9 s"), "no packet was sent meanwhile: cut of c from 9 s"),
        (("--crash", "c@9 s"), "the run ended before it: crash of c, at 9 s"),
        (("--delay", "data 9:c=1 s"), "no packet was there for it: delay the data 9 of c by 1 s"),
    ],
)
def test_each_fault_that_met_nothing_is_told(option, told):
    done = tcpemu("--host", "server=server.py", "--host", "c=client.py server", *option)
    assert done.exit_code == 0
    assert told in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a host and its program"),
        (["--host", "server.py"], "write it as NAME=PROGRAM"),
        (["--host", "a=nowhere.py"], "nowhere.py: there is no such file to run"),
        (["--host", "a=server.py", "--host", "a=server.py"], "there is a host of this name already"),
        (["server.py"], "'server.py' is on no host; give each program one: --host server=server.py"),
        (["python3", "server.py", "80"], "give each program one: --host 'server=server.py 80'"),
        (["--host", "a=server.py", "--every", "20"], "20 of what? write --every 20ms or --every 20s"),
        (
            ["--host", "a=server.py", "--link", "loss 1 %, delay 20"],
            "20 of what? write 'delay 20ms' or 'delay 20s'",
        ),
        (["--host", "a=server.py", "--link", "slow"], "begin with one of delay, jitter"),
        (
            ["--host", "a=server.py", "--link", "delay 20 ms, mtuu 1400"],
            "'mtuu 1400' begins with none of delay",
        ),
        (["--host", "a=server.py", "--link", "mtu many"], "mtu 'many'; give a whole number of octets"),
        (["--host", "a=server.py", "--link", "mtu 20"], "a link has 68 to"),
        (["--host", "a=server.py", "--link", "mtu 1400, icmp maybe"], "icmp 'maybe'; give yes, or no"),
        (["--host", "a=server.py", "--link", "queue_octets 9"], "nothing waits on a link without a rate"),
        (["--host", "a=server.py", "--reject", "syn:a"], "write it as ROLE:HOST=WORDS"),
        (["--host", "a=server.py", "--reject", "syn:a=no route"], "host unreachable"),
        (["--host", "a=server.py", "--link", "queue 0"], "give a whole number of packets"),
        (["--host", "a=server.py", "--link", "delay much"], "delay 'much'; give a time such as"),
        (["--host", "a=server.py", "--lose", "third-ack:b"], "there is no host 'b'; there are a"),
        (["--host", "a=server.py", "--lose", "third-bck:a"], "'third-bck' is no part that a packet plays"),
        (["--host", "a=server.py", "--delay", "syn:a"], "write it as ROLE:HOST=TIME"),
        (["--host", "a=server.py", "--delay", "syn:a=soon"], "--delay 'soon': it must be a time"),
        (["--host", "a=server.py", "--crash", "a"], "write it as HOST@TIME..TIME"),
        (["--host", "a=server.py", "--crash", "b@1 s"], "there is no host 'b'; there are a"),
        (["--host", "a=server.py", "--crash", "@1 s"], "a crash takes a host"),
        (["--host", "a=server.py", "--cut", "a@2 s..1 s"], "until 1 s: give a time after 2 s"),
        (["--host", "a=server.py", "--report", "x.txt"], "name the file *.html or *.htm"),
        (["--host", "a=server.py", "--real", "--report", "x.html"], "--real writes no report"),
        (["--host", "a=server.py", "--generation", "linux-9"], "linux-9"),
        (["--host", "a=server.py", "-o", "x.txt"], "name the file *.pcap or *.pcapng"),
        (["--host", "a=server.py", "--real", "-o", "x.pcap"], "--real writes no capture"),
    ],
)
def test_mistakes_are_told(arguments, words):
    done = tcpemu(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_what_a_request_says():
    assert [(one.host, one.program, one.at) for one in placed(["a=x.py 1", "b*2=y.py"], 5)] == [
        ("a", "x.py 1", 0),
        ("b1", "y.py", 0),
        ("b2", "y.py", 5),
    ]
    assert link_conditions("delay 20 ms, jitter 1 ms, loss 1 %, rate 10 Mbit/s") == Conditions(
        delay=20_000_000, jitter=1_000_000, loss=0.01, rate=10**7
    )
    assert faults_of(
        {
            "lose": ["syn*3:a", "data 2:b#4", "rst", "data 1:a by b"],
            "delay": ["data 2:a#1=1.5 s"],
            "reset": ["a#2@2 s", "@3 s", "by b@4 s"],
            "cut": ["a by b@1 s..2 s"],
            "crash": ["a@1 s", "b@1..2.5"],
        },
        ["a", "b"],
    ) == [
        lose("syn", of="a", times=3),
        lose("data 2", of="b", connection=4),
        lose("rst"),
        lose("data 1", of="a", by="b"),
        delay("data 2", "1.5 s", of="a", connection=1),
        reset(at="2 s", of="a", connection=2),
        reset(at="3 s"),
        reset(at="4 s", by="b"),
        cut(at="1 s", until="2 s", of="a", by="b"),
        crash("a", at="1 s"),
        crash("b", at="1 s", until="2.5 s"),
    ]
    with pytest.raises(UsageError, match="5000 hosts"):
        placed(["a*99999=x.py"], 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loopback of Linux is 127.0.0.0/8")
def test_the_same_on_the_loopback_of_the_machine(scripts, capfd):
    (scripts / "fails.py").write_text("raise SystemExit(3)")
    done = tcpemu(*THIRTEEN[:2], "--host", "c*2=client.py server", "--host", "d=fails.py", "--real")
    assert done.exit_code == 3
    lines = sorted(done.stdout.splitlines())
    assert [line[:10] for line in lines] == ["c1 | it is", "c2 | it is"]


SLOW_SERVER = """
import socket
import time

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 5000))
listener.listen(1)
for turn in range(6):
    connection, _ = listener.accept()
    connection.sendall(b"x")
    connection.close()
    time.sleep(1.2)
"""
PUNCTUAL_CLIENT = """
import socket
import sys
import time

begin = time.time() // 4 * 4 + 4 + 0.17 * int(sys.argv[2])
time.sleep(begin - time.time())
with socket.create_connection((sys.argv[1], 5000)) as connection:
    connected = time.time() - begin
    connection.recv(1)
print(int(connected + 0.2), int(time.time() - begin + 0.1), flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loopback of Linux is 127.0.0.0/8")
def test_a_full_backlog_is_the_same_on_the_machine(scripts, capfd):
    """listen(1), and an accept loop that sleeps: who connects after how many seconds, and who is served when."""
    (scripts / "slow.py").write_text(SLOW_SERVER)
    (scripts / "punctual.py").write_text(PUNCTUAL_CLIENT)
    programs = ["--host", "server=slow.py"]
    for number in range(1, 7):
        programs += ["--host", f"c{number}=punctual.py server {number}"]
    here, there = (sorted(tcpemu(*programs, *real).stdout.splitlines()) for real in ([], ["--real"]))
    assert here == ["c1 | 0 0", "c2 | 0 1", "c3 | 0 2", "c4 | 1 3", "c5 | 2 4", "c6 | 3 5"]
    assert there == here


def test_a_setting_of_one_host():
    with open("cookies.py", "w") as file:
        file.write(
            "import socket\ns = socket.create_server(('', 5000), backlog=0)\nimport time; time.sleep(5)\n"
        )
    programs = ["--host", "server=cookies.py", "--host", "c*3=client.py server", "--ladder", "--until", "3s"]
    backlog = ["--set", "server:net.core.somaxconn=0", "--set", "net.ipv4.tcp_syncookies=0"]
    with_cookies = CliRunner().invoke(app, ["exec", *programs])
    without = CliRunner().invoke(app, ["exec", *programs, *backlog])
    assert with_cookies.stdout.count("SYN|ACK") > without.stdout.count("SYN|ACK")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("server.backlog=5", "a backlog is set by the program's own listen()"),
        ("nobody:net.core.somaxconn=5", "there is no host 'nobody'"),
        ("net.ipv4.tcp_wyndow=5", "tcp_wyndow"),
    ],
)
def test_a_setting_that_cannot_be(setting, words):
    ran = CliRunner().invoke(app, ["exec", "--host", "server=server.py", "--set", setting])
    assert ran.exit_code == 2
    assert words in ran.stderr


def test_a_link_may_be_silent_and_hold_so_many_octets_and_a_router_may_reject_a_packet():
    assert link_conditions("mtu 1400, icmp no, rate 1 Mbit/s, queue_octets 9000") == Conditions(
        mtu=1400, icmp=False, rate=1_000_000, queue_octets=9000
    )
    (fault,) = faults_of({"reject": ["syn:c3=host unreachable"]}, ["c3"])
    assert (fault.what, fault.role, fault.of, fault.says) == ("reject", "syn", "c3", "host unreachable")
