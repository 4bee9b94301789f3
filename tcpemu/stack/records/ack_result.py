"""What one acknowledgment has brought: the flags of tcp_ack, by names."""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import after
from tcpemu.stack.records.sent_pieces import Sending, Unacked, sent_after


class AckResult:
    """Collected while the acknowledgment is worked on."""

    __slots__ = (
        *("acked", "advanced", "data", "delayed", "dsack", "dsack_probe", "ece", "first_sacked_at"),
        *("last_sacked_at", "lost_repeat", "lowest", "original", "prior_delivered", "prior_una", "reneging"),
        *("repeat_acked", "sacked", "set_timer", "syn", "window", "_latest", "_latest_end"),
    )

    def __init__(self, prior_una: int) -> None:
        self.prior_una = prior_una
        self.advanced = False
        """SND.UNA has moved."""
        self.data = self.window = self.acked = self.syn = self.ece = False
        """The segment carries data, a newer window; it acknowledges data, a SYN; it echoes congestion."""
        self.sacked = self.dsack = self.dsack_probe = False
        """It SACKs something new; it has a good D-SACK, and that is about a tail loss probe."""
        self.original = False
        """Something has arrived that was sent before the state began, and never again."""
        self.repeat_acked = self.reneging = self.set_timer = self.lost_repeat = self.delayed = False
        self.lowest = 0
        """The lowest number that was overtaken."""
        self.first_sacked_at: int | None = None
        self.last_sacked_at = 0
        """When the first and the last of what is newly SACKED and never repeated were sent."""
        self.prior_delivered = 0
        self._latest: Sending | None = None
        self._latest_end = 0

    @property
    def not_duplicate(self) -> bool:
        """FLAG_NOT_DUP."""
        return self.data or self.window or self.acked or self.syn

    @property
    def ca_alert(self) -> bool:
        """FLAG_CA_ALERT."""
        return self.sacked or self.ece or self.dsack

    def original_sacked(self, end: int, sent_at: int, high_seq: int) -> None:
        """Something is newly SACKED that was sent once."""
        if not after(end, high_seq):
            self.original = True
        if self.first_sacked_at is None:
            self.first_sacked_at = sent_at
        self.last_sacked_at = sent_at

    def deliver(self, entry: Unacked) -> None:
        """A piece has arrived: how much had arrived when the latest of these was sent (tcp_rate_skb_delivered)."""
        if entry.delivered and (
            self._latest is None or sent_after(entry.sent, self._latest, entry.end, self._latest_end)
        ):
            self._latest, self._latest_end = entry.sent, entry.end
            self.prior_delivered = entry.delivered

    def forget_sacks(self) -> None:
        """The segment is too old for its SACK blocks to count."""
        self.sacked = self.dsack = self.dsack_probe = self.original = False
