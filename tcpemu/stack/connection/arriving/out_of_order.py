"""Data beyond a hole: kept in order of its numbers, reported by SACK, joined when the hole is filled.

tcp_input.c: tcp_data_queue_ofo, tcp_ofo_queue, tcp_sack_new_ofo_skb (Linux 6.18).
"""

from __future__ import annotations

from bisect import bisect_right

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import after, before, distance, offset
from tcpemu.stack.connection.arriving import memory_pressure, peer_fin, receive_queue, search_tree
from tcpemu.stack.connection.measures import buffer_tuning, header_prediction, receive_window
from tcpemu.stack.connection.sending import compressed_acks, delayed_acks, duplicate_reports
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import SCHEDULED
from tcpemu.stack.records.received_data import Fragment, SearchTree
from tcpemu.wire.segment import FIN, Segment

_LARGEST_SACK = 4
_EXPECTED = 2
"""Blocks that are told for sure, as ACKs get lost (TCP_SACK_BLOCKS_EXPECTED)."""


def _fragment(conn: Connection, segment: Segment, end: int) -> Fragment:
    memory, room = receive_window.memory_of(conn, segment)
    return Fragment(segment.seq, end, segment.payload, bool(segment.flags & FIN), memory, room)


def keep(conn: Connection, segment: Segment, end: int) -> Reason:
    """Keep a segment that lies beyond a hole, and owe an ACK that says so: by SACK where that was agreed."""
    fragment = _fragment(conn, segment, end)
    conn.ack.flow_label = segment.flow_label
    if conn.ecn_ok:
        delayed_acks.note_mark(conn, segment)
    if not memory_pressure.admit(conn, segment):
        conn.host.count("TCPOFODrop")
        conn.host.wake(conn.socket)
        return reasons.DATA_AHEAD_NO_MEMORY
    conn.rcv.predicted = -1
    if conn.host.generation.arrivals.measures_beyond_hole:
        delayed_acks.measure_mss(conn, segment, fragment.memory)
    conn.ack.pending |= SCHEDULED
    conn.rcv.segs_ahead += receive_window.segments_of(conn, segment)
    conn.host.count("TCPOFOQueue")
    kept, tree = conn.rcv.out_of_order, conn.rcv.search_tree
    if kept is None or tree is None:
        kept = conn.rcv.out_of_order = []
        tree = conn.rcv.search_tree = SearchTree()
    if kept:
        header_prediction.set_memory_aside(conn, fragment.memory)
    else:
        search_tree.clear(tree)
    memory = fragment.memory
    reason = _insert(conn, kept, tree, fragment)
    _add_sack(conn, fragment.seq, end)
    if reason is reasons.DATA_AHEAD and (conn.sack_ok or conn.host.generation.windows.grows_without_sack):
        receive_window.grow(conn, len(segment.payload), memory)
    # Only now: the window has grown by the room that there was without it.
    conn.rcv.rmem += fragment.memory
    if conn.socket is not None:
        buffer_tuning.hole_grew(conn)
    return reason


def _insert(conn: Connection, kept: list[Fragment], tree: SearchTree, new: Fragment) -> Reason:
    """Find its place; what overlaps is reported as a duplicate. What is not kept by itself takes no memory."""
    last = kept[-1] if kept else None
    if last is not None and new.seq == last.end and _joins(conn, last, new):
        return reasons.DATA_AHEAD
    if last is None or not before(new.seq, last.end):
        _add(kept, tree, len(kept), new)
        return reasons.DATA_AHEAD
    place = _place(conn, kept, new)
    for old in _met(kept, tree, place, new):
        if not before(new.seq, old.end):
            if new.seq == old.end and _joins(conn, old, new):
                index = kept.index(old)
                tree.tangled |= index + 1 < len(kept) and after(new.end, kept[index + 1].seq)
                return reasons.DATA_AHEAD
        elif not after(new.end, old.end):
            conn.host.count("TCPOFOMerge")
            duplicate_reports.report_duplicate(conn, new.seq, new.end)
            new.memory = 0
            return reasons.DATA_OLD
        elif new.seq != old.seq:
            duplicate_reports.report_duplicate(conn, new.seq, old.end)
        else:
            _replace(conn, kept, tree, old, new)
            return reasons.DATA_AHEAD
    _add(kept, tree, place, new)
    _drop_covered(conn, kept, tree, place)
    return reasons.DATA_AHEAD


def _place(conn: Connection, kept: list[Fragment], new: Fragment) -> int:
    """Behind all that begin where it does or before."""
    nxt = conn.rcv.nxt
    return bisect_right(kept, offset(nxt, new.seq), key=lambda old: offset(nxt, old.seq))


