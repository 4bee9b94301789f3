import json
from pathlib import Path

import pytest

from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError
from tcpemu.diagnose.reproducing.explained_trace import explained_trace
from tcpemu.scenario.traces import phases
from tcpemu.wire.options import mss
from tests.diagnose.captured import explained, opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"


def made(path, **more):
    return explained_trace(explained(path, **more)[2], "x.pcap")


def test_the_packets_of_the_capture_are_its_log_where_the_emulator_says_the_same():
    told = made(PCAPS / "ignored-ack.pcapng")
    assert told.otherwise == ""
    trace = json.loads(told.text())
    assert trace["steps"][0] == [0, "listen", 1]
    assert [entry["t"] for entry in trace["log"] if entry.get("flags") == "SA"][-5:] == [
        2.101,
        4.101,
        8.101,
        16.101,
        32.101,
    ]
    assert phases.judge(trace, hz=None).same


def test_where_the_host_was_otherwise_the_log_is_the_emulators_and_the_difference_is_told(tmp_path):
    timed = [
        *opened(),
        (20, seg("server", "PA", 501, 101, b"hello", window=17)),
        (30, seg("client", "A", 101, 506)),
    ]
    told = made(save(tmp_path / "x.pcapng", timed))
    assert "win 64000" in told.otherwise
    assert phases.judge(told.trace, hz=None).same


def test_clients_with_one_port_get_ports_of_their_own(tmp_path):
    timed = [
        *opened(),
        *(
            (at + 50, segment._replace(**{end: b"\x0a\x00\x00\x09"}))
            for (at, segment), end in zip(opened(), ("src", "dst", "src"), strict=True)
        ),
    ]
    steps = made(save(tmp_path / "x.pcapng", timed)).trace["steps"]
    arrivals = {(step[2], step[6].get("ip")) for step in steps if step[1] == "in"}
    assert arrivals == {(40000, None), (40001, "192.0.2.2")}


def test_a_link_that_a_trace_does_not_have_is_refused_in_a_sentence(tmp_path):
    timed = [*opened()]
    timed[1] = (1, seg("server", "SA", 500, 101, options=(mss(65495),)))
    with pytest.raises(
        CannotMakeError, match="announce an MSS of 65495, and the link of a step trace has an MTU of 1500"
    ):
        made(save(tmp_path / "x.pcapng", timed))


def test_what_the_network_card_cuts_is_in_the_log_as_it_was_on_the_wire(tmp_path):
    timed = [*opened(), (20, seg("server", "PA", 501, 101, b"x" * 2920)), (31, seg("client", "A", 101, 3421))]
    log = made(save(tmp_path / "x.pcapng", timed)).trace["log"]
    assert [(entry["flags"], entry["seq"], entry["len"]) for entry in log if entry.get("len")] == [
        ("A", 1, 1460),
        ("PA", 1461, 1460),
    ]
