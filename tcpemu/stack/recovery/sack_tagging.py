"""What SACK blocks cover is tagged SACKED, piece by piece.

`TagWalk` takes the blocks of one ACK in the order of their numbers, so that one walk through the queue is enough.
Most ACKs repeat blocks of the ACK before (`Scoreboard.cached`); what these cover is tagged already, so the walk skips
it and looks only at the rest of each block (`_block`). A D-SACK is not skipped: it is about data that arrived twice,
which the cached blocks may well cover. It lies inside another block, and so is taken along while the walk passes its
place there (`following`, `dup_next`).

Each piece that a block reaches (`_span`) meets one of three things:

    moved    its covered part is appended to the piece before it, if that is SACKED too: so a long run of
             SACKED segments becomes one piece, and the queue stays short (`_shift`)
    tagged   whole, after it was split at a segment's boundary where the block covers a part (`_match`, `_tag`)
    left     it lies outside the block, or the block covers less than one of its segments

Either way `_sacked_tags` keeps the score: counts of what is SACKED, lost, repeated; RACK's latest arrival; what was
overtaken. The counters TCPSackShifted, TCPSackMerged and TCPSackShiftFallback tell which way was taken, so the ways
are the kernel's: tcp_input.c: tcp_sacktag_walk, tcp_sacktag_one, tcp_shift_skb_data.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import add, after, before, distance
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.scoreboard import MOST_BLOCKS, NO_BLOCK, Block, Scoreboard
from tcpemu.stack.records.sent_pieces import EVER, LOST, RETRANS, SACKED, SENT_AGAIN, TAGS, SentAt, Unacked
from tcpemu.stack.recovery import loss_marks, rack

_LARGEST_PIECE = 65535 * 8
_MOST_SEGMENTS = 65535
"""What several SACKED pieces may grow to when they become one."""


class TagWalk:
    """One walk through the queue, block by block, for one ACK."""

    __slots__ = ("blocks", "board", "conn", "duplicate", "entry", "old", "result")

    def __init__(
        self,
        conn: Connection,
        board: Scoreboard,
        result: AckResult,
        blocks: list[Block],
        duplicate: int | None,
    ) -> None:
        self.conn, self.board, self.result, self.blocks = conn, board, result, blocks
        self.duplicate = duplicate
        """Which of the blocks is a D-SACK."""
        self.entry: Unacked | None = None
        """The piece that the walk has reached."""
        self.old: list[Block] = []
        """Blocks of the ACK before that lie ahead of it: what they cover is tagged already."""

    def all_blocks(self) -> None:
        """Every block, but for what the last ACK's blocks had covered already."""
        board = self.board
        self.old = [block for block in board.cached if block != NO_BLOCK] if board.sacked_out else []
        for number, (start, end) in enumerate(self.blocks):
            following = self.blocks[number + 1] if number + 1 == self.duplicate else None
            if not self._block(start, end, number == self.duplicate, following):
                break
        board.cached = [NO_BLOCK] * (MOST_BLOCKS - len(self.blocks)) + self.blocks

    def _block(self, start: int, end: int, duplicate: bool, following: Block | None) -> bool:
        """One block; `following` is the next one where that is a D-SACK. False when all is SACKED already."""
        board = self.board
        while (done := self._done_before(start, end, duplicate)) is not None:
            # Tag what lies before the known part, skip that, and go on with what is left of the block.
            if before(start, done[0]):
                self.entry = self._span(self._skip(start), following, start, done[0], duplicate)
            if not after(end, done[1]):
                return True
            if following is not None and before(following[0], done[1]):
                self.entry = self._span(self._skip(following[0]), None, *following, True)
            del self.old[0]
            if loss_marks.highest_sack_seq(self.conn, board) == done[1]:
                self.entry = board.highest_sack
                if self.entry is None:
                    return False
                break
            self.entry = self._skip(done[1])
        else:
            if not before(start, loss_marks.highest_sack_seq(self.conn, board)):
                self.entry = board.highest_sack
                if self.entry is None:
                    return False
            self.entry = self._skip(start)
        self.entry = self._span(self.entry, following, start, end, duplicate)
        return True

    def _done_before(self, start: int, end: int, duplicate: bool) -> Block | None:
        """A block of the last ACK that overlaps this one."""
        while self.old and not before(start, self.old[0][1]):
            del self.old[0]
        if self.old and not duplicate and after(end, self.old[0][0]):
            return self.old[0]
        return None

    def _skip(self, seq: int) -> Unacked | None:
        """tcp_sacktag_skip."""
        entry = self.entry
        return entry if entry is not None and after(entry.seq, seq) else self.board.find(seq)

    def _span(
        self, entry: Unacked | None, dup_next: Block | None, start: int, end: int, duplicate: bool
    ) -> Unacked | None:
        """Tag from `entry` up to the end of a block; the piece after it (tcp_sacktag_walk)."""
        if entry is None:
            return None
        board, queue = self.board, self.board.queue
        place = board.index(entry)
        while place < len(queue):
            entry = queue[place]
            if not before(entry.seq, end):
                return entry
            inside, dup = 0, duplicate
            if dup_next is not None and before(entry.seq, dup_next[1]):
                inside = self._match(place, *dup_next)
                dup = dup or inside > 0
            if inside <= 0:
                shifted = self._shift(place, start, end, dup)
                if shifted is not None and shifted is not entry:
                    # The piece was merged into the one before it, so the next one has this place now.
                    continue
                inside = 0 if shifted is entry else self._match(place, start, end)
            if inside < 0:
                return entry
            if inside:
                self._tag(entry, dup)
            place += 1
        return None

    def _tag(self, entry: Unacked, duplicate: bool) -> None:
        """A whole piece is covered: tag it in its place."""
        board = self.board
        entry.tags = self._sacked_tags(entry.tags, entry.seq, entry.end, duplicate, entry.pcount, entry.sent)
        self.result.deliver(board, entry)
        if entry.tags & SACKED:
            board.sent_order.remove(entry)
        if not before(entry.seq, loss_marks.highest_sack_seq(self.conn, board)):
            board.highest_sack = board.following(entry)

    def _match(self, place: int, start: int, end: int) -> int:
        """1 if the piece lies in the block, splitting it where it must; 0 if not, -1 if nothing more does.

        tcp_match_skb_to_sack.
        """
        entry = self.board.queue[place]
        from_start = not after(start, entry.seq)
        if from_start and not before(end, entry.end):
            return 1
        if entry.pcount <= 1 or not after(entry.end, start):
            return 0
        mss = entry.mss
        length = max(distance(entry.seq, start), mss) if not from_start else distance(entry.seq, end)
        if length < mss:
            return -1
        # Cut at a segment's boundary, so that no segment is SACKED of which a part is missing.
        whole = length // mss * mss
        if not from_start and whole < length:
            whole += mss
        if whole >= len(entry.payload) and not from_start:
            return 0
        if whole < len(entry.payload):
            self.board.split(place, whole, mss)
        return int(from_start)

    def _sacked_tags(
        self, tags: int, start: int, end: int, duplicate: bool, pcount: int, sent: SentAt
    ) -> int:
        """The tags that something covered by a block gets, and what follows from them (tcp_sacktag_one)."""
        conn, board, result, recovery = self.conn, self.board, self.result, self.board.recovery
        if duplicate and tags & SENT_AGAIN:
            marker = recovery.undo_marker
            if marker is not None and recovery.undo_retrans > 0 and after(end, marker):
                recovery.undo_retrans = max(0, recovery.undo_retrans - pcount)
            if tags & SACKED and before(start, result.lowest):
                result.lowest = start
        if not after(end, conn.snd.una):
            return tags
        if not tags & SACKED:
            rack.advance(conn, board, tags, end, sent)
            tags = self._newly_sacked(tags, start, end, pcount, sent[0])
        if duplicate and tags & RETRANS:
            tags &= ~RETRANS
            board.retrans_out -= pcount
        return tags

    def _newly_sacked(self, tags: int, start: int, end: int, pcount: int, sent_at: int) -> int:
        """It has arrived; if it was never sent again, it tells of round-trip times and reordering."""
        board, result = self.board, self.result
        if not tags & SENT_AGAIN:
            if before(start, loss_marks.highest_sack_seq(self.conn, board)) and before(start, result.lowest):
                result.lowest = start
            result.original_sacked(end, sent_at, board.recovery.high_seq)
        if tags & LOST:
            board.lost_out -= pcount
            if tags & RETRANS:
                board.retrans_out -= pcount
                tags &= ~RETRANS
        board.sacked_out += pcount
        board.delivered += pcount
        result.sacked = True
        return tags & ~LOST | SACKED

    # --- merging what is SACKED -------------------------------------------------------------------

    def _shift(self, place: int, start: int, end: int, duplicate: bool) -> Unacked | None:
        """Move what is covered into the SACKED piece before it; that one, if it has grown.

        The piece itself when there is nothing to do; None when it cannot be moved and must be tagged in its place.
        tcp_shift_skb_data.
        """
        entry = self.board.queue[place]
        into = self._neighbour(place, duplicate)
        if into is None:
            return self._stays()
        if not after(start, entry.seq) and not before(end, entry.end):
            mss, count, length = entry.segment_length, entry.pcount, len(entry.payload)
        elif not after(entry.end, start) or entry.pcount <= 1:
            return entry
        else:
            mss = entry.mss
            count = distance(entry.seq, end) // mss
            length = count * mss
            if after(start, entry.seq):
                return self._stays()
        if mss != into.segment_length:
            return self._stays()
        if not count:
            return entry
        if not after(add(entry.seq, length), self.conn.snd.una) or not _has_room(into, count, length):
            return self._stays()
        if self._move(place, count, length, mss, duplicate):
            self._join_next(place, mss)
        return into

    def _stays(self) -> Unacked | None:
        """It cannot be moved."""
        self.conn.host.count("TCPSackShiftFallback")
        return None

    def _neighbour(self, place: int, duplicate: bool) -> Unacked | None:
        """The piece before it, where that is SACKED and this one may be moved."""
        entry = self.board.queue[place]
        repeat_under_way = entry.tags & (LOST | RETRANS) == RETRANS and not duplicate
        if repeat_under_way or not entry.payload or not after(entry.end, self.conn.snd.una) or not place:
            return None
        into = self.board.queue[place - 1]
        return into if into.tags & TAGS == SACKED and not into.eor else None

    def _move(self, place: int, count: int, length: int, mss: int, duplicate: bool) -> bool:
        """Move so many segments to the piece before; whether nothing is left of this one (tcp_shifted_skb)."""
        board, host = self.board, self.conn.host
        into, entry = board.queue[place - 1], board.queue[place]
        middle = add(entry.seq, length)
        self._sacked_tags(entry.tags, entry.seq, middle, duplicate, count, entry.sent)
        self.result.deliver(board, entry)
        into.payload += entry.payload[:length]
        into.end, into.pcount, into.mss = middle, into.pcount + count, into.mss or mss
        into.repeats = max(into.repeats, entry.repeats)
        into.tags |= entry.tags & EVER
        if length < len(entry.payload):
            entry.payload, entry.seq, entry.began = entry.payload[length:], middle, middle
            entry.pcount -= count
            if entry.pcount <= 1:
                entry.mss = 0
            host.count("TCPSackShifted")
            return False
        into.flags |= entry.flags
        into.eor = entry.eor
        into.end = entry.end
        if board.highest_sack is entry:
            board.highest_sack = board.following(entry)
        board.remove(place, into)
        host.count("TCPSackMerged")
        return True

    def _join_next(self, place: int, mss: int) -> None:
        """A hole is filled, so the piece after it may join too."""
        queue = self.board.queue
        if place < len(queue):
            entry = queue[place]
            same = entry.payload and entry.tags & TAGS == SACKED and mss == entry.segment_length
            if (
                same
                and not queue[place - 1].eor
                and _has_room(queue[place - 1], entry.pcount, len(entry.payload))
            ):
                self._move(place, entry.pcount, len(entry.payload), mss, False)


def _has_room(into: Unacked, count: int, length: int) -> bool:
    """Whether a piece can take so many segments and octets more (tcp_input.c: tcp_skb_shift)."""
    return len(into.payload) + length < _LARGEST_PIECE and into.pcount + count <= _MOST_SEGMENTS
