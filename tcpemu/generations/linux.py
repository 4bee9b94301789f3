"""Linux kernels, the newest first: each is the next newer one with what was different then.

Read in the sources of plain kernels: 1.2.13, 2.0.40, 2.2.1, 2.4.22, 2.6.32.2, 3.0.27, 3.10.65, 4.4.0, 4.10.1,
4.19, 5.4, 5.10, 6.1 and 6.12.117; 6.18 was measured. Distributions change theirs: Red Hat's 2.6.32 has a first
time-out of 1 s and ten segments of window, its 3.10 has twenty.
"""

from dataclasses import replace

from tcpemu.generations import queue_rules as rules
from tcpemu.generations import reason_wording
from tcpemu.generations.linux_counters import counters_of
from tcpemu.generations.linux_sysctls import Version, limits_before, missing_before, values_before
from tcpemu.stack.base.generation import (
    ArrivalRules,
    BufferTuning,
    Generation,
    ListedWaits,
    QueueRules,
    SendingRules,
    StampOffset,
    SynAckTimer,
    SynTimer,
    WindowRules,
    Wire,
)
from tcpemu.stack.base.timer_queue import slack_expiry, tick_expiry, wheel_expiry
from tcpemu.stack.base.units import MILLISECOND, SECOND

_RMEM_6_MB = {"net.ipv4.tcp_rmem": (4096, 131072, 6291456), "net.core.rmem_max": 212992}
_NO_OFFSET = StampOffset.NONE
_HZ_100, _HZ_250 = 10 * MILLISECOND, 4 * MILLISECOND
_OLD_COOKIES = (64, 512, 536, 1024, 1440, 1460, 4312, 8960)
_OLD_IPV6_COOKIES = (64, 512, 536, 1220, 1420, 1440, 4400, 8940)
_OLDEST_COOKIES = (64, 256, 512, 536, 1024, 1440, 1460, 4312)


def _older(
    newer: Generation, version: Version, about: str, *, release: str = "", **changes: object
) -> Generation:
    """A generation as the next newer one was, but for the changes. Sysctls add up."""
    own = changes.pop("sysctls", {})
    assert isinstance(own, dict)
    missing = missing_before(version)
    return replace(
        newer,
        name=f"linux-{'.'.join(map(str, version))}",
        about=about,
        release=release,
        sysctls={**newer.sysctls, **values_before(version), **own},
        missing=missing,
        reasons=reason_wording.linux(version, missing),
        counters=counters_of(version),
        limits=limits_before(version),
        **changes,  # type: ignore[arg-type]
    )


def _before_stable(newer: Generation, release: str, about: str, **changes: object) -> Generation:
    """A kernel as it was before stable updates gave it what the newer one of the same version has."""
    return replace(newer, name=f"linux-{release}", about=about, release=release, **changes)  # type: ignore[arg-type]


def _seconds(*waits: int) -> tuple[int, ...]:
    return tuple(each * SECOND for each in waits)


def _once_more(retries: int) -> tuple[int, ...]:
    """The limit is tested after sending: one SYN more, and the end at once (2.2, tcp_timer.c: tcp_write_timeout)."""
    waits = [min(3 * SECOND << number, 120 * SECOND) for number in range(retries + 1)]
    waits.append(0)
    return tuple(waits)


def _by_200_ms(retries: int) -> tuple[int, ...]:
    """The limit is reckoned from 200 ms, and from the first repeat (2.6.32, tcp.h: retransmits_timed_out).

    What is beyond nine retries, where 200 ms doubled would exceed 120 s, counts 120 s each.
    """
    doubling = min(retries, 9)
    limit = ((2 << doubling) - 1) * SECOND // 5 + (retries - doubling) * 120 * SECOND
    waits = [3 * SECOND, 6 * SECOND]
    while sum(waits[1:]) < limit:
        waits.append(min(2 * waits[-1], 120 * SECOND))
    return tuple(waits)


LINUX_6_18 = Generation(
    name="linux-6.18",
    about="Linux 6.18 (2025) with its stable updates, as measured on 6.18.44",
    release="6.18.44",
    clamp_backlog=rules.clamp_unsigned,
    queues=QueueRules(rules.half_open_more_than, rules.accepting_more_than, rules.accepting_more_than),
    synack=SynAckTimer(decay_at=rules.half_of_backlog),
    initial_rto=SECOND,
    rto_min=SECOND // 5,
    rto_max=120 * SECOND,
    fallback_rto=3 * SECOND,
    time_wait=60 * SECOND,
    initial_cwnd=10,
    cookie_mss=(536, 1300, 1440, 1460),
    cookie_mss_ipv6=(1220, 1420, 1440, 8940),
    cookie_minutes=2,
    cookie_options=True,
    cookie_overflow=120 * SECOND,
    quick_syn=8 * MILLISECOND,
    challenges=True,
    challenges_vary=True,
    challenge_inexact_rst=True,
    request_takes_stamps=False,
    request_window_scaled=True,
    limits_replies=True,
    limits_request_acks=True,
    check_tsecr=True,
    beyond_window=True,
    fin_spoils_syn=True,
    bad_ack_kills=False,
    late_timers=wheel_expiry,
)

