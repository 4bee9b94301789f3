"""A full receive buffer: it grows, is tidied up, loses what lies beyond holes, and at last refuses data.

A segment is let in while what is there fits into SO_RCVBUF, however large it is itself. Where it does not, in this
order (`_prune`): the buffer grows while it may, for an application that never asked for a size; pieces that waste
their memory are copied into full ones; the pieces furthest beyond the hole are thrown away. What is refused is
answered with a window of 0.

tcp_input.c: tcp_try_rmem_schedule, tcp_prune_queue, tcp_collapse, tcp_prune_ofo_queue (Linux 6.18).
"""

from __future__ import annotations

from collections import deque

from tcpemu.stack.base.sequence_numbers import add, after, before, distance
from tcpemu.stack.connection.arriving import search_tree
from tcpemu.stack.connection.measures import header_prediction, receive_window
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.received_data import Fragment, SearchTree, Unread
from tcpemu.wire.segment import Segment

_LARGEST_COPY = 3776
"""Octets that a buffer of one page holds (SKB_MAX_ORDER)."""


def admit(conn: Connection, segment: Segment) -> bool:
    """Whether there is room for a segment, or can be made (tcp_try_rmem_schedule)."""
    return conn.rcv.rmem <= conn.rcv.buffer or _prune(conn, segment)


def _prune(conn: Connection, segment: Segment) -> bool:
    """Try to get below SO_RCVBUF again; whether that was possible (tcp_prune_queue)."""
    rcv = conn.rcv
    conn.host.count("PruneCalled")
    _clamp_window(conn)
    if rcv.rmem <= rcv.buffer:
        return True
    _collapse_out_of_order(conn)
    _collapse_queue(conn)
    if rcv.rmem <= rcv.buffer:
        return True
    _throw_away(conn, segment)
    if rcv.rmem <= rcv.buffer:
        return True
    conn.host.count("RcvPruned")
    rcv.predicted = -1
    return False


def _clamp_window(conn: Connection) -> None:
    """A full buffer grows while it may, else the window shrinks (tcp_clamp_window)."""
    rcv = conn.rcv
    conn.ack.quick = 0
    largest = conn.host.sysctls.tcp_rmem[2]
    if rcv.buffer < largest and not conn.options.rcvbuf_locked:
        rcv.buffer = min(rcv.rmem, largest)
    if rcv.rmem > rcv.buffer:
        rcv.ssthresh = min(rcv.window_clamp, 2 * rcv.advmss)


# --- copying into full buffers ---------------------------------------------------------------------


def _wastes(conn: Connection, memory: int, length: int) -> bool:
    """Whether so much memory should hold more than that."""
    return receive_window.from_space(conn.rcv.scaling_ratio, memory) > length


def _collapse_queue(conn: Connection) -> None:
    """Copy what waits to be read, from the first piece that wastes memory on (tcp_collapse)."""
    rcv = conn.rcv
    if not rcv.queue:
        return
    pieces = list(rcv.queue)
    first = 0
    while first < len(pieces):
        piece = pieces[first]
        if piece.begun or _wastes(conn, piece.memory, len(piece.payload)):
            break
        first += 1
    if first == len(pieces):
        return
    payload = b"".join(piece.payload for piece in pieces[first:])
    _free(conn, [piece.memory for piece in pieces[first:]])
    rcv.queue = deque(pieces[:first])
    for _, part, memory, room in _copied(conn, payload):
        rcv.queue.append(Unread(part, memory, room))


def _copied(conn: Connection, payload: bytes) -> list[tuple[int, bytes, int, int]]:
    """Octets in full buffers: where each begins, what it holds, the memory that it takes, and its room."""
    copies = []
    small_head = conn.host.generation.windows.small_head
    for start in range(0, len(payload), _LARGEST_COPY):
        part = payload[start : start + _LARGEST_COPY]
        memory, room = receive_window.memory_of_copy(len(part), small_head)
        copies.append((start, part, memory, room))
        conn.rcv.rmem += memory
    return copies


def _free(conn: Connection, sizes: list[int]) -> None:
    """These pieces are copied, and gone."""
    conn.host.count("TCPRcvCollapsed", len(sizes))
    header_prediction.give_memory_back(conn, sum(sizes))


