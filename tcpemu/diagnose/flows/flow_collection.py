"""The connections of a capture: which segment belongs to which, and when a port is used anew."""

from typing import TypeAlias

from tcpemu.diagnose.flows.flow_life import FlowLife, FlowSide, Guess, Moment
from tcpemu.diagnose.flows.follow_segments import follow
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.wire.segment import ACK, RST, SYN, Address

MOST_FLOWS = 200_000
"""Connections that are kept. Of more, the others are only counted."""
End: TypeAlias = tuple[Address, int]


class FlowCollection:
    """Connections as they begin."""

    def __init__(self) -> None:
        self.flows: list[FlowLife] = []
        self.not_kept = 0
        """Segments of connections beyond MOST_FLOWS."""
        self._current: dict[tuple[End, End], FlowLife] = {}

    def add(self, seen: SeenSegment) -> FlowLife | None:
        """Follow one more segment. The connection that it belongs to; None where that is not kept."""
        segment = seen.segment
        source, target = (segment.src, segment.sport), (segment.dst, segment.dport)
        key = (source, target) if source <= target else (target, source)
        flow = self._current.get(key)
        if flow is None or _begins_anew(flow, seen):
            if len(self.flows) >= MOST_FLOWS:
                self.not_kept += 1
                self._current.pop(key, None)
                return None
            flow = self._current[key] = _new_flow(len(self.flows) + 1, seen)
            self.flows.append(flow)
        follow(flow, seen, flow.side_of(segment))
        return flow


def _begins_anew(flow: FlowLife, seen: SeenSegment) -> bool:
    """Whether a SYN opens another connection with the ports of this one."""
    segment = seen.segment
    if segment.flags & (SYN | ACK | RST) != SYN:
        return False
    side = flow.side_of(segment)
    if side.isn == segment.seq:
        return False
    answered = flow.other(side).acked
    if side.isn is None and answered == (segment.seq + 1) & MASK:
        return False  # its SYN|ACK stands before it in the file
    crossed = side is flow.server and flow.opened is None and not flow.midway
    return not crossed


def _new_flow(number: int, seen: SeenSegment) -> FlowLife:
    segment = seen.segment
    source = FlowSide(segment.src, segment.sport)
    target = FlowSide(segment.dst, segment.dport)
    here = Moment(seen.frame, seen.at)
    if segment.flags & SYN:
        answers = bool(segment.flags & ACK)
        client, server = (target, source) if answers else (source, target)
        return FlowLife(number, client, server, Guess.SYN_ACK if answers else Guess.SYN, here, here)
    by_port = (source, target) if source.port >= target.port else (target, source)
    return FlowLife(number, *by_port, Guess.PORT, here, here)
