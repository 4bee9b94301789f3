"""What became of the clients of each run, in cells."""

from tcpemu.explain.compare.digest_cells import (
    CLIENTS_ONE_BY_ONE,
    RESETS_ONE_BY_ONE,
    digest_cells,
    most_repeated_to,
)
from tcpemu.explain.facts.run_digest import digest_of
from tcpemu.explain.lines.time_words import MOMENTS_LISTED
from tcpemu.network.record import Record
from tcpemu.stack.base import reasons
from tests.explain.hand_made import MS, SECOND, Script, ignored_ack


def cells(*records: Record) -> dict[str, list[str]]:
    return dict(digest_cells([digest_of(record, "server") for record in records]))


def test_its_cells():
    assert cells(ignored_ack()) == {
        "SYN|ACK retransmissions to client (s after the SYN)": ["1"],
        "RSTs, and to what": ["to data of client 4.005 s"],
        "outcome for client": ["ECONNRESET 4.01 s"],
    }


def repeating(*times):
    """A SYN that arrives after 5 ms, and SYN|ACKs at these times after that."""
    script = Script()
    script.syn(0, 40001)
    for number, time in enumerate(times, 1):
        at = 5 * MS + time
        script.server_sends(at, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=number)
    return script.record


def test_instants_of_one_client_in_all_runs():
    silent = Script()
    silent.call(0, "client", "connect(10.0.0.1:80)", "waits")
    label = "SYN|ACK retransmissions to client (s after the SYN)"
    found = cells(repeating(1 * SECOND, 2999 * MS), repeating(), silent.record)
    assert found[label] == ["1, 2.999", "never", "no SYN|ACK"]
    assert "RSTs, and to what" not in found
    assert found["outcome for client"] == ["never", "never", "never"]


def test_of_very_many_instants_the_last_are_counted():
    times = [number * SECOND for number in range(1, MOMENTS_LISTED + 4)]
    (cell,) = cells(repeating(*times))["SYN|ACK retransmissions to client (s after the SYN)"]
    assert cell.endswith(f"{MOMENTS_LISTED}, 3 more")
    (cell,) = cells(repeating(*times[:MOMENTS_LISTED]))["SYN|ACK retransmissions to client (s after the SYN)"]
    assert cell.endswith(f", {MOMENTS_LISTED}")


def test_nobody_is_telling_where_nothing_came_again():
    assert most_repeated_to([digest_of(repeating(), "server")]) is None
    assert list(cells(repeating())) == ["outcome for client"]


def refused(number):
    """So many SYNs, each answered with a RST."""
    script = Script()
    for port in range(40001, 40001 + number):
        syn = script.client_sends(port * MS, port, "S", reason=reasons.SENT_SYN)
        script.arrives(port * MS, "server", syn, reasons.SYN_REFUSED)
        script.server_sends(port * MS, port, "RA", 0, 1, reason=reasons.SENT_RST)
    return script


def test_many_resets_are_counted_and_those_of_clients_named():
    script = refused(5)
    script.client_sends(50 * SECOND, 40001, "R", 1, reason=reasons.SENT_ACTIVE_RST)
    assert cells(script.record)["RSTs, and to what"] == [
        "by client on its own 50 s; 5 RSTs to SYN, 40.001 s to 40.005 s"
    ]


def test_resets_are_counted_only_where_there_are_too_many():
    (few,) = cells(refused(RESETS_ONE_BY_ONE).record)["RSTs, and to what"]
    assert few == "to SYN of client:40001 40.001 s, of client:40002 40.002 s, of client:40003 40.003 s"
    (many,) = cells(refused(RESETS_ONE_BY_ONE + 1).record)["RSTs, and to what"]
    assert many == "4 RSTs to SYN, 40.001 s to 40.004 s"


def crowd(number):
    script = Script()
    for each in range(number):
        name = f"c-{each}"
        script.call(each * SECOND, "client", "connect(10.0.0.1:80)", "waits", name)
        if each % 3 < 2:
            result = "connected" if each % 3 else "ETIMEDOUT"
            script.call((each + 1) * SECOND, "client", "connect(10.0.0.1:80)", result, name)
    return script.record


def test_few_clients_are_told_one_by_one():
    assert cells(crowd(3)) == {
        "outcome for c-0": ["ETIMEDOUT 1 s"],
        "outcome for c-1": ["connected 2 s"],
        "outcome for c-2": ["never"],
    }


def test_many_clients_are_counted():
    assert cells(crowd(8)) == {
        "outcome for clients": ["3 connected, 2 s to 8 s; 3 ETIMEDOUT, 1 s to 7 s; 2 never"]
    }


def test_a_client_that_another_run_does_not_have():
    assert cells(crowd(1), crowd(2))["outcome for c-1"] == ["-", "connected 2 s"]


def test_clients_are_counted_only_where_there_are_too_many():
    names = [f"outcome for c-{number}" for number in range(CLIENTS_ONE_BY_ONE)]
    assert list(cells(crowd(CLIENTS_ONE_BY_ONE))) == names
    assert list(cells(crowd(CLIENTS_ONE_BY_ONE + 1))) == ["outcome for clients"]
