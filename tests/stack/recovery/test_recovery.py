"""Repair of losses: SACK, duplicate ACKs, RACK, tail loss probes, F-RTO, and what is taken back.

`established` has a round-trip time of 10 ms at 1.01 s, so its RTO is 210 ms. Segments are 1460 octets.
"""

import pytest

from tcpemu.stack.base.congestion_hooks import Moment
from tcpemu.stack.control import delivery_rate
from tcpemu.stack.control.cubic import Cubic, cubic_root
from tcpemu.stack.control.hystart import HyStart
from tcpemu.stack.control.reno import Reno
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.loss_recovery import CaState, Recovery
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import EVER, RETRANS, SACKED
from tcpemu.stack.recovery import congestion_states, loss_marks, rack, sack_tagging, undo
from tcpemu.testing.bench import FULL, MS, MSS, SACK, SECOND, Bench, established
from tcpemu.wire.segment import CWR


def n(segment):
    """The first octet of a segment, counted from 0."""
    return 1 + 1460 * segment


def block(start, end):
    """SACK of the segments from `start` up to and without `end`."""
    return n(start), n(end)


def sending(segments=10, opts=SACK, tcp_congestion_control="reno", **settings):
    """A connection that has sent so many segments, or as many of them as the window took, at 1.01 s."""
    host = established(opts=opts, tcp_congestion_control=tcp_congestion_control, **settings)
    host.conn.send(1460 * segments)
    return host.fresh()


def board(host):
    return host.conn.sock.connection.scoreboard


def state(host):
    return board(host).recovery.state


def window(host):
    return host.conn.sock.connection.congestion.cwnd


