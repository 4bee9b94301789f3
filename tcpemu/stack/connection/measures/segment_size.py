"""How large a segment may be: the MSS that we announce, and the payload of a full segment that we send.

tcp_output.c: tcp_sync_mss, tcp_current_mss; route.c: ipv4_default_advmss.
"""

from __future__ import annotations

from functools import lru_cache

from tcpemu.stack.base.ip_families import IPV4_LENGTH, IPV6_LONGER, is_ipv6
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, TIMESTAMPS_LENGTH
from tcpemu.stack.connection.measures.path_mtu import mtu_of, path_mtu
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices
from tcpemu.wire.segment import Address

_LARGEST_ADVERTISED = 65495


def advertised_mss(host: HostServices, user_mss: int = 0, peer: Address | None = None) -> int:
    """The MSS that we announce: what its route says, else what the path to this peer holds; less by TCP_MAXSEG.

    route.c: ipv4_default_advmss, ip6_default_advmss; tcp_output.c: tcp_advertise_mss.
    """
    mtu = host.mtu if peer is None else path_mtu(host, peer)
    route = host.routes_to.get(peer) if host.routes_to and peer is not None else None
    if route is not None and route.advmss:
        return min(route.advmss, user_mss) if user_mss else route.advmss
    mss = min(max(_room(host, mtu, peer), _least_advertised(host, peer)), _LARGEST_ADVERTISED)
    return min(mss, user_mss) if user_mss else mss


def _room(host: HostServices, mtu: int, peer: Address | None) -> int:
    """Octets that the headers of IP and TCP, without options, leave of a packet to this peer."""
    room = mtu - host.generation.wire.mss_headers
    return room if peer is None or len(peer) == IPV4_LENGTH else room - IPV6_LONGER


def headers_of(conn: Connection) -> int:
    """Octets of the headers of IP and TCP without options."""
    return conn.host.mtu - _room(conn.host, conn.host.mtu, conn.key[0])


def payload_in(conn: Connection, mtu: int) -> int:
    """Octets of payload in a full packet of this size, if the peer's window is no limit (tcp_mtu_to_mss)."""
    room, least = _room(conn.host, mtu, conn.key[0]), conn.host.sysctls.tcp_min_snd_mss
    return _full_payload(room, conn.snd.mss_clamp, conn.ts.ok, 0, least)


def _least_advertised(host: HostServices, peer: Address | None) -> int:
    return host.sysctls.ipv6_min_adv_mss if peer is not None and is_ipv6(peer) else 256


def sync_mss(conn: Connection, before_syn: bool = False) -> None:
    """The payload of a full segment (tcp_sync_mss)."""
    host, snd = conn.host, conn.snd
    timestamps = conn.ts.ok or (before_syn and bool(host.sysctls.tcp_timestamps))
    snd.path_mtu = mtu_of(conn) if host.path_mtus or host.with_old_route else host.mtu
    room, least = _room(host, snd.path_mtu, conn.key[0]), host.sysctls.tcp_min_snd_mss
    snd.mss_cache = _full_payload(room, snd.mss_clamp, timestamps, snd.max_window, least)
    search = snd.mtu_search
    if search is not None:
        search.high = min(search.high, snd.path_mtu)
        room = _room(host, search.low, conn.key[0])
        snd.mss_cache = min(snd.mss_cache, _full_payload(room, snd.mss_clamp, timestamps, 0, least))


def half_of_window(largest: int) -> int:
    """Half of the peer's largest window, which then holds two; all of a tiny one (tcp.h: tcp_bound_to_half_wnd)."""
    return largest >> 1 if largest > DEFAULT_MSS else largest


@lru_cache(maxsize=4096)
def _full_payload(room: int, peer_mss: int, timestamps: bool, largest_window: int, least: int) -> int:
    """The peer's MSS or what the link holds, less options, and at most half of the peer's window (0: no limit).

    Differs: the `least` that tcp_min_snd_mss asks for is no more than a packet of IP has room for, where the kernel
    makes segments that it then cannot send.
    """
    size = min(max(min(room, peer_mss), least), _LARGEST_ADVERTISED)
    header = 20
    if timestamps:
        size -= TIMESTAMPS_LENGTH
        header += TIMESTAMPS_LENGTH
    limit = half_of_window(largest_window)
    if limit and size > limit:
        # 68 octets is the least that any link carries (RFC 791).
        size = max(limit, 68 - header)
    return size


def current_mss(conn: Connection) -> int:
    """The payload of a full segment now, less the SACK blocks that it carries too (tcp_current_mss)."""
    host, rcv = conn.host, conn.rcv
    known = conn.snd.path_mtu
    if (host.path_mtus or known != host.mtu or host.with_old_route) and mtu_of(conn) != known:
        sync_mss(conn)
    if not rcv.sacks and rcv.dsack is None:
        return conn.snd.mss_cache
    blocks = len(rcv.sacks) + (rcv.dsack is not None)
    return conn.snd.mss_cache - 4 - 8 * min(blocks, 3 if conn.ts.ok else 4)
