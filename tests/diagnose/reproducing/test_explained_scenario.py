from pathlib import Path

import pytest

from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError
from tcpemu.diagnose.reproducing.explained_scenario import explained_scenario
from tcpemu.scenario import from_text, run, runs
from tests.diagnose.captured import explained, opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"


def made(path, **more):
    _, diagnosis, explanation = explained(path, **more)
    return from_text(explained_scenario(explanation, diagnosis, "x.pcap"))


def test_clients_do_what_they_did_and_the_server_is_as_it_was_found():
    scenario = made(PCAPS / "ignored-ack.pcapng")
    assert (scenario.server.backlog, scenario.server.accept.never) == (1, True)
    late = scenario.group("flow-3")
    assert [getattr(each, "send", None) or getattr(each, "wait_until", None) or each for each in late.do] == [
        "connect",
        70_000_000_000,
        5,
    ]
    (one,) = runs(scenario)
    result = run(one)
    assert result.network.nodes["server"].host.counters["ListenOverflows"] == 6


def test_a_conversation_is_one_of_both_programs():
    scenario = made(PCAPS / "time-server.pcapng")
    assert scenario.server.do[-1] == "close"
    assert scenario.server.do[-2].send == 29
    assert [each if isinstance(each, str) else each.verb for each in scenario.clients[0].do] == [
        "connect",
        "read_to_end",
        "close",
    ]


def test_a_packet_that_was_lost_is_a_fault(tmp_path):
    timed = [*opened(), (1001, seg("server", "SA", 500, 101)), (1011, seg("client", "A", 101, 501, ip_id=9))]
    timed += [(3001, seg("server", "SA", 500, 101)), (3011, seg("client", "A", 101, 501, ip_id=10))]
    timed[2:3] = []  # the first ACK was lost on the way to the capture
    scenario = made(save(tmp_path / "x.pcapng", [*timed[:4], (3500, seg("client", "A", 101, 501, ip_id=11))]))
    assert [(fault.what, fault.role, fault.times) for fault in scenario.faults] == [("lose", "syn-ack", 1)]


def test_servers_that_do_different_things_are_refused_in_a_sentence(tmp_path):
    timed = []
    for number, octets in enumerate((b"a", b"bb")):
        port, later = 40000 + number, 100 * number
        timed += [(at + later, one) for at, one in opened(port)]
        timed += [(50 + later, seg("server", "PA", 501, 101, octets, port=port))]
        timed += [(60 + later, seg("client", "A", 101, 501 + len(octets), port=port))]
    with pytest.raises(CannotMakeError, match="does the same with each connection, and this one did not"):
        made(save(tmp_path / "x.pcapng", timed))


def test_a_run_that_fares_otherwise_is_not_given_away():
    with pytest.raises(CannotMakeError, match="where the capture has 'reset by the server"):
        made(PCAPS / "half-open.pcapng")
