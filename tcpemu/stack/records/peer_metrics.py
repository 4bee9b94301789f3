"""What a host remembers of peers whose connections have ended (`ip tcp_metrics`; tcp_metrics.c)."""

from dataclasses import dataclass, field

from tcpemu.wire.segment import Address

MOST_PEERS = 16 * 1024 * 6
"""Peers that are remembered: six in each place of the kernel's table (tcp_net_metrics_init, TCP_METRICS_RECLAIM_DEPTH).

Differs: the kernel takes the oldest of a place, where seven peers may meet before the others are full.
"""


@dataclass(slots=True, eq=False)
class PeerMetrics:
    """Smoothed round-trip times by destination, in microseconds times eight."""

    srtt: dict[Address, int] = field(default_factory=dict)

    def proven(self, peer: Address) -> bool:
        """Whether a connection with this peer has ended well, so that its SYN is not spoofed (tcp_peer_is_proven)."""
        return self.srtt.get(peer, 0) > 0
