"""Kernels that are not Linux, as far as a listener and its clients are concerned. What happens on a connection
after the handshake is Linux's here.
"""

from collections.abc import Mapping
from dataclasses import replace

from tcpemu.generations import queue_rules as rules
from tcpemu.generations import reason_wording
from tcpemu.generations.linux import LINUX_2_4
from tcpemu.generations.linux_counters import MIB_II
from tcpemu.stack.base.generation import (
    Generation,
    ListedWaits,
    Overflow,
    QueueRules,
    StampOffset,
    SynAckTimer,
    SynTimer,
    Wire,
)
from tcpemu.stack.base.sysctls import SYSCTLS
from tcpemu.stack.base.units import MILLISECOND, SECOND

_LINUX_ONLY = {name: "it is a sysctl of Linux" for name in SYSCTLS if name != "net.core.somaxconn"}


def _waits(*seconds: float) -> tuple[int, ...]:
    return tuple(round(each * 1000) * MILLISECOND for each in seconds)


def _syn(*seconds: float) -> SynTimer:
    return SynTimer(ListedWaits(_waits(*seconds)))


def _other(
    name: str,
    about: str,
    sources: Mapping[str, str],
    most: int,
    sysctls: Mapping[str, int | tuple[int, ...]],
    **changes: object,
) -> Generation:
    quiet = {"net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_early_retrans": 0, "net.core.somaxconn": most}
    return replace(
        LINUX_2_4,
        name=name,
        about=about,
        sysctls={**LINUX_2_4.sysctls, **quiet, **sysctls},
        missing=_LINUX_ONLY,
        reasons=reason_wording.other(sources, _LINUX_ONLY),
        counters=MIB_II,
        late_timers=None,
        **changes,  # type: ignore[arg-type]
    )


BSD_4_4 = _other(
    "bsd-4.4",
    "4.4BSD (1994): one queue, and half as much again as was asked for",
    reason_wording.SOURCES_IN_BSD_4_4,
    5,
    {"net.ipv4.tcp_sack": 0},
    clamp_backlog=rules.clamp_negative_to_zero,
    queues=QueueRules(
        rules.never_half_open,
        rules.together_three_halves,
        rules.never,
        one_queue=True,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(waits=_waits(6, 24, 45), restarts_on_syn=False, resets_at_end=True),
    syn=_syn(6, 24, 45),
    initial_rto=6 * SECOND,
    initial_cwnd=1,
    quick_syn=0,
    wire=Wire(
        order="bsd",
        fixed_window=8760,
        syn_window=8192,
        scale_by_largest=False,
        stamp_offset=StampOffset.NONE,
        stamp_tick=500 * MILLISECOND,
        dont_fragment=False,
    ),
    unverified=("6 s: the first wait is 5.5 to 6 s there, by the phase of a slow timer",),
)

FREEBSD_14 = _other(
    "freebsd-14",
    "FreeBSD 14 (2023): half-open connections in a cache of their own; a final ACK too many meets a RST",
    reason_wording.SOURCES_IN_FREEBSD,
    128,
    {"net.ipv4.tcp_rmem": (4096, 65536, 2097152), "net.core.rmem_max": 2097152},
    clamp_backlog=rules.clamp_unsigned,
    queues=QueueRules(
        rules.never_half_open,
        rules.never,
        rules.accepting_three_halves,
        when_full_for_ack=Overflow.RESET,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(waits=_waits(1, 2.2, 4.2, 8.2)),
    syn=_syn(1, 2.2, 4.2, 8.2, 16.2, 32.2, 11),
    initial_rto=SECOND,
    quick_syn=0,
    challenge_inexact_rst=True,
    bad_ack_kills=True,
    challenges=True,
    initial_cwnd=10,
    wire=Wire(order="bsd", fixed_window=65535, scale_by_largest=True),
    unverified=("read in FreeBSD 13.0; of 14 only the cache of half-open connections",),
)

MACOS_15 = _other(
    "macos-15",
    "macOS 15 (XNU 11417): one queue, exactly the backlog; a half-open connection makes room for a new one",
    reason_wording.SOURCES_IN_XNU,
    128,
    {"net.ipv4.tcp_rmem": (4096, 131072, 2097152), "net.core.rmem_max": 2097152},
    clamp_backlog=rules.clamp_zero_to_most,
    queues=QueueRules(
        rules.never_half_open,
        rules.together_at_least,
        rules.never,
        one_queue=True,
        when_full_for_syn=Overflow.EVICT,
        evicts_at_random=True,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(waits=_waits(1, 2, 4, 8, 16, 32, 12), resets_at_end=True),
    syn=_syn(1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 8),
    initial_rto=SECOND,
    quick_syn=0,
    challenges=True,
    initial_cwnd=10,
    wire=Wire(order="macos", fixed_window=65535, scale_by_largest=True),
    unverified=("how a repeated SYN is limited", "which half-open connection is thrown out: any, here"),
)

SOLARIS = _other(
    "solaris",
    "illumos, heir of Solaris: two queues; a full accept queue drops the SYN, and the final ACK is not tested again",
    reason_wording.SOURCES_IN_ILLUMOS,
    128,
    {"net.ipv4.tcp_rmem": (4096, 128480, 128480), "net.core.rmem_max": 65536},
    clamp_backlog=rules.clamp_negative_to_one,
    queues=QueueRules(
        rules.half_open_thousand_more,
        rules.accepting_at_least,
        rules.never,
        when_syn_full=Overflow.EVICT,
        evicts_after=1,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(
        waits=_waits(1.125, 2.25, 4.5, 9, 18, 36, 60, 60), restarts_on_syn=False, resets_at_end=True
    ),
    syn=_syn(1.125, 2.25, 4.5, 9, 18, 36, 60, 60),
    initial_rto=1125 * MILLISECOND,
    quick_syn=0,
    wire=Wire(
        syn_ack_order="solaris",
        fixed_window=128480,
        stamp_offset=StampOffset.NONE,
        stamp_tick=10 * MILLISECOND,
    ),
    unverified=(
        "the first window",
        "listen(0)",
    ),
)

WINDOWS_2003 = _other(
    "windows-2003",
    "Windows 2000 and 2003 without SYN attack protection: a SYN too many meets a RST",
    reason_wording.SOURCES_IN_WINDOWS,
    200,
    {"net.ipv4.ip_default_ttl": 128},
    clamp_backlog=rules.clamp_unsigned,
    queues=QueueRules(
        rules.never_half_open,
        rules.together_at_least,
        rules.never,
        one_queue=True,
        when_full_for_syn=Overflow.RESET,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(waits=_waits(3, 6, 12), restarts_on_syn=False),
    syn=_syn(3, 6, 12),
    quick_syn=0,
    wire=Wire(
        order="windows",
        fixed_window=65535,
        scale_by_largest=False,
        plain_syn=True,
        stamp_offset=StampOffset.NONE,
        stamp_tick=100 * MILLISECOND,
    ),
    unverified=(
        "the limit of 200, the first window and the ticks of timestamps, whose first is 0 there",
        "a client that is refused tries twice more there, and not here",
        "later service packs may complete the handshake and then reset it (SynAttackProtect)",
    ),
)

OTHERS = (BSD_4_4, FREEBSD_14, MACOS_15, SOLARIS, WINDOWS_2003)
