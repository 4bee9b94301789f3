"""Which sysctls a Linux kernel has, and what is so in a kernel that does not have one yet."""

Version = tuple[int, ...]

SINCE: dict[str, tuple[Version, int | str | None]] = {
    "net.core.somaxconn": ((2, 4, 25), 128),
    "net.core.rmem_max": ((2, 2), None),
    "net.core.wmem_max": ((2, 2), None),
    "net.ipv4.ip_default_ttl": ((2, 2), None),
    "net.ipv4.ip_no_pmtu_disc": ((2, 2), None),
    "net.ipv4.route.min_pmtu": ((2, 4), None),
    "net.ipv4.route.mtu_expires": ((2, 4), None),
    "net.ipv4.ip_local_port_range": ((2, 2), None),
    "net.ipv4.tcp_abort_on_overflow": ((2, 4), 0),
    "net.ipv4.tcp_app_win": ((2, 4), None),
    "net.ipv4.tcp_base_mss": ((2, 6, 17), None),
    "net.ipv4.tcp_challenge_ack_limit": ((3, 6), 2**31 - 1),
    "net.ipv4.tcp_comp_sack_delay_ns": ((4, 18), None),
    "net.ipv4.tcp_comp_sack_nr": ((4, 18), 0),
    "net.ipv4.tcp_comp_sack_slack_ns": ((5, 8), 0),
    "net.ipv4.tcp_congestion_control": ((2, 6, 13), "reno"),
    "net.ipv4.tcp_dsack": ((2, 4), 0),
    "net.ipv4.tcp_early_retrans": ((3, 5), 0),
    "net.ipv4.tcp_ecn": ((2, 4), 0),
    "net.ipv4.tcp_ecn_fallback": ((4, 2), 0),
    "net.ipv4.tcp_fastopen": ((3, 6), 0),
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec": ((4, 12), 0),
    "net.ipv4.tcp_fastopen_key": ((3, 7), None),
    "net.ipv4.tcp_fin_timeout": ((2, 2), None),
    "net.ipv4.tcp_frto": ((2, 4, 21), None),
    "net.ipv4.tcp_invalid_ratelimit": ((4, 0), 0),
    "net.ipv4.tcp_keepalive_intvl": ((2, 4), None),
    "net.ipv4.tcp_keepalive_probes": ((2, 2), None),
    "net.ipv4.tcp_keepalive_time": ((2, 2), None),
    "net.ipv4.tcp_max_orphans": ((2, 4), None),
    "net.ipv4.tcp_max_reordering": ((3, 19), 127),
    "net.ipv4.tcp_max_syn_backlog": ((2, 2), 128),
    "net.ipv4.tcp_max_tw_buckets": ((2, 4), None),
    "net.ipv4.tcp_min_rtt_wlen": ((4, 4), None),
    "net.ipv4.tcp_min_tso_segs": ((3, 12), None),
    "net.ipv4.tcp_min_snd_mss": ((4, 19), None),
    "net.ipv4.tcp_moderate_rcvbuf": ((2, 6, 7), 0),
    "net.ipv4.tcp_mtu_probe_floor": ((5, 4), None),
    "net.ipv4.tcp_mtu_probing": ((2, 6, 17), 0),
    "net.ipv4.tcp_no_metrics_save": ((2, 6, 6), 0),
    "net.ipv4.tcp_notsent_lowat": ((3, 12), 2**32 - 1),
    "net.ipv4.tcp_orphan_retries": ((2, 4), None),
    "net.ipv4.tcp_pacing_ca_ratio": ((4, 4), None),
    "net.ipv4.tcp_pacing_ss_ratio": ((4, 4), None),
    "net.ipv4.tcp_pingpong_thresh": ((6, 7), None),
    "net.ipv4.tcp_probe_interval": ((4, 1), None),
    "net.ipv4.tcp_probe_threshold": ((4, 1), None),
    "net.ipv4.tcp_recovery": ((4, 4), None),
    "net.ipv4.tcp_reflect_tos": ((5, 10), 0),
    "net.ipv4.tcp_reordering": ((2, 4), None),
    "net.ipv4.tcp_retrans_collapse": ((2, 2), None),
    "net.ipv4.tcp_retries1": ((2, 2), None),
    "net.ipv4.tcp_retries2": ((2, 2), None),
    "net.ipv4.tcp_rfc1337": ((2, 2), 0),
    "net.ipv4.tcp_rmem": ((2, 4), None),
    "net.ipv4.tcp_rto_max_ms": ((6, 15), None),
    "net.ipv4.tcp_rto_min_us": ((6, 11), None),
    "net.ipv4.tcp_sack": ((2, 2), 0),
    "net.ipv4.tcp_shrink_window": ((6, 5), 0),
    "net.ipv4.tcp_slow_start_after_idle": ((2, 6, 18), None),
    "net.ipv4.tcp_stdurg": ((2, 2), None),
    "net.ipv4.tcp_syn_linear_timeouts": ((6, 5), 0),
    "net.ipv4.tcp_syn_retries": ((2, 2), None),
    "net.ipv4.tcp_synack_retries": ((2, 4), None),
    "net.ipv4.tcp_syncookies": ((2, 2), 0),
    "net.ipv4.tcp_thin_linear_timeouts": ((2, 6, 34), 0),
    "net.ipv4.tcp_timestamps": ((2, 2), 0),
    "net.ipv4.tcp_tso_rtt_log": ((5, 18), None),
    "net.ipv4.tcp_tso_win_divisor": ((2, 6, 9), None),
    "net.ipv4.tcp_tw_reuse": ((2, 4, 21), 0),
    "net.ipv4.tcp_tw_reuse_delay": ((6, 14), None),
    "net.ipv4.tcp_window_scaling": ((2, 2), 0),
    "net.ipv4.tcp_wmem": ((2, 4), None),
    "net.ipv6.auto_flowlabels": ((3, 17), 0),
    "net.ipv6.bindv6only": ((2, 6), 0),
    "net.ipv6.route.min_adv_mss": ((2, 4), None),
    "net.ipv6.route.mtu_expires": ((2, 4), None),
    "net.ipv4.tcp_workaround_signed_windows": ((2, 6, 26), None),
}
"""Each sysctl with the first kernel that has it, and the value that says how kernels without it behave (None:
as with the default). Minor versions before 3.0 are from memory."""


LARGER_SINCE: dict[str, tuple[Version, int]] = {
    "net.ipv4.tcp_syncookies": ((3, 13), 1),
    "net.ipv4.tcp_timestamps": ((4, 10), 1),
    "net.ipv4.tcp_tw_reuse": ((4, 19), 1),
}
"""Sysctls that took on a further value, since when, and the largest one before."""


def limits_before(version: Version) -> dict[str, int]:
    """The sysctls of which a kernel of this version takes less than today's do."""
    limits = {name: most for name, (since, most) in LARGER_SINCE.items() if version < since}
    if (3, 10) <= version < (4, 1):
        limits["net.core.somaxconn"] = 65535
    return limits


def missing_before(version: Version) -> dict[str, str]:
    """The sysctls that a kernel of this version does not have, each with since when there is one."""
    return {
        name: f"Linux has it since {'.'.join(map(str, since))}"
        for name, (since, _) in SINCE.items()
        if version < since
    }


def values_before(version: Version) -> dict[str, int | str | tuple[int, ...]]:
    """What is so in this kernel where it has no sysctl for it."""
    return {name: value for name, (since, value) in SINCE.items() if version < since and value is not None}
