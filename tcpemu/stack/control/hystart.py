"""HyStart: CUBIC ends slow start before a loss, when ACKs tell that the path is full (Ha and Rhee, 2008).

Two signs, each looked for in every round trip of slow start from a window of 16 segments on:

    train   ACKs follow one another within 2 ms, and have for longer than half of the shortest round-trip time
            (all of it where segments are paced): as long a train as the path holds
    delay   the shortest of the first nine round-trip times of the round is longer than the shortest ever, by an
            eighth, and by 4 ms at least and 16 ms at most: a queue builds up

tcp_cubic.c: hystart_update, cubictcp_acked (Linux 6.18).
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.base.congestion_hooks import NO_RTT, Moment
from tcpemu.stack.base.sequence_numbers import after
from tcpemu.stack.control.pacing_rate import GSO_MAX_SIZE

LOW_WINDOW = 16
"""Segments below which slow start goes on whatever ACKs tell (hystart_low_window)."""
ACK_DELTA = 2000
"""Microseconds between two ACKs of a train (hystart_ack_delta_us)."""
_SAMPLES = 8
_LEAST_DELAY, _MOST_DELAY = 4000, 16_000
"""Microseconds (HYSTART_DELAY_MIN, HYSTART_DELAY_MAX)."""
_MILLISECOND = 1000


@dataclass(slots=True, eq=False)
class HyStart:
    """How ACKs come. Times are microseconds."""

    round_start: int
    last_ack: int
    """When the last ACK of the train came."""
    end: int
    """SND.NXT when the round began."""
    shortest: int = 0
    """The shortest round-trip time since the last time-out; 0 before the first (delay_min)."""
    shortest_of_round: int = NO_RTT
    samples: int = 0
    """Round-trip times of this round, up to eight."""
    found: bool = False


def round_begins(moment: Moment) -> HyStart:
    """Nothing is known (bictcp_reset, bictcp_hystart_reset)."""
    return HyStart(moment.now, moment.now, moment.nxt)


def round_trip(train: HyStart, rtt: int, moment: Moment, cwnd: int, slow: bool) -> bool:
    """A round-trip time was measured; whether slow start ends here."""
    rtt = max(rtt, 1)
    if not train.shortest or train.shortest > rtt:
        train.shortest = rtt
    if train.found or not slow:
        return False
    if after(moment.una, train.end):
        train.round_start = train.last_ack = moment.now
        train.end, train.shortest_of_round, train.samples = moment.nxt, NO_RTT, 0
    if cwnd < LOW_WINDOW:
        return False
    counters: dict[str, int] = {}
    if _train_is_long(train, moment):
        counters["TCPHystartTrainDetect"], counters["TCPHystartTrainCwnd"] = 1, cwnd
    if _is_delayed(train, rtt):
        counters["TCPHystartDelayDetect"], counters["TCPHystartDelayCwnd"] = 1, cwnd
    if counters:
        moment.counters = counters
        train.found = True
    return train.found


def _train_is_long(train: HyStart, moment: Moment) -> bool:
    now = moment.now
    if now - train.last_ack > ACK_DELTA:
        return False
    train.last_ack = now
    limit = train.shortest + _piece_time(moment.rate)
    if not moment.paced:
        limit >>= 1
    return now - train.round_start > limit


def _piece_time(rate: int) -> int:
    """What four of the largest pieces take at the pace, a millisecond at most (hystart_ack_delay)."""
    return min(_MILLISECOND, GSO_MAX_SIZE * 4_000_000 // rate) if rate else 0


def _is_delayed(train: HyStart, rtt: int) -> bool:
    train.shortest_of_round = min(train.shortest_of_round, rtt)
    if train.samples < _SAMPLES:
        train.samples += 1
        return False
    allowed = min(max(train.shortest >> 3, _LEAST_DELAY), _MOST_DELAY)
    return train.shortest_of_round > train.shortest + allowed
