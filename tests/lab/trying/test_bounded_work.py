"""Work in a process of its own: what it gives, and what becomes of work that never ends or destroys itself."""

import os
import time

import pytest

from tcpemu.lab.trying.bounded_work import bounded
from tcpemu.lab.trying.goals import Attempt


def good(number):
    return Attempt((True, number == 7), ("said",))


def never_ends():
    while True:
        time.sleep(1)


def computes():
    while True:
        pass


def raises():
    raise KeyError("nobody")


def exits():
    raise SystemExit(0)


def kills_itself():
    os.kill(os.getpid(), 9)


def takes_all_memory():
    return [bytes(2**30) for _ in range(64)]


def gives_something_else():
    return "all points"


def prints():
    print("x" * 10**6)
    os.write(1, b"y" * 10**6)
    return Attempt((True,))


def test_it_gives_what_the_work_gives():
    assert bounded(good, (7,), 20) == Attempt((True, True), ("said",))


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (computes, "and was ended"),
        (raises, "KeyError"),
        (exits, "SystemExit"),
        (kills_itself, "ended the process"),
        (takes_all_memory, "memory"),
        (gives_something_else, "could not be run"),
    ],
)
def test_whatever_it_does_is_told(work, says):
    attempt = bounded(work, (), 1.0 if work is computes else 20)
    assert attempt.held == ()
    assert says in attempt.said[0]


def test_it_is_ended_in_time():
    begun = time.monotonic()
    attempt = bounded(never_ends, (), 0.3)
    assert "longer than 0.9 s of real time" in attempt.said[0]
    assert time.monotonic() - begun < 30


def test_it_prints_nothing(capfd):
    assert bounded(prints, (), 20).share == 1
    assert capfd.readouterr().out == ""
