"""What a segment changes of what is known of its connection."""

from tcpemu.diagnose.flows.flow_life import (
    LONG_IDLE,
    MOST_GAPS,
    MOST_MOMENTS,
    Before,
    FlowLife,
    FlowSide,
    Moment,
    ResetForm,
)
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.stack.base.sequence_numbers import MASK, after, before
from tcpemu.wire.options import Mss, Timestamps, WScale
from tcpemu.wire.segment import ACK, FIN, RST, SYN


def follow(flow: FlowLife, seen: SeenSegment, side: FlowSide) -> None:
    """One segment of this side, in the order of the capture."""
    here = Moment(seen.frame, seen.at)
    idle = seen.at - flow.ends.at
    if idle > flow.longest_idle:
        flow.longest_idle, flow.idle_until = idle, here
    flow.ends = here
    flow.frames += 1
    side.frames += 1
    side.octets += seen.length
    side.longest = max(side.longest, seen.length)
    side.ttl = side.ttl or seen.segment.ttl
    flags = seen.segment.flags
    flow.other(side).silent_repeats = flow.other(side).silent_probes = 0
    if flags & RST:
        _follow_reset(flow, seen, side, idle)
    else:
        if flow.reset_by is side and flow.answered is not None:
            flow.reset_by, flow.reset_form = None, None  # it goes on: that RST was not the end of it
            side.vain_resets += 1
        _follow_other(flow, seen, side, here)
    ahead = (seen.frame, seen.at, side is flow.client, flags, seen.length, seen.segment.ack)
    flow.last = Before(*ahead)


def _follow_other(flow: FlowLife, seen: SeenSegment, side: FlowSide, here: Moment) -> None:
    """One that is no RST."""
    flags = seen.segment.flags
    if flags & SYN:
        _follow_syn(flow, seen, side, here)
    else:
        _follow_opening(flow, seen, side, here)
        _follow_window(seen, side, here)
        _follow_numbers(seen, side, here, flow.other(side).acked)
    if flags & ACK:
        _follow_ack(flow, seen, side, here)
    if flags & FIN:
        _follow_fin(flow, seen, side, here)


def _follow_syn(flow: FlowLife, seen: SeenSegment, side: FlowSide, here: Moment) -> None:
    segment = seen.segment
    side.syn_count += 1
    if len(side.syns) < MOST_MOMENTS:
        side.syns.append(here)
    if side.isn is None or flow.opened is None:
        side.isn = segment.seq
        side.next = seen.end
        _follow_options(seen, side)
    if segment.flags & ACK and side is flow.server:
        flow.answered = flow.answered or here
        if flow.opened is not None:
            flow.repeats_after_opened += 1
            flow.first_after_opened = flow.first_after_opened or here


def _follow_options(seen: SeenSegment, side: FlowSide) -> None:
    for option in seen.segment.options:
        if isinstance(option, Mss):
            side.mss = option.value
        elif isinstance(option, WScale):
            side.wscale = option.shift
        elif isinstance(option, Timestamps):
            side.timestamps = True


def _follow_opening(flow: FlowLife, seen: SeenSegment, side: FlowSide, here: Moment) -> None:
    """The client's first ACK behind its SYN completes the handshake, as the client sees it."""
    if flow.opened is not None or not seen.segment.flags & ACK or side.isn is None or side is not flow.client:
        return
    server = flow.server
    if server.isn is not None and seen.segment.ack != (server.isn + 1) & MASK and not flow.midway:
        first_octets = (seen.segment.ack - server.isn - 1) & MASK
        if server.next is not None and after(seen.segment.ack, server.next) and first_octets > 1 << 20:
            return  # it acknowledges nothing that this server said
    flow.opened = here
    answered = flow.answered.at if flow.answered else here.at
    flow.opened_from = max((syn.at for syn in side.syns if syn.at <= answered), default=flow.begins.at)


def _follow_window(seen: SeenSegment, side: FlowSide, here: Moment) -> None:
    if seen.segment.window == 0:
        side.zero_windows += 1
        side.first_zero_window = side.first_zero_window or here
        side.last_zero_window = here


