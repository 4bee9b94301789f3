"""Linux kernels, the newest first: each is the next newer one with what was different then."""

from dataclasses import replace

from tcpemu.generations import queues as rules
from tcpemu.generations.linux_sysctls import Version, missing_before, values_before
from tcpemu.stack.generation import Generation, QueueRules, SynAckTimer, Wire
from tcpemu.stack.units import SECOND

_RMEM_6_MB = {"net.ipv4.tcp_rmem": (4096, 131072, 6291456), "net.core.rmem_max": 212992}
_RMEM_87380 = {"net.ipv4.tcp_rmem": (4096, 87380, 6291456), "net.core.rmem_max": 212992}
_SMALL_BACKLOGS = {"net.core.somaxconn": 128, "net.ipv4.tcp_max_syn_backlog": 512}


def _older(newer: Generation, version: Version, about: str, **changes: object) -> Generation:
    """A generation as the next newer one was, but for the changes. Sysctls add up."""
    sysctls = {**newer.sysctls, **values_before(version), **changes.pop("sysctls", {})}  # type: ignore[dict-item]
    name = f"linux-{'.'.join(map(str, version))}"
    return replace(
        newer,
        name=name,
        about=about,
        sysctls=sysctls,
        missing=missing_before(version),
        **changes,  # type: ignore[arg-type]
    )


def _twice(*seconds: int) -> tuple[int, ...]:
    return tuple(each * SECOND for each in seconds)


LINUX_6_18 = Generation(
    name="linux-6.18",
    about="Linux 6.18 (2025), as measured on 6.18.44",
    clamp_backlog=rules.clamp_unsigned,
    queues=QueueRules(rules.half_open_more_than, rules.accepting_more_than, rules.accepting_more_than),
    synack=SynAckTimer(decay_at=rules.half_of_backlog),
)

LINUX_6_12 = _older(
    LINUX_6_18,
    (6, 12),
    "Linux 6.12 with its stable updates (2024-2026), as read in 6.12.117",
    sysctls=_RMEM_6_MB,
    check_tsecr=False,
    beyond_window=False,
)

LINUX_6_1 = _older(
    LINUX_6_12,
    (6, 1),
    "Linux 6.1 (2022) before the stable updates of 2025",
    queues=QueueRules(rules.half_open_at_least, rules.accepting_more_than, rules.accepting_more_than),
    challenge_inexact_rst=False,
)

LINUX_5_10 = _older(LINUX_6_1, (5, 10), "Linux 5.10 (2020) before the stable updates of 2025")

LINUX_5_4 = _older(LINUX_5_10, (5, 4), "Linux 5.4 (2019) before the stable updates of 2025")

LINUX_4_19 = _older(
    LINUX_5_4,
    (4, 19),
    "Linux 4.19 (2018)",
    sysctls={**_RMEM_87380, **_SMALL_BACKLOGS},
    wire=Wire(window_segments=20),
)

LINUX_4_10 = _older(LINUX_4_19, (4, 10), "Linux 4.10 (2017): a full accept queue drops every SYN")

LINUX_4_4 = _older(
    LINUX_4_10,
    (4, 4),
    "Linux 4.4 (2016): requests have timers of their own; one young request is let in beside a full queue",
    queues=QueueRules(rules.half_open_at_least, rules.accepting_and_young, rules.accepting_more_than),
    wire=Wire(window_segments=20, random_stamps=False),
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
    ),
    synack=SynAckTimer(interval=SECOND // 5, decay_at=rules.half_of_table, restarts_on_syn=False),
    limits_replies=False,
    cookie_mss=(536, 1300, 1440, 1460),
    cookie_minutes=4,
    cookie_overflow=3 * SECOND,
)

