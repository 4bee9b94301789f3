"""The scoreboard of a sender: what is under way, and what is known of it.

A piece that was sent waits in `queue` until it is acknowledged. As in the kernel it may be several segments
long (`pcount`), since data goes out in bursts; it is split where an acknowledgment, a loss or a window cuts it.
Each piece bears tags (`tags.py`). What is in the network, in segments, follows from them:

    in flight = packets_out - sacked_out - lost_out + retrans_out

tcp_input.c has the table of these tags above tcp_is_sackblock_valid. Beside the queue, which is in order of
sequence numbers, `sent_order` has what is not SACKED in the order in which it was last sent: RACK looks there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tcpemu.stack.rack import Rack, Sending
from tcpemu.stack.recovery_state import Recovery
from tcpemu.stack.seq import add, after, distance
from tcpemu.stack.tags import LOST, RETRANS, SACKED
from tcpemu.wire.segment import FIN, PSH, SYN

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

Block = tuple[int, int]
_NO_BLOCK: Block = (0, 0)
_CACHED = 4


class Link:
    """A place in the order of sending."""

    __slots__ = ("newer", "older")

    newer: Link | None
    older: Link | None

    def __init__(self) -> None:
        self.newer = self.older = None


class Unacked(Link):
    """A piece that was sent and is not acknowledged yet: one segment, or several that went out at once."""

    __slots__ = (
        *("began", "delivered", "end", "flags", "mss", "payload", "pcount", "repeats", "sent_at", "seq"),
        "tags",
        "turn",
    )

    def __init__(self, seq: int, payload: bytes, flags: int, sent: Sending, mss: int = 0) -> None:
        self.newer = self.older = None
        self.seq = self.began = seq
        """Its first octet now, and when it was last sent or cut."""
        self.payload = payload
        self.flags = flags
        self.end = add(seq, len(payload) + (1 if flags & (SYN | FIN) else 0))
        self.sent_at, self.turn = sent
        self.repeats = 0
        """Times sent again."""
        self.tags = 0
        self.delivered = 0
        """Segments delivered when this was sent."""
        self.mss = 0
        self.pcount = 1
        if len(payload) > mss > 0:
            self.cut_for(mss)

    @property
    def sent(self) -> Sending:
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


class SentOrder:
    """Pieces in the order in which they were last sent: a ring of links."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring = ring = Link()
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
        """A part of a piece stands behind it, if that is there."""
        if entry.newer is not None:
            self._put(new, entry)

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


