"""What is remembered of a peer when a connection with it ends (tcp_metrics.c: tcp_update_metrics)."""

from __future__ import annotations

from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.peer_metrics import MOST_PEERS, PeerMetrics


def remember(metrics: PeerMetrics, conn: Connection) -> None:
    """Remember a connection that ends (tcp_metrics.c: tcp_update_metrics)."""
    if conn.host.sysctls.tcp_no_metrics_save or conn.rtt.backoff or not conn.rtt.srtt:
        return
    peer = conn.key[0]
    old = metrics.srtt.pop(peer, 0)
    if len(metrics.srtt) >= MOST_PEERS:
        del metrics.srtt[next(iter(metrics.srtt))]  # the one that has not been met for the longest time
    difference = old - conn.rtt.srtt
    # It falls slowly, by an eighth of the way, and rises at once.
    metrics.srtt[peer] = conn.rtt.srtt if not old or difference <= 0 else old - (difference >> 3)
