"""The fuzzer of scenarios, files and command lines: it finds nothing wrong, and what is made wrong on purpose."""

import sys
from pathlib import Path
from time import sleep

import pytest
from typer.testing import CliRunner

from tcpemu.network.record import Call, Record

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import fuzz_scenarios as fuzzer

FLOW = b"\n\x00\x00\x01", 80, b"\n\x00\x00\x02", 40000
"""Remote address and port, own address and port."""


def test_a_few_cases_of_each_kind_hold():
    assert fuzzer.fuzz(seed=3, numbers=range(9)) == {}


def test_a_case_is_the_same_each_time_and_another_for_each_number():
    assert fuzzer.case_of(1, 4) == fuzzer.case_of(1, 4)
    assert len({fuzzer.case_of(1, number).text for number in range(50)}) == 50


def test_a_command_that_raises_is_found(monkeypatch):
    def fails(*_):
        raise KeyError("planted")

    monkeypatch.setattr("tcpemu.cli.run_command.run_and_tell", fails)
    (why,) = fuzzer.fuzz(seed=1, numbers=[0]).values()
    assert "KeyError('planted')" in why


def test_a_sentence_with_a_hole_is_found(monkeypatch):
    monkeypatch.setattr(fuzzer, "_said", lambda *_, sound: "server to c: None octets")
    (why,) = fuzzer.fuzz(seed=1, numbers=[0]).values()
    assert "a hole in what it says" in why


def test_two_runs_that_differ_are_found(monkeypatch):
    texts = iter(range(10**6))
    monkeypatch.setattr(fuzzer, "_said", lambda *_, sound: str(next(texts)))
    (why,) = fuzzer.fuzz(seed=1, numbers=[0]).values()
    assert "do not say the same" in why


@pytest.mark.parametrize(("read", "whole"), [(10, True), (11, False)])
def test_octets_from_nowhere_are_found(read, whole):
    record = Record()
    record.add(Call(0, "c", "c", "send(10 octets)", "", FLOW))
    record.add(Call(1, "server", "server", "recv(65536)", f"{read} octets", (*FLOW[2:], *FLOW[:2])))
    if whole:
        fuzzer.no_more_read_than_sent(record)
        return
    with pytest.raises(fuzzer.FailedError, match="11 octets were read"):
        fuzzer.no_more_read_than_sent(record)


def test_a_command_that_does_not_end_is_found(monkeypatch):
    monkeypatch.setattr(fuzzer, "DEADLINE", 1)
    monkeypatch.setattr(CliRunner, "invoke", lambda *_: sleep(30))
    with pytest.raises(fuzzer.FailedError, match="not done after 1 s"):
        fuzzer._said(["run"], sound=True)
