"""A piece that was sent and is not acknowledged, its tags, and the order in which pieces were last sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.stack.base.sequence_numbers import add, after, distance
from tcpemu.wire.segment import FIN, SYN

SentAt: TypeAlias = tuple[int, int]
"""When something was sent, and in which turn of the host (`Host.turn`)."""


def sent_after(sent: SentAt, other: SentAt, end: int, other_end: int) -> bool:
    """Whether something was sent later; of what was sent at once, the later octets were (tcp.h: tcp_skb_sent_after)."""
    return sent > other or (sent == other and after(end, other_end))


SACKED, RETRANS, LOST, EVER = 1, 2, 4, 0x80
"""It has arrived out of order; its repeat is under way; it is lost; it was sent again at some time (TCPCB_TAGBITS)."""
SENT_AGAIN = RETRANS | EVER
TAGS = SACKED | RETRANS | LOST


@dataclass(slots=True, eq=False)
class Link:
    """A place in the order of sending, between an older and a newer one; None outside it."""

    newer: Link | None
    older: Link | None


@dataclass(slots=True, eq=False)
class Unacked(Link):
    """A piece that was sent and is not acknowledged yet: one segment, or several that went out at once."""

    seq: int
    """Its first octet."""
    payload: bytes
    flags: int
    end: int
    """The number after its last octet; SYN and FIN count as one."""
    sent_at: int
    """When it was last sent, in nanoseconds."""
    turn: int
    """In which turn of the host that was."""
    began: int
    """Its first octet when it was last sent or cut."""
    mss: int = 0
    """Octets of each of its segments, where it is several."""
    pcount: int = 1
    """Its segments."""
    repeats: int = 0
    """Times sent again."""
    tags: int = 0
    """SACKED, RETRANS, LOST, EVER."""
    delivered: int = 0
    """Segments delivered when this was last sent; 0 once it has arrived and was counted."""
    delivered_at: int = 0
    """When the last of these had been delivered, in nanoseconds."""
    window_sent_at: int = 0
    """When what was delivered last had been sent (first_tx_mstamp)."""
    limited: bool = False
    """The application had nothing more to send before it."""
    eor: bool = False
    """A record ends with it: nothing joins it from behind."""

    @property
    def sent(self) -> SentAt:
        return self.sent_at, self.turn

    def cut_for(self, mss: int) -> None:
        """Count its segments anew (tcp_output.c: tcp_set_skb_tso_segs)."""
        length = len(self.payload)
        several = length > mss
        self.mss = mss if several else 0
        self.pcount = -(-length // mss) if several else 1

    @property
    def segment_length(self) -> int:
        """Octets of one of its segments (tcp_input.c: tcp_skb_seglen)."""
        return len(self.payload) if self.pcount == 1 else self.mss

    def trim(self, to: int) -> None:
        """Forget what comes before a number (tcp_output.c: tcp_trim_head).

        Differs: of a single segment the kernel remembers where it began until it is sent again (`began`).
        """
        self.payload = self.payload[distance(self.seq, to) :]
        self.seq = to
        if self.pcount > 1:
            self.began = to
            self.cut_for(self.mss)


def new_piece(seq: int, payload: bytes, flags: int, sent: SentAt, mss: int = 0) -> Unacked:
    """A piece that is sent now; with `mss` in as many segments as that takes."""
    end = add(seq, len(payload) + (1 if flags & (SYN | FIN) else 0))
    piece = Unacked(None, None, seq, payload, flags, end, sent[0], sent[1], seq)
    if len(payload) > mss > 0:
        piece.cut_for(mss)
    return piece


class SentOrder:
    """Pieces in the order in which they were last sent: a ring of links."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring = ring = Link(None, None)
        ring.newer = ring.older = ring

    def append(self, entry: Unacked) -> None:
        """It is the newest now, wherever it was."""
        if entry.newer is not None:
            self.remove(entry)
        last = self._ring.older
        assert last is not None
        self._put(entry, last)

    def remove(self, entry: Unacked) -> None:
        """Take it out, if it is there."""
        older, newer = entry.older, entry.newer
        if older is not None and newer is not None:
            older.newer, newer.older = newer, older
            entry.older = entry.newer = None

    def put_behind(self, entry: Unacked, new: Unacked) -> None:
        """The second part of a piece comes right after the first, if that is there."""
        if entry.newer is not None:
            self._put(new, entry)

    def unlink(self) -> None:
        """The end: nothing refers to itself through this order any more, and nothing is put into it again."""
        link, self._ring.older = self._ring.newer, None
        while link is not None:
            following = link.newer
            link.newer = link.older = None
            link = following

    @staticmethod
    def _put(entry: Unacked, older: Link) -> None:
        newer = older.newer
        assert newer is not None
        entry.older, entry.newer = older, newer
        older.newer = newer.older = entry

    def __iter__(self) -> Iterator[Unacked]:
        """From the oldest; the one that was given last may be taken out on the way."""
        link = self._ring.newer
        while isinstance(link, Unacked):
            following = link.newer
            yield link
            link = following
