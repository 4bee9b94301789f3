"""The search for the path's MTU by data itself, where no ICMP tells of it (RFC 4821; net.ipv4.tcp_mtu_probing).

The path is known to carry packets of `low` octets and not of more than `high`. A packet half way between the two is
sent in place of an ordinary one (`sending/mtu_probe.py`). If it is acknowledged, segments are as large as it was from
then on; if it alone is lost, `high` comes down, and the loss is not taken for congestion. Once both are close together
the search rests for `tcp_probe_interval`.

With tcp_mtu_probing 2 a connection begins at tcp_base_mss; with 1 it does so when time-outs suggest that the path
swallows large packets (a black hole), and each further suspicion halves what it goes back to.

Differs: kernels before 4.1 began at 512 octets and doubled the size with each probe; here they search as later ones do.

tcp_output.c: tcp_mtup_init; tcp_timer.c: tcp_mtu_probing; tcp_input.c: tcp_mtup_probe_success, _failed (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.tcp_options import TIMESTAMPS_LENGTH
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.connection.measures import segment_size
from tcpemu.stack.control.cwnd_changes import resized_for_mtu
from tcpemu.stack.records.connection import Connection, MtuSearch
from tcpemu.stack.records.scoreboard import Scoreboard

_ALWAYS = 2


def begin(conn: Connection, before_syn: bool = False) -> None:
    """Search from the start, where it is not left to a suspicion (tcp_mtup_init)."""
    sysctls = conn.host.sysctls
    if sysctls.tcp_mtu_probing >= _ALWAYS:
        stamps = conn.ts.ok or (before_syn and bool(sysctls.tcp_timestamps))
        conn.snd.mtu_search = _new_search(conn, stamps)


def _new_search(conn: Connection, stamps: bool) -> MtuSearch:
    low = packet_of(conn, conn.host.sysctls.tcp_base_mss, stamps)
    return MtuSearch(_highest(conn), low, conn.host.now)


def _highest(conn: Connection) -> int:
    """The packet that the peer's MSS allows."""
    return packet_of(conn, conn.snd.mss_clamp, stamps=False)


def packet_of(conn: Connection, payload: int, stamps: bool) -> int:
    """Octets of a packet with so much payload (tcp_mss_to_mtu)."""
    options = TIMESTAMPS_LENGTH if stamps else 0
    return payload + options + segment_size.headers_of(conn)


def suspect_black_hole(conn: Connection) -> None:
    """Time-outs may come of packets too large for the path: go on with smaller ones (tcp_mtu_probing)."""
    sysctls, search = conn.host.sysctls, conn.snd.mtu_search
    if not sysctls.tcp_mtu_probing:
        return
    if search is None:
        conn.snd.mtu_search = _new_search(conn, conn.ts.ok)
    else:
        half = min(segment_size.payload_in(conn, search.low) >> 1, sysctls.tcp_base_mss)
        least = max(half, sysctls.tcp_mtu_probe_floor, sysctls.tcp_min_snd_mss)
        search.low = packet_of(conn, least, conn.ts.ok)
    segment_size.sync_mss(conn)


def rest_or_begin_again(conn: Connection, search: MtuSearch) -> None:
    """Both ends are close: after some minutes search upwards again (tcp_mtu_check_reprobe)."""
    host = conn.host
    if host.tick(host.now) - host.tick(search.begun) >= host.sysctls.tcp_probe_interval * SECOND:
        search.low = packet_of(conn, segment_size.current_mss(conn), conn.ts.ok)
        search.high, search.probing, search.begun = _highest(conn), 0, host.now


def probe_arrived(conn: Connection, board: Scoreboard) -> None:
    """The path carries packets of this size: segments grow, the window does not (tcp_mtup_probe_success)."""
    search = conn.snd.mtu_search
    assert search is not None
    before = packet_of(conn, conn.snd.mss_cache, conn.ts.ok)
    window = max(conn.congestion.cwnd * before // search.probing, 1)
    conn.congestion, board.recovery.prior_ssthresh = resized_for_mtu(
        conn.congestion, window, board.recovery.reduces
    )
    board.recovery.cwnd_at = conn.host.now
    search.low, search.probing = search.probing, 0
    segment_size.sync_mss(conn)
    conn.host.count("TCPMTUPSuccess")
