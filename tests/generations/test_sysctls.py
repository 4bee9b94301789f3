"""Which sysctls each generation has, and what they are when nobody sets them."""

import pytest

from tcpemu.generations import GENERATIONS
from tcpemu.stack import SYSCTLS, ConfigurationError
from tcpemu.stack.base.sysctls import attribute
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench import fails
from tcpemu.testing.bench.bench_values import PORT, sysctl_of
from tests.generations.rows import LINUX, OTHERS, bench, each, rows, since, until

_SINCE = {
    "somaxconn": ("linux-2.6.32", "2.4.25"),
    "abort_on_overflow": ("linux-2.4", "2.4"),
    "max_syn_backlog": ("linux-2.2", "2.2"),
    "syncookies": ("linux-2.2", "2.2"),
    "syn_retries": ("linux-2.2", "2.2"),
    "synack_retries": ("linux-2.4", "2.4"),
    "ecn": ("linux-2.4", "2.4"),
    "timestamps": ("linux-2.2", "2.2"),
    "sack": ("linux-2.2", "2.2"),
    "window_scaling": ("linux-2.2", "2.2"),
    "early_retrans": ("linux-3.10", "3.5"),
    "challenge_ack_limit": ("linux-3.10", "3.6"),
    "invalid_ratelimit": ("linux-4.4", "4.0"),
    "ecn_fallback": ("linux-4.4", "4.2"),
    "reflect_tos": ("linux-5.10.218", "5.10"),
    "syn_linear_timeouts": ("linux-6.12", "6.5"),
    "rto_max_ms": ("linux-6.16", "6.15"),
    "rto_min_us": ("linux-6.12", "6.11"),
    "pingpong_thresh": ("linux-6.12", "6.7"),
}
"""The oldest generation that has it, and the version that its absence is explained by."""


def default(name, sysctl):
    return bench(name).host.sysctls.get(sysctl_of(sysctl))


@pytest.mark.parametrize("sysctl", _SINCE)
def test_a_sysctl_that_came_later_cannot_be_set_and_it_says_since_when_there_is_one(sysctl):
    oldest, version = _SINCE[sysctl]
    for name in LINUX:
        host = bench(name).host
        value = host.sysctls.get(sysctl_of(sysctl))
        if name in since(oldest):
            host.set_sysctl(sysctl_of(sysctl), value)
            continue
        with pytest.raises(ConfigurationError) as caught:
            host.set_sysctl(sysctl_of(sysctl), value)
        assert str(caught.value) == (
            f"{sysctl_of(sysctl)} is not there in {name}: Linux has it since {version}"
        )


def complaint(call, *args, **kwargs):
    """What a call says that it does not like."""
    try:
        call(*args, **kwargs)
    except ConfigurationError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", GENERATIONS)
def test_what_cannot_be_set_later_cannot_be_set_at_the_start(name):
    host = bench(name).host
    for sysctl in SYSCTLS:
        value = host.sysctls.get(sysctl)
        later = complaint(host.set_sysctl, sysctl, value)
        assert complaint(bench, name, **{attribute(sysctl): value}) == later


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_linux_has_somaxconn_and_no_other(name):
    host = bench(name).host
    host.set_sysctl("net.core.somaxconn", 3)
    for sysctl in SYSCTLS:
        if sysctl != "net.core.somaxconn":
            with pytest.raises(
                ConfigurationError, match=f"{sysctl} is not there in {name}: it is a sysctl of Linux"
            ):
                host.set_sysctl(sysctl, host.sysctls.get(sysctl))


# --- defaults -----------------------------------------------------------------------------------------


@each(
    {
        "linux-1.2": 5,
        **rows(since("linux-2.0", "linux-4.19"), 128),
        **rows(since("linux-5.4"), 4096),
        "bsd-4.4": 5,
        **rows(["freebsd-14", "macos-15", "solaris"], 128),
        "windows-2003": 200,
    }
)
def test_the_most_that_listen_gives(name, value):
    assert default(name, "somaxconn") == value


@each(
    {"linux-2.2": 128, **rows(since("linux-2.4", "linux-4.19"), 1024), **rows(since("linux-5.4"), 2048)},
    only=since("linux-2.2"),
)
def test_tcp_max_syn_backlog_of_a_large_machine(name, value):
    """tcp.c: tcp_init: by the number of entries for connections / 256, / 128 since 5.4."""
    assert default(name, "max_syn_backlog") == value


