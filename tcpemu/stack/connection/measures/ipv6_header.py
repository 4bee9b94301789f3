"""What stands in the header of IPv6 alone: the flow label and the hop limit.

A flow label says to routers which packets belong together, so that all go one way. Linux draws it at random, and
draws another where a way seems broken: when the RTO fires, when a SYN|ACK is sent again, and when the peer
does so (ipv6.h: ip6_make_flowlabel; sock.h: sk_rethink_txhash).
"""

from __future__ import annotations

from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.wire.segment import FlowKey


def new_flow_label(host: HostServices, key: FlowKey, options: SocketOptions) -> int:
    """A flow label, drawn at random, for a flow that begins or looks for another path; 0 where it has none.

    ipv6.h: ip6_make_flowlabel, of sock.h: net_tx_rndhash.
    """
    if not is_ipv6(key[0]) or not _labels(host, options.autoflowlabel):
        return 0
    return host.secrets.draw.randrange(1, 1 << 20)


def label_of_flow(host: HostServices, key: FlowKey) -> int:
    """The flow label of what is sent without a socket: always the same for a flow (skb_get_hash_flowi6)."""
    if not is_ipv6(key[0]) or not _labels(host, None):
        return 0
    return host.secrets.flow(key, 0)[1] % ((1 << 20) - 1) + 1


def _labels(host: HostServices, wanted: bool | None) -> bool:
    """Whether packets have labels: net.ipv6.auto_flowlabels 1 and 3 say so, 0 and 3 against the socket's wish."""
    setting = host.sysctls.ipv6_auto_flowlabels
    if setting in (0, 3) or wanted is None:
        return bool(setting & 1)
    return wanted


def hop_limit(host: HostServices, options: SocketOptions) -> int:
    """IPV6_UNICAST_HOPS, or the kernel's own (ip6_dst_hoplimit)."""
    return host.generation.wire.hop_limit if options.hops < 0 else options.hops
