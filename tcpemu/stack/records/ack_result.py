"""What one acknowledgment says and does: the flags of tcp_ack, by names."""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.base.sequence_numbers import after
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import SACKED, SentAt, Unacked, sent_after


@dataclass(slots=True, eq=False)
class AckResult:
    """Collected while the acknowledgment is processed; later steps of that ask for it."""

    prior_una: int
    """SND.UNA before it."""
    advanced: bool = False
    """SND.UNA has moved."""
    data: bool = False
    """The segment carries data (FLAG_DATA)."""
    window: bool = False
    """It brings a newer window (FLAG_WIN_UPDATE)."""
    acked: bool = False
    """It acknowledges data (FLAG_DATA_ACKED)."""
    syn: bool = False
    """It acknowledges a SYN (FLAG_SYN_ACKED)."""
    ece: bool = False
    """It echoes congestion (FLAG_ECE)."""
    sacked: bool = False
    """It SACKs something new (FLAG_DATA_SACKED)."""
    dsack: bool = False
    """It has a good D-SACK (FLAG_DSACKING_ACK)."""
    dsack_probe: bool = False
    """That D-SACK is about a tail loss probe (FLAG_DSACK_TLP)."""
    original: bool = False
    """Something has arrived that was sent before the state began and only once (FLAG_ORIG_SACK_ACKED)."""
    repeat_acked: bool = False
    """It acknowledges something that was sent again (FLAG_RETRANS_DATA_ACKED)."""
    reneging: bool = False
    """The first piece not acknowledged is one that the peer had SACKed (FLAG_SACK_RENEGING)."""
    set_timer: bool = False
    """The write timer is to be set anew (FLAG_SET_XMIT_TIMER)."""
    lost_repeat: bool = False
    """A repeat was lost (FLAG_LOST_RETRANS)."""
    delayed: bool = False
    """It may have waited as a delayed ACK (FLAG_ACK_MAYBE_DELAYED)."""
    lowest: int = 0
    """The lowest number that was overtaken."""
    first_sacked_at: int | None = None
    """When the first of what is newly SACKED and never repeated was sent."""
    last_sacked_at: int = 0
    """When the last of that was sent."""
    prior_delivered: int = 0
    """Segments delivered when the latest of what has arrived was sent."""
    latest: SentAt | None = None
    """When the latest of what has arrived was sent, and where it ends."""
    latest_end: int = 0
    prior_delivered_at: int = 0
    """When what had been delivered before that was sent, in nanoseconds; 0 where nothing has arrived."""
    send_phase: int = 0
    """Nanoseconds in which that window was sent."""
    limited: bool = False
    """The application limited the rate while it was sent."""
    rtt: int = -1
    """The round-trip time of the last of what has arrived, in microseconds, or -1."""
    prior_in_flight: int = 0
    """Segments in flight before this ACK."""

    @property
    def not_duplicate(self) -> bool:
        """FLAG_NOT_DUP."""
        return self.data or self.window or self.acked or self.syn

    @property
    def ca_alert(self) -> bool:
        """FLAG_CA_ALERT."""
        return self.sacked or self.ece or self.dsack

    def original_sacked(self, end: int, sent_at: int, high_seq: int) -> None:
        """Something that was sent only once is newly SACKED."""
        if not after(end, high_seq):
            self.original = True
        if self.first_sacked_at is None:
            self.first_sacked_at = sent_at
        self.last_sacked_at = sent_at

    def deliver(self, board: Scoreboard, entry: Unacked) -> None:
        """A piece has arrived: how much had arrived when the latest of these was sent (tcp_rate_skb_delivered)."""
        if entry.delivered and (
            self.latest is None or sent_after(entry.sent, self.latest, entry.end, self.latest_end)
        ):
            self.latest, self.latest_end = entry.sent, entry.end
            self.prior_delivered, self.prior_delivered_at = entry.delivered, entry.delivered_at
            self.limited = entry.limited
            board.window_sent_at = entry.sent_at
            self.send_phase = entry.sent_at - entry.window_sent_at
        if entry.tags & SACKED:
            # What is SACKED counts once, and not again when it is acknowledged.
            entry.delivered = 0

    def forget_sacks(self) -> None:
        """The segment is too old for its SACK blocks to count."""
        self.sacked = self.dsack = self.dsack_probe = self.original = False
