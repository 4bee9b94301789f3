"""What became of the clients of each run, in cells; and the table that they stand in."""

import pytest

from tcpemu.explain.compare.digest_cells import digest_cells, most_repeated_to
from tcpemu.explain.compare.word_table import COMFORTABLE, word_table
from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.facts.run_digest import SentReset, digest_of
from tcpemu.explain.lines.style import plain
from tcpemu.explain.lines.time_words import MOMENTS_LISTED
from tcpemu.explain.lines.wrapping import hanging
from tcpemu.network.record import Record
from tcpemu.scenario import build, load
from tcpemu.stack import reasons
from tests.explain.hand_made import CLIENT, MS, SECOND, Script, ignored_ack


def of(record: Record):
    return digest_of(record, "server")


def cells(*records: Record) -> dict[str, list[str]]:
    return dict(digest_cells([of(record) for record in records]))


def test_the_story_of_the_ignored_ack():
    story = of(ignored_ack())
    assert story.again == {(CLIENT, 40001): (), (CLIENT, 40002): (1 * SECOND,)}
    assert story.resets == (SentReset(4005 * MS, "server", "client", "data"),)
    assert story.names == {(CLIENT, 40001): "client", (CLIENT, 40002): "client"}


def test_rows_that_are_there_already_give_the_same_story():
    record = ignored_ack()
    assert digest_of(record, "server", rows_of(record)) == of(record)


def test_a_client_that_connects_while_another_repeats_its_syn_has_its_own_name_alone():
    crowd = '{ name = "c", count = 3, start = { every = "1 s" } }'
    text = f'title = "t"\nclients = [{crowd}]\nserver = {{ backlog = 0, accept = {{ never = true }} }}'
    (result,) = build.run_all(load.from_text(text))
    assert list(of(result.record).names.values()) == ["c-1", "c-2", "c-3"]


def test_its_cells():
    assert cells(ignored_ack()) == {
        "SYN|ACK to client again, s after its SYN": ["1"],
        "RSTs, and to what": ["to data of client 4.005 s"],
        "when client knew": ["ECONNRESET 4.01 s"],
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
    label = "SYN|ACK to client again, s after its SYN"
    found = cells(repeating(1 * SECOND, 2999 * MS), repeating(), silent.record)
    assert found[label] == ["1, 2.999", "never", "no SYN|ACK"]
    assert "RSTs, and to what" not in found
    assert found["when client knew"] == ["never", "never", "never"]


def test_of_very_many_instants_the_last_are_counted():
    times = [number * SECOND for number in range(1, MOMENTS_LISTED + 4)]
    (cell,) = cells(repeating(*times))["SYN|ACK to client again, s after its SYN"]
    assert cell.endswith(f"{MOMENTS_LISTED}, 3 more")


def test_nobody_is_telling_where_nothing_came_again():
    assert most_repeated_to([of(repeating())]) is None
    assert list(cells(repeating())) == ["when client knew"]


def test_many_resets_are_counted_and_those_of_clients_named():
    script = Script()
    for port in range(40001, 40006):
        syn = script.client_sends(port * MS, port, "S", reason=reasons.SENT_SYN)
        script.arrives(port * MS, "server", syn, reasons.SYN_REFUSED)
        script.server_sends(port * MS, port, "RA", 0, 1, reason=reasons.SENT_RST)
    script.client_sends(50 * SECOND, 40001, "R", 1, reason=reasons.SENT_ACTIVE_RST)
    assert cells(script.record)["RSTs, and to what"] == [
        "by client on its own 50 s; 5 RSTs to SYN, 40.001 s to 40.005 s"
    ]


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
        "when c-0 knew": ["ETIMEDOUT 1 s"],
        "when c-1 knew": ["connected 2 s"],
        "when c-2 knew": ["never"],
    }


def test_many_clients_are_counted():
    assert cells(crowd(8)) == {
        "when clients knew": ["3 connected, 2 s to 8 s; 3 ETIMEDOUT, 1 s to 7 s; 2 never"]
    }


def test_a_client_that_another_run_does_not_have():
    assert cells(crowd(1), crowd(2))["when c-1 knew"] == ["-", "connected 2 s"]


# The table.


def shown(*lines):
    return [plain(line) for line in lines]


def test_narrow_columns_stand_in_one_table():
    assert shown(*word_table(["a", "long name"], [("one", ["1", "2"]), ("three", ["3", "four"])], 40)) == [
        "         a  long name",
        "  one    1  2",
        "  three  3  four",
    ]


def test_cells_are_broken_but_no_time():
    cell = "to data of late 70.005 s, of later 71 s"
    assert shown(*word_table(["a"], [("x", [cell])], 25)) == [
        "     a",
        "  x  to data of late",
        "     70.005 s, of later",
        "     71 s",
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_many_columns_go_into_several_tables_of_that_width(width):
    names = [f"column-{number}" for number in range(12)]
    rows = [("a label", ["words that take more room than there is"] * 12), ("b", ["1"] * 12)]
    lines = shown(*word_table(names, rows, width))
    assert max(map(len, lines)) <= width
    heads = [line.split() for line in lines if "column-" in line]
    assert [name for head in heads for name in head] == names
    assert len(heads) == lines.count("") + 1
    assert len(set(map(len, heads))) == 1
    assert len(heads) == -(-12 // ((width - 2 - len("a label")) // (COMFORTABLE + 2)))


def test_a_hanging_paragraph():
    assert shown(*hanging("  *", "some words after 1.5 s", 4, 20)) == ["  * some words after", "    1.5 s"]
