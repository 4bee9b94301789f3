"""One scenario on several kernels: eight kernels tell eight stories of the same clients."""

import pytest

from tcpemu.network import Point
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.load_scenario import from_text, load, runs
from tcpemu.scenario.format.missing_sysctls import LeftOut
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.running import variations
from tcpemu.scenario.running.summary import summarize
from tcpemu.scenario.running.variations import KERNELS_COMPARED, MOST_COLUMNS, Choice, ComparisonError
from tcpemu.stack.base.events import Verdict
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.wire.segment import ACK, RST, SYN, address

MS = MILLISECOND
LATE = address("10.0.0.4")
LATE_SYN = 106 * MS
"""When the SYN of `late` arrives."""
COOKIES_OFF = {"net.ipv4.tcp_syncookies": 0}


def columns(name, choices, settings=None):
    return variations.columns(name, runs(load(name))[0], choices, settings or {})


@pytest.fixture(scope="module")
def told():
    """What came of `ignored-ack` on each of the eight kernels."""
    return {
        column.label: column.result()
        for column in columns("ignored-ack", variations.kernels(KERNELS_COMPARED))
    }


def sent_to_late(result, flags):
    """When the server sent a packet with these flags, and perhaps an ACK, to `late`."""
    return [
        seen.at
        for seen in result.record.packets(SERVER, Point.SENT)
        if seen.segment.dst == LATE and seen.segment.flags & (SYN | RST) == flags
    ]


def verdicts(result, source=LATE):
    return [
        (entry.at, entry.event.reason.name)
        for entry in result.record.events(Verdict, node=SERVER)
        if entry.event.segment.src == source
    ]


def late(result):
    return next(client for client in result.clients if client.name == "late")


def repeats(result):
    """The SYN|ACKs to `late`, in seconds after its SYN, but for the first."""
    first, *again = sent_to_late(result, SYN)
    assert first == LATE_SYN
    return [(at - LATE_SYN) / SECOND for at in again]


# Eight stories.


def test_linux_2_0_drops_the_syn_and_the_client_never_connects(told):
    result = told["linux-2.0"]
    assert sent_to_late(result, SYN) == sent_to_late(result, RST) == []
    assert {name for _, name in verdicts(result)} == {"QUEUE_FULL_SYN"}
    assert (late(result).connected, late(result).error) == (None, "")
    assert summarize(result).accept_queue == 1


def waits_are_late_by_up_to(most, result, waits):
    """Each wait begins when the last one really ended, and ends when the listener's timer comes by."""
    times = [0, *repeats(result)]
    assert len(times) == len(waits) + 1
    late_by = [at - before - wait for before, at, wait in zip(times, times[1:], waits, strict=False)]
    assert all(-1e-9 <= each <= most for each in late_by)
    assert all(at * 5 % 1 == pytest.approx(times[1] * 5 % 1) for at in times[1:])  # it comes each 200 ms
    assert late_by[0] > 0.1


def test_linux_2_6_32_repeats_after_3_seconds_when_its_timer_comes_by(told):
    result = told["linux-2.6.32"]
    waits_are_late_by_up_to(1.6, result, (3, 6, 12, 24))
    assert verdicts(result)[1] == (116 * MS, "ACCEPT_QUEUE_FULL")
    assert sent_to_late(result, RST) == []  # at 70 s the half-open connection is still there


def test_linux_3_10_repeats_after_1_second_when_its_timer_comes_by(told):
    result = told["linux-3.10"]
    waits_are_late_by_up_to(0.6, result, (1, 2, 4, 8, 16))
    assert late(result).error == "ECONNRESET"
    assert sent_to_late(result, RST) == [70_005 * MS]


def test_linux_4_10_sends_a_cookie_and_never_again(told):
    result = told["linux-4.10"]
    assert verdicts(result)[:2] == [(LATE_SYN, "SYN_COOKIE"), (116 * MS, "COOKIE_ACCEPT_QUEUE_FULL")]
    assert repeats(result) == []
    assert (late(result).connected, late(result).error) == (111 * MS, "")


def test_linux_4_10_without_cookies_drops_the_syn_of_a_full_syn_queue():
    (column,) = columns("ignored-ack", variations.kernels(["linux-4.10"]), COOKIES_OFF)
    assert verdicts(column.result(SECOND))[0] == (LATE_SYN, "SYN_QUEUE_FULL")


def test_linux_6_18_repeats_exactly_then_forgets_and_resets_the_data(told):
    result = told["linux-6.18"]
    assert repeats(result) == [1, 3, 7, 15, 31]
    assert verdicts(result)[-1] == (70_005 * MS, "LISTENER_ACK")
    assert sent_to_late(result, RST) == [70_005 * MS]


def test_bsd_has_room_for_half_as_many_again_and_drops_the_syn_beyond(told):
    result = told["bsd-4.4"]
    assert {name for _, name in verdicts(result, address("10.0.0.3"))} == {"SYN_QUEUED", "HANDSHAKE_DONE"}
    assert summarize(result).accept_queue == 3 * 1 // 2 + 1
    assert sent_to_late(result, SYN) == sent_to_late(result, RST) == []
    assert late(result).connected is None


def test_freebsd_answers_the_final_ack_with_a_rst(told):
    result = told["freebsd-14"]
    assert repeats(result) == []
    assert verdicts(result) == [(LATE_SYN, "SYN_QUEUED"), (116 * MS, "ACCEPT_QUEUE_FULL_RST")]
    assert sent_to_late(result, RST) == [116 * MS]
    assert (late(result).connected, late(result).error) == (111 * MS, "ECONNRESET")


