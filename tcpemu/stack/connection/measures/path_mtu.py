"""The MTU of the path to a peer, as ICMP has told it: kept for some minutes, then forgotten (RFC 1191); or its route.

route.c: __ip_rt_update_pmtu, ipv4_mtu, __ip6_rt_update_pmtu; ip.h: ip_dont_fragment (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.errors import NotEmulatedError
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices, LearntMtu, RouteMetrics
from tcpemu.wire.ipv6 import LEAST_IPV6_MTU
from tcpemu.wire.segment import Address

PMTUDISC_DONT, PMTUDISC_WANT, PMTUDISC_DO, PMTUDISC_PROBE, PMTUDISC_INTERFACE, PMTUDISC_OMIT = range(6)
"""IP_MTU_DISCOVER (include/uapi/linux/in.h)."""
_HEEDS_ICMP = (PMTUDISC_WANT, PMTUDISC_DO, PMTUDISC_PROBE)


_FOR_EVER = 2**62


def change_route(host: HostServices, peer: Address, mtu: int, locked: bool, metrics: RouteMetrics) -> None:
    """The route to a peer says so from now on; what ICMP told of it is forgotten (fib_flush, rt_cache_flush).

    Connections keep the route that they have until they send (ip_output.c: __ip_queue_xmit, __sk_dst_check).
    NotEmulatedError where the old one said no MTU, as that of a route that is gone is nobody's (dst.c: dst_dev_put),
    and where the new one says less, so that IP would have to cut what such a connection sends.
    """
    flows = [flow for key, flow in host.flows.items() if key[0] == peer]
    old = host.path_mtus.get(peer)
    kept = host.mtu if old is None else old.mtu
    if flows and peer in host.routes_to and (old is None or old.expires != _FOR_EVER):
        raise NotEmulatedError(
            "a route that says no mtu, changed while connections go by it, is not emulated; give it one before"
        )
    if flows and mtu and mtu < kept:
        raise NotEmulatedError(
            "a route that says a smaller mtu while connections go by the old one is not emulated: IP would cut packets"
        )
    host.path_mtus.pop(peer, None)
    if mtu:
        host.path_mtus[peer] = LearntMtu(mtu, locked, _FOR_EVER)
    host.routes_to[peer] = metrics
    for flow in flows:
        host.with_old_route.setdefault(flow, kept)


def mtu_of(conn: Connection) -> int:
    """Octets that a packet of this connection may have: by the route that it has."""
    host = conn.host
    if host.with_old_route and conn in host.with_old_route:
        return host.with_old_route[conn]
    return path_mtu(host, conn.key[0])


def path_mtu(host: HostServices, peer: Address) -> int:
    """Octets that a packet to this peer may have (ipv4_mtu)."""
    learnt = host.path_mtus.get(peer) if host.path_mtus else None
    if learnt is None:
        return host.mtu
    if host.now >= learnt.expires:
        del host.path_mtus[peer]
        return host.mtu
    return min(learnt.mtu, host.mtu)


def learn(host: HostServices, peer: Address, mtu: int) -> None:
    """A router has no room for more than this; a lie below the least is answered by packets that may be cut.

    __ip_rt_update_pmtu. Over IPv6 no router cuts packets, and what is below the least MTU is not believed.
    """
    if is_ipv6(peer):
        if LEAST_IPV6_MTU <= mtu < path_mtu(host, peer):
            host.path_mtus[peer] = LearntMtu(mtu, False, host.now + host.sysctls.ipv6_mtu_expires * SECOND)
        return
    old = host.path_mtus.get(peer)
    current = path_mtu(host, peer)
    if (old is not None and peer in host.path_mtus and old.locked) or current < mtu:
        return
    least = host.sysctls.min_pmtu
    locked = mtu < least
    if locked:
        mtu = min(current, least)
    host.path_mtus[peer] = LearntMtu(mtu, locked, host.now + host.sysctls.mtu_expires * SECOND)


def heeds(conn: Connection) -> bool:
    """Whether what ICMP says of the MTU changes this connection's segments (ip_sk_accept_pmtu, IP_PMTUDISC_DONT)."""
    if is_ipv6(conn.key[0]):
        return conn.options.mtu_discover6 < PMTUDISC_INTERFACE
    return discovery_of(conn) in _HEEDS_ICMP


def discovery_of(conn: Connection) -> int:
    """IP_MTU_DISCOVER, or what net.ipv4.ip_no_pmtu_disc stands for where nobody set it (af_inet.c: inet_create)."""
    own = conn.options.mtu_discover
    if own is not None:
        return own
    return PMTUDISC_DONT if conn.host.sysctls.ip_no_pmtu_disc else PMTUDISC_WANT


def dont_fragment(conn: Connection) -> bool:
    """Whether its packets carry DF (ip_dont_fragment); over IPv6 all do as if."""
    if is_ipv6(conn.key[0]):
        return True
    discovery = discovery_of(conn)
    if discovery != PMTUDISC_WANT:
        return discovery == PMTUDISC_DO
    learnt = conn.host.path_mtus.get(conn.key[0])
    return learnt is None or not learnt.locked
