"""Where two runs part: the first packet that is not the same, and what each of them does there."""

import pytest

from tcpemu.explain.compare.first_difference import SAME_TIME, Difference, first_differences
from tcpemu.explain.facts.run_digest import digest_of
from tcpemu.stack.base import reasons
from tcpemu.wire.options import Timestamps, mss
from tests.explain import hand_made
from tests.explain.hand_made import MS, SYN_OPTIONS, Script


def parted(one: Script, other: Script):
    return first_differences(digest_of(one.record, "server"), digest_of(other.record, "server"))


def answered(**fields):
    """A SYN, and a SYN|ACK with these fields to it."""
    script = Script()
    syn = script.client_sends(0, 40001, "S", options=SYN_OPTIONS, reason=reasons.SENT_SYN)
    script.arrives(5 * MS, "server", syn, reasons.SYN_QUEUED)
    fields = {"reason": reasons.SENT_SYN_ACK, "options": SYN_OPTIONS, **fields}
    script.server_sends(fields.pop("at", 5 * MS), 40001, "SA", 0, 1, **fields)
    return script


def test_the_same_run_twice():
    found = parted(answered(), answered())
    assert (found.looks, found.behaviour) == (None, None)


def test_initial_numbers_and_the_values_of_timestamps_do_not_matter(monkeypatch):
    one = answered(options=(mss(1460), Timestamps(1, 2)))
    monkeypatch.setattr(hand_made, "SERVER_ISN", 99)
    monkeypatch.setattr(hand_made, "CLIENT_ISN", 5)
    found = parted(one, answered(options=(mss(1460), Timestamps(300, 400))))
    assert (found.looks, found.behaviour) == (None, None)


def test_other_looks():
    found = parted(answered(window=5840), answered(window=65160, options=(mss(1460),)))
    assert found.behaviour is None
    assert found.looks == Difference(
        5 * MS,
        "SYN|ACK to client:40001",
        "window 5840, options: mss 1460, window scale 10",
        "window 65160, options: mss 1460",
    )


def test_only_what_differs_is_told_of_looks():
    found = parted(answered(), answered(options=()))
    assert (found.looks.there, found.looks.here) == ("options: mss 1460, window scale 10", "no options")


@pytest.mark.parametrize(("late_by", "differs"), [(SAME_TIME, False), (SAME_TIME + 1, True)])
def test_times_that_hardly_differ_are_the_same(late_by, differs):
    found = parted(answered(), answered(at=5 * MS + late_by))
    assert (found.behaviour is not None) is differs


def test_another_end_of_the_same_packet():
    one, other = Script(), Script()
    for script, reason in (one, reasons.SYN_QUEUED), (other, reasons.SYN_QUEUE_FULL):
        syn = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
        script.arrives(5 * MS, "server", syn, reason)
        script.queue(5 * MS, 0, 3, packet=syn)
    assert parted(one, other).behaviour == Difference(
        5 * MS,
        "SYN of client:40001",
        "the SYN enters the SYN queue and is answered with SYN|ACK",
        "the SYN queue is full (3 half-open, backlog 1) and tcp_syncookies is 0, so the SYN is dropped",
    )


def test_a_packet_that_is_lost_on_the_way_in_one_run():
    one, other = Script(), Script()
    for script in one, other:
        syn = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    one.arrives(5 * MS, "server", 1, reasons.SYN_QUEUED)
    other.lost(2 * MS, "client", syn, "lost by chance")
    found = parted(one, other).behaviour
    assert (found.at, found.here) == (0, "lost by chance")


def test_a_packet_that_the_other_run_sends_later():
    one = answered(at=1105 * MS, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1)
    other = answered(at=3105 * MS, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1)
    again = (
        "SYN|ACK to client:40001: sent again (1st repeat), no final ACK has completed the handshake in time"
    )
    nothing = again.replace("SYN|ACK", "nothing; the next packet, at 3.105 s, is SYN|ACK", 1)
    name = "SYN|ACK to client:40001"
    assert parted(one, other).behaviour == Difference(1105 * MS, name, again, nothing)
    assert parted(other, one).behaviour == Difference(1105 * MS, name, nothing, again)


