"""Fragments of IP, put together in bounded memory."""

from collections import OrderedDict

from tcpemu.diagnose.reading.lenient_headers import Fragment

MOST_PACKETS = 256
"""Packets of which parts are kept at a time; the oldest goes when another begins."""
MOST_PARTS = 256
"""Of one packet."""
_LONGEST = 65535
_IPV6_HEADER = 40


class Reassembly:
    """Parts that wait for the others."""

    def __init__(self) -> None:
        self.given_up = 0
        """Packets of which not all parts were seen."""
        self._waiting: OrderedDict[tuple[bytes, int], list[Fragment]] = OrderedDict()

    def add(self, part: Fragment) -> bytes | None:
        """The whole IP packet, if that was the part that was missing."""
        parts = self._waiting.setdefault(part.key, [])
        if part.offset + len(part.data) > _LONGEST or len(parts) >= MOST_PARTS:
            return None
        parts.append(part)
        data = _joined(parts)
        if data is not None:
            del self._waiting[part.key]
            return _with_length(_head_of(parts), data)
        if len(self._waiting) > MOST_PACKETS:
            self._waiting.popitem(last=False)
            self.given_up += 1
        return None

    def left_over(self) -> int:
        """Packets that are still not whole at the end, and those given up before."""
        return self.given_up + len(self._waiting)


def _joined(parts: list[Fragment]) -> bytes | None:
    """The payload, if it has no hole and its end is there. Where parts overlap, the first one seen counts."""
    if all(part.more for part in parts):
        return None
    data = b""
    for part in sorted(parts, key=lambda one: one.offset):
        if part.offset > len(data):
            return None
        data += part.data[len(data) - part.offset :]
    return data


def _head_of(parts: list[Fragment]) -> bytes:
    return min(parts, key=lambda one: one.offset).head


def _with_length(head: bytes, data: bytes) -> bytes:
    if head[0] >> 4 == 6:
        return head[:4] + len(data).to_bytes(2) + head[6:_IPV6_HEADER] + data
    return head[:2] + ((len(head) + len(data)) & 0xFFFF).to_bytes(2) + head[4:] + data