LINUX_7_3 = replace(
    LINUX_6_18,
    name="linux-7.3",
    about="Linux 7.3 (2026), as measured on 7.3.4",
    release="7.3.4",
    windows=WindowRules(follows_share=False, buffer_moves_clamp=True),
)

LINUX_6_18_15 = _before_stable(
    LINUX_6_18,
    "6.18.15",
    "Linux 6.18 (2025) with its first stable updates only, as measured on 6.18.15",
    challenge_inexact_rst=False,
    bad_ack_spares_request=True,
    arrivals=ArrivalRules(challenges_unsent=False),
)

LINUX_6_17 = _older(
    LINUX_6_18_15,
    (6, 17),
    "Linux 6.17 (2025), as measured on 6.17.13",
    release="6.17.13",
    sysctls={"net.core.rmem_max": 212992},
)

LINUX_6_16 = _older(
    LINUX_6_17,
    (6, 16),
    "Linux 6.16 (2025), as measured on 6.16.12",
    release="6.16.12",
    beyond_window=False,
    sending=SendingRules(ack_is_due_by_round_trip=False),
)

LINUX_6_12 = _older(
    LINUX_6_18,
    (6, 12),
    "Linux 6.12 (2024) with its stable updates, as measured on 6.12.117",
    release="6.12.117",
    sysctls=_RMEM_6_MB,
    check_tsecr=False,
    beyond_window=False,
    windows=WindowRules(follows_share=False, tuning=BufferTuning.BY_SHARE),
    arrivals=ArrivalRules(drops_old_acks=False, challenges_unsent=False, old_acks_stamp=True),
)

LINUX_6_1 = _older(
    LINUX_6_12,
    (6, 1),
    "Linux 6.1 (2022) with its stable updates, as measured on 6.1.192: half of the buffer is window",
    release="6.1.192",
    wire=Wire(stamp_offset=StampOffset.BY_PEER),
    windows=WindowRules(
        measures=False,
        follows_share=False,
        tuning=BufferTuning.BY_SEGMENTS,
        first_is_limited=True,
        small_head=512,
        pages_behind_head=False,
        none_without_memory=False,
        spares_older=False,
        least_echo=1,
    ),
    arrivals=replace(
        LINUX_6_12.arrivals,
        challenges_old_syn=False,
        overtaken_by=(1024, 1000),
        zero_window_counts=False,
        measures_beyond_hole=False,
        rehashes_repeats=True,
    ),
    sending=SendingRules(
        buffer_memory=768,
        fills_first=False,
        fin_needs_room=False,
        acks_before_least_rto=False,  # until 6.7
    ),
)

LINUX_5_10 = _older(
    LINUX_6_1,
    (5, 10),
    "Linux 5.10 (2020) with its stable updates, as measured on 5.10.262",
    release="5.10.262",
    sysctls={"net.ipv4.tcp_challenge_ack_limit": 1000},
    challenge_inexact_rst=False,
    bad_ack_spares_request=True,
    windows=replace(LINUX_6_1.windows, clamp_holds_at_once=False),
    arrivals=replace(LINUX_6_1.arrivals, takes_crossed=False, takes_old_acks=False),
    sending=replace(LINUX_6_1.sending, counts_progress=False, syn_data_is_lost=False),  # until 5.12
    counts_time_wait_at_end=True,
)

LINUX_5_10_218 = _before_stable(
    LINUX_5_10,
    "5.10.218",
    "Linux 5.10 (2020) before the stable updates of 2025: the SYN queue holds exactly the backlog",
    queues=QueueRules(rules.half_open_at_least, rules.accepting_more_than, rules.accepting_more_than),
    request_takes_stamps=True,
    windows=replace(LINUX_5_10.windows, stamps_count=False),
    sending=replace(LINUX_5_10.sending, ack_is_due_by_round_trip=False),
)

LINUX_5_4 = _older(
    LINUX_5_10_218,
    (5, 4),
    "Linux 5.4 (2019) before the stable updates of 2025, as measured on 5.4.30: somaxconn 4096, 128 before",
    release="5.4.30",
    sysctls={"net.ipv4.tcp_pingpong_thresh": 3},  # since 5.1, taken back in stable updates
    quick_syn=0,  # since 5.6: tcp_input.c, tcp_rcv_synsent_state_process
    wire=replace(LINUX_5_10_218.wire, reply_keeps_ecn=True),
    windows=replace(LINUX_5_10_218.windows, grows_without_sack=True),  # until 5.9
)