def _met(kept: list[Fragment], tree: SearchTree, place: int, new: Fragment) -> list[Fragment]:
    """Those in front of its place that it is compared with, in order.

    The nearest is always among them. Of others that overlap it or touch it the search tree tells.
    """
    first = 0
    if not tree.tangled:
        # None covers another, so all of them end in the order in which they begin.
        first = place
        while first and not before(kept[first - 1].end, new.seq):
            first -= 1
    concerned = [old for old in kept[first:place] if not before(old.end, new.seq)]
    if not concerned or (len(concerned) == 1 and concerned[0] is kept[place - 1]):
        return concerned
    return search_tree.path(tree, new.seq)


def _add(kept: list[Fragment], tree: SearchTree, place: int, new: Fragment) -> None:
    kept.insert(place, new)
    search_tree.note(tree, new)


def _replace(conn: Connection, kept: list[Fragment], tree: SearchTree, old: Fragment, new: Fragment) -> None:
    """It begins where an old one does, and covers that."""
    place = kept.index(old)
    kept[place] = new
    new.replaces = old
    search_tree.note(tree, new)
    duplicate_reports.extend_duplicate(conn, old.seq, old.end)
    conn.host.count("TCPOFOMerge")
    header_prediction.give_memory_back(conn, old.memory)
    _drop_covered(conn, kept, tree, place)


def _joins(conn: Connection, old: Fragment, new: Fragment) -> bool:
    """Copy a small piece into the room of the one before it (tcp_ooo_try_coalesce)."""
    if len(new.payload) > old.room:
        return False
    old.payload += new.payload
    old.room -= len(new.payload)
    old.end = new.end
    old.fin = old.fin or new.fin
    new.memory = 0
    conn.host.count("TCPRcvCoalesce")
    return True


def _drop_covered(conn: Connection, kept: list[Fragment], tree: SearchTree, place: int) -> None:
    """Drop what lies inside the new fragment, and report it as a duplicate."""
    new = kept[place]
    while place + 1 < len(kept) and after(new.end, kept[place + 1].seq):
        old = kept[place + 1]
        if before(new.end, old.end):
            duplicate_reports.extend_duplicate(conn, old.seq, new.end)
            return
        duplicate_reports.extend_duplicate(conn, old.seq, old.end)
        conn.host.count("TCPOFOMerge")
        header_prediction.give_memory_back(conn, old.memory)
        search_tree.note(tree, old)
        del kept[place + 1]


def fill(conn: Connection) -> None:
    """The hole is filled: what was kept is in order now."""
    kept, tree = conn.rcv.out_of_order, conn.rcv.search_tree
    assert tree is not None
    seen = conn.rcv.nxt
    while kept and not after(kept[0].seq, conn.rcv.nxt):
        fragment = kept.pop(0)
        search_tree.note(tree, fragment)
        if before(fragment.seq, seen):
            duplicate_reports.extend_duplicate(
                conn, fragment.seq, fragment.end if before(fragment.end, seen) else seen
            )
        if not after(fragment.end, conn.rcv.nxt):
            header_prediction.give_memory_back(conn, fragment.memory)
            continue
        conn.rcv.rmem -= fragment.memory
        overlap = distance(fragment.seq, conn.rcv.nxt)
        receive_queue.append(
            conn, fragment.payload[overlap:], fragment.memory, fragment.room, joins=not overlap
        )
        conn.rcv.nxt = fragment.end
        if fragment.fin:
            peer_fin.fin(conn)
            return
    if not kept:
        search_tree.clear(tree)


def _add_sack(conn: Connection, seq: int, end: int) -> None:
    """The newest block first, joined with those it touches (tcp_sack_new_ofo_skb; RFC 2018 section 4)."""
    if not conn.sack_ok:
        return
    blocks = conn.rcv.sacks
    if len(blocks) >= _EXPECTED and _touches_late(blocks, seq, end):
        compressed_acks.flush(conn)
    rest = []
    for left, right in blocks:
        if after(left, end) or before(right, seq):
            rest.append((left, right))
            continue
        seq = left if before(left, seq) else seq
        end = right if after(right, end) else end
    conn.rcv.sacks = ((seq, end), *rest[: _LARGEST_SACK - 1])


def _touches_late(blocks: tuple[tuple[int, int], ...], seq: int, end: int) -> bool:
    """Whether none of the first two blocks takes it in, so that few ACKs would tell of those behind them."""
    return all(after(left, end) or before(right, seq) for left, right in blocks[:_EXPECTED])


def drop_covered_sacks(conn: Connection) -> None:
    """Forget the blocks that end at or below RCV.NXT (tcp_sack_remove)."""
    if not conn.rcv.out_of_order:
        conn.rcv.sacks = ()
        return
    conn.rcv.sacks = tuple(block for block in conn.rcv.sacks if after(block[1], conn.rcv.nxt))
