"""BBR: send at the rate at which the path delivers, and keep no more under way than that takes (BBR version 1).

A model of the path is kept in place of losses: the highest rate at which it delivered in the last ten round trips,
and the shortest round-trip time of the last ten seconds. Their product, the bandwidth-delay product, is what the path
holds without a queue. Segments leave at a pace (`pacing_gain` times the rate), and the window is a gain times that
product. What the gains are, the mode says:

    startup    2.89: the rate doubles each round trip, until three round trips bring no quarter more
    drain      1/2.89, until no more is under way than the path holds: the queue of startup is gone
    probe_bw   a cycle of eight phases of one round trip each: 5/4 to ask for more, 3/4 to clear away what that
               queued, then six at 1; it begins at random with any but the second
    probe_rtt  four segments for 200 ms and a round trip, once ten seconds have shown no shorter round-trip time

A loss hardly matters. In the first round trip of a recovery as much is sent as arrives; afterwards the window is
again what it was. Only where two intervals of heavy loss deliver at the same rate does BBR take it for a policer's,
and keeps to that rate for 48 round trips (`_lt_...`, long term).

tcp_bbr.c, Linux 6.18, in its arithmetic: rates are segments per microsecond in units of 2**-24, gains in 256ths.
The value `Bbr` is what a connection holds and replaces; its model is one record, which is changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Self

from tcpemu.stack.base.congestion_hooks import INFINITE, INITIAL_WINDOW, NO_RTT, Moment, Path
from tcpemu.stack.control.pacing_rate import GSO_MAX_SIZE, SLOW
from tcpemu.stack.control.unconcerned import Unconcerned
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.windowed_filter import WindowedFilter, largest_of

_BW_SCALE = 24
_BW_UNIT = 1 << _BW_SCALE
_UNIT = 256
_HIGH_GAIN = _UNIT * 2885 // 1000 + 1
_DRAIN_GAIN = _UNIT * 1000 // 2885
_CWND_GAIN = 2 * _UNIT
_CYCLE = (_UNIT * 5 // 4, _UNIT * 3 // 4, *(_UNIT,) * 6)
_CYCLE_RANDOM = 7
_BW_ROUNDS = len(_CYCLE) + 2
"""Round trips for which the highest rate is remembered."""
_MIN_RTT_SECONDS = 10
_PROBE_RTT_MS = 200
_LEAST_WINDOW = 4
_FULL_BW_ROUNDS = 3
_PACE_PERCENT = 99
"""The pace is a little below the rate, so that a queue empties."""
_MOST_PIECE = 0x7F
_LT_ROUNDS, _LT_MOST_ROUNDS, _LT_KEPT_ROUNDS = 4, 16, 48
_LT_LOSS = 50
"""Of 256 segments: more lost than that is heavy loss."""
_LT_SAME_RATE = 500
"""Octets per second by which two rates may differ and be the same."""
_EXTRA_ROUNDS = 5
_EXTRA_MOST_US = 100_000
_EPOCH_MOST = 1 << 20


class Mode(IntEnum):
    """How fast it sends, and what for (tcp_bbr.c: enum bbr_mode)."""

    STARTUP = 0
    DRAIN = 1
    PROBE_BW = 2
    PROBE_RTT = 3


@dataclass(slots=True, eq=False)
class Model:
    """What BBR knows of its path (tcp_bbr.c: struct bbr). Times are microseconds, where it does not say otherwise."""

    min_rtt: int
    min_rtt_at: int
    """When it was measured, in jiffies."""
    bandwidth: WindowedFilter
    next_round: int
    """Segments delivered at the end of this round trip."""
    ack_epoch_at: int
    """Since when ACKs are counted for how bunched they come."""
    mode: Mode = Mode.STARTUP
    rounds: int = 0
    round_start: bool = False
    pacing_gain: int = _HIGH_GAIN
    cwnd_gain: int = _HIGH_GAIN
    prior_state: int = int(CaState.OPEN)
    """The state of loss recovery at the last ACK."""
    prior_cwnd: int = 0
    """The window to go back to."""
    conserves: bool = False
    """As much is sent as arrives (packet conservation)."""
    full_bw: int = 0
    """The rate by which startup judges whether there is more."""
    full_rounds: int = 0
    full: bool = False
    """Startup has filled the path."""
    phase: int = 0
    phase_at: int = 0
    probe_rtt_until: int = 0
    """Jiffies; 0 while too much is under way."""
    probe_rtt_round: bool = False
    idle_restart: bool = False
    seen_rtt: bool = False
    extra: list[int] = field(default_factory=lambda: [0, 0])
    """The most that came beyond the rate, in two windows of five round trips."""
    extra_index: int = 0
    extra_rounds: int = 0
    ack_epoch_acked: int = 0
    lt_bw: int = 0
    """The rate that two intervals with heavy loss had."""
    lt_used: bool = False
    lt_sampling: bool = False
    lt_rounds: int = 0
    lt_at: int = 0
    """Where the interval began: milliseconds, segments delivered, segments lost."""
    lt_delivered: int = 0
    lt_lost: int = 0

    @property
    def rate(self) -> int:
        """The rate of the path as estimated (bbr_bw)."""
        return self.lt_bw if self.lt_used else self.bandwidth.value

    def octets_per_second(self, mss: int) -> int:
        """The same in octets a second, with segments of that size (bbr_get_info)."""
        return self.rate * mss * 1_000_000 >> _BW_SCALE


@dataclass(frozen=True, slots=True)
class Bbr(Unconcerned):
    """A window, and the model that it comes from."""

    cwnd: int = INITIAL_WINDOW
    ssthresh: int = INFINITE
    model: Model | None = None
    """None until it begins: when the handshake is over, or when a socket that has sent a SYN chooses it."""

    @property
    def name(self) -> str:
        return "bbr"

    @property
    def controls(self) -> bool:
        return True

    @property
    def begins(self) -> bool:
        return True

    def begin(self, cwnd: int, path: Path | None) -> Self:
        """Startup, at a pace of 2.89 windows a round trip (bbr_init)."""
        assert path is not None
        if self.model is not None:
            # It was chosen while the SYN was under way, and began then; the SYN|ACK gives it a round-trip time.
            self.model.min_rtt = min(self.model.min_rtt, path.min_rtt)
            _pace_by_handshake(self.model, path, cwnd)
            return replace(self, cwnd=cwnd)
        model = Model(path.min_rtt, path.jiffies, largest_of(0, 0), path.total_delivered, path.now)
        _pace_by_handshake(model, path, cwnd)
        return replace(self, cwnd=cwnd, ssthresh=INFINITE, model=model)

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Self:  # noqa: ARG002
        return self

    def controlled(self, path: Path) -> Self:
        """One ACK: the model, then the pace and the window that follow from it (bbr_main)."""
        model = self.model
        if model is None:
            return self
        ssthresh, cwnd = _update_model(model, path, self)
        _set_pace(model, path, cwnd, model.rate, model.pacing_gain)
        return replace(self, cwnd=_next_window(model, path, cwnd), ssthresh=ssthresh)

    def sending_restarts(self, path: Path) -> Self:
        """Data goes out while nothing is under way (bbr_cwnd_event: CA_EVENT_TX_START)."""
        model = self.model
        if model is None or not path.limited:
            return self
        model.idle_restart = True
        model.ack_epoch_at, model.ack_epoch_acked = path.now, 0
        if model.mode is Mode.PROBE_BW:
            _set_pace(model, path, self.cwnd, model.rate, _UNIT)
        elif model.mode is Mode.PROBE_RTT:
            return replace(self, cwnd=_probe_rtt_may_end(model, path, self.cwnd))
        return self

    def reduced(self) -> Self:
        """A loss does not bring it down; the window is kept to go back to (bbr_ssthresh)."""
        if self.model is not None:
            _save_window(self.model, self.cwnd)
        return self

    def timed_out(self, cwnd: int, reduces: bool, moment: Moment | None = None) -> Self:  # noqa: ARG002
        if reduces:
            self.reduced()
        return replace(self, cwnd=cwnd)

    def loss_began(self, path: Path) -> None:
        """A time-out is taken for the end of a round trip (bbr_set_state)."""
        model = self.model
        if model is None:
            return
        model.prior_state = int(CaState.LOSS)
        model.full_bw = 0
        model.round_start = True
        path.losses, path.sample_limited = 1, False
        _sample_long_term(model, path)

    def undone(self, path: Path) -> None:
        """Nothing was lost: look anew whether the path is full (bbr_undo_cwnd)."""
        if self.model is not None:
            self.model.full_bw = self.model.full_rounds = 0
            _reset_long_term(self.model, path)

    def without_ecn(self) -> Bbr:
        return self

    def restored(self, cwnd: int, ssthresh: int) -> Self:  # noqa: ARG002
        return replace(self, ssthresh=max(self.ssthresh, ssthresh))


# ------------------------------------------------------------------------------------ rates and windows


def _octets_per_second(rate: int, gain: int, mss: int) -> int:
    """bbr_rate_bytes_per_sec."""
    return (rate * mss * gain >> 8) * (10_000 * _PACE_PERCENT) >> _BW_SCALE


def _pace_by_handshake(model: Model, path: Path, cwnd: int) -> None:
    """2.89 windows a round trip, or a millisecond where none was measured (bbr_init_pacing_rate_from_rtt)."""
    rtt = 1000
    if path.srtt:
        rtt = max(path.srtt >> 3, 1)
        model.seen_rtt = True
    path.rate = min(_octets_per_second(cwnd * _BW_UNIT // rtt, _HIGH_GAIN, path.mss), path.max_rate)


def _set_pace(model: Model, path: Path, cwnd: int, rate: int, gain: int) -> None:
    """The pace follows the rate; in startup it never falls (bbr_set_pacing_rate)."""
    pace = min(_octets_per_second(rate, gain, path.mss), path.max_rate)
    if not model.seen_rtt and path.srtt:
        _pace_by_handshake(model, path, cwnd)
    if model.full or pace > path.rate:
        path.rate = pace


def _piece(path: Path) -> int:
    """Segments that go out in one piece at this pace (bbr_tso_segs_goal)."""
    octets = min(path.rate >> 10, GSO_MAX_SIZE)
    return min(max(octets // path.mss, 1 if path.rate < SLOW else 2), _MOST_PIECE)


def _product(model: Model, rate: int, gain: int) -> int:
    """What the path holds, times a gain, rounded up (bbr_bdp)."""
    if model.min_rtt == NO_RTT:
        return INITIAL_WINDOW
    return ((rate * model.min_rtt * gain >> 8) + _BW_UNIT - 1) // _BW_UNIT


def _with_budget(model: Model, path: Path, window: int) -> int:
    """Room for three pieces that wait in the hosts, and an even number for delayed ACKs (bbr_quantization_budget)."""
    window = window + 3 * _piece(path) + 1 & ~1
    return window + 2 if model.mode is Mode.PROBE_BW and not model.phase else window


def _target(model: Model, path: Path, rate: int, gain: int) -> int:
    """Segments in flight that are aimed at (bbr_inflight)."""
    return _with_budget(model, path, _product(model, rate, gain))


def _in_net_when_next_departs(model: Model, path: Path, in_flight: int) -> int:
    """What will still be under way when the next piece may leave (bbr_packets_in_net_at_edt)."""
    gone = model.rate * path.departs_in >> _BW_SCALE
    if model.pacing_gain > _UNIT:
        in_flight += _piece(path)
    return max(in_flight - gone, 0)


def _save_window(model: Model, cwnd: int) -> None:
    """Remember a window to go back to (bbr_save_cwnd)."""
    good = model.prior_state < CaState.RECOVERY and model.mode is not Mode.PROBE_RTT
    model.prior_cwnd = cwnd if good else max(model.prior_cwnd, cwnd)


def _next_window(model: Model, path: Path, cwnd: int) -> int:
    """Towards the target by what arrives (bbr_set_cwnd)."""
    if path.acked:
        cwnd, conserved = _recover_or_restore(model, path, cwnd)
        if not conserved:
            cwnd = _towards_target(model, path, cwnd)
    return min(cwnd, _LEAST_WINDOW) if model.mode is Mode.PROBE_RTT else cwnd


def _towards_target(model: Model, path: Path, cwnd: int) -> int:
    product = _product(model, model.rate, model.cwnd_gain) + _bunched(model)
    target = _with_budget(model, path, product)
    if model.full:
        cwnd = min(cwnd + path.acked, target)
    elif cwnd < target or path.total_delivered < INITIAL_WINDOW:
        cwnd += path.acked
    return max(cwnd, _LEAST_WINDOW)


def _recover_or_restore(model: Model, path: Path, cwnd: int) -> tuple[int, bool]:
    """The window as loss recovery has it, and whether that is all (bbr_set_cwnd_to_recover_or_restore)."""
    prior, state = model.prior_state, path.state
    if path.losses > 0:
        cwnd = max(cwnd - path.losses, 1)
    if state == CaState.RECOVERY and prior != CaState.RECOVERY:
        model.conserves = True
        model.next_round = path.total_delivered
        cwnd = path.in_flight + path.acked
    elif prior >= CaState.RECOVERY > state:
        cwnd = max(cwnd, model.prior_cwnd)
        model.conserves = False
    model.prior_state = state
    if model.conserves:
        return max(cwnd, path.in_flight + path.acked), True
    return cwnd, False


def _bunched(model: Model) -> int:
    """Room for ACKs that come bunched together (bbr_ack_aggregation_cwnd)."""
    if not model.full:
        return 0
    return min(max(model.extra), model.rate * _EXTRA_MOST_US // _BW_UNIT)


# ------------------------------------------------------------------------------------------- the model


def _update_model(model: Model, path: Path, bbr: Bbr) -> tuple[int, int]:
    """Take in what an ACK told; the threshold and the window that follow at once (bbr_update_model)."""
    _update_bandwidth(model, path)
    _update_bunching(model, path, bbr.cwnd)
    if model.mode is Mode.PROBE_BW and _phase_is_over(model, path):
        _next_phase(model, path)
    _look_whether_full(model, path)
    ssthresh = bbr.ssthresh
    if model.mode is Mode.STARTUP and model.full:
        model.mode = Mode.DRAIN
        ssthresh = _target(model, path, model.bandwidth.value, _UNIT)
    if model.mode is Mode.DRAIN and _is_drained(model, path):
        _begin_cycle(model, path)
    cwnd = _update_min_rtt(model, path, bbr.cwnd)
    _update_gains(model)
    return ssthresh, cwnd


def _update_bandwidth(model: Model, path: Path) -> None:
    """bbr_update_bw."""
    model.round_start = False
    if path.delivered < 0 or path.interval <= 0:
        return
    if path.prior_delivered >= model.next_round:
        model.next_round = path.total_delivered
        model.rounds += 1
        model.round_start = True
        model.conserves = False
    _sample_long_term(model, path)
    rate = path.delivered * _BW_UNIT // path.interval
    if not path.sample_limited or rate >= model.bandwidth.value:
        model.bandwidth.take(_BW_ROUNDS, model.rounds, rate)


def _update_bunching(model: Model, path: Path, cwnd: int) -> None:
    """How much more arrives at once than the rate would have it (bbr_update_ack_aggregation)."""
    if path.acked <= 0 or path.delivered < 0 or path.interval <= 0:
        return
    if model.round_start:
        model.extra_rounds = min(model.extra_rounds + 1, 0x1F)
        if model.extra_rounds >= _EXTRA_ROUNDS:
            model.extra_rounds = 0
            model.extra_index ^= 1
            model.extra[model.extra_index] = 0
    expected = model.rate * (path.delivered_at - model.ack_epoch_at) // _BW_UNIT
    if model.ack_epoch_acked <= expected or model.ack_epoch_acked + path.acked >= _EPOCH_MOST:
        model.ack_epoch_acked, model.ack_epoch_at = 0, path.delivered_at
        expected = 0
    model.ack_epoch_acked = min(model.ack_epoch_acked + path.acked, _EPOCH_MOST - 1)
    extra = min(model.ack_epoch_acked - expected, cwnd)
    model.extra[model.extra_index] = max(model.extra[model.extra_index], extra)


def _phase_is_over(model: Model, path: Path) -> bool:
    """A phase lasts a round trip; asking for more lasts until that much is under way (bbr_is_next_cycle_phase)."""
    long_enough = path.delivered_at - model.phase_at > model.min_rtt
    if model.pacing_gain == _UNIT:
        return long_enough
    in_flight = _in_net_when_next_departs(model, path, path.prior_in_flight)
    rate = model.bandwidth.value
    if model.pacing_gain > _UNIT:
        enough = path.losses > 0 or in_flight >= _target(model, path, rate, model.pacing_gain)
        return long_enough and enough
    return long_enough or in_flight <= _target(model, path, rate, _UNIT)


def _next_phase(model: Model, path: Path) -> None:
    model.phase = (model.phase + 1) % len(_CYCLE)
    model.phase_at = path.delivered_at


def _begin_cycle(model: Model, path: Path) -> None:
    """Any phase but that which drains (bbr_reset_probe_bw_mode)."""
    model.mode = Mode.PROBE_BW
    model.phase = len(_CYCLE) - 1 - path.draw(_CYCLE_RANDOM)
    _next_phase(model, path)


def _look_whether_full(model: Model, path: Path) -> None:
    """Three round trips without a quarter more: the path is full (bbr_check_full_bw_reached)."""
    if model.full or not model.round_start or path.sample_limited:
        return
    if model.bandwidth.value >= model.full_bw * (_UNIT * 5 // 4) >> 8:
        model.full_bw, model.full_rounds = model.bandwidth.value, 0
        return
    model.full_rounds += 1
    model.full = model.full_rounds >= _FULL_BW_ROUNDS


def _is_drained(model: Model, path: Path) -> bool:
    """bbr_check_drain."""
    in_net = _in_net_when_next_departs(model, path, path.in_flight)
    return in_net <= _target(model, path, model.bandwidth.value, _UNIT)


def _update_min_rtt(model: Model, path: Path, cwnd: int) -> int:
    """Keep the shortest round-trip time, and look for it anew every ten seconds (bbr_update_min_rtt)."""
    expired = path.jiffies > model.min_rtt_at + _MIN_RTT_SECONDS * path.hz
    if path.rtt >= 0 and (path.rtt < model.min_rtt or (expired and not path.ack_delayed)):
        model.min_rtt, model.min_rtt_at = path.rtt, path.jiffies
    if expired and not model.idle_restart and model.mode is not Mode.PROBE_RTT:
        model.mode = Mode.PROBE_RTT
        _save_window(model, cwnd)
        model.probe_rtt_until = 0
    if model.mode is Mode.PROBE_RTT:
        cwnd = _in_probe_rtt(model, path, cwnd)
    if path.delivered > 0:
        model.idle_restart = False
    return cwnd


def _in_probe_rtt(model: Model, path: Path, cwnd: int) -> int:
    """Four segments under way for 200 ms, and a round trip at least."""
    path.marks_limited = True
    if not model.probe_rtt_until:
        if path.in_flight <= _LEAST_WINDOW:
            model.probe_rtt_until = path.jiffies + -(-_PROBE_RTT_MS * path.hz // 1000)
            model.probe_rtt_round = False
            model.next_round = path.total_delivered
        return cwnd
    if model.round_start:
        model.probe_rtt_round = True
    return _probe_rtt_may_end(model, path, cwnd) if model.probe_rtt_round else cwnd


def _probe_rtt_may_end(model: Model, path: Path, cwnd: int) -> int:
    """The window afterwards (bbr_check_probe_rtt_done)."""
    if not model.probe_rtt_until or path.jiffies <= model.probe_rtt_until:
        return cwnd
    model.min_rtt_at = path.jiffies
    if model.full:
        _begin_cycle(model, path)
    else:
        model.mode = Mode.STARTUP
    return max(cwnd, model.prior_cwnd)


def _update_gains(model: Model) -> None:
    """bbr_update_gains."""
    if model.mode is Mode.STARTUP:
        model.pacing_gain = model.cwnd_gain = _HIGH_GAIN
    elif model.mode is Mode.DRAIN:
        model.pacing_gain, model.cwnd_gain = _DRAIN_GAIN, _HIGH_GAIN
    elif model.mode is Mode.PROBE_BW:
        model.pacing_gain = _UNIT if model.lt_used else _CYCLE[model.phase]
        model.cwnd_gain = _CWND_GAIN
    else:
        model.pacing_gain = model.cwnd_gain = _UNIT


# ------------------------------------------------------------------------- a policer, seen by its losses


def _begin_interval(model: Model, path: Path) -> None:
    """bbr_reset_lt_bw_sampling_interval."""
    model.lt_at, model.lt_rounds = path.delivered_at // 1000, 0
    model.lt_delivered, model.lt_lost = path.total_delivered, path.total_lost


def _reset_long_term(model: Model, path: Path) -> None:
    """bbr_reset_lt_bw_sampling."""
    model.lt_bw = 0
    model.lt_used = model.lt_sampling = False
    _begin_interval(model, path)


def _sample_long_term(model: Model, path: Path) -> None:
    """Measure intervals from loss to loss (bbr_lt_bw_sampling)."""
    if model.lt_used:
        _keep_to_policed_rate(model, path)
        return
    if not model.lt_sampling:
        if not path.losses:
            return
        _begin_interval(model, path)
        model.lt_sampling = True
    if path.sample_limited:
        _reset_long_term(model, path)
        return
    if model.round_start:
        model.lt_rounds += 1
    if model.lt_rounds < _LT_ROUNDS:
        return
    if model.lt_rounds > _LT_MOST_ROUNDS:
        _reset_long_term(model, path)
    elif path.losses:
        _end_interval(model, path)


def _keep_to_policed_rate(model: Model, path: Path) -> None:
    """For 48 round trips."""
    if model.mode is not Mode.PROBE_BW or not model.round_start:
        return
    model.lt_rounds += 1
    if model.lt_rounds >= _LT_KEPT_ROUNDS:
        _reset_long_term(model, path)
        _begin_cycle(model, path)


def _end_interval(model: Model, path: Path) -> None:
    """Was the loss heavy, and the rate that of the interval before? (bbr_lt_bw_interval_done)"""
    lost, delivered = path.total_lost - model.lt_lost, path.total_delivered - model.lt_delivered
    if not delivered or lost << 8 < _LT_LOSS * delivered:
        return
    passed = path.delivered_at // 1000 - model.lt_at
    if passed < 1:
        return
    rate = delivered * _BW_UNIT // (passed * 1000)
    apart = abs(rate - model.lt_bw)
    same = apart * 8 <= model.lt_bw or _octets_per_second(apart, _UNIT, path.mss) <= _LT_SAME_RATE
    if model.lt_bw and same:
        model.lt_bw, model.lt_used = rate + model.lt_bw >> 1, True
        model.pacing_gain, model.lt_rounds = _UNIT, 0
        return
    model.lt_bw = rate
    _begin_interval(model, path)