LINUX_4_19 = _older(
    LINUX_5_4,
    (4, 19),
    "Linux 4.19 (2018): twenty segments of window at first",
    sysctls={
        "net.ipv4.tcp_rmem": (4096, 87380, 6291456),
        "net.core.somaxconn": 128,
        "net.ipv4.tcp_max_syn_backlog": 1024,
        "net.ipv4.tcp_pingpong_thresh": 1,
    },
    wire=replace(LINUX_5_4.wire, window_segments=20),
    windows=replace(LINUX_5_4.windows, widens_at_start=True),
    sending=replace(LINUX_5_4.sending, pushes_pieces=False, counts_time_outs=False),
)

LINUX_4_15 = _older(
    LINUX_4_19,
    (4, 15),
    "Linux 4.15 (2018), as measured on 4.15.17: as 4.19, but for defaults",
    release="4.15.17",
    sysctls={"net.ipv4.tcp_tw_reuse": 0},
)

LINUX_4_10 = _older(
    LINUX_4_15,
    (4, 10),
    "Linux 4.10 (2017): a full accept queue drops every SYN; timestamps go by ticks of 4 ms, as in all before it",
    wire=Wire(window_segments=20, stamp_tick=_HZ_250, reply_keeps_ecn=True),
)

LINUX_4_4 = _older(
    LINUX_4_10,
    (4, 4),
    "Linux 4.4 (2016), as measured on 4.4.6: requests have timers of their own; one young request gets in beside a full"
    " accept queue",
    release="4.4.6",
    queues=QueueRules(
        rules.half_open_at_least, rules.accepting_and_young, rules.accepting_more_than, counts_cookies=True
    ),
    sysctls={"net.ipv4.tcp_challenge_ack_limit": 100},
    request_window_scaled=False,
    limits_request_acks=False,
    challenges_vary=False,
    late_timers=slack_expiry,
    wire=Wire(window_segments=20, stamp_offset=_NO_OFFSET, stamp_tick=_HZ_250, reply_keeps_ecn=True),
)