def sent(host):
    """What was sent since the last time: first segment, and why."""
    host.taken()
    told = [event for event in host.events if type(event).__name__ == "Sent"]
    host.events.clear()
    isn = host.flow().isn
    return [((event.segment.seq - isn - 1) // 1460, event.reason.name) for event in told]


# --- SACK -----------------------------------------------------------------------------------------------


def test_three_sacked_behind_a_hole_tell_of_a_loss_and_it_is_sent_again_at_once():
    host = sending()
    host.send("A", 1, 1, sack=[block(1, 4)], at=1020 * MS)
    host.expect("1.02 A seq 1 len 1460")
    assert state(host) is CaState.RECOVERY
    assert host.moved() == {
        "TCPSackRecovery": 1,
        "TCPFastRetrans": 1,
        "RetransSegs": 1,
        "TCPSackShiftFallback": 2,
        "TCPSackMerged": 1,
    }
    host.send("A", 1, n(10), at=1030 * MS)
    assert state(host) is CaState.OPEN
    assert window(host) == 6, "half of ten, and one more as it grows again"


def test_each_hole_is_sent_again_as_the_window_comes_down():
    host = sending()
    host.send("A", 1, 1, sack=[block(1, 3), block(4, 8)], at=1020 * MS)
    host.fresh()
    assert (board(host).lost_out, board(host).retrans_out) == (2, 2)
    host.send("A", 1, n(3), sack=[block(4, 10)], at=1030 * MS)
    assert (board(host).sacked_out, board(host).lost_out) == (6, 1)
    host.expect()


def test_a_single_one_sacked_starts_a_timer_of_a_quarter_round_trip():
    host = sending(5)
    host.send("A", 1, 1, sack=[block(1, 2)], at=1020 * MS)
    assert state(host) is CaState.DISORDER
    assert [timer.what for timer in host.host.pending()] == ["reordering"]
    host.run(1100 * MS)
    # 2.5 ms for reordering and the 2 ms that every timer is given.
    host.expect("1.0245 A seq 1 len 1460")
    assert host.moved()["TCPSackRecovery"] == 1


def test_what_was_only_overtaken_stops_the_timer_and_makes_the_window_for_reordering_last():
    host = sending()
    host.send("A", 1, 1, sack=[block(1, 2)], at=1020 * MS)
    host.send("A", 1, n(2), at=1022 * MS)
    assert host.moved()["TCPSACKReorder"] == 1
    host.send("A", 1, n(4), sack=[block(5, 9)], at=1023 * MS)
    assert state(host) is CaState.DISORDER, "four are SACKed, but there may be reordering"
    host.run(1100 * MS)
    assert next(at // MS for at, _ in host.taken()) == 1027


def test_sacked_segments_let_out_new_data_before_anything_is_lost():
    host = sending(20)
    host.send("A", 1, 1, sack=[block(2, 3)], at=1020 * MS)
    host.expect(f"1.02 A seq {n(10)} len 1460")
    assert state(host) is CaState.DISORDER
    assert window(host) == 10


def test_a_block_that_ends_inside_a_burst_cuts_it():
    host = sending()
    assert [entry.pcount for entry in board(host)] == [2] * 5
    host.send("A", 1, 1, sack=[block(3, 4)], at=1020 * MS)
    assert [entry.pcount for entry in board(host)] == [2, 1, 1, 2, 2, 2]
    assert board(host).packets_out == 10


def test_what_is_sacked_grows_together():
    host = sending()
    host.send("A", 1, 1, sack=[block(2, 4)], at=1020 * MS)
    host.send("A", 1, 1, sack=[block(2, 8)], at=1021 * MS)
    assert [entry.pcount for entry in board(host)] == [2, 6, 2]
    assert host.moved()["TCPSackMerged"] == 2


@pytest.mark.parametrize(
    ("blocks", "counter"),
    [
        ([(n(11), n(12))], "TCPSACKDiscard"),
        ([(n(3), n(2))], "TCPSACKDiscard"),
        ([(n(4), n(5))], "TCPDSACKRecv"),
    ],
)
def test_blocks_that_cannot_be_tag_nothing(blocks, counter):
    host = sending()
    host.send("A", 1, n(5), at=1020 * MS)
    host.fresh()
    host.send("A", 1, n(5), sack=blocks, at=1021 * MS)
    assert host.moved()[counter] == 1
    assert board(host).sacked_out == 0
    host.run(1022 * MS)
    host.expect()


def test_a_repeat_is_lost_when_what_was_sent_after_it_arrives():
    host = sending(20)
    host.events.clear()
    host.send("A", 1, 1, sack=[block(1, 4)], at=1020 * MS)
    assert sent(host) == [(0, "FAST_RETRANSMIT"), (10, "DATA_SENT")]
    host.fresh()
    host.send("A", 1, 1, sack=[block(1, 4), block(10, 11)], at=1035 * MS)
    assert host.moved()["TCPLostRetransmit"] == 1
    assert sent(host)[0] == (0, "FAST_RETRANSMIT")


def test_a_peer_that_takes_back_what_it_had_sacked_is_given_ten_ms():
    host = sending()
    host.send("A", 1, 1, sack=[block(1, 4)], at=1020 * MS)
    host.send("A", 1, n(1), at=1030 * MS)
    host.fresh()
    host.run(1045 * MS)
    assert host.moved()["TCPSACKReneging"] == 1
    assert sent(host)[-1] == (1, "RETRANSMIT")
    assert board(host).sacked_out == 0
    assert board(host).recovery.reneging
    host.send("A", 1, n(10), at=1060 * MS)
    assert not board(host).recovery.reneging


# --- taking it back -------------------------------------------------------------------------------------


def test_a_d_sack_for_every_repeat_takes_the_reduction_back():
    host = sending(20)
    host.send("A", 1, 1, sack=[block(1, 4)], at=1020 * MS)
    host.send("A", 1, n(4), sack=[(1, n(1))], at=1025 * MS)
    assert host.moved()["TCPDSACKUndo"] == 1
    assert state(host) is CaState.OPEN
    assert window(host) >= 10


@pytest.mark.parametrize("told", [True, False])
def test_a_d_sack_may_also_tell_of_a_repeat_above_the_ack(told):
    """RFC 2883 section 4: the first block lies inside the second (tcp_sacktag_walk)."""
    host = sending()
    host.send("A", 1, 1, sack=[block(1, 4), block(5, 8)], at=1020 * MS)
    assert {(0, "FAST_RETRANSMIT"), (4, "FAST_RETRANSMIT")} <= set(sent(host))
    host.send("A", 1, 1, sack=[block(4, 5), block(1, 8)] if told else [block(1, 8)], at=1021 * MS)
    assert host.moved().get("TCPDSACKOfoRecv", 0) == told
    host.send("A", 1, n(8), sack=[block(0, 1)], at=1022 * MS)
    assert host.moved().get("TCPDSACKUndo", 0) == told


def test_a_timestamp_from_before_the_repeat_takes_it_back():
    host = sending(20, opts=FULL)
    first = 1 + 1448
    host.send("A", 1, 1, ts=(120, 10), sack=[(first, 1 + 4 * 1448)], at=1020 * MS)
    assert state(host) is CaState.RECOVERY
    host.send("A", 1, 1 + 11 * 1448, ts=(130, 10), at=1030 * MS)
    moved = host.moved()
    assert (moved["TCPFullUndo"], state(host)) == (1, CaState.OPEN)


def test_a_timestamp_of_the_repeat_does_not():
    host = sending(20, opts=FULL)
    host.send("A", 1, 1, ts=(120, 10), sack=[(1 + 1448, 1 + 4 * 1448)], at=1020 * MS)
    host.send("A", 1, 1 + 10 * 1448, ts=(130, 20), at=1030 * MS)
    assert "TCPFullUndo" not in host.moved()
    assert window(host) == 6


def test_a_loss_probe_of_new_data_is_no_repeat_that_a_d_sack_must_tell_of():
    """tcp_init_undo counts an unanswered probe among the repeats only if it was one."""
    host = sending(11)
    host.run(1100 * MS)
    assert sent(host)[-1] == (10, "DATA_SENT")
    host.send("A", 1, 1, sack=[block(1, 4)], at=1110 * MS)
    assert sent(host) == [(0, "FAST_RETRANSMIT")]
    host.send("A", 1, n(4), sack=[(1, n(1))], at=1120 * MS)
    assert host.moved()["TCPDSACKUndo"] == 1


def test_nor_is_a_probe_that_was_answered():
    host = sending(3)
    host.run(1100 * MS)
    assert sent(host)[-1] == (2, "LOSS_PROBE")
    host.send("A", 1, n(3), sack=[block(2, 3)], at=1110 * MS)
    host.conn.send(1460 * 8)
    host.send("A", 1, n(3), sack=[block(4, 8)], at=1125 * MS)
    assert sent(host)[-1] == (3, "FAST_RETRANSMIT")
    host.send("A", 1, n(8), sack=[block(3, 4)], at=1135 * MS)
    assert host.moved()["TCPDSACKUndo"] == 1


def test_a_probe_that_was_a_repeat_must_be_told_of_too():
    host = sending()
    host.run(1100 * MS)
    assert sent(host)[-1] == (9, "LOSS_PROBE")
    host.send("A", 1, 1, sack=[block(1, 4)], at=1110 * MS)
    assert sent(host) == [(0, "FAST_RETRANSMIT")]
    host.send("A", 1, n(4), sack=[(1, n(1))], at=1120 * MS)
    moved = host.moved()
    assert moved["TCPDSACKRecvSegs"] == 1
    assert "TCPDSACKUndo" not in moved
    assert state(host) is CaState.RECOVERY


# --- without SACK ---------------------------------------------------------------------------------------


def test_the_third_duplicate_sends_the_first_again():
    host = sending(opts=MSS)
    for at in (1020, 1021):
        host.send("A", 1, 1, at=at * MS)
    host.expect()
    host.send("A", 1, 1, at=1022 * MS)
    host.expect("1.022 A seq 1 len 1460")
    assert host.moved() == {"TCPRenoRecovery": 1, "TCPFastRetrans": 1, "RetransSegs": 1}


def test_an_ack_with_data_is_no_duplicate():
    host = sending(opts=MSS)
    for turn in range(5):
        host.send("A", 1 + 5 * turn, 1, data=5, at=(1020 + turn) * MS)
    assert "TCPRenoRecovery" not in host.moved()


def test_an_ack_that_opens_the_window_is_no_duplicate():
    host = sending(opts=MSS, win=30_000)
    for turn in range(5):
        host.send("A", 1, 1, win=30_001 + turn, at=(1020 + turn) * MS)
    assert "TCPRenoRecovery" not in host.moved()


def test_each_partial_ack_sends_one_more():
    host = sending(opts=MSS)
    for at in (1020, 1021, 1022):
        host.send("A", 1, 1, at=at * MS)
    host.fresh()
    host.send("A", 1, n(6), at=1032 * MS)
    host.expect(f"1.032 A seq {n(6)} len 1460")
    host.send("A", 1, n(10), at=1042 * MS)
    # Without SACK recovery lasts until more than all of it is acknowledged.
    assert state(host) is CaState.RECOVERY
    host.conn.send(1460)
    host.send("A", 1, n(11), at=1052 * MS)
    assert state(host) is CaState.OPEN


def test_more_duplicates_than_segments_are_reordering():
    host = sending(2, opts=MSS)
    for at in (1020, 1021, 1022):
        host.send("A", 1, 1, at=at * MS)
    assert host.moved()["TCPRenoReorder"] == 2


# --- time-outs ------------------------------------------------------------------------------------------


def test_after_a_time_out_what_is_lost_goes_out_in_slow_start():
    host = sending(opts=MSS)
    host.run(1300 * MS)
    host.events.clear()
    host.fresh()
    host.send("A", 1, n(1), at=1310 * MS)
    host.send("A", 1, n(3), at=1320 * MS)
    told = sent(host)
    assert [segment for segment, _ in told] == [1, 2, 3, 4, 5, 6]
    assert {reason for _, reason in told} == {"SLOW_START_RETRANSMIT"}
    assert host.moved()["TCPSlowStartRetrans"] == 6
    assert state(host) is CaState.LOSS


def test_a_time_out_in_recovery_is_counted_as_its_failure():
    host = sending(5)
    host.send("A", 1, 1, sack=[block(1, 4)], at=1020 * MS)
    host.run(2 * SECOND)
    moved = host.moved()
    assert (moved["TCPSackRecoveryFail"], moved["TCPLostRetransmit"]) == (1, 2)


def test_frto_new_data_that_is_acknowledged_shows_that_nothing_was_lost():
    host = sending(20, opts=MSS)
    host.run(1300 * MS)
    host.events.clear()
    host.send("A", 1, n(2), at=1310 * MS)
    assert {reason for _, reason in sent(host)} == {"DATA_SENT"}
    host.send("A", 1, n(4), at=1320 * MS)
    moved = host.moved()
    assert (moved["TCPLossUndo"], moved["TCPSpuriousRTOs"]) == (1, 1)
    assert state(host) is CaState.OPEN
    assert window(host) >= 10


def test_frto_a_duplicate_after_new_data_shows_that_the_loss_was_real():
    host = sending(20, opts=MSS)
    host.run(1300 * MS)
    host.send("A", 1, n(2), at=1310 * MS)
    host.events.clear()
    host.send("A", 1, n(2), at=1320 * MS)
    assert (2, "SLOW_START_RETRANSMIT") in sent(host)
    assert "TCPLossUndo" not in host.moved()


@pytest.mark.parametrize("segments", [10, 20])
def test_frto_is_given_up_without_new_data_that_the_window_takes(segments):
    """tcp_xmit_recovery: so what the next ACK says of originals proves nothing."""
    host = sending(segments, win=1460 * 10 + 100)
    host.run(1600 * MS)
    assert sent(host)[-1] == (0, "RETRANSMIT")
    host.send("A", 1, n(1), win=1460 * 9 + 100, at=1610 * MS)
    assert sent(host) == [(1, "SLOW_START_RETRANSMIT"), (2, "SLOW_START_RETRANSMIT")]
    host.send("A", 1, n(5), win=1460 * 5 + 100, at=1620 * MS)
    assert {reason for _, reason in sent(host)} == {"SLOW_START_RETRANSMIT"}
    assert "TCPLossUndo" not in host.moved()
    assert state(host) is CaState.LOSS


def test_what_is_sacked_is_not_sent_again_after_a_time_out():
    host = sending(5)
    host.send("A", 1, 1, sack=[block(2, 3)], at=1020 * MS)
    host.run(1600 * MS)
    host.events.clear()
    host.send("A", 1, n(1), sack=[block(2, 3)], at=1620 * MS)
    host.send("A", 1, n(1), sack=[block(2, 3)], at=1630 * MS)
    told = [segment for segment, _ in sent(host)]
    assert told == [1, 3]


# --- tail loss probes, ECN ------------------------------------------------------------------------------


def test_a_probe_that_repairs_the_last_segment_brings_the_window_down():
    host = sending(5)
    host.send("A", 1, n(4), at=1020 * MS)
    host.run(1250 * MS)
    assert sent(host)[-1] == (4, "LOSS_PROBE")
    host.conn.send(20 * 1460)
    host.send("A", 1, n(6), at=1260 * MS)
    assert host.moved()["TCPLossProbeRecovery"] == 1
    assert window(host) == 5


def test_a_d_sack_for_the_probe_says_that_nothing_was_lost():
    host = sending(3)
    host.run(1034 * MS)
    host.expect(f"1.032 PA seq {n(2)} len 1460")
    host.send("A", 1, n(3), sack=[block(2, 3)], at=1040 * MS)
    assert board(host).recovery.probe_high is None
    assert window(host) == 10


def with_ecn():
    """A connection on which ECN was agreed, with twenty segments to send."""
    host = Bench(tcp_congestion_control="reno")
    host.listener = host.listen(5)
    host.send("SEC", opts=SACK, at=1 * SECOND)
    host.send("A", 1, 1, at=1010 * MS)
    host.conn = host.accept()
    host.conn.send(1460 * 30)
    return host.fresh()


def test_an_echo_of_congestion_halves_the_window_once_and_is_told_by_the_next_new_data():
    host = with_ecn()
    host.send("AE", 1, n(2), at=1020 * MS)
    assert state(host) is CaState.CWR
    host.expect(f"1.02 AC seq {n(10)} len 1460")
    for acked in (4, 6, 8, 10):
        host.send("AE", 1, n(acked), at=(1020 + acked) * MS)
    assert not any(segment.flags & CWR for _, segment in host.taken())
    assert window(host) == 5


# --- kinds of congestion control ------------------------------------------------------------------------


def test_the_reduction_for_an_echo_lasts_until_more_is_acknowledged_than_was_out():
    """tcp_fastretrans_alert: it takes a segment with CWR that has reached the peer."""
    host = with_ecn()
    host.send("AE", 1, n(2), at=1020 * MS)
    host.send("A", 1, n(10), at=1030 * MS)
    assert state(host) is CaState.CWR
    host.send("A", 1, n(11), at=1040 * MS)
    assert state(host) is CaState.OPEN


def test_cubic_comes_down_to_seven_tenths():
    host = sending(20, tcp_congestion_control="cubic")
    host.send("A", 1, 1, sack=[block(1, 4)], at=1020 * MS)
    host.send("A", 1, n(11), at=1030 * MS)
    assert window(host) == 7


def test_cubic_lets_others_in_when_it_loses_again_below_the_last_loss():
    first = Cubic(cwnd=100).reduced()
    assert (first.ssthresh, first.last_max) == (70, 100)
    second = Cubic(cwnd=70, last_max=100).reduced()
    assert (second.ssthresh, second.last_max) == (49, 59)


def test_cubic_rises_to_the_last_loss_slowly_and_then_faster():
    train = HyStart(0, 0, 0, shortest=100_000)
    now, grows = Cubic(cwnd=70, ssthresh=70, last_max=100, train=train), []
    for jiffies in range(0, 5000, 25):
        now = now.acknowledged(now.cwnd, True, Moment(jiffies * 4000, jiffies, 250, 0, 0, 0, False))
        grows.append(now.cwnd)
    assert grows == sorted(grows)
    assert grows[0] < 80
    assert grows[-1] > 150


@pytest.mark.parametrize("value", [0, 1, 7, 8, 26, 27, 10**6, 10**9 - 1, 2**40])
def test_cubic_root_is_the_whole_part(value):
    root = cubic_root(value)
    assert root**3 <= value < (root + 1) ** 3


def test_the_window_comes_back_to_what_it_was_if_that_is_more():
    assert Reno(cwnd=3, ssthresh=5).restored(10, 20) == Reno(10, 20)
    assert Reno(cwnd=12, ssthresh=25).restored(10, 20) == Reno(12, 25)


@pytest.mark.parametrize(("rtos", "left"), [(0, 80), (1, 40), (2, 20), (3, 10), (9, 10)])
def test_after_idling_the_window_is_halved_for_each_rto_but_one_down_to_the_first(rtos, left):
    host = sending(1, opts=MSS)
    host.send("A", 1, n(1), at=1020 * MS)
    conn = host.conn.sock.connection
    conn.congestion = Reno(cwnd=80, ssthresh=100)
    host.run(1010 * MS + conn.rtt.rto * (rtos + 1))
    host.conn.send(10)
    assert window(host) == left


def test_unless_the_sysctl_says_otherwise():
    host = sending(1, opts=MSS, slow_start_after_idle=0)
    host.send("A", 1, n(1), at=1020 * MS)
    host.conn.sock.connection.congestion = Reno(cwnd=80, ssthresh=100)
    host.run(10 * SECOND)
    host.conn.send(10)
    assert window(host) == 80


@pytest.mark.parametrize(("settings", "left"), [({}, 30), ({"slow_start_after_idle": 0}, 40)])
def test_a_window_that_was_not_filled_for_an_rto_comes_halfway_down_to_what_was_used(settings, left):
    """tcp_cwnd_application_limited; the most that was under way in the meantime counts."""
    host = sending(40, wmem=(4096, 262144, 4194304), **settings)
    host.send("A", 1, n(10), at=1020 * MS)
    host.send("A", 1, n(30), at=1030 * MS)
    host.send("A", 1, n(40), at=1040 * MS)
    host.conn.send(1460 * 20)
    host.send("A", 1, n(60), at=1050 * MS)
    assert window(host) == 40
    host.run(1240 * MS)
    host.conn.send(1460 * 12)
    host.run(1259 * MS)
    host.conn.send(1460)
    assert window(host) == 40, "209 ms: the RTO is 210"
    host.run(1260 * MS)
    host.conn.send(1460)
    assert window(host) == left


def test_an_undone_time_out_leaves_nothing_counted_when_all_is_acknowledged():
    """tcp_clean_rtx_queue: with an empty queue nothing is under way, whatever was undone before."""
    host = sending(10)
    host.run(1300 * MS)
    host.send("A", 1, 1, sack=[block(5, 6)], at=1301 * MS)  # F-RTO: an original has arrived
    host.run(3 * SECOND)
    host.send("A", 1, n(10), at=3010 * MS)
    found = board(host)
    assert (len(found.queue), found.retrans_out, found.lost_out, found.sacked_out, found.in_flight) == (
        0,
    ) * 5
    assert state(host).name == "OPEN"


# --- how long RACK waits for what was overtaken: a quarter of the round trip, more after each D-SACK -----------


def repeated_in_vain():
    """Reordering was seen, and segments 3 and 8 of fourteen were sent again though they were only late.

    It is 1.036 s; the first ten are acknowledged, and no D-SACK has told of either repeat.
    """
    host = sending(10)
    host.send("A", 1, 1, sack=[block(1, 2)], at=1020 * MS)
    host.send("A", 1, n(2), at=1021 * MS)
    host.conn.send(1460 * 4)
    host.send("A", 1, n(3), sack=[block(4, 8), block(9, 10)], at=1023 * MS)
    host.run(1028 * MS)
    host.send("A", 1, n(8), sack=[block(9, 10)], at=1029 * MS)
    host.send("A", 1, n(10), at=1036 * MS)
    assert host.moved()["RetransSegs"] == 2
    return host.fresh()


def patience(host, first):
    """Milliseconds, beyond round trip and the timer's own 2, until a segment that was overtaken is sent again.

    All is acknowledged up to `first`; the two that are sent now are acknowledged in the end.
    """
    begun = host.now
    host.conn.send(1460 * 2)
    host.fresh()
    host.send("A", 1, n(first), sack=[block(first + 1, first + 2)], at=begun + 10 * MS)
    host.run(begun + 40 * MS)
    [(at, repeat)] = host.taken()
    assert host.shown(at, repeat)["seq"] == n(first)
    host.send("A", 1, n(first + 2), at=begun + 42 * MS)
    assert state(host) is CaState.OPEN
    return (at - begun) / MS - 12


def test_a_d_sack_makes_rack_wait_a_quarter_of_the_round_trip_longer():
    host = repeated_in_vain()
    host.send("A", 1, n(14), sack=[block(3, 4)], at=1037 * MS)
    assert patience(host, 14) == 5


def test_but_only_once_in_a_round_trip():
    """tcp_rack_update_reo_wnd: what this ACK brings was sent before the wait had grown."""
    host = repeated_in_vain()
    host.send("A", 1, n(12), sack=[block(3, 4)], at=1037 * MS)
    host.send("A", 1, n(14), sack=[block(8, 9)], at=1038 * MS)
    assert host.moved()["TCPDSACKRecvSegs"] == 2
    assert patience(host, 14) == 5


def test_after_sixteen_recoveries_the_longer_wait_is_over():
    """That which the D-SACK came in is the first of them (tcp.h: TCP_RACK_RECOVERY_THRESH)."""
    host = repeated_in_vain()
    host.send("A", 1, n(14), sack=[block(3, 4)], at=1037 * MS)
    waits = [patience(host, 14 + 2 * turn) for turn in range(18)]
    assert waits == [5] * 15 + [2.5] * 3


@pytest.mark.parametrize(("prior", "steps"), [(9, 2), (10, 3)])
def test_a_round_trip_after_the_wait_has_grown_begins_with_what_had_arrived_by_then(prior, steps):
    """tcp_rack_update_reo_wnd: only what was sent before that tells nothing new."""
    found = Scoreboard(True, None, None, Recovery(0, dsack_seen=True))
    found.rack.last_delivered, found.rack.steps, found.rack.steps_kept = 10, 2, 5
    rack.update_reordering_window(found, prior)
    assert found.rack.steps == steps


# --- limits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "told"), [(2920, {"TCPDSACKRecvSegs": 2}), (2919, {"TCPDSACKIgnoredDubious": 1})]
)
def test_a_d_sack_of_more_than_the_largest_window_is_not_believed(most, told):
    host = sending(2)
    host.run(1300 * MS)
    host.send("A", 1, n(1), at=1310 * MS)
    host.run(1400 * MS)
    host.conn.sock.connection.rtx.total_retrans = 2
    host.conn.sock.connection.snd.max_window = most
    host.fresh()
    host.send("A", 1, n(2), sack=[block(0, 2)], at=1410 * MS)
    moved = host.moved()
    assert {name: moved.get(name) for name in told} == told


@pytest.mark.parametrize(
    ("pieces", "count", "length", "fits"),
    [(1, 1, 9, True), (1, 1, 10, False), (65_534, 1, 9, True), (65_535, 1, 9, False)],
)
def test_what_is_sacked_grows_together_up_to_65535_segments_and_eight_times_65535_octets(
    pieces, count, length, fits
):
    piece = board(sending(1))[0]
    piece.payload, piece.pcount = bytes(65_535 * 8 - 10), pieces
    assert sack_tagging._has_room(piece, count, length) is fits


def test_after_a_time_out_a_smaller_path_changes_nothing_of_the_way_back():
    """tcp_simple_retransmit: the state Loss is entered once."""
    host = sending(4)
    host.run(1500 * MS)
    assert state(host) is CaState.LOSS
    conn, recovery = host.conn.sock.connection, board(host).recovery
    before = conn.congestion, recovery.high_seq, recovery.undo_marker, recovery.prior_ssthresh
    assert recovery.undo_marker is not None
    assert congestion_states.too_large_lost(conn, board(host), 500)
    assert (conn.congestion, recovery.high_seq, recovery.undo_marker, recovery.prior_ssthresh) == before


@pytest.mark.parametrize(("sacked", "left"), [(2, 10), (3, 3)])
def test_a_time_out_with_three_sacked_forgets_a_larger_reordering(sacked, left):
    """tcp_enter_loss: so much overtaken and still a time-out, so it was taken for too large."""
    host = sending()
    conn, recovery = host.conn.sock.connection, board(host).recovery
    board(host).sacked_out, recovery.reordering = sacked, 10
    congestion_states.enter_loss(conn, board(host))
    assert recovery.reordering == left


# --- the shortest round-trip time ------------------------------------------------------------------------


def slower(**settings):
    """Round trips of 30 ms for three seconds, after the first one of 10 ms."""
    host = established(opts=SACK, **settings)
    for turn in range(12):
        at = (1100 + 250 * turn) * MS
        host.run(at)
        host.conn.send(1460)
        host.send("A", 1, n(turn + 1), at=at + 30 * MS)
    return host


@pytest.mark.parametrize(("seconds", "shortest"), [(300, 10_000), (3, 10_000), (1, 30_000)])
def test_the_shortest_round_trip_time_is_that_of_the_last_tcp_min_rtt_wlen_seconds(seconds, shortest):
    host = slower(min_rtt_wlen=seconds)
    conn = host.conn.sock.connection
    assert board(host).min_rtt == shortest
    assert delivery_rate.path_of(conn, board(host)).min_rtt == shortest


# --- What a rule asks for, one by one -----------------------------------------------------------------------


def test_what_is_lost_and_not_sent_again_is_not_skipped_by_a_later_loss():
    """Without a hint the walk begins at the front, where something lost still waits."""
    host = sending(4)
    scoreboard, conn = board(host), host.conn.sock.connection
    later = scoreboard[-1]
    scoreboard.hint, scoreboard.lost_out, scoreboard.retrans_out = None, 2, 1
    loss_marks._set_retransmit_hint(scoreboard, later)
    assert scoreboard.hint is None
    scoreboard.retrans_out = 2
    loss_marks.mark_lost(conn, scoreboard, later)
    assert scoreboard.hint is later


@pytest.mark.parametrize(("marker", "left"), [(None, 2), (n(0), 1), (n(1), 2), (n(3), 2)])
def test_a_dsack_counts_for_an_undo_if_one_is_possible_and_it_lies_behind_its_beginning(marker, left):
    host = sending(4)
    conn, recovery = host.conn.sock.connection, board(host).recovery
    start = conn.snd.una
    recovery.undo_marker = None if marker is None else start - 1 + marker
    recovery.undo_retrans = 2
    walk = sack_tagging.TagWalk(conn, board(host), AckResult(start), [], 0)
    walk._sacked_tags(SACKED | EVER | RETRANS, start, start + 1460, True, 1, (0, 0))
    assert recovery.undo_retrans == left


@pytest.mark.parametrize(("segments", "moved", "mss"), [(3, 1, 1460), (2, 1, 0), (4, 3, 0)])
def test_what_is_left_of_a_piece_knows_its_segments_length_if_it_has_several(segments, moved, mss):
    host = sending(1 + segments)
    scoreboard, conn = board(host), host.conn.sock.connection
    while len(scoreboard.queue) > 1:
        following = scoreboard[1]
        scoreboard[0].payload += following.payload
        scoreboard[0].pcount += following.pcount
        scoreboard[0].end = following.end
        scoreboard.remove(1, scoreboard[0])
    scoreboard[0].mss = 1460
    scoreboard.split(0, 1460, 1460)
    first, rest = scoreboard.queue
    first.tags |= SACKED
    assert rest.pcount == segments
    walk = sack_tagging.TagWalk(conn, scoreboard, AckResult(conn.snd.una), [], None)
    walk._move(1, moved, moved * 1460, 1460, False)
    assert (rest.pcount, rest.mss, len(rest.payload)) == (segments - moved, mss, (segments - moved) * 1460)


@pytest.mark.parametrize(
    ("before", "counter"), [(CaState.LOSS, "TCPLossUndo"), (CaState.RECOVERY, "TCPFullUndo")]
)
def test_the_counter_of_an_undo_says_what_was_taken_back(before, counter):
    host = sending(4)
    recovery = board(host).recovery
    recovery.state, recovery.undo_marker, recovery.undo_retrans = before, 1, 0
    assert not undo.try_undo_recovery(host.conn.sock.connection, board(host))
    assert recovery.state is CaState.OPEN
    assert host.moved() == {counter: 1}


@pytest.mark.parametrize("marker", [None, 1])
def test_a_partial_ack_undoes_nothing_where_nothing_may_be_undone(marker):
    host = sending(4)
    conn, recovery = host.conn.sock.connection, board(host).recovery
    recovery.state, recovery.undo_marker, recovery.undo_retrans = CaState.RECOVERY, marker, 1
    conn.rtx.retrans_stamp = None
    assert not undo.try_undo_partial(conn, board(host), AckResult(conn.snd.una))
    assert host.moved() == ({} if marker is None else {"TCPPartialUndo": 1})