def test_a_packet_that_the_other_run_never_sends():
    one = answered()
    reset = one.client_sends(10 * MS, 40001, "R", 1, window=0, reason=reasons.SENT_RST)
    assert reset == 3
    found = parted(one, answered()).behaviour
    assert (found.at, found.packet) == (10 * MS, "RST of client:40001")
    assert found.here == "nothing, then or later"
    assert found.there == "RST of client:40001 (seq 1): a RST in answer"


def test_another_packet_at_the_same_time():
    one, other = answered(), answered()
    one.client_sends(10 * MS, 40001, "PA", 1, 1, payload=b"x" * 10, reason=reasons.SENT_DATA)
    other.client_sends(10 * MS, 40001, "PA", 1, 1, payload=b"x", reason=reasons.SENT_DATA)
    found = parted(one, other).behaviour
    assert found.there == "PSH|ACK of client:40001 (seq 1, ack 1, 10 octets): data that the application wrote"
    assert found.here == "PSH|ACK of client:40001 (seq 1, ack 1, 1 octet): data that the application wrote"


def test_the_order_within_a_moment_does_not_matter():
    one, other = Script(), Script()
    for script, ports in (one, (40001, 40002)), (other, (40002, 40001)):
        for port in ports:
            script.client_sends(0, port, "S", reason=reasons.SENT_SYN)
    assert parted(one, other).behaviour is None


def test_what_both_runs_send_at_that_moment_is_not_named():
    one, other = Script(), Script()
    one.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    for script in one, other:
        script.client_sends(0, 40002, "S", reason=reasons.SENT_SYN)
    found = parted(one, other).behaviour
    assert (found.packet, found.here) == ("SYN of client:40001", "nothing, then or later")


def test_a_packet_that_the_first_run_never_sends():
    other = answered()
    other.client_sends(10 * MS, 40001, "R", 1, window=0, reason=reasons.SENT_RST)
    found = parted(answered(), other).behaviour
    assert (found.at, found.packet, found.there) == (10 * MS, "RST of client:40001", "nothing, then or later")


def test_of_several_packets_that_look_different_the_first_is_told():
    one, other = (answered(window=window) for window in (1, 2))
    for script, window in (one, 3), (other, 4):
        script.server_sends(9 * MS, 40001, "A", 1, 1, window=window, reason=reasons.SENT_ACK)
    assert parted(one, other).looks.at == 5 * MS


@pytest.mark.parametrize(
    ("late_by", "packet", "here"),
    [
        (SAME_TIME, "PSH|ACK of client:40001", "PSH|ACK of"),
        (SAME_TIME + 1, "RST of client:40001", "nothing; the next packet, at 0.010001 s, is PSH|ACK of"),
    ],
)
def test_the_packet_that_comes_first_is_named(late_by, packet, here):
    one, other = answered(), answered()
    one.client_sends(10 * MS, 40001, "R", 1, reason=reasons.SENT_RST)
    other.client_sends(10 * MS + late_by, 40001, "PA", 1, 1, payload=b"x", reason=reasons.SENT_DATA)
    found = parted(one, other).behaviour
    assert (found.packet, found.here.startswith(here)) == (packet, True)


def test_a_copy_says_that_it_is_one():
    other = answered()
    other.copy_arrives(9 * MS, "server", 1)
    assert parted(answered(), other).behaviour.packet == "SYN of client:40001 (a copy)"


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (reasons.DATA, reasons.SENT_ACK.text),
        (reasons.LISTENER_ACK, reasons.LISTENER_ACK.text),
    ],
)
def test_an_answer_says_what_it_answers_and_any_other_packet_why_it_was_sent(verdict, why):
    one, other = answered(), answered()
    for script in one, other:
        data = script.client_sends(20 * MS, 40001, "PA", 1, 1, payload=b"x", reason=reasons.SENT_DATA)
        script.arrives(25 * MS, "server", data, verdict)
    other.server_sends(25 * MS, 40001, "A", 1, 2, reason=reasons.SENT_ACK)
    assert parted(one, other).behaviour.here.endswith(f": {why}")