LINUX_3_10 = _older(
    LINUX_4_4,
    (3, 10),
    "Linux 3.10 (2013): one timer of the listener sends SYN|ACKs again",
    clamp_backlog=rules.clamp_16_bits,
    queues=QueueRules(
        rules.half_open_fill_table,
        rules.accepting_and_young,
        rules.accepting_more_than,
        table=rules.table_by_backlog,
        counts_cookies=True,
    ),
    synack=SynAckTimer(interval=SECOND // 5, decay_at=rules.half_of_table, outlive_listener=False),
    limits_replies=False,
    wire=Wire(window_segments=10, stamp_offset=_NO_OFFSET),
    cookie_mss=_OLD_COOKIES,
    cookie_mss_ipv6=_OLD_IPV6_COOKIES,
    cookie_minutes=4,
    cookie_overflow=3 * SECOND,
    sysctls={"net.ipv4.tcp_fastopen": 0},  # clients have it since 3.13: tcp_fastopen.c
)

LINUX_3_0 = _older(
    LINUX_3_10,
    (3, 0),
    "Linux 3.0 (2011): the first time-out is 3 s; SYNs dropped at a full accept queue are not counted",
    queues=replace(LINUX_3_10.queues, counts_at_syn=False, counts_cookies=False),
    synack=replace(LINUX_3_10.synack, restarts_on_syn=False),
    sysctls={"net.ipv4.tcp_syn_retries": 5, "net.ipv4.tcp_rmem": (4096, 87380, 4194304)},
    initial_rto=3 * SECOND,
    fin_spoils_syn=False,
    challenges=False,
    wire=Wire(window_segments=10, buffer_share=(3, 4), stamp_offset=_NO_OFFSET),
)

LINUX_2_6_32 = _older(
    LINUX_3_0,
    (2, 6, 32),
    "Linux 2.6.32 (2009): the first time-out is 3 s, for SYN|ACKs too; a client gives up after 21 s, its limit reckoned"
    " from 200 ms",
    sysctls={
        "net.ipv4.tcp_rmem": (4096, 87380, 4194304),
        "net.core.rmem_max": 131071,
        "net.ipv4.tcp_syncookies": 0,
    },
    syn=SynTimer(_by_200_ms),
    initial_cwnd=3,
    late_timers=tick_expiry,
    wire=Wire(window_segments=4, buffer_share=(3, 4), stamp_offset=_NO_OFFSET),
    cookie_mss=_OLDEST_COOKIES,
)

LINUX_2_4 = _older(
    LINUX_2_6_32,
    (2, 4),
    "Linux 2.4 (2001): a table of half-open connections whose size tcp_max_syn_backlog sets",
    clamp_backlog=rules.clamp_unsigned,
    queues=replace(LINUX_2_6_32.queues, table=rules.table_by_limit),
    sysctls={"net.ipv4.tcp_rmem": (4096, 87380, 174760), "net.core.rmem_max": 65535, "net.ipv4.tcp_ecn": 0},
    syn=SynTimer(),
    wire=Wire(
        window_segments=4,
        buffer_share=(3, 4),
        scale_by_largest=False,
        reset_ttl=255,
        stamp_offset=_NO_OFFSET,
        stamp_tick=_HZ_100,
        zero_stamp_is_none=True,
    ),
    cookie_options=False,
)

LINUX_2_2 = _older(
    LINUX_2_4,
    (2, 2),
    "Linux 2.2 (1999): the first with two queues; tcp_max_syn_backlog alone bounds the one of SYNs",
    clamp_backlog=rules.clamp_zero_to_one,
    queues=QueueRules(
        rules.half_open_more_than_limit,
        rules.never,
        rules.accepting_more_than,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(
        waits=_seconds(3, 6, 12, 24, 48, 96, 120, 120), restarts_on_syn=False, outlive_listener=False
    ),
    syn=SynTimer(_once_more),
    initial_cwnd=1,
    sysctls={
        "net.ipv4.tcp_max_syn_backlog": 128,
        "net.ipv4.tcp_syn_retries": 10,
        "net.ipv4.tcp_retries1": 7,
    },
    wire=Wire(
        fixed_window=32120,
        scale_by_largest=False,
        mss_follows_peer=True,
        reset_ttl=255,
        stamp_offset=_NO_OFFSET,
        stamp_tick=_HZ_100,
        syn_ack_echoes=False,
    ),
    unverified=(
        "SYN|ACKs come again on time here; the kernel's timer is up to 0.5 s late, and by a mistake in 2.2.1 stops"
        " when the final ACK of the only request is ignored",
    ),
)

LINUX_2_0 = _older(
    LINUX_2_2,
    (2, 0),
    "Linux 2.0 (1996): one queue holds half-open and completed connections together, exactly the backlog",
    clamp_backlog=rules.clamp_zero_to_most,
    queues=QueueRules(
        rules.never_half_open,
        rules.together_at_least,
        rules.never,
        one_queue=True,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(waits=_seconds(3, 6, 12, 24, 48, 96, 0), answers_syn=False, outlive_listener=False),
    syn=SynTimer(ListedWaits(_seconds(3, 6, 12, 24, 48, 96, 0))),
    initial_cwnd=1,
    wire=Wire(
        fixed_window=32736,
        syn_window=512,
        syn_again_window=32120,
        scale_by_largest=False,
        mss_follows_peer=True,
        reset_ttl=255,
        stamp_offset=_NO_OFFSET,
        dont_fragment=False,
    ),
    unverified=(
        "a half-open connection that is given up leaves the queue here; in the kernel it stays until accept()",
    ),
)

LINUX_1_2 = _older(
    LINUX_2_0,
    (1, 2),
    "Linux 1.2 (1995) as teaching texts have it: the backlog is cut to 5. The sources of 1.2.13 cut it at 128",
    clamp_backlog=rules.clamp_unsigned,
    sysctls={"net.core.somaxconn": 5},
    synack=SynAckTimer(
        waits=_seconds(3, 6, 12, 24, 48, 96, *[120] * 10, 0), answers_syn=False, outlive_listener=False
    ),
    syn=SynTimer(ListedWaits(_once_more(10))),
    wire=Wire(
        fixed_window=14335,
        syn_window=512,
        scale_by_largest=False,
        mss_headers=64,
        mss_follows_peer=True,
        reset_ttl=255,
        stamp_offset=_NO_OFFSET,
        dont_fragment=False,
    ),
    unverified=(
        "the cut at 5: an earlier kernel than 1.2.13 had it",
        "all peers are on the local net here; the MSS for others is 512 there",
        *LINUX_2_0.unverified,
    ),
)

LINUX = (
    LINUX_1_2,
    LINUX_2_0,
    LINUX_2_2,
    LINUX_2_4,
    LINUX_2_6_32,
    LINUX_3_0,
    LINUX_3_10,
    LINUX_4_4,
    LINUX_4_10,
    LINUX_4_15,
    LINUX_4_19,
    LINUX_5_4,
    LINUX_5_10_218,
    LINUX_5_10,
    LINUX_6_1,
    LINUX_6_12,
    LINUX_6_16,
    LINUX_6_17,
    LINUX_6_18_15,
    LINUX_6_18,
    LINUX_7_3,
)
"""From the oldest to the newest."""