class Scoreboard:
    """What a connection has under way. Counts are segments."""

    __slots__ = (
        *("cached", "delivered", "highest_sack", "hint", "lost", "lost_out", "min_rtt", "min_rtt_at"),
        *("packets_out", "queue", "rack", "recovery", "retrans_out", "sack", "sacked_out", "sent_order"),
    )

    def __init__(self, conn: Connection) -> None:
        self.queue: list[Unacked] = []
        self.sent_order = SentOrder()
        self.sack = conn.sack
        self.packets_out = self.sacked_out = self.lost_out = self.retrans_out = 0
        self.delivered = 1
        """All that has arrived, the SYN included."""
        self.lost = 0
        """All that was ever taken for lost."""
        self.highest_sack: Unacked | None = None
        """What comes behind the highest SACKED piece."""
        self.hint: Unacked | None = None
        """Where to look first for what is to be sent again."""
        self.cached: list[Block] = [_NO_BLOCK] * _CACHED
        """The SACK blocks that came last: what is in them is tagged already."""
        self.min_rtt: int | None = (conn.srtt >> 3 or None) if conn.srtt else None
        """The shortest round-trip time of late, in microseconds; the first is that of the handshake."""
        self.min_rtt_at = conn.host.now
        self.rack = Rack()
        self.recovery = Recovery(conn.host.now)

    def __len__(self) -> int:
        return len(self.queue)

    def __iter__(self) -> Iterator[Unacked]:
        return iter(self.queue)

    def __getitem__(self, index: int) -> Unacked:
        return self.queue[index]

    @property
    def in_flight(self) -> int:
        """Segments in the network (tcp.h: tcp_packets_in_flight)."""
        return self.packets_out - self.sacked_out - self.lost_out + self.retrans_out

    # --- finding --------------------------------------------------------------------------------------

    def index(self, entry: Unacked) -> int:
        """Where a piece stands in the queue."""
        return self._up_to(entry.seq) - 1

    def find(self, seq: int) -> Unacked | None:
        """The piece that has this octet (tcp_input.c: tcp_sacktag_bsearch)."""
        queue = self.queue
        if not queue or distance(queue[0].seq, seq) > 0x7FFFFFFF:
            return None
        entry = queue[self._up_to(seq) - 1]
        return entry if after(entry.end, seq) else None

    def following(self, entry: Unacked) -> Unacked | None:
        """The next one in the queue."""
        place = self._up_to(entry.seq)
        return self.queue[place] if place < len(self.queue) else None

    def _up_to(self, seq: int) -> int:
        """How many begin at or before a number."""
        first = self.queue[0].seq
        return bisect_right(self.queue, distance(first, seq), key=lambda entry: distance(first, entry.seq))

    def highest_sack_seq(self, conn: Connection) -> int:
        """Where what is SACKED ends, about (tcp.h: tcp_highest_sack_seq)."""
        if not self.sacked_out:
            return conn.snd_una
        return conn.snd_nxt if self.highest_sack is None else self.highest_sack.seq

    # --- changing -------------------------------------------------------------------------------------

    def append(self, entry: Unacked) -> None:
        """A new piece has been sent (tcp_output.c: tcp_event_new_data_sent)."""
        self.queue.append(entry)
        self.sent_order.append(entry)
        self.packets_out += entry.pcount
        entry.delivered = self.delivered
        if self.highest_sack is None:
            self.highest_sack = entry

    def remove(self, index: int, into: Unacked | None) -> None:
        """A piece is gone; what pointed to it points to another one now."""
        entry = self.queue.pop(index)
        self.sent_order.remove(entry)
        if self.highest_sack is entry:
            self.highest_sack = into
        if self.hint is entry:
            self.hint = into

    def split(self, index: int, length: int, mss: int) -> None:
        """Cut a piece after so many octets (tcp_output.c: tcp_fragment)."""
        entry = self.queue[index]
        rest = Unacked(add(entry.seq, length), entry.payload[length:], entry.flags, entry.sent)
        rest.tags, rest.repeats, rest.delivered = entry.tags, entry.repeats, entry.delivered
        entry.payload, entry.end = entry.payload[:length], rest.seq
        entry.flags &= ~(FIN | PSH)
        before = entry.pcount
        entry.cut_for(mss)
        rest.cut_for(mss)
        self.recount(entry, before - entry.pcount - rest.pcount)
        self.queue.insert(index + 1, rest)
        self.sent_order.put_behind(entry, rest)

    def recount(self, entry: Unacked, fewer: int) -> None:
        """A piece has so many segments fewer than was thought (tcp_output.c: tcp_adjust_pcount)."""
        if not fewer:
            return
        self.packets_out -= fewer
        self.sacked_out -= fewer if entry.tags & SACKED else 0
        self.retrans_out -= fewer if entry.tags & RETRANS else 0
        self.lost_out -= fewer if entry.tags & LOST else 0
        if not self.sack and fewer > 0:
            self.sacked_out -= min(self.sacked_out, fewer)

    def mark_lost(self, conn: Connection, entry: Unacked) -> None:
        """It is taken for lost, or its repeat is (tcp_input.c: tcp_mark_skb_lost)."""
        if entry.tags & SACKED:
            return
        self._look_there(entry)
        if not entry.tags & LOST:
            self.lost_out += entry.pcount
            entry.tags |= LOST
        elif entry.tags & RETRANS:
            entry.tags &= ~RETRANS
            self.retrans_out -= entry.pcount
            conn.host.count("TCPLostRetransmit", entry.pcount)
        else:
            return
        self.lost += entry.pcount

    def _look_there(self, entry: Unacked) -> None:
        """tcp_input.c: tcp_verify_retransmit_hint."""
        if self.hint is None:
            if self.retrans_out >= self.lost_out:
                self.hint = entry
        elif after(self.hint.seq, entry.seq):
            self.hint = entry
