"""Data beyond a hole: kept in order of its numbers, reported by SACK, joined when the hole is filled.

tcp_input.c: tcp_data_queue_ofo, tcp_ofo_queue, tcp_sack_new_ofo_skb (Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import acks, reasons, text, window
from tcpemu.stack.events import Reason
from tcpemu.stack.seq import after, before, distance
from tcpemu.wire.segment import FIN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_LARGEST_SACK = 4


class Fragment:
    """Data beyond a hole, with the memory it takes and the room left in that."""

    __slots__ = ("end", "fin", "memory", "payload", "room", "seq")

    def __init__(self, segment: Segment, end: int) -> None:
        self.seq = segment.seq
        self.end = end
        self.payload = segment.payload
        self.fin = bool(segment.flags & FIN)
        self.memory, self.room = window.memory_of(segment)


def keep(conn: Connection, segment: Segment, end: int) -> Reason:
    """Keep a segment that lies beyond a hole, and say so at once: by SACK where that was agreed."""
    fragment = Fragment(segment, end)
    acks.measure_mss(conn, segment, fragment.memory)
    conn.ack_pending |= acks.SCHEDULED
    conn.host.count("TCPOFOQueue")
    kept = conn.out_of_order
    if kept is None:
        kept = conn.out_of_order = []
    reason = _insert(conn, kept, fragment)
    _add_sack(conn, fragment.seq, end)
    if reason is reasons.DATA_AHEAD and conn.sack:
        window.grow(conn, len(segment.payload), fragment.memory)
    return reason


def _insert(conn: Connection, kept: list[Fragment], new: Fragment) -> Reason:
    """Find its place; what overlaps is reported as a duplicate."""
    if any(not before(new.seq, old.seq) and not after(new.end, old.end) for old in kept):
        conn.host.count("TCPOFOMerge")
        acks.report_duplicate(conn, new.seq, new.end)
        return reasons.DATA_OLD
    place = 0
    for index, old in enumerate(kept):
        if before(new.seq, old.seq):
            break
        place = index + 1
        if not before(new.seq, old.end):
            if new.seq == old.end and _joins(conn, old, new):
                return reasons.DATA_AHEAD
            continue
        if new.seq == old.seq:
            # It covers the old one, which _drop_covered will find behind it.
            place = index
            break
        acks.report_duplicate(conn, new.seq, old.end)
    kept.insert(place, new)
    conn.rmem += new.memory
    _drop_covered(conn, kept, place)
    return reasons.DATA_AHEAD


def _joins(conn: Connection, old: Fragment, new: Fragment) -> bool:
    """Copy a small piece into the room of the one before it (tcp_ooo_try_coalesce)."""
    if len(new.payload) > old.room:
        return False
    old.payload += new.payload
    old.room -= len(new.payload)
    old.end = new.end
    old.fin = old.fin or new.fin
    conn.host.count("TCPRcvCoalesce")
    return True


def _drop_covered(conn: Connection, kept: list[Fragment], place: int) -> None:
    """What now lies inside the new fragment is held twice no longer."""
    new = kept[place]
    while place + 1 < len(kept) and after(new.end, kept[place + 1].seq):
        old = kept[place + 1]
        if before(new.end, old.end):
            acks.extend_duplicate(conn, old.seq, new.end)
            return
        acks.extend_duplicate(conn, old.seq, old.end)
        conn.host.count("TCPOFOMerge")
        conn.rmem -= old.memory
        del kept[place + 1]


def fill(conn: Connection) -> None:
    """The hole is filled: what was kept is in order now."""
    kept = conn.out_of_order
    seen = conn.rcv_nxt
    while kept and not after(kept[0].seq, conn.rcv_nxt):
        fragment = kept.pop(0)
        conn.rmem -= fragment.memory
        if before(fragment.seq, seen):
            acks.extend_duplicate(conn, fragment.seq, fragment.end if before(fragment.end, seen) else seen)
        if not after(fragment.end, conn.rcv_nxt):
            continue
        overlap = distance(fragment.seq, conn.rcv_nxt)
        text.append(conn, fragment.payload[overlap:], fragment.memory, fragment.room, joins=not overlap)
        conn.rcv_nxt = fragment.end
        if fragment.fin:
            text.fin(conn)
            return


def forget(conn: Connection) -> None:
    """Nothing can lie behind the peer's FIN: drop what was kept."""
    for fragment in conn.out_of_order or ():
        conn.rmem -= fragment.memory
    conn.out_of_order = None
    conn.sacks = ()


def _add_sack(conn: Connection, seq: int, end: int) -> None:
    """The newest block first, joined with those it touches."""
    if not conn.sack:
        return
    rest = []
    for left, right in conn.sacks:
        if after(left, end) or before(right, seq):
            rest.append((left, right))
            continue
        seq = left if before(left, seq) else seq
        end = right if after(right, end) else end
    conn.sacks = ((seq, end), *rest[: _LARGEST_SACK - 1])


def drop_covered_sacks(conn: Connection) -> None:
    """Blocks that lie below what is received in order are no news."""
    if not conn.out_of_order:
        conn.sacks = ()
        return
    conn.sacks = tuple(block for block in conn.sacks if after(block[1], conn.rcv_nxt))
