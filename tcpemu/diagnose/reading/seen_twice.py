"""The same packet seen at two places: `-i any`, a bridge, a mirrored port. It went over the wire once.

Who sends a segment again takes another IP identification, and waits longer than a millisecond; so a segment with
sequence space that is the same in all its fields within that time was captured twice. A bare ACK or a RST without an
identification may truly be sent twice; it counts as a copy only where its frame says that it was seen elsewhere: on
another interface, in another direction, with another hop count or VLAN tag.
"""

from collections import OrderedDict
from typing import TypeAlias

from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.wire.segment import FIN, SYN

WITHIN = 1_000_000
"""Nanoseconds between two sights of one packet."""
_KEPT = 512
_Place: TypeAlias = tuple[int, int, int, int]


class SeenTwice:
    """Remembers the last segments, and tells copies of them."""

    def __init__(self) -> None:
        self.copies = 0
        self.frames: list[int] = []
        """The first frames that were copies."""
        self._last: OrderedDict[tuple[object, ...], tuple[int, _Place]] = OrderedDict()

    def is_copy(self, seen: SeenSegment, mark: int) -> bool:
        """Whether this segment is one of the last ones; `mark` is what its link header says of where it was seen."""
        segment = seen.segment
        key = (
            *segment[:9],
            segment.urgent,
            segment.ip_id,
            seen.length,
            len(segment.payload),
            segment.payload[:64],
        )
        place = (seen.interface, seen.direction, segment.ttl, mark)
        before = self._last.get(key)
        if before is None or seen.at - before[0] > WITHIN:
            self._last[key] = (seen.at, place)
            self._last.move_to_end(key)
            if len(self._last) > _KEPT:
                self._last.popitem(last=False)
            return False
        told_apart = before[1] != place
        sure = seen.length or segment.flags & (SYN | FIN) or segment.ip_id
        if not told_apart and not sure:
            return False
        self.copies += 1
        if len(self.frames) < 10:
            self.frames.append(seen.frame)
        return True
