"""What the peer acknowledges and echoes was said by the real host; here it becomes what the emulated one has said.

Each SYN|ACK of the real host is laid beside the last one of the emulated host: that gives one initial number for the
other (a cookie may change from one to the next), and one clock of timestamps for the other.
"""

from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.wire.options import Option, Sack, Timestamps, timestamps
from tcpemu.wire.segment import ACK, Segment

_NEAR = 1 << 30


class TranslatedNumbers:
    """Of one connection."""

    def __init__(self) -> None:
        self._starts: list[tuple[int, int]] = []
        """Initial numbers: real, emulated. The last one counts first."""
        self._stamps: dict[int, int] = {}
        """Timestamps of SYN|ACKs: real, emulated."""
        self._shift = 0
        """From the real clock of timestamps to the emulated one."""

    def pair(self, real: Segment, own: Segment) -> None:
        """Both have sent a SYN|ACK, or a SYN."""
        if (real.seq, own.seq) not in self._starts:
            self._starts.append((real.seq, own.seq))
        theirs, ours = stamp_of(real), stamp_of(own)
        if theirs is not None and ours is not None:
            self._stamps[theirs.val] = ours.val
            self._shift = (ours.val - theirs.val) & MASK

    def suppose(self, real: int, own: Segment) -> None:
        """The real SYN|ACK is not in the capture, but what acknowledges it is."""
        if not self._starts:
            self._starts.append((real, own.seq))

    @property
    def known(self) -> bool:
        """Whether there is anything to translate by."""
        return bool(self._starts)

    def number(self, real: int) -> int:
        """A sequence number of the real host as one of the emulated host."""
        for theirs, ours in reversed(self._starts):
            if (real - theirs) & MASK < _NEAR:
                return (real - theirs + ours) & MASK
        return real

    def outbound(self, own: Segment) -> Segment:
        """The emulated host's segment, with the numbers that the real host has for the same."""
        if not self._starts:
            return own
        theirs, ours = self._starts[-1]
        options = tuple(
            timestamps((option.val - self._shift) & MASK, option.ecr)
            if isinstance(option, Timestamps) and self._stamps
            else option
            for option in own.options
        )
        return own._replace(seq=(own.seq - ours + theirs) & MASK, options=options)

    def inbound(self, segment: Segment) -> Segment:
        """The peer's segment, as it would have been sent to the emulated host."""
        if not self._starts:
            return segment
        options = tuple(self._option(option) for option in segment.options)
        ack = self.number(segment.ack) if segment.flags & ACK else segment.ack
        return segment._replace(ack=ack, options=options)

    def _option(self, option: Option) -> Option:
        if isinstance(option, Timestamps) and option.ecr and self._stamps:
            return timestamps(option.val, self._stamps.get(option.ecr, (option.ecr + self._shift) & MASK))
        if isinstance(option, Sack):
            return Sack(tuple((self.number(left), self.number(right)) for left, right in option.blocks))
        return option


def stamp_of(segment: Segment) -> Timestamps | None:
    """Its timestamps."""
    return next((option for option in segment.options if isinstance(option, Timestamps)), None)