LINUX_3_0 = _older(
    LINUX_3_10,
    (3, 0),
    "Linux 3.0 (2011): the first time-out is 3 s; SYNs dropped at a full accept queue are not counted",
    queues=replace(LINUX_3_10.queues, counts_at_syn=False),
    sysctls={"net.ipv4.tcp_syn_retries": 5},
    initial_rto=3 * SECOND,
    wire=Wire(window_segments=10, random_stamps=False),
    challenges=False,
    cookie_mss=(64, 512, 536, 1024, 1440, 1460, 4312, 8960),
)

LINUX_2_6_32 = _older(
    LINUX_3_0,
    (2, 6, 32),
    "Linux 2.6.32 (2009)",
    sysctls={"net.ipv4.tcp_rmem": (4096, 87380, 4194304), "net.core.rmem_max": 131071},
    initial_cwnd=3,
    wire=Wire(window_segments=4, buffer_share=(3, 4), random_stamps=False),
)

LINUX_2_4 = _older(
    LINUX_2_6_32,
    (2, 4),
    "Linux 2.4 (2001): two queues; the final ACK is ignored when the accept queue is full",
    clamp_backlog=rules.clamp_unsigned,
    queues=replace(LINUX_2_6_32.queues, table=rules.table_by_limit),
    sysctls={
        "net.ipv4.tcp_rmem": (4096, 87380, 174760),
        "net.core.rmem_max": 65535,
        "net.ipv4.tcp_max_syn_backlog": 256,
        "net.ipv4.tcp_syncookies": 0,
    },
    wire=Wire(window_segments=4, buffer_share=(3, 4), scale_by_largest=False, random_stamps=False),
)

LINUX_2_2 = _older(
    LINUX_2_4,
    (2, 2),
    "Linux 2.2 (1999): the first with two queues; tcp_max_syn_backlog alone bounds the SYN queue",
    clamp_backlog=rules.clamp_zero_to_one,
    queues=QueueRules(
        rules.half_open_more_than_limit,
        rules.never,
        rules.accepting_more_than,
        counts_at_syn=False,
        keeps_reserve=False,
    ),
    synack=SynAckTimer(waits=_twice(3, 6, 12, 24, 48, 96, 120, 120), restarts_on_syn=False),
    sysctls={"net.ipv4.tcp_max_syn_backlog": 128, "net.ipv4.tcp_rmem": (4096, 65535, 65535)},
    wire=Wire(buffer_share=(1, 2), scale_by_largest=False, random_stamps=False),
    unverified=("SYN|ACKs come again at their exact times here; the kernel's timer was coarser",),
)

LINUX_2_0 = _older(
    LINUX_2_2,
    (2, 0),
    "Linux 2.0 (1996): one queue holds half-open and completed connections, exactly the backlog",
    clamp_backlog=rules.clamp_zero_to_most,
    queues=QueueRules(
        rules.never_half_open, rules.together_at_least, rules.never, counts_at_syn=False, keeps_reserve=False
    ),
    synack=SynAckTimer(waits=_twice(3, 6, 12, 24, 48, 96, 120), restarts_on_syn=False),
    wire=Wire(fixed_window=32736, scale_by_largest=False, random_stamps=False),
    initial_cwnd=1,
    unverified=("the first window",),
)

LINUX_1_2 = _older(
    LINUX_2_0,
    (1, 2),
    "Linux 1.2 (1995) as teaching texts have it: the backlog is cut to 5. Mirrors of 1.2.13 cut it at 128",
    clamp_backlog=rules.clamp_unsigned,
    sysctls={"net.core.somaxconn": 5},
    synack=SynAckTimer(
        waits=_twice(3, 6, 12, 24, 48, 96, 120, 120, 120, 120, 120, 120, 120, 120, 120, 120),
        restarts_on_syn=False,
    ),
    unverified=("the cut at 5: an earlier kernel than 1.2.13 had it", "the first window"),
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
    LINUX_4_19,
    LINUX_5_4,
    LINUX_5_10,
    LINUX_6_1,
    LINUX_6_12,
    LINUX_6_18,
)
