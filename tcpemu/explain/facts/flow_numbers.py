"""Sequence numbers counted from the start of each flow, as people read them."""

from collections import OrderedDict
from typing import NamedTuple

from tcpemu.wire.options import WScale
from tcpemu.wire.segment import ACK, RST, SYN, FlowKey, Segment

_HALF, _WHOLE = 1 << 31, 1 << 32
"""Numbers before the initial one are negative."""

MOST_TO_NOBODY = 2**14
"""So many flows from addresses that nobody has are remembered: a flood of SYNs has no end."""


class Relative(NamedTuple):
    """The numbers of one segment: the SYN is 0, the first octet of data 1."""

    seq: int
    ack: int | None
    """None without the ACK flag."""
    window: int
    """In octets: the field, scaled if the two SYNs agreed on that."""


class InitialNumbers:
    """Knows the initial sequence number of each direction of each flow, from what was sent before."""

    def __init__(self) -> None:
        self._isn: dict[FlowKey, int] = {}
        self._scale: dict[FlowKey, int | None] = {}
        self._to_nobody: OrderedDict[FlowKey, FlowKey] = OrderedDict()
        """Those that went to nobody, the one that did so first at the front, each with its other direction."""

    def relative(self, segment: Segment, *, refused: bool = False) -> Relative:
        """The segment's numbers; segments have to be given in the order in which they were sent.

        A SYN with another number begins the flow anew, unless it was refused.
        """
        here: FlowKey = segment[:4]
        there = segment.sender_flow
        flags, window = segment.flags, segment.window
        if flags & SYN:
            self._begin(here, there, segment, refused=refused)
        else:  # windows are scaled only if both SYNs had the option; a shift of more than 14 counts as 14
            own = self._scale.get(here)
            if own is not None and self._scale.get(there) is not None:
                window <<= min(own, 14)
        seq = self._seq(here, segment)
        return Relative(seq, self._ack(there, segment.ack) if flags & ACK else None, window)

    def went_to_nobody(self, segment: Segment) -> None:
        """No host has the address that it was sent to. Of many such flows the oldest are forgotten.

        What there is of them, SYNs and SYN|ACKs that are sent again, begins them anew with the same numbers.
        """
        flows = self._to_nobody
        flows[segment[:4]] = segment.sender_flow
        if len(flows) > MOST_TO_NOBODY:
            for flow in flows.popitem(last=False):
                self._isn.pop(flow, None)
                self._scale.pop(flow, None)

    def _begin(self, here: FlowKey, there: FlowKey, segment: Segment, *, refused: bool) -> None:
        known = self._isn.get(here)
        if known is None or (known != segment.seq and not refused):
            self._isn[here] = segment.seq
            self._scale[here] = next(
                (each.shift for each in segment.options if isinstance(each, WScale)), None
            )
            if not segment.flags & ACK:
                self._isn.pop(there, None)

    def _seq(self, here: FlowKey, segment: Segment) -> int:
        isn = self._isn.get(here)
        if isn is None:
            if segment.flags & RST:
                return segment.seq  # a made-up number: most often an absolute 0
            isn = self._isn[here] = segment.seq - 1 & 0xFFFFFFFF
        return (segment.seq - isn + _HALF) % _WHOLE - _HALF

    def _ack(self, there: FlowKey, ack: int) -> int:
        isn = self._isn.setdefault(there, ack - 1 & 0xFFFFFFFF)
        return (ack - isn + _HALF) % _WHOLE - _HALF
