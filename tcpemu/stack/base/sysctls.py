"""The sysctls that the stack obeys, with their full names, defaults and ranges (Linux 6.18).

Documentation/networking/ip-sysctl.rst, net/ipv4/sysctl_net_ipv4.c and net/core/sysctl_net_core.c. Defaults
that the kernel works out from the machine's memory are those of a machine with 16 GiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from re import fullmatch
from typing import TypeAlias

from tcpemu.stack.base.congestion_hooks import KINDS
from tcpemu.stack.base.errors import ConfigurationError, NotEmulatedError
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.not_emulated import unemulated_sysctl

Value: TypeAlias = int | tuple[int, ...] | str
INT_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Sysctl:
    """One sysctl: a whole number, several of them, or one of a few words."""

    default: Value
    about: str
    low: int = 0
    high: int = INT_MAX
    words: tuple[str, ...] = ()
    form: str = ""
    """Of a text that is no word of a few: what it is to match."""
    example: str = ""
    """Such a text."""


_KEY = "[0-9a-fA-F]{1,8}(-[0-9a-fA-F]{1,8}){3}"
SYSCTLS: dict[str, Sysctl] = {
    "net.core.somaxconn": Sysctl(4096, "upper limit of the backlog given to listen()"),
    "net.core.rmem_max": Sysctl(4194304, "largest SO_RCVBUF, in octets", 2304),
    "net.core.wmem_max": Sysctl(4194304, "largest SO_SNDBUF, in octets", 4608),
    "net.ipv4.ip_default_ttl": Sysctl(64, "TTL of packets sent", 1, 255),
    "net.ipv4.ip_no_pmtu_disc": Sysctl(
        0, "0: DF, and segments follow ICMP; 1: no DF; 2, 3: ICMP about the MTU is ignored too", 0, 3
    ),
    "net.ipv4.route.min_pmtu": Sysctl(552, "least MTU of a path that ICMP is believed", 68),
    "net.ipv4.route.mtu_expires": Sysctl(600, "seconds for which the MTU of a path is remembered"),
    "net.ipv4.ip_local_port_range": Sysctl((32768, 60999), "ports given to connect() and bind(0)", 1, 65535),
    "net.ipv4.tcp_abort_on_overflow": Sysctl(
        0, "1: answer a final ACK that the accept queue has no room for with a RST", 0, 255
    ),
    "net.ipv4.tcp_app_win": Sysctl(31, "share of the window kept for the application: window / 2**n", 0, 31),
    "net.ipv4.tcp_base_mss": Sysctl(1024, "payload at which a search for the path's MTU begins"),
    "net.ipv4.tcp_challenge_ack_limit": Sysctl(
        INT_MAX, "challenge ACKs a second; the default is no limit", 1
    ),
    "net.ipv4.tcp_comp_sack_delay_ns": Sysctl(
        1_000_000, "longest time for which duplicate ACKs are put together, in nanoseconds", 0, 2**32 - 1
    ),
    "net.ipv4.tcp_comp_sack_nr": Sysctl(44, "duplicate ACKs that are put together at most; 0: none", 0, 255),
    "net.ipv4.tcp_comp_sack_slack_ns": Sysctl(
        100_000, "nanoseconds by which the kernel may send that ACK later still", 0, 2**32 - 1
    ),
    "net.ipv4.tcp_congestion_control": Sysctl("cubic", "how the congestion window moves", words=KINDS),
    "net.ipv4.tcp_dsack": Sysctl(1, "report duplicates by SACK", 0, 255),
    "net.ipv4.tcp_early_retrans": Sysctl(3, "3 and 4: tail loss probes; 0: none", 0, 4),
    "net.ipv4.tcp_ecn": Sysctl(2, "0: no ECN; 1: ask and answer; 2: answer when asked", 0, 2),
    "net.ipv4.tcp_ecn_fallback": Sysctl(1, "a SYN sent again does not ask for ECN", 0, 1),
    "net.ipv4.tcp_fastopen": Sysctl(
        1,
        "Fast Open, a sum: 1: as a client; 2: as a server; 4: a client needs no cookie; 0x200: a server needs none; "
        "0x400: every listener takes it, not only with TCP_FASTOPEN",
        -(2**31),
    ),
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec": Sysctl(
        0,
        "seconds without Fast Open as a client once something on the way seems to swallow it; 0: it goes on",
    ),
    "net.ipv4.tcp_fastopen_key": Sysctl(
        "",
        "the key of Fast Open's cookies, and a second one whose cookies are still good; empty: drawn at random",
        form=f"|{_KEY}(,{_KEY})?",
        example="00010203-04050607-08090a0b-0c0d0e0f",
    ),
    "net.ipv4.tcp_fin_timeout": Sysctl(60, "seconds an orphan stays in FIN_WAIT2", 0, 8589934),
    "net.ipv4.tcp_frto": Sysctl(2, "0: a time-out is never tested for being spurious (F-RTO)", 0, 255),
    "net.ipv4.tcp_invalid_ratelimit": Sysctl(500, "milliseconds between answers to segments out of window"),
    "net.ipv4.tcp_keepalive_intvl": Sysctl(75, "seconds between keepalive probes", 1, 8589934),
    "net.ipv4.tcp_keepalive_probes": Sysctl(
        9, "keepalive probes without an answer that end a connection", 0, 255
    ),
    "net.ipv4.tcp_keepalive_time": Sysctl(
        7200, "seconds of silence before the first keepalive probe", 1, 8589934
    ),
    "net.ipv4.tcp_max_orphans": Sysctl(
        131072, "connections without an owner; what is beyond is reset when it is closed"
    ),
    "net.ipv4.tcp_max_reordering": Sysctl(
        300, "segments that may overtake one at most, however many are seen to"
    ),
    "net.ipv4.tcp_max_syn_backlog": Sysctl(2048, "limit of the SYN queue when tcp_syncookies is 0"),
    "net.ipv4.tcp_max_tw_buckets": Sysctl(131072, "connections in TIME_WAIT; what is beyond ends at once"),
    "net.ipv4.tcp_min_rtt_wlen": Sysctl(
        300, "seconds for which the least round-trip time is remembered", 0, 86400
    ),
    "net.ipv4.tcp_min_tso_segs": Sysctl(2, "segments that go out at once at least", 1, 65535),
    "net.ipv4.tcp_moderate_rcvbuf": Sysctl(
        1, "the receive buffer follows what the application reads", 0, 255
    ),
    "net.ipv4.tcp_min_snd_mss": Sysctl(
        48, "least payload of a full segment, with options taken off", 48, 65535
    ),
    "net.ipv4.tcp_mtu_probe_floor": Sysctl(
        48, "least payload that a search for the path's MTU goes back to", 48, 65535
    ),
    "net.ipv4.tcp_mtu_probing": Sysctl(
        0, "data looks for the path's MTU: 1: after time-outs that look like a black hole; 2: always", 0, 255
    ),
    "net.ipv4.tcp_no_metrics_save": Sysctl(0, "1: remember nothing of closed connections", 0, 255),
    "net.ipv4.tcp_notsent_lowat": Sysctl(
        2**32 - 1, "octets that may wait unsent before send() takes no more", 0, 2**32 - 1
    ),
    "net.ipv4.tcp_orphan_retries": Sysctl(
        0, "retries for a connection without owner; 0 stands for 8", 0, 255
    ),
    "net.ipv4.tcp_pacing_ca_ratio": Sysctl(
        120, "the pace after slow start, in percent of a window a round trip", 0, 1000
    ),
    "net.ipv4.tcp_pacing_ss_ratio": Sysctl(
        200, "the pace in slow start, in percent of a window a round trip", 0, 1000
    ),
    "net.ipv4.tcp_pingpong_thresh": Sysctl(
        1, "answers with data after which data may carry the ACK, which then waits for it", 1, 255
    ),
    "net.ipv4.tcp_probe_interval": Sysctl(
        600, "seconds for which a search for the path's MTU rests when it is over", 0, 17179869
    ),
    "net.ipv4.tcp_probe_threshold": Sysctl(
        8, "octets: how close the ends of that search come before it is over"
    ),
    "net.ipv4.tcp_recovery": Sysctl(
        1,
        "RACK: 2: its window for reordering does not grow; 4: three SACKed segments do not close it",
        0,
        255,
    ),
    "net.ipv4.tcp_reflect_tos": Sysctl(0, "1: a SYN/ACK takes the DSCP of the SYN", 0, 1),
    "net.ipv4.tcp_reordering": Sysctl(3, "segments that may overtake one before it counts as lost"),
    "net.ipv4.tcp_retrans_collapse": Sysctl(1, "join small segments when sending them again", 0, 255),
    "net.ipv4.tcp_retries1": Sysctl(
        3, "retransmissions before the route is doubted; it is the only one, so nothing of that shows", 0, 255
    ),
    "net.ipv4.tcp_retries2": Sysctl(
        15, "retransmissions before an established connection is given up", 0, 255
    ),
    "net.ipv4.tcp_rfc1337": Sysctl(0, "1: a RST does not end TIME_WAIT", 0, 255),
    "net.ipv4.tcp_rmem": Sysctl(
        (4096, 131072, 33554432), "receive buffer: least, default and largest octets", 1
    ),
    "net.ipv4.tcp_rto_max_ms": Sysctl(
        120000, "longest time-out on sockets that are made from now on, in milliseconds", 1000, 120000
    ),
    "net.ipv4.tcp_rto_min_us": Sysctl(
        200000, "shortest time-out of data on sockets that are made from now on, in microseconds", 1
    ),
    "net.ipv4.tcp_sack": Sysctl(1, "selective acknowledgments", 0, 255),
    "net.ipv4.tcp_shrink_window": Sysctl(0, "1: a window that was offered may be taken back", 0, 1),
    "net.ipv4.tcp_slow_start_after_idle": Sysctl(1, "an idle connection starts again slowly", 0, 255),
    "net.ipv4.tcp_stdurg": Sysctl(
        0, "1: the urgent pointer points at the urgent octet, as RFC 1122 has it; 0: behind it", 0, 255
    ),
    "net.ipv4.tcp_syn_linear_timeouts": Sysctl(4, "SYN timeouts before they double", 0, 127),
    "net.ipv4.tcp_syn_retries": Sysctl(6, "times a SYN is sent again", 1, 127),
    "net.ipv4.tcp_synack_retries": Sysctl(5, "times a SYN/ACK is sent again", 0, 255),
    "net.ipv4.tcp_syncookies": Sysctl(1, "0: never; 1: when the SYN queue is full; 2: always", 0, 2),
    "net.ipv4.tcp_thin_linear_timeouts": Sysctl(
        0, "1: the first six time-outs do not double where fewer than four segments are under way", 0, 255
    ),
    "net.ipv4.tcp_timestamps": Sysctl(1, "0: none; 1: with an offset for each flow; 2: without", 0, 2),
    "net.ipv4.tcp_tso_rtt_log": Sysctl(
        9, "the least round-trip time, in units of 2**n microseconds, halves what goes out at once", 0, 255
    ),
    "net.ipv4.tcp_tso_win_divisor": Sysctl(
        3, "a share of the window that goes out at once, without waiting for more", 0, 255
    ),
    "net.ipv4.tcp_tw_reuse": Sysctl(
        2, "connect() takes the port of a TIME_WAIT: 0 never, 1 with timestamps, 2 only on loopback", 0, 2
    ),
    "net.ipv4.tcp_tw_reuse_delay": Sysctl(
        1000, "milliseconds in TIME_WAIT before tcp_tw_reuse lets connect() take the port", 1, 60000
    ),
    "net.ipv4.tcp_window_scaling": Sysctl(1, "window scale option", 0, 255),
    "net.ipv4.tcp_wmem": Sysctl((4096, 16384, 4194304), "send buffer: least, default and largest octets", 1),
    "net.ipv4.tcp_workaround_signed_windows": Sysctl(0, "1: no first window above 32767", 0, 255),
    "net.ipv6.auto_flowlabels": Sysctl(1, "1, 3: a flow label for each flow of IPv6; 0, 2: none", 0, 3),
    "net.ipv6.bindv6only": Sysctl(0, "1: a new socket of IPv6 is IPV6_V6ONLY and takes no IPv4", 0, 1),
    "net.ipv6.route.min_adv_mss": Sysctl(1220, "least MSS that is announced over IPv6"),
    "net.ipv6.route.mtu_expires": Sysctl(
        600, "seconds for which the MTU of a path is remembered that ICMPv6 told of"
    ),
}
"""Every sysctl that can be set, by its full name."""


class Sysctls:
    """The values in force in one host; each is an attribute named by the last part of its name.

    Of net.ipv6 with `ipv6_` before it.
    """

    somaxconn: int
    rmem_max: int
    wmem_max: int
    ip_default_ttl: int
    ip_no_pmtu_disc: int
    min_pmtu: int
    mtu_expires: int
    ip_local_port_range: tuple[int, int]
    tcp_abort_on_overflow: int
    tcp_app_win: int
    tcp_base_mss: int
    tcp_challenge_ack_limit: int
    tcp_comp_sack_delay_ns: int
    tcp_comp_sack_nr: int
    tcp_comp_sack_slack_ns: int
    tcp_congestion_control: str
    tcp_dsack: int
    tcp_early_retrans: int
    tcp_ecn: int
    tcp_ecn_fallback: int
    tcp_fastopen: int
    tcp_fastopen_blackhole_timeout_sec: int
    tcp_fastopen_key: str
    tcp_fin_timeout: int
    tcp_frto: int
    tcp_invalid_ratelimit: int
    tcp_keepalive_intvl: int
    tcp_keepalive_probes: int
    tcp_keepalive_time: int
    tcp_max_orphans: int
    tcp_max_reordering: int
    tcp_max_syn_backlog: int
    tcp_max_tw_buckets: int
    tcp_min_rtt_wlen: int
    tcp_min_tso_segs: int
    tcp_moderate_rcvbuf: int
    tcp_min_snd_mss: int
    tcp_mtu_probe_floor: int
    tcp_mtu_probing: int
    tcp_no_metrics_save: int
    tcp_notsent_lowat: int
    tcp_orphan_retries: int
    tcp_pacing_ca_ratio: int
    tcp_pacing_ss_ratio: int
    tcp_pingpong_thresh: int
    tcp_probe_interval: int
    tcp_probe_threshold: int
    tcp_recovery: int
    tcp_reflect_tos: int
    tcp_reordering: int
    tcp_retrans_collapse: int
    tcp_retries1: int
    tcp_retries2: int
    tcp_rfc1337: int
    tcp_rmem: tuple[int, int, int]
    tcp_rto_max_ms: int
    tcp_rto_min_us: int
    tcp_sack: int
    tcp_shrink_window: int
    tcp_slow_start_after_idle: int
    tcp_stdurg: int
    tcp_syn_linear_timeouts: int
    tcp_syn_retries: int
    tcp_synack_retries: int
    tcp_syncookies: int
    tcp_thin_linear_timeouts: int
    tcp_timestamps: int
    tcp_tso_rtt_log: int
    tcp_tso_win_divisor: int
    tcp_tw_reuse: int
    tcp_tw_reuse_delay: int
    tcp_window_scaling: int
    tcp_wmem: tuple[int, int, int]
    tcp_workaround_signed_windows: int
    ipv6_auto_flowlabels: int
    ipv6_bindv6only: int
    ipv6_min_adv_mss: int
    ipv6_mtu_expires: int

    def __init__(self, generation: Generation, settings: Mapping[str, object]) -> None:
        self._generation = generation
        for name, sysctl in SYSCTLS.items():
            setattr(self, attribute(name), generation.sysctls.get(name, sysctl.default))
        for name, value in settings.items():
            self.set(name, value)

    def set(self, name: str, value: object) -> None:
        """Give a sysctl another value, as `sysctl -w` would. Raises ConfigurationError."""
        kernel = self._generation
        if name in kernel.missing:
            raise ConfigurationError(f"{name} is not there in {kernel.name}: {kernel.missing[name]}")
        parsed = parse(name, value)
        limit = kernel.limits.get(name)
        if limit is not None and isinstance(parsed, int) and parsed > limit:
            raise ConfigurationError(f"{name} is {value!r}; in {kernel.name} it can be {limit} at most")
        setattr(self, attribute(name), parsed)

    def __reduce__(self) -> tuple[object, ...]:
        """Copied or pickled: its kernel, and every value in force."""
        return _again, (self._generation, {name: self.get(name) for name in SYSCTLS})

    def get(self, name: str) -> Value:
        """The value of a sysctl by its full name. Raises ConfigurationError where there is none."""
        _known(name)
        value: Value = getattr(self, attribute(name))
        return value


def _again(generation: Generation, values: Mapping[str, Value]) -> Sysctls:
    """Settings that were copied or pickled."""
    sysctls = Sysctls(generation, {})
    for name, value in values.items():
        setattr(sysctls, attribute(name), value)
    return sysctls


def parse(name: str, value: object) -> Value:
    """The value that the text or number stands for. Raises ConfigurationError, saying what would be right."""
    sysctl = _known(name)
    if sysctl.words:
        if value not in sysctl.words:
            raise ConfigurationError(f"{name} is {value!r}; it can be {' or '.join(sysctl.words)}")
        return str(value)
    if isinstance(sysctl.default, str):
        return _text(name, sysctl, value)
    wanted = len(sysctl.default) if isinstance(sysctl.default, tuple) else 1
    numbers = _numbers(value)
    if numbers is None or len(numbers) != wanted:
        form = "a whole number" if wanted == 1 else f"{wanted} whole numbers"
        raise ConfigurationError(f"{name} is {value!r}; it takes {form}: {sysctl.about}")
    for number in numbers:
        if not sysctl.low <= number <= sysctl.high:
            raise ConfigurationError(
                f"{name} is {value!r}; it can be {sysctl.low} to {sysctl.high}: {sysctl.about}"
            )
    return numbers[0] if wanted == 1 else numbers


def _text(name: str, sysctl: Sysctl, value: object) -> str:
    if not isinstance(value, str) or not fullmatch(sysctl.form, value.strip()):
        raise ConfigurationError(f"{name} is {value!r}; it is such as {sysctl.example!r}: {sysctl.about}")
    return value.strip()


def _numbers(value: object) -> tuple[int, ...] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return (value,)
    parts = value.split() if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        return None
    try:
        return tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        return None


_NEAR = 0.84
"""How much alike two names have to be (difflib): tcp_rmen and tcp_rmem are, tcp_foo and tcp_fack are not."""


def _known(name: str) -> Sysctl:
    sysctl = SYSCTLS.get(name)
    if sysctl is None:
        if (words := unemulated_sysctl(name)) is not None:
            raise NotEmulatedError(f"{name} is {words}")
        near = nearest_sysctl(name)
        hint = f"; did you mean {near}?" if near else ""
        raise ConfigurationError(f"there is no sysctl {name} here{hint}")
    return sysctl


def nearest_sysctl(name: str) -> str | None:
    """The sysctl that somebody may have meant who wrote this name; None where there is none that is near.

    What all have in common at the beginning says nothing of that: their own names are compared.
    """
    own = {known.rpartition(".")[2]: known for known in SYSCTLS}
    near = get_close_matches(name.rpartition(".")[2], own, 1, _NEAR)
    return own[near[0]] if near else None


def attribute(name: str) -> str:
    """The short name of a sysctl, by which rules ask for it."""
    return ("ipv6_" if name.startswith("net.ipv6.") else "") + name.rpartition(".")[2]