@each({**rows(until("linux-2.6.32"), 0), **rows(since("linux-3.0"), 1), **rows(OTHERS, 0)})
def test_tcp_syncookies(name, value):
    assert default(name, "syncookies") == value


@each(
    {"linux-2.2": 10, **rows(since("linux-2.4", "linux-3.0"), 5), **rows(since("linux-3.10"), 6)},
    only=since("linux-2.2"),
)
def test_tcp_syn_retries(name, value):
    assert default(name, "syn_retries") == value


@each({"linux-2.2": 7, **rows(since("linux-2.4"), 3)}, only=since("linux-2.2"))
def test_tcp_retries1(name, value):
    """tcp_timer.c of 2.2.1: TCP_RETR1 is 7, and SYN|ACKs go by it."""
    assert default(name, "retries1") == value


@each(rows(since("linux-2.4"), 5), only=since("linux-2.4"))
def test_tcp_synack_retries(name, value):
    assert default(name, "synack_retries") == value


@each(
    {**rows(until("linux-2.4"), 0), **rows(since("linux-2.6.32"), 2)},
    only=LINUX,
)
def test_tcp_ecn(name, value):
    assert default(name, "ecn") == value


@each(
    {
        "linux-3.10": 100,
        "linux-4.4": 100,
        **rows(since("linux-4.10", "linux-5.10"), 1000),
        **rows(since("linux-6.1"), 2**31 - 1),
    },
    only=since("linux-3.10"),
)
def test_tcp_challenge_ack_limit(name, value):
    assert default(name, "challenge_ack_limit") == value


@each(
    {
        "linux-2.4": (87380, 174760),
        "linux-2.6.32": (87380, 4194304),
        "linux-3.0": (87380, 4194304),
        **rows(since("linux-3.10", "linux-4.19"), (87380, 6291456)),
        **rows(since("linux-5.4", "linux-6.12"), (131072, 6291456)),
        **rows(since("linux-6.16"), (131072, 33554432)),
    },
    only=since("linux-2.4"),
)
def test_tcp_rmem(name, value):
    assert default(name, "rmem")[1:] == value


# --- values -------------------------------------------------------------------------------------------


def allowed(name, sysctl, value):
    return complaint(bench, name, **{sysctl: value}) is None


@each(
    {**rows(since("linux-2.2", "linux-3.10"), False), **rows(since("linux-4.4"), True)},
    only=since("linux-2.2"),
)
def test_cookies_can_be_sent_always_since_3_13(name, value):
    assert allowed(name, "syncookies", 2) is value


@each(
    {**rows(since("linux-2.2", "linux-4.4"), False), **rows(since("linux-4.10"), True)},
    only=since("linux-2.2"),
)
def test_timestamps_can_be_sent_without_offset_since_4_10(name, value):
    assert allowed(name, "timestamps", 2) is value


@each(
    {"linux-3.10": False, **rows(since("linux-4.4"), True)},
    only=since("linux-3.10"),
)
def test_somaxconn_is_at_most_65535_until_4_0(name, value):
    assert allowed(name, "somaxconn", 65536) is value


# --- what they do -------------------------------------------------------------------------------------


@each(
    {
        "linux-2.2": ([0, 3, 9, 21], 21),
        "linux-2.4": ([0, 3, 9], 21),
        "linux-2.6.32": ([0, 3], 9),
        "linux-3.0": ([0, 3, 9], 21),
        **rows(since("linux-3.10", "linux-6.1"), ([0, 1, 3], 7)),
        **rows(since("linux-6.12"), ([0, 1, 2, 3, 4, 5], 7)),
    },
    only=since("linux-2.2"),
)
def test_tcp_syn_retries_of_2(name, value):
    """2.2 tests after sending; 2.6.32 reckons its limit from 200 ms, and 1.4 s are over when it first looks."""
    times, end = value
    host = bench(name, syn_retries=2)
    conn = host.socket()
    conn.bind(PORT)
    with fails("EINPROGRESS"):
        conn.connect()
    host.run(int(end * SECOND) - 1)
    assert conn.error == ""
    host.run(end * SECOND)
    assert conn.error == "ETIMEDOUT"
    host.run(100 * SECOND)
    assert host.times("S") == times
