"""What a host remembers of peers whose connections have ended (`ip tcp_metrics`; tcp_metrics.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.wire.segment import Address

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection


class Metrics:
    """Smoothed round-trip times by destination, in microseconds times eight."""

    __slots__ = ("_rtt",)

    def __init__(self) -> None:
        self._rtt: dict[Address, int] = {}

    def __len__(self) -> int:
        return len(self._rtt)

    def proven(self, peer: Address) -> bool:
        """Whether a connection with this peer has ended well: a SYN from it is not a forgery's (tcp_peer_is_proven)."""
        return self._rtt.get(peer, 0) > 0

    def rtt(self, peer: Address) -> int:
        return self._rtt.get(peer, 0)

    def update(self, conn: Connection) -> None:
        """Remember a connection that ends (tcp_metrics.c: tcp_update_metrics)."""
        if conn.host.sysctls.tcp_no_metrics_save or conn.backoff or not conn.srtt:
            return
        old = self._rtt.get(conn.remote, 0)
        difference = old - conn.srtt
        # Fall slowly, rise at once.
        self._rtt[conn.remote] = conn.srtt if not old or difference <= 0 else old - (difference >> 3)