def _collapse_out_of_order(conn: Connection) -> None:
    """Copy each run of pieces without a hole in between (tcp_collapse_ofo_queue)."""
    kept, tree = conn.rcv.out_of_order, conn.rcv.search_tree
    if not kept or tree is None:
        return
    collapsed: list[Fragment] = []
    tiny, place = 0, 0
    while place < len(kept):
        behind, end = _run_end(kept, place)
        run = kept[place:behind]
        place = behind
        if len(run) > 1 or distance(run[0].seq, end) >= _LARGEST_COPY:
            collapsed += _collapse_run(conn, tree, run, end)
            continue
        collapsed += run
        tiny += run[0].memory
        if tiny > conn.rcv.buffer >> 3:
            collapsed += kept[place:]
            break
    conn.rcv.out_of_order = collapsed


def _run_end(kept: list[Fragment], start: int) -> tuple[int, int]:
    """Where the run that begins there ends: the first piece behind a hole, or none, and the number after the run."""
    end, place = kept[start].end, start + 1
    while place < len(kept) and not after(kept[place].seq, end):
        end = kept[place].end if after(kept[place].end, end) else end
        place += 1
    return place, end


def _collapse_run(conn: Connection, tree: SearchTree, run: list[Fragment], end: int) -> list[Fragment]:
    """Copy a run, which ends there, from the first piece on that wastes memory or overlaps (tcp_collapse)."""
    start, first = run[0].seq, 0
    while first < len(run):
        piece = run[first]
        if not before(start, piece.end):
            _drop(conn, tree, run, first)  # it holds nothing new
            continue
        overlaps = before(piece.seq, start)
        if not piece.fin and (overlaps or _wastes(conn, piece.memory, len(piece.payload))):
            break
        if first + 1 < len(run) and piece.end != run[first + 1].seq:
            break
        start = piece.end
        first += 1
    if first == len(run) or run[first].fin:
        return run
    copies = _copies_of_run(conn, tree, run, first, start, end)
    for copy in copies:
        search_tree.note(tree, copy)
    return [*run[:first], *copies, *run[first:]]


def _copies_of_run(
    conn: Connection, tree: SearchTree, run: list[Fragment], first: int, start: int, end: int
) -> list[Fragment]:
    """What replaces the pieces from `first` on; those that are copied leave the run. A FIN stops it.

    Each copy has memory for all that is left of the run, up to a page of it, even where a FIN stops it early.
    """
    copies = []
    small_head = conn.host.generation.windows.small_head
    while before(start, end) and first < len(run) and not run[first].fin:
        wanted = min(_LARGEST_COPY, distance(start, end))
        memory, room = receive_window.memory_of_copy(wanted, small_head)
        conn.rcv.rmem += memory
        copy = Fragment(start, start, b"", False, memory, room)
        copies.append(copy)
        while wanted and first < len(run) and not run[first].fin:
            piece = run[first]
            if before(start, piece.end):
                at = distance(piece.seq, start)
                part = piece.payload[at : at + wanted]
                copy.payload += part
                start = copy.end = add(start, len(part))
                wanted -= len(part)
            if not before(start, piece.end):
                _drop(conn, tree, run, first)
        copy.room += wanted
    return copies


def _drop(conn: Connection, tree: SearchTree, run: list[Fragment], place: int) -> None:
    """A piece of a run is copied, or holds nothing new (tcp_collapse_one)."""
    piece = run.pop(place)
    search_tree.note(tree, piece)
    _free(conn, [piece.memory])


# --- throwing away ---------------------------------------------------------------------------------


def _throw_away(conn: Connection, segment: Segment) -> None:
    """Throw away what lies furthest beyond the hole, an eighth of the buffer at least (tcp_prune_ofo_queue)."""
    rcv, kept, tree = conn.rcv, conn.rcv.out_of_order, conn.rcv.search_tree
    goal, pruned = rcv.buffer >> 3, False
    spares_older = conn.host.generation.windows.spares_older
    while kept and tree is not None and not (spares_older and after(segment.seq, kept[-1].seq)):
        last = kept.pop()
        search_tree.note(tree, last)
        pruned = True
        goal -= last.memory
        header_prediction.give_memory_back(conn, last.memory)
        if not kept or goal <= 0:
            if rcv.rmem <= rcv.buffer:
                break
            goal = rcv.buffer >> 3
    if pruned:
        conn.host.count("OfoPruned")
        if conn.sack_ok:
            rcv.sacks, rcv.dsack = (), None