def _follow_numbers(seen: SeenSegment, side: FlowSide, here: Moment, awaited: int | None) -> None:
    segment, highest = seen.segment, side.next
    if seen.length and len(side.in_flight) < MOST_GAPS:
        side.in_flight[seen.end] = seen.length
    if highest is None:
        side.next = seen.end
        return
    if after(segment.seq, highest):
        side.holes += 1
        _note_gap(side, highest, segment.seq)
    again = 0
    if seen.length and before(segment.seq, highest):
        end = (segment.seq + seen.length) & MASK
        again = ((highest if after(end, highest) else end) - segment.seq) & MASK
        again -= _fill_gaps(side, segment.seq, (segment.seq + again) & MASK)
    if after(seen.end, highest):
        side.next = seen.end
    elif segment.seq == (highest - 1) & MASK and seen.length <= 1 and not segment.flags & FIN:
        side.probes += 1
        side.silent_probes += 1
        return
    elif again == seen.length > 0:
        side.repeats += 1
        side.silent_repeats += 1
        side.first_repeat = side.first_repeat or here
        if segment.seq == awaited:
            side.vain_repeats += 1
            side.vain_length = seen.length
    side.repeated_octets += again


def _note_gap(side: FlowSide, begin: int, end: int) -> None:
    """Numbers that were not seen. Beyond MOST_GAPS the oldest are forgotten."""
    side.gaps.append((begin, end))
    del side.gaps[:-MOST_GAPS]


def _fill_gaps(side: FlowSide, begin: int, end: int) -> int:
    """How many of these octets had not been seen; from now on they are."""
    filled, left = 0, []
    for low, high in side.gaps:
        first = begin if after(begin, low) else low
        last = end if before(end, high) else high
        if not before(first, last):
            left.append((low, high))
            continue
        filled += (last - first) & MASK
        left += [one for one in ((low, first), (last, high)) if before(*one)]
    side.gaps = left
    return filled


def _follow_ack(flow: FlowLife, seen: SeenSegment, side: FlowSide, here: Moment) -> None:
    number, other = seen.segment.ack, flow.other(side)
    if side.acked is None or after(number, side.acked):
        side.acked = number
        _pass(other, number)
    if other.next is None:
        other.next = number
    elif after(number, other.next) and (number - other.next) & MASK < 1 << 30:
        other.unseen += 1
        other.first_unseen = other.first_unseen or here
        _note_gap(other, other.next, number)
        other.next = number


def _pass(side: FlowSide, number: int) -> None:
    """What that end had sent up to a number was acknowledged."""
    side.vain_repeats = side.vain_length = 0
    for end in [end for end in side.in_flight if not after(end, number)]:
        side.passed = max(side.passed, side.in_flight.pop(end))


def _follow_fin(flow: FlowLife, seen: SeenSegment, side: FlowSide, here: Moment) -> None:
    side.fin_count += 1
    if side.fin is None:
        side.fin, side.fin_end = here, seen.end
        flow.first_close = flow.first_close or side


def _follow_reset(flow: FlowLife, seen: SeenSegment, side: FlowSide, idle: int) -> None:
    side.reset_count += 1
    side.reset = side.reset or Moment(seen.frame, seen.at)
    if flow.reset_by is None:
        segment = seen.segment
        flow.reset_by = side
        form = (bool(segment.flags & ACK), segment.seq, segment.window, flow.last, side.silent_probes)
        flow.reset_form = ResetForm(*form)
        flow.reset_phase = _phase(flow, side, idle)


def _phase(flow: FlowLife, side: FlowSide, idle: int) -> str:
    """After what a RST came."""
    other = flow.other(side)
    if flow.client.syn_count and flow.opened is None:
        waits = flow.answered is None and side is flow.server
        return "instead of a SYN|ACK" if waits else "in the handshake"
    if side.fin is not None and other.fin is not None:
        return "after both FINs"
    if side.fin is not None:
        return "after its own FIN"
    if other.fin is not None:
        return f"after the FIN of the {flow.name_of(other)}"
    if not side.octets and not other.octets and not flow.midway:
        return "right after the handshake"
    unread = other.next is not None and side.acked is not None and before(side.acked, other.next)
    if unread:
        return f"while data of the {flow.name_of(other)} was not acknowledged"
    if idle >= LONG_IDLE:
        return f"after {idle / LONG_IDLE:.3g} s without a segment"
    return "in the middle of the conversation"
