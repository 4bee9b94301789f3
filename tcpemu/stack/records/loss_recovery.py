"""What a sender remembers of the repair of a loss: its state, the way back, its window, and RACK."""

from __future__ import annotations

from enum import IntEnum

from tcpemu.stack.records.sent_pieces import Sending

REORDERING = 3
"""Segments that may overtake one before it counts as lost (tcp_reordering)."""
MAX_REORDERING = 300


class CaState(IntEnum):
    """The states of congestion avoidance, with the kernel's numbers (include/uapi/linux/tcp.h: tcp_ca_state)."""

    OPEN = 0
    DISORDER = 1
    """Something is SACKED or was repeated, but nothing is lost as far as is known."""
    CWR = 2
    """The window comes down without a loss: ECN, or a loss that a probe has repaired."""
    RECOVERY = 3
    """Fast retransmit."""
    LOSS = 4
    """A time-out."""


class Recovery:
    """One connection's repair of losses."""

    __slots__ = (
        *("cwnd_at", "cwnd_limited", "cwnd_usage_seq", "cwnd_used", "dsack_dups", "dsack_seen", "frto"),
        *("high_seq", "max_packets_out", "prior_ssthresh", "prior_cwnd", "probe_high", "probe_repeats"),
        *("prr_delivered", "prr_out", "queue_cwr", "reneging", "reordering", "reordering_seen", "state"),
        *("undo_marker", "undo_retrans", "wrote_at"),
    )

    def __init__(self, now: int) -> None:
        self.state = CaState.OPEN
        self.high_seq = 0
        """SND.NXT when the state began: what ends it."""
        self.undo_marker: int | None = None
        """SND.UNA when the window came down, while that may be taken back."""
        self.undo_retrans = 0
        """Repeats that no D-SACK has shown to be idle; -1 when there were none yet."""
        self.prior_ssthresh = 0
        """The threshold to go back to; 0 when there is no way back."""
        self.prior_cwnd = 0
        self.prr_delivered = self.prr_out = 0
        self.frto = False
        self.probe_high: int | None = None
        """SND.NXT when a tail loss probe was sent that is not answered yet (tlp_high_seq)."""
        self.probe_repeats = False
        """That probe was no new data."""
        self.reneging = False
        self.reordering = REORDERING
        self.reordering_seen = 0
        self.dsack_dups = 0
        self.dsack_seen = False
        self.queue_cwr = False
        """The next new data says that the window came down (RFC 3168)."""
        self.cwnd_limited = False
        self.max_packets_out = 0
        self.cwnd_usage_seq = 0
        self.cwnd_used = 0
        self.cwnd_at = now
        """When the congestion window was last moved, or seen to be the limit."""
        self.wrote_at = 0
        """When data was last sent."""

    @property
    def reduces(self) -> bool:
        """Whether the window comes down step by step (tcp.h: tcp_in_cwnd_reduction)."""
        return self.state is CaState.CWR or self.state is CaState.RECOVERY


class Rack:
    """The segment sent last of those that have arrived."""

    __slots__ = ("advanced", "end", "last_delivered", "rtt", "sent", "steps", "steps_kept")

    def __init__(self) -> None:
        self.sent: Sending = 0, 0
        self.end = 0
        self.rtt = 0
        """Its round-trip time, in microseconds."""
        self.advanced = False
        """It has changed since losses were last looked for."""
        self.steps = 1
        """The window for reordering, in quarters of the shortest round-trip time."""
        self.steps_kept = 0
        self.last_delivered = 0
