"""What Linux has and is not emulated here, each with what is so instead.

Settings: net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c and Documentation/networking/ip-sysctl.rst.
Options: include/uapi/linux/tcp.h, include/uapi/linux/in.h and include/uapi/asm-generic/socket.h. Linux 6.18.
"""

from __future__ import annotations

_MEMORY = "there is no limit of memory for all sockets together"
_FAST_OPEN = "no data travels on a SYN"
_PLB = "a flow keeps its path"
_PACING = "segments are not paced"
_PROBING = "the path's MTU is not probed"
_ACCECN = "ECN is that of RFC 3168"
_DEVICE = "there is no network device, so nothing queues in one"
_SIZES = "a table has room for all"

UNEMULATED_SYSCTLS: dict[str, str] = {
    "net.core.busy_poll": _DEVICE,
    "net.core.busy_read": _DEVICE,
    "net.core.default_qdisc": f"{_DEVICE}; a link has a rate and a queue",
    "net.core.dev_weight": _DEVICE,
    "net.core.dev_weight_rx_bias": _DEVICE,
    "net.core.dev_weight_tx_bias": _DEVICE,
    "net.core.flow_limit_cpu_bitmap": _DEVICE,
    "net.core.flow_limit_table_len": _DEVICE,
    "net.core.gro_normal_batch": "segments are not joined before TCP sees them",
    "net.core.high_order_alloc_disable": _MEMORY,
    "net.core.max_skb_frags": "a segment is one piece",
    "net.core.message_burst": "nothing is logged",
    "net.core.message_cost": "nothing is logged",
    "net.core.mem_pcpu_rsv": _MEMORY,
    "net.core.netdev_budget": _DEVICE,
    "net.core.netdev_budget_usecs": _DEVICE,
    "net.core.netdev_max_backlog": _DEVICE,
    "net.core.netdev_tstamp_prequeue": _DEVICE,
    "net.core.optmem_max": _MEMORY,
    "net.core.rmem_default": "TCP takes the second number of net.ipv4.tcp_rmem",
    "net.core.rps_default_mask": _DEVICE,
    "net.core.rps_sock_flow_entries": _DEVICE,
    "net.core.skb_defer_max": _MEMORY,
    "net.core.tstamp_allow_data": "packets carry no timestamps of devices",
    "net.core.txrehash": _PLB,
    "net.core.warnings": "nothing is logged",
    "net.core.wmem_default": "TCP takes the second number of net.ipv4.tcp_wmem",
    "net.ipv4.ip_forward": "a host forwards nothing",
    "net.ipv4.ip_local_reserved_ports": "no port is kept from connect()",
    "net.ipv4.ip_no_pmtu_disc": _PROBING,
    "net.ipv4.ip_nonlocal_bind": "bind() takes the host's own addresses alone",
    "net.ipv4.ip_unprivileged_port_start": "everybody may bind any port",
    "net.ipv4.tcp_adv_win_scale": "the share of the buffer that is offered follows what segments cost",
    "net.ipv4.tcp_allowed_congestion_control": "everybody may choose any congestion control",
    "net.ipv4.tcp_autocorking": "small writes are held back by Nagle's rule and TCP_CORK alone",
    "net.ipv4.tcp_available_congestion_control": "it can only be read; see net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_available_ulp": "there are no protocols above TCP in the kernel",
    "net.ipv4.tcp_backlog_ack_defer": "segments are taken one by one",
    "net.ipv4.tcp_base_mss": _PROBING,
    "net.ipv4.tcp_child_ehash_entries": _SIZES,
    "net.ipv4.tcp_comp_sack_delay_ns": "each segment out of order is answered by an ACK at once",
    "net.ipv4.tcp_comp_sack_nr": "each segment out of order is answered by an ACK at once",
    "net.ipv4.tcp_comp_sack_slack_ns": "each segment out of order is answered by an ACK at once",
    "net.ipv4.tcp_early_demux": _DEVICE,
    "net.ipv4.tcp_ecn_option": _ACCECN,
    "net.ipv4.tcp_ecn_option_beacon": _ACCECN,
    "net.ipv4.tcp_ehash_entries": _SIZES,
    "net.ipv4.tcp_fack": "it does nothing in Linux either, since 4.15",
    "net.ipv4.tcp_fastopen": _FAST_OPEN,
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec": _FAST_OPEN,
    "net.ipv4.tcp_fastopen_key": _FAST_OPEN,
    "net.ipv4.tcp_frto": "a time-out is always tested for being spurious, as with 2",
    "net.ipv4.tcp_fwmark_accept": "packets carry no marks",
    "net.ipv4.tcp_l3mdev_accept": "there is one routing domain",
    "net.ipv4.tcp_limit_output_bytes": _DEVICE,
    "net.ipv4.tcp_low_latency": "it does nothing in Linux either, since 4.14",
    "net.ipv4.tcp_max_orphans": "any number of orphans may be left",
    "net.ipv4.tcp_max_reordering": "how much reordering is allowed for has the kernel's default limit, 300",
    "net.ipv4.tcp_max_tw_buckets": "any number of connections may be in TIME_WAIT",
    "net.ipv4.tcp_mem": _MEMORY,
    "net.ipv4.tcp_migrate_req": "half-open connections end with their listener, as with 0",
    "net.ipv4.tcp_min_rtt_wlen": "the least round-trip time has the kernel's default window, 300 s",
    "net.ipv4.tcp_min_snd_mss": "the least MSS is the kernel's default, 48",
    "net.ipv4.tcp_min_tso_segs": "each segment is sent by itself",
    "net.ipv4.tcp_moderate_rcvbuf": "the receive buffer grows by itself unless SO_RCVBUF was set, as with 1",
    "net.ipv4.tcp_mtu_probe_floor": _PROBING,
    "net.ipv4.tcp_mtu_probing": _PROBING,
    "net.ipv4.tcp_no_ssthresh_metrics_save": "the slow start threshold of a closed connection is not kept, as with 1",
    "net.ipv4.tcp_pacing_ca_ratio": _PACING,
    "net.ipv4.tcp_pacing_ss_ratio": _PACING,
    "net.ipv4.tcp_pingpong_thresh": "a connection is interactive after one answer, as with 1",
    "net.ipv4.tcp_plb_cong_thresh": _PLB,
    "net.ipv4.tcp_plb_enabled": _PLB,
    "net.ipv4.tcp_plb_idle_rehash_rounds": _PLB,
    "net.ipv4.tcp_plb_rehash_rounds": _PLB,
    "net.ipv4.tcp_plb_suspend_rto_sec": _PLB,
    "net.ipv4.tcp_probe_interval": _PROBING,
    "net.ipv4.tcp_probe_threshold": _PROBING,
    "net.ipv4.tcp_recovery": "losses are found by RACK, as with 1",
    "net.ipv4.tcp_reordering": "a connection begins with the kernel's default, 3",
    "net.ipv4.tcp_rto_min_us": "the least RTO is 200 ms, the kernel's default",
    "net.ipv4.tcp_shrink_window": "a window that was offered is never taken back, as with 0",
    "net.ipv4.tcp_stdurg": "there is no urgent data: its octet is read with the others",
    "net.ipv4.tcp_thin_linear_timeouts": "time-outs double in thin streams too, as with 0",
    "net.ipv4.tcp_tso_rtt_log": "each segment is sent by itself",
    "net.ipv4.tcp_tso_win_divisor": "each segment is sent by itself",
    "net.ipv4.tcp_tw_recycle": "Linux has none either since 4.12",
    "net.ipv4.tcp_tw_reuse": "connect() does not take a port whose connection is in TIME_WAIT, as with 0",
    "net.ipv4.tcp_tw_reuse_delay": "connect() does not take a port whose connection is in TIME_WAIT",
}
"""Sysctls of Linux that nothing here obeys, each with what is so whatever it says."""

