"""What a sender remembers of the repair of a loss: its state, the way back, its window, and RACK."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from tcpemu.stack.records.sent_pieces import SentAt


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


@dataclass(slots=True, eq=False)
class Recovery:
    """One connection's repair of losses. Times are nanoseconds, windows segments."""

    cwnd_at: int
    """When the congestion window was last moved, or seen to be the limit."""
    state: CaState = CaState.OPEN
    high_seq: int = 0
    """SND.NXT when the state began: what ends it."""
    undo_marker: int | None = None
    """SND.UNA when the window came down, while that may be taken back."""
    undo_retrans: int = 0
    """Repeats that no D-SACK has shown to be spurious; -1 while there were none."""
    prior_ssthresh: int = 0
    """The threshold to go back to; 0 when there is no way back."""
    prior_cwnd: int = 0
    """The window to go back to."""
    prr_delivered: int = 0
    """Segments delivered since the window began to come down."""
    prr_out: int = 0
    """Segments sent since then."""
    frto: bool = False
    """F-RTO asks whether the time-out was right (RFC 5682)."""
    probe_high: int | None = None
    """SND.NXT when a tail loss probe was sent that is not answered yet (tlp_high_seq)."""
    probe_repeats: bool = False
    """That probe sent the last segment again, and not new data."""
    reneging: bool = False
    """The peer has dropped what it had SACKed (is_sack_reneg)."""
    reordering: int = 3
    """Segments that may overtake one before it counts as lost, from tcp_reordering on."""
    reordering_seen: int = 0
    """How often segments were seen to overtake one another."""
    dsack_dups: int = 0
    """Segments that D-SACKs told to have come twice."""
    dsack_seen: bool = False
    """A D-SACK has come since RACK's window was last looked at."""
    queue_cwr: bool = False
    """The next new data says that the window came down (RFC 3168)."""
    cwnd_limited: bool = False
    """The window was the limit in this round trip."""
    max_packets_out: int = 0
    """The most segments under way in this round trip."""
    cwnd_usage_seq: int = 0
    """SND.NXT when this round trip was begun."""
    cwnd_used: int = 0
    """The most segments under way since the window was last the limit."""
    wrote_at: int = 0
    """When data was last sent, or the connection was opened (lsndtime)."""

    @property
    def reduces(self) -> bool:
        """Whether the window comes down step by step (tcp.h: tcp_in_cwnd_reduction)."""
        return self.state is CaState.CWR or self.state is CaState.RECOVERY


@dataclass(slots=True, eq=False)
class Rack:
    """The segment sent last of those that have arrived (RFC 8985)."""

    sent: SentAt = (0, 0)
    end: int = 0
    """Where it ends."""
    rtt: int = 0
    """Its round-trip time, in microseconds."""
    advanced: bool = False
    """It has changed since losses were last looked for."""
    steps: int = 1
    """The window for reordering, in quarters of the shortest round-trip time."""
    steps_kept: int = 0
    """Recoveries for which that window stays as long as it is."""
    last_delivered: int = 0
    """Segments delivered when it last grew."""
