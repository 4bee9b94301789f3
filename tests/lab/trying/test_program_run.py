"""Students' programs on emulated hosts: good ones, broken ones, and such as never end."""

from decimal import Decimal

import pytest

from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.trying.bounded_work import bounded
from tcpemu.lab.trying.program_run import ProgramTask, try_program

CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], 8000), timeout=3) as connection:
    connection.sendall(b"hello")
    assert connection.recv(100) == b"HELLO"
"""
SERVER = """
import socket
with socket.create_server(("", 8000), backlog=8) as listener:
    while True:
        connection, _ = listener.accept()
        connection.sendall(connection.recv(100).upper())
        connection.close()
"""
QUESTION = Question(
    name="s",
    kind="program",
    text="?",
    file="server.py",
    solution="solution.py",
    virtual="20 s",
    real="3 s",
    link={"delay": "10 ms"},
    peers=[{"host": "c", "count": 3, "program": "client.py server", "from": "5 ms", "every": "2 ms"}],
    faults=[{"what": "lose", "role": "third-ack", "of": "c2"}],
    holds=[
        {
            "value": "select count(*) from programs where host <> 'server' and status = 0",
            "at_least": 3,
            "say": "no",
        }
    ],
)


def tried(folder, server):
    (folder / "client.py").write_text(CLIENT)
    (folder / "server.py").write_text(server)
    return bounded(try_program, (ProgramTask(QUESTION, {}, 3), folder), 3)


def test_a_good_one_reaches_its_goal(tmp_path):
    attempt = tried(tmp_path, SERVER)
    assert attempt.share == Decimal(1), attempt.said


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ("raise ValueError('mine')", "ValueError: mine"),
        ("import sys; sys.exit(4)", "exit status 4"),
        ("def", "server.py: line 1: invalid syntax"),
        ("import nothing_of_the_kind", "ModuleNotFoundError"),
        (SERVER.replace("upper", "lower"), "no"),
        ("import time\nwhile True:\n    time.sleep(1)", "no"),
        ("while True: pass", "and was ended"),
        ("import os; os._exit(0)", ""),
        ("raise ValueError('x' * 10**6)", "..."),
        ("\0", "server.py"),
    ],
)
def test_a_bad_one_gets_nothing_and_is_told_why(tmp_path, server, says):
    attempt = tried(tmp_path, server)
    assert attempt.share == 0
    assert says in " ".join(attempt.said)
    assert attempt.said