_SOCKET = {
    1: "SO_DEBUG",
    5: "SO_DONTROUTE",
    6: "SO_BROADCAST",
    11: "SO_NO_CHECK",
    12: "SO_PRIORITY",
    14: "SO_BSDCOMPAT",
    16: "SO_PASSCRED",
    17: "SO_PEERCRED",
    19: "SO_SNDLOWAT",
    20: "SO_RCVTIMEO",
    21: "SO_SNDTIMEO",
    25: "SO_BINDTODEVICE",
    26: "SO_ATTACH_FILTER",
    27: "SO_DETACH_FILTER",
    28: "SO_PEERNAME",
    29: "SO_TIMESTAMP",
    31: "SO_PEERSEC",
    32: "SO_SNDBUFFORCE",
    33: "SO_RCVBUFFORCE",
    34: "SO_PASSSEC",
    35: "SO_TIMESTAMPNS",
    36: "SO_MARK",
    37: "SO_TIMESTAMPING",
    40: "SO_RXQ_OVFL",
    41: "SO_WIFI_STATUS",
    42: "SO_PEEK_OFF",
    43: "SO_NOFCS",
    44: "SO_LOCK_FILTER",
    45: "SO_SELECT_ERR_QUEUE",
    46: "SO_BUSY_POLL",
    47: "SO_MAX_PACING_RATE",
    48: "SO_BPF_EXTENSIONS",
    49: "SO_INCOMING_CPU",
    50: "SO_ATTACH_BPF",
    51: "SO_ATTACH_REUSEPORT_CBPF",
    52: "SO_ATTACH_REUSEPORT_EBPF",
    53: "SO_CNX_ADVICE",
    55: "SO_MEMINFO",
    56: "SO_INCOMING_NAPI_ID",
    57: "SO_COOKIE",
    59: "SO_PEERGROUPS",
    60: "SO_ZEROCOPY",
    61: "SO_TXTIME",
    62: "SO_BINDTOIFINDEX",
    68: "SO_DETACH_REUSEPORT_BPF",
    69: "SO_PREFER_BUSY_POLL",
    70: "SO_BUSY_POLL_BUDGET",
    71: "SO_NETNS_COOKIE",
    72: "SO_BUF_LOCK",
    73: "SO_RESERVE_MEM",
    74: "SO_TXREHASH",
    75: "SO_RCVMARK",
    76: "SO_PASSPIDFD",
    77: "SO_PEERPIDFD",
    78: "SO_DEVMEM_LINEAR",
    79: "SO_DEVMEM_DMABUF",
    80: "SO_DEVMEM_DONTNEED",
    82: "SO_RCVPRIORITY",
    83: "SO_PASSRIGHTS",
    84: "SO_INQ",
}
_TCP = {
    11: "TCP_INFO",
    13: "TCP_CONGESTION",
    14: "TCP_MD5SIG",
    16: "TCP_THIN_LINEAR_TIMEOUTS",
    17: "TCP_THIN_DUPACK",
    19: "TCP_REPAIR",
    20: "TCP_REPAIR_QUEUE",
    21: "TCP_QUEUE_SEQ",
    22: "TCP_REPAIR_OPTIONS",
    23: "TCP_FASTOPEN",
    24: "TCP_TIMESTAMP",
    26: "TCP_CC_INFO",
    27: "TCP_SAVE_SYN",
    28: "TCP_SAVED_SYN",
    29: "TCP_REPAIR_WINDOW",
    30: "TCP_FASTOPEN_CONNECT",
    31: "TCP_ULP",
    32: "TCP_MD5SIG_EXT",
    33: "TCP_FASTOPEN_KEY",
    34: "TCP_FASTOPEN_NO_COOKIE",
    35: "TCP_ZEROCOPY_RECEIVE",
    36: "TCP_INQ",
    37: "TCP_TX_DELAY",
    38: "TCP_AO_ADD_KEY",
    39: "TCP_AO_DEL_KEY",
    40: "TCP_AO_INFO",
    41: "TCP_AO_GET_KEYS",
    42: "TCP_AO_REPAIR",
    43: "TCP_IS_MPTCP",
    44: "TCP_RTO_MAX_MS",
    45: "TCP_RTO_MIN_US",
    46: "TCP_DELACK_MAX_US",
}
_IP = {
    3: "IP_HDRINCL",
    4: "IP_OPTIONS",
    5: "IP_ROUTER_ALERT",
    6: "IP_RECVOPTS",
    7: "IP_RETOPTS",
    8: "IP_PKTINFO",
    10: "IP_MTU_DISCOVER",
    11: "IP_RECVERR",
    12: "IP_RECVTTL",
    13: "IP_RECVTOS",
    14: "IP_MTU",
    15: "IP_FREEBIND",
    16: "IP_IPSEC_POLICY",
    17: "IP_XFRM_POLICY",
    18: "IP_PASSSEC",
    19: "IP_TRANSPARENT",
    20: "IP_ORIGDSTADDR",
    21: "IP_MINTTL",
    22: "IP_NODEFRAG",
    23: "IP_CHECKSUM",
    24: "IP_BIND_ADDRESS_NO_PORT",
    25: "IP_RECVFRAGSIZE",
    26: "IP_RECVERR_RFC4884",
    51: "IP_LOCAL_PORT_RANGE",
}
_IPV6 = 41
_LEVELS = {1: _SOCKET, 6: _TCP, 0: _IP}
_INSTEAD = {
    "SO_RCVTIMEO": "no call waits; in a network give recv() or accept() a timeout",
    "SO_SNDTIMEO": "no call waits",
    "SO_LINGER": "call linger(on, seconds) in place of setsockopt()",
    "TCP_CONGESTION": "set net.ipv4.tcp_congestion_control before the host begins",
    "TCP_INFO": "sockets() of the host tells a connection's state and queues",
    "TCP_RTO_MAX_MS": "set net.ipv4.tcp_rto_max_ms",
    **dict.fromkeys(
        ("TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_KEY", "TCP_FASTOPEN_NO_COOKIE"), _FAST_OPEN
    ),
}


def unemulated_option(level: int, name: int) -> str | None:
    """What is said of an option that Linux has and is not emulated here; None of one that Linux has not either."""
    if (level, name) == (1, 13):
        words = "SO_LINGER"
    elif level == _IPV6:
        words = f"option {name} of IPPROTO_IPV6"
    elif name in _LEVELS.get(level, {}):
        words = _LEVELS[level][name]
    else:
        return None
    instead = _INSTEAD.get(words)
    return f"{words} is known to Linux, but not emulated" + (f": {instead}" if instead else "")


def unemulated_sysctl(name: str) -> str | None:
    """What is said of a sysctl that Linux has and is not emulated here; None of any other name."""
    instead = UNEMULATED_SYSCTLS.get(name)
    return None if instead is None else f"known to Linux, but not emulated: {instead}"
