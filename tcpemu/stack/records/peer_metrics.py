"""What a host remembers of peers whose connections have ended (`ip tcp_metrics`; tcp_metrics.c)."""

from dataclasses import dataclass, field

from tcpemu.wire.segment import Address


@dataclass(slots=True, eq=False)
class PeerMetrics:
    """Smoothed round-trip times by destination, in microseconds times eight."""

    srtt: dict[Address, int] = field(default_factory=dict)

    def proven(self, peer: Address) -> bool:
        """Whether a connection with this peer has ended well, so that its SYN is not spoofed (tcp_peer_is_proven)."""
        return self.srtt.get(peer, 0) > 0
