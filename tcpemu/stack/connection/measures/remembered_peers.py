"""What is remembered of a peer when a connection with it ends (tcp_metrics.c: tcp_update_metrics)."""

from __future__ import annotations

from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.peer_metrics import PeerMetrics


def remember(metrics: PeerMetrics, conn: Connection) -> None:
    """Remember a connection that ends (tcp_metrics.c: tcp_update_metrics)."""
    if conn.host.sysctls.tcp_no_metrics_save or conn.rtt.backoff or not conn.rtt.srtt:
        return
    old = metrics.srtt.get(conn.key[0], 0)
    difference = old - conn.rtt.srtt
    # It falls slowly, by an eighth of the way, and rises at once.
    metrics.srtt[conn.key[0]] = conn.rtt.srtt if not old or difference <= 0 else old - (difference >> 3)