def test_windows_answers_the_syn_with_a_rst(told):
    result = told["windows-2003"]
    assert sent_to_late(result, SYN) == []
    assert sent_to_late(result, RST) == [LATE_SYN]
    assert late(result).error == "ECONNREFUSED"
    assert summarize(result).refused == 2


def test_clients_stay_as_the_scenario_says(told):
    for result in told.values():
        assert {group.generation for group in result.scenario.clients} == {"linux-6.18"}
        first = result.record.packets("first", Point.SENT)
        assert [seen.segment.flags for seen in first] == [SYN, ACK]


# Columns.


def test_a_choice_for_each_kernel_and_for_each_value():
    assert variations.kernels(["bsd-4.4", "linux-2.0", "bsd-4.4"]) == [
        Choice("bsd-4.4", {"server.generation": "bsd-4.4"}),
        Choice("linux-2.0", {"server.generation": "linux-2.0"}),
    ]
    assert variations.values("server.backlog", "server.backlog", {"0": 0, "5": 5}) == [
        Choice("backlog=0", {"server.backlog": 0}),
        Choice("backlog=5", {"server.backlog": 5}),
    ]


@pytest.mark.parametrize(
    ("shown", "path", "label"),
    [
        ("net.ipv4.tcp_sack", "net.ipv4.tcp_sack", "tcp_sack=1"),
        ("late:net.ipv4.tcp_sack", "clients.late.sysctls.net.ipv4.tcp_sack", "late:net.ipv4.tcp_sack=1"),
        ("link.delay", "link.delay", "link.delay=1"),
    ],
)
def test_a_label_is_short_only_where_it_is_plain_whose_setting_it_is(shown, path, label):
    assert variations.values(shown, path, {"1": 1}) == [Choice(label, {path: 1})]


def test_all_combinations():
    backlogs = variations.values("server.backlog", "server.backlog", {"0": 0, "1": 1})
    both = variations.combined([variations.kernels(["bsd-4.4", "solaris"]), backlogs])
    assert [choice.label for choice in both] == [
        "bsd-4.4 backlog=0",
        "bsd-4.4 backlog=1",
        "solaris backlog=0",
        "solaris backlog=1",
    ]
    assert both[-1].settings == {"server.generation": "solaris", "server.backlog": 1}


def test_too_many_columns():
    most = variations.values("seed", "seed", {str(number): number for number in range(MOST_COLUMNS)})
    assert len(variations.combined([most])) == MOST_COLUMNS
    with pytest.raises(ComparisonError, match=r"2 x 12 values make 24 columns; there can be 12 at most"):
        variations.combined([variations.kernels(["bsd-4.4", "solaris"]), most])
    with pytest.raises(ComparisonError, match=r"^13 columns; there can be 12 at most"):
        variations.combined([[*most, Choice("x", {})]])


def test_settings_hold_in_all_columns_and_a_choice_before_them():
    backlogs = variations.values("server.backlog", "server.backlog", {"7": 7})
    (column,) = columns("handshake", backlogs, {"server.backlog": 3, "seed": 9})
    assert (column.run.scenario.server.backlog, column.run.scenario.seed) == (7, 9)


def test_a_column_ends_when_it_is_told_to():
    (column,) = columns("ignored-ack", variations.kernels(["linux-6.18"]))
    assert column.result(3 * SECOND).ended == 3 * SECOND
    assert column.result().ended == 72 * SECOND
    assert column.generation.name == "linux-6.18"


def test_a_sysctl_of_the_scenario_is_left_out_where_there_is_none():
    old, new = columns("abort-on-overflow", variations.kernels(["linux-2.0", "linux-2.4"]))
    name = "net.ipv4.tcp_abort_on_overflow"
    assert old.left_out == (LeftOut(name, 1, "linux-2.0", "Linux has it since 2.4"),)
    assert old.run.scenario.server.sysctls == {}
    assert new.left_out == ()
    assert new.run.scenario.server.sysctls == {name: 1}


def test_a_kernel_that_the_scenario_names_counts():
    text = 'title = "t"\nserver.generation = "linux-6.18"\nserver.sysctls."net.core.somaxconn" = 5'
    (one,) = runs(from_text(text))
    backlog = variations.values("server.backlog", "server.backlog", {"1": 1})
    (column,) = variations.columns("t", one, backlog, {"server.generation": "linux-2.2"})
    assert [each.sysctl for each in column.left_out] == ["net.core.somaxconn"]
    (column,) = variations.columns("t", one, backlog, {})
    assert column.left_out == ()


@pytest.mark.parametrize("given", ["settings", "choice"])
def test_a_sysctl_that_was_asked_for_is_a_mistake_where_there_is_none(given):
    name = "net.ipv4.tcp_syn_linear_timeouts"
    settings = {name: 1} if given == "settings" else {}
    choices = [Choice("x", {"server.generation": "linux-3.10", **({} if settings else {name: 1})})]
    with pytest.raises(ScenarioError, match=f"{name} is not there in linux-3.10: Linux has it since 6.5"):
        columns("handshake", choices, settings)


def test_an_unknown_kernel_is_a_mistake():
    with pytest.raises(
        ScenarioError, match=r'server\.generation: found "linux-3\.11".*is the nearest before it'
    ):
        columns("handshake", variations.kernels(["linux-3.11"]))
