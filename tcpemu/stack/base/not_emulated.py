"""Sysctls that Linux has and that are not emulated here, each with what is so instead.

net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c and Documentation/networking/ip-sysctl.rst, Linux 6.18.
Socket options are in `tcpemu.stack.sockets.option_names`.
"""

from __future__ import annotations

_MEMORY = "there is no limit of memory for all sockets together"
_PLB = "a flow keeps its path"
_ACCECN = "ECN is that of RFC 3168; to ask for Accurate ECN (tcp_ecn 3) is refused, as Linux 6.18 does"
_DEVICE = "there is no network device, so nothing queues in one"
_SIZES = "a table has room for all"
_IPSEC = "packets are not encrypted"
_ROUTE = "each peer has one path"
_ICMP = "a host sends no ICMP"

_CIPSO = ("cache_bucket_size", "cache_enable", "rbm_optfmt", "rbm_strictvalid")
_IPFRAG = ("high_thresh", "low_thresh", "max_dist", "secret_interval", "time")
_UDP = ("child_hash_entries", "early_demux", "hash_entries", "l3mdev_accept", "mem", "rmem_min", "wmem_min")

UNEMULATED_SYSCTLS: dict[str, str] = {
    "net.core.bpf_jit_enable": "no programs of BPF run",
    "net.core.bpf_jit_harden": "no programs of BPF run",
    "net.core.bpf_jit_kallsyms": "no programs of BPF run",
    "net.core.bpf_jit_limit": "no programs of BPF run",
    "net.core.busy_poll": _DEVICE,
    "net.core.busy_read": _DEVICE,
    "net.core.default_qdisc": f"{_DEVICE}; a link has a rate and a queue",
    "net.core.dev_weight": _DEVICE,
    "net.core.dev_weight_rx_bias": _DEVICE,
    "net.core.dev_weight_tx_bias": _DEVICE,
    "net.core.devconf_inherit_init_net": _DEVICE,
    "net.core.fb_tunnels_only_for_init_net": "there are no tunnels",
    "net.core.flow_limit_cpu_bitmap": _DEVICE,
    "net.core.flow_limit_table_len": _DEVICE,
    "net.core.gro_normal_batch": "segments are not joined before TCP sees them",
    "net.core.high_order_alloc_disable": _MEMORY,
    "net.core.max_skb_frags": "a segment is one piece",
    "net.core.mem_pcpu_rsv": _MEMORY,
    "net.core.message_burst": "nothing is logged",
    "net.core.message_cost": "nothing is logged",
    "net.core.netdev_budget": _DEVICE,
    "net.core.netdev_budget_usecs": _DEVICE,
    "net.core.netdev_max_backlog": _DEVICE,
    "net.core.netdev_rss_key": _DEVICE,
    "net.core.netdev_tstamp_prequeue": _DEVICE,
    "net.core.netdev_unregister_timeout_secs": _DEVICE,
    "net.core.optmem_max": _MEMORY,
    "net.core.rmem_default": "TCP takes the second number of net.ipv4.tcp_rmem",
    "net.core.rps_default_mask": _DEVICE,
    "net.core.rps_sock_flow_entries": _DEVICE,
    "net.core.skb_defer_max": _MEMORY,
    "net.core.tstamp_allow_data": "packets carry no timestamps of devices",
    "net.core.txrehash": _PLB,
    "net.core.warnings": "nothing is logged",
    "net.core.wmem_default": "TCP takes the second number of net.ipv4.tcp_wmem",
    "net.core.xfrm_acq_expires": _IPSEC,
    "net.core.xfrm_aevent_etime": _IPSEC,
    "net.core.xfrm_aevent_rseqth": _IPSEC,
    "net.core.xfrm_larval_drop": _IPSEC,
    "net.ipv4.fib_multipath_hash_fields": _ROUTE,
    "net.ipv4.fib_multipath_hash_policy": _ROUTE,
    "net.ipv4.fib_multipath_hash_seed": _ROUTE,
    "net.ipv4.fib_multipath_use_neigh": _ROUTE,
    "net.ipv4.fib_notify_on_flag_change": _ROUTE,
    "net.ipv4.fib_sync_mem": _ROUTE,
    "net.ipv4.fwmark_reflect": "packets carry no marks",
    "net.ipv4.icmp_echo_enable_probe": _ICMP,
    "net.ipv4.icmp_echo_ignore_all": _ICMP,
    "net.ipv4.icmp_echo_ignore_broadcasts": _ICMP,
    "net.ipv4.icmp_errors_use_inbound_ifaddr": _ICMP,
    "net.ipv4.icmp_ignore_bogus_error_responses": _ICMP,
    "net.ipv4.icmp_msgs_burst": _ICMP,
    "net.ipv4.icmp_msgs_per_sec": _ICMP,
    "net.ipv4.icmp_ratelimit": _ICMP,
    "net.ipv4.icmp_ratemask": _ICMP,
    **dict.fromkeys(
        (
            "net.ipv4.igmp_link_local_mcast_reports",
            "net.ipv4.igmp_max_memberships",
            "net.ipv4.igmp_max_msf",
            "net.ipv4.igmp_qrv",
        ),
        "TCP has no use for groups",
    ),
    **{f"net.ipv4.cipso_{name}": "packets carry no labels" for name in _CIPSO},
    **{f"net.ipv4.ipfrag_{name}": "no packet is cut in two" for name in _IPFRAG},
    **{f"net.ipv4.udp_{name}": "UDP carries nothing here" for name in _UDP},
    "net.ipv4.xfrm4_gc_thresh": _IPSEC,
    "net.ipv4.inet_peer_maxttl": _SIZES,
    "net.ipv4.inet_peer_minttl": _SIZES,
    "net.ipv4.inet_peer_threshold": _SIZES,
    "net.ipv4.ip_autobind_reuse": "a port that bind(0) gives is free, as with 0",
    "net.ipv4.ip_dynaddr": "a host keeps its addresses",
    "net.ipv4.ip_early_demux": _DEVICE,
    "net.ipv4.ip_forward": "a host forwards nothing",
    "net.ipv4.ip_forward_update_priority": "a host forwards nothing",
    "net.ipv4.ip_forward_use_pmtu": "a host forwards nothing",
    "net.ipv4.ip_local_reserved_ports": "no port is kept from connect()",
    "net.ipv4.ip_nonlocal_bind": "bind() takes the host's own addresses alone",
    "net.ipv4.ip_unprivileged_port_start": "everybody may bind any port",
    "net.ipv4.nexthop_compat_mode": _ROUTE,
    "net.ipv4.ping_group_range": _ICMP,
    "net.ipv4.raw_l3mdev_accept": "there is one routing domain",
    "net.ipv4.tcp_adv_win_scale": "the share of the buffer that is offered follows what segments cost",
    "net.ipv4.tcp_allowed_congestion_control": "everybody may choose any congestion control",
    "net.ipv4.tcp_autocorking": (
        "a small write waits for no packet in the queue of a device, as with 0: "
        "a host is done with what it has sent, as over a TUN device or loopback, also where a link queues it then"
    ),
    "net.ipv4.tcp_available_congestion_control": "it can only be read; see net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_available_ulp": "there are no protocols above TCP in the kernel",
    "net.ipv4.tcp_backlog_ack_defer": "segments are taken one by one",
    "net.ipv4.tcp_child_ehash_entries": _SIZES,
    "net.ipv4.tcp_early_demux": _DEVICE,
    "net.ipv4.tcp_ecn_option": _ACCECN,
    "net.ipv4.tcp_ecn_option_beacon": _ACCECN,
    "net.ipv4.tcp_ehash_entries": _SIZES,
    "net.ipv4.tcp_fack": "it does nothing in Linux either, since 4.15",
    "net.ipv4.tcp_fwmark_accept": "packets carry no marks",
    "net.ipv4.tcp_l3mdev_accept": "there is one routing domain",
    "net.ipv4.tcp_limit_output_bytes": (
        "what waits in the queue of a device limits no sender: a host is done with what it has sent"
    ),
    "net.ipv4.tcp_low_latency": "it does nothing in Linux either, since 4.14",
    "net.ipv4.tcp_mem": _MEMORY,
    "net.ipv4.tcp_migrate_req": "half-open connections end with their listener, as with 0",
    "net.ipv4.tcp_no_ssthresh_metrics_save": "the slow start threshold of a closed connection is not kept, as with 1",
    "net.ipv4.tcp_plb_cong_thresh": _PLB,
    "net.ipv4.tcp_plb_enabled": _PLB,
    "net.ipv4.tcp_plb_idle_rehash_rounds": _PLB,
    "net.ipv4.tcp_plb_rehash_rounds": _PLB,
    "net.ipv4.tcp_plb_suspend_rto_sec": _PLB,
    "net.ipv4.tcp_tw_recycle": "Linux has none either since 4.12",
}
"""Sysctls of Linux that nothing here obeys, each with what is so whatever it says."""


def unemulated_sysctl(name: str) -> str | None:
    """What is said of a sysctl that Linux has and is not emulated here; None of any other name."""
    instead = UNEMULATED_SYSCTLS.get(name)
    return None if instead is None else f"known to Linux, but not emulated: {instead}"
