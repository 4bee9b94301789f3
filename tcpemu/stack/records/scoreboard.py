"""The scoreboard of a sender: what is under way, and what is known of it.

A piece that was sent waits in `queue` until it is acknowledged. As in the kernel it may be several segments
long (`pcount`), since data goes out in bursts; it is split where an acknowledgment, a loss or a window cuts it.
Each piece bears tags (`sent_pieces.py`). What is in the network, in segments, follows from them:

    in flight = packets_out - sacked_out - lost_out + retrans_out

tcp_input.c has the table of these tags above tcp_is_sackblock_valid. Beside the queue, which is in order of
sequence numbers, `sent_order` has what is not SACKED in the order in which it was last sent: RACK looks there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from tcpemu.stack.base.sequence_numbers import add, after, distance
from tcpemu.stack.records.loss_recovery import Rack, Recovery
from tcpemu.stack.records.sent_pieces import LOST, RETRANS, SACKED, SentOrder, Unacked, new_piece
from tcpemu.stack.records.windowed_filter import WindowedFilter
from tcpemu.wire.segment import FIN, PSH, SYN

Block = tuple[int, int]
NO_BLOCK: Block = (0, 0)
MOST_BLOCKS = 4
"""SACK blocks that a segment has room for."""


@dataclass(slots=True, eq=False)
class Scoreboard:
    """What a connection has under way. Counts are segments."""

    sack: bool
    """SACK was agreed."""
    min_rtt: int | None
    """The shortest recent round-trip time, in microseconds; the first is that of the handshake."""
    rtt_filter: WindowedFilter | None
    """What keeps it."""
    recovery: Recovery
    """How the repair of a loss stands."""
    queue: list[Unacked] = field(default_factory=list)
    """What is under way, in order of sequence numbers."""
    sent_order: SentOrder = field(default_factory=SentOrder)
    """What of it is not SACKED, in the order in which it was last sent."""
    rack: Rack = field(default_factory=Rack)
    packets_out: int = 0
    """All segments in `queue`; and those of them that are SACKED, lost, sent again."""
    sacked_out: int = 0
    lost_out: int = 0
    retrans_out: int = 0
    delivered: int = 1
    """All that has arrived, the SYN included."""
    delivered_ce: int = 0
    """What of it was acknowledged with ECE, where that is agreed."""
    lost: int = 0
    """All that was ever taken for lost."""
    delivered_at: int = 0
    """When something was last delivered, in nanoseconds (delivered_mstamp); -1 while nothing but what opens the
    connection was sent, for that measures no rate: it is counted before it is sent (tcp_connect_queue_skb)."""
    window_sent_at: int = 0
    """When what was delivered last had been sent (first_tx_mstamp)."""
    rate_delivered: int = 0
    """Segments by which the rate of delivery was measured that TCP_INFO tells (rate_delivered)."""
    rate_interval: int = 0
    """Microseconds in which these were delivered; 0 before the first measurement (rate_interval_us)."""
    rate_limited: bool = True
    """The application limited that rate (rate_app_limited)."""
    limited_until: int = 0
    """The application limits the rate until so many segments are delivered (app_limited); 0 where it does not."""
    highest_sack: Unacked | None = None
    """The piece after the highest SACKED one; None if that is the last."""
    hint: Unacked | None = None
    """Where to look first for what is to be sent again (retransmit_skb_hint)."""
    cached: list[Block] = field(default_factory=lambda: [NO_BLOCK] * MOST_BLOCKS)
    """The SACK blocks that came last: what is in them is tagged already."""

    def __len__(self) -> int:
        return len(self.queue)

    def __bool__(self) -> bool:
        """Whether anything is under way. Said as such, since a compiled class does not ask `__len__`."""
        return bool(self.queue)

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
        """How many pieces begin at or before a number; counted from the first, since numbers wrap."""
        first = self.queue[0].seq
        return bisect_right(self.queue, distance(first, seq), key=lambda entry: distance(first, entry.seq))

    # --- changing -------------------------------------------------------------------------------------

    def append(self, entry: Unacked) -> None:
        """A new piece has been sent (tcp_output.c: tcp_event_new_data_sent)."""
        self.queue.append(entry)
        self.note_sent(entry)
        self.packets_out += entry.pcount
        if self.highest_sack is None:
            self.highest_sack = entry

    def note_sent(self, entry: Unacked) -> None:
        """A piece is sent, for the first time or again: what had been delivered by now (tcp_rate_skb_sent)."""
        if not self.packets_out:
            self.window_sent_at = self.delivered_at = -1 if entry.flags & SYN else entry.sent_at
        entry.delivered, entry.delivered_at = (
            self.delivered if self.delivered_at >= 0 else 0,
            self.delivered_at,
        )
        entry.window_sent_at = self.window_sent_at
        entry.limited = self.limited_until > 0
        self.sent_order.append(entry)

    def remove(self, index: int, into: Unacked) -> None:
        """A piece has become part of `into`, where what is to be sent again is looked for now."""
        entry = self.queue.pop(index)
        self.sent_order.remove(entry)
        if self.hint is entry:
            self.hint = into

    def split(self, index: int, length: int, mss: int) -> None:
        """Cut a piece after `length` octets (tcp_output.c: tcp_fragment)."""
        entry = self.queue[index]
        rest = new_piece(add(entry.seq, length), entry.payload[length:], entry.flags, entry.sent)
        rest.eor, entry.eor = entry.eor, False
        rest.tags, rest.repeats, rest.delivered = entry.tags, entry.repeats, entry.delivered
        rest.delivered_at, rest.window_sent_at = entry.delivered_at, entry.window_sent_at
        rest.limited = entry.limited
        entry.payload, entry.end = entry.payload[:length], rest.seq
        entry.flags &= ~(FIN | PSH)
        before = entry.pcount
        entry.cut_for(mss)
        rest.cut_for(mss)
        self.recount(entry, before - entry.pcount - rest.pcount)
        self.queue.insert(index + 1, rest)
        self.sent_order.put_behind(entry, rest)

    def recount(self, entry: Unacked, fewer: int) -> None:
        """A piece has fewer segments than it was counted for (tcp_output.c: tcp_adjust_pcount)."""
        if not fewer:
            return
        self.packets_out -= fewer
        self.sacked_out -= fewer if entry.tags & SACKED else 0
        self.retrans_out -= fewer if entry.tags & RETRANS else 0
        self.lost_out -= fewer if entry.tags & LOST else 0
        if not self.sack and fewer > 0:
            self.sacked_out -= min(self.sacked_out, fewer)
