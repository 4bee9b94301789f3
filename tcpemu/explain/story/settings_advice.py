"""Which settings would have changed a turning point, by the reason behind it, with what they are now.

A setting that the kernel of the host does not have is not named.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tcpemu.explain.facts.queue_limits import assumed_queues
from tcpemu.explain.facts.row_notes import BLACK_HOLE, FIN_WAIT2_OVER, ZERO_WINDOW
from tcpemu.explain.facts.rows import ListenerQueues
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.story.full_queues import ACCEPT_FULL, QUEUE_FULL, SYN_FULL
from tcpemu.network.endpoint import KnownHost
from tcpemu.stack.base.events import GivenUp
from tcpemu.stack.base.sysctls import Value
from tcpemu.stack.base.units import MILLISECOND

_HUGE = 1 << 30
LONE = "LONE_END"
"""Stands for the reason behind an end that stays open though its peer is gone."""


@dataclass(frozen=True, slots=True)
class SettingsCase:
    """A turning point at a host."""

    reason: str
    host: KnownHost | None
    """None where it has no TCP, or none whose settings are known."""
    name: str
    queues: ListenerQueues | None
    asked: int | None = None
    """The backlog that listen() was called with, where it is known."""
    given_up: GivenUp | None = None
    """For a timer that gave up: what decided that."""
    syncnt: int | None = None
    """The TCP_SYNCNT of its socket, where one is set."""
    crowd: int = 0
    """How many SYNs in the whole run found the SYN queue of this listener full, each connection counted once."""

    others: bool = False
    """Whether others listen on the port, by SO_REUSEPORT."""

    crossed: bool = False
    """Whether the segment and a FIN the other way crossed."""

    control: str = ""
    """The congestion control of the sender, for what is about a transfer."""
    lost: str = ""
    """How the first packet of the transfer that was lost was lost; empty where none was."""

    def now(self, sysctl: str) -> Value | None:
        """The value in force; None where this kernel has no such setting."""
        if self.host is None or sysctl in self.host.generation.missing:
            return None
        return self.host.sysctls.get(sysctl)


Advice: TypeAlias = Callable[[SettingsCase], Iterator[str]]


def settings_advice(case: SettingsCase) -> str:
    """The settings in a line, without a full stop; empty where none would have changed it."""
    words = (text for change in _CHANGES.get(case.reason, ()) for text in change(case))
    return "; ".join(words)


def _backlog(case: SettingsCase) -> Iterator[str]:
    if case.queues is None:
        return
    most = case.now("net.core.somaxconn")
    backlog = case.queues.backlog
    if case.asked is not None and case.asked != backlog and (case.asked > backlog or case.asked <= 0):
        if most == backlog:
            yield f"net.core.somaxconn above {most}, which caps the {case.asked} that listen() asked for"
        elif case.asked <= 0:
            yield f"a backlog above {backlog}"
    elif isinstance(most, int) and backlog >= most:
        yield f"net.core.somaxconn above {most}, which caps every backlog, and a backlog above {backlog}"
    else:
        cap = "" if most is None else f" (net.core.somaxconn, now {most}, caps it)"
        yield f"a backlog above {backlog}{cap}"


def _accept(_: SettingsCase) -> Iterator[str]:
    yield "a program that calls accept() sooner"


def _abort(case: SettingsCase) -> Iterator[str]:
    match case.now("net.ipv4.tcp_abort_on_overflow"):
        case 0:
            yield "net.ipv4.tcp_abort_on_overflow = 1 (now 0): a RST tells the client at once"
        case 1:
            yield "net.ipv4.tcp_abort_on_overflow = 0 (now 1): the ACK is ignored, and the SYN|ACK comes again"


def _syn_ack_retries(case: SettingsCase) -> Iterator[str]:
    if case.given_up is not None:
        yield from _given_up(case)
        return
    now = case.now("net.ipv4.tcp_synack_retries")
    if now is not None and case.host and not case.host.generation.synack.waits:
        yield f"net.ipv4.tcp_synack_retries (now {now}): how often a SYN|ACK is sent again"


def _syn_retries(case: SettingsCase) -> Iterator[str]:
    if case.syncnt is not None:
        yield f"the socket option TCP_SYNCNT of {case.name} (now {case.syncnt}){_until_given_up(case, case.syncnt)}"
        return
    now = case.now("net.ipv4.tcp_syn_retries")
    if isinstance(now, int):
        yield f"net.ipv4.tcp_syn_retries of {case.name} (now {now}){_until_given_up(case, now)}"


def _until_given_up(case: SettingsCase, tries: int) -> str:
    """How long connect() tries with so many retries (tcp_timer.c: tcp_write_timeout): by number and by time."""
    if case.host is None or case.host.generation.syn.waits(tries):
        return ": how often a SYN is sent again"
    kernel, linear = case.host.generation, case.now("net.ipv4.tcp_syn_linear_timeouts")
    most = case.now("net.ipv4.tcp_rto_max_ms")
    longest = most * MILLISECOND if isinstance(most, int) else kernel.rto_max
    span = span_words(sum(min(kernel.initial_rto << number, longest) for number in range(tries + 1)))
    if not isinstance(linear, int) or not linear:
        return f": connect() gives up after {count(tries, 'repeat')}, {span}"
    return (
        f": connect() gives up at the first time-out after {span}, or sooner if {tries + linear} repeats have been "
        f"sent: {linear} that are {span_words(kernel.initial_rto)} apart (net.ipv4.tcp_syn_linear_timeouts), and "
        f"{tries} more"
    )


def _given_up(case: SettingsCase) -> Iterator[str]:
    """The setting that decided when a connection was given up."""
    decided = case.given_up
    if decided is None:
        return
    if decided.setting == "TCP_SYNCNT" and case.reason in {"SYN_TIMED_OUT", "SYN_AGAIN"}:
        yield from _syn_retries(replace(case, syncnt=decided.value))
        return
    if decided.setting.startswith("TCP_"):
        unit = " ms" if decided.setting == "TCP_USER_TIMEOUT" else ""
        yield f"the socket option {decided.setting} of {case.name} (now {decided.value}{unit})"
        return
    if decided.setting == "net.ipv4.tcp_syn_retries":
        yield from _syn_retries(case)
        return
    now = case.now(decided.setting)
    if now is not None:
        counts = ", which counts as 8" if decided.setting.endswith("orphan_retries") and not now else ""
        yield f"{decided.setting} of {case.name} (now {now}{counts}): {_DECIDES[decided.setting]}"
        if decided.setting == "net.ipv4.tcp_retries2":
            yield "or TCP_USER_TIMEOUT, which sets the time itself"


def _keepalive_pace(case: SettingsCase) -> Iterator[str]:
    """When probing begins, and how fast it goes on."""
    first, between = case.now("net.ipv4.tcp_keepalive_time"), case.now("net.ipv4.tcp_keepalive_intvl")
    if first is not None:
        yield f"TCP_KEEPIDLE: when probing begins (without it net.ipv4.tcp_keepalive_time, now {first} s)"
    if between is not None:
        yield f"TCP_KEEPINTVL: how often it probes (without it net.ipv4.tcp_keepalive_intvl, now {between} s)"


_DECIDES = {
    "net.ipv4.tcp_retries2": "how many time-outs, each twice as long as the one before, unacknowledged data is given",
    "net.ipv4.tcp_orphan_retries": "how many such time-outs a connection is given that no program holds any more",
    "net.ipv4.tcp_keepalive_probes": "how many keepalive probes may go without an answer",
    "net.ipv4.tcp_rto_max_ms": "the longest time-out, of which two may pass without a word",
}


def _words(text: str) -> Advice:
    """Advice that no setting gives."""

    def advice(_: SettingsCase) -> Iterator[str]:
        yield text

    return advice


def _keepalive(case: SettingsCase) -> Iterator[str]:
    """What finds out that a peer is gone to which there is nothing to send."""
    first, between, probes = map(case.now, _KEEPALIVE)
    if isinstance(first, int) and isinstance(between, int) and isinstance(probes, int):
        yield (
            f"SO_KEEPALIVE on the sockets of {case.name}: after {first} s of silence it probes, and {probes} probes "
            f"without an answer, {between} s apart, end the connection, {first + probes * between} s after the last "
            f"segment (net.ipv4.tcp_keepalive_time, _intvl and _probes; of one socket TCP_KEEPIDLE, TCP_KEEPINTVL, "
            "TCP_KEEPCNT)"
        )
    yield "a program that does not wait without a limit"


def _fin_timeout(case: SettingsCase) -> Iterator[str]:
    now = case.now("net.ipv4.tcp_fin_timeout")
    if now is not None:
        yield (
            f"net.ipv4.tcp_fin_timeout of {case.name} (now {now} s; of one socket TCP_LINGER2): how long FIN-WAIT-2 "
            "lasts once close() has let go of the socket"
        )


_KEEPALIVE = tuple(f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes"))


def _read_to_end(case: SettingsCase) -> Iterator[str]:
    yield (
        f"a program at {case.name} that calls shutdown(SHUT_WR), reads until recv() gives the end of the stream, and "
        "only then close()"
    )
    if case.crossed:
        yield f"where {case.name} closes what is idle: a peer that stops using a connection before {case.name} does"


def _migrate(case: SettingsCase) -> Iterator[str]:
    if case.others:
        yield f"{_MIGRATE}, which gives what waits to another listener of the port"


_MIGRATE = "net.ipv4.tcp_migrate_req = 1 (Linux 5.14 and later; not emulated)"


_more_may_come = _words(
    "where more may come: shutdown(SHUT_WR), then recv() until the end of the stream, then close()"
)


def _cookies(case: SettingsCase) -> Iterator[str]:
    """Never to switch them off: who has them is better off with them."""
    if case.now("net.ipv4.tcp_syncookies") == 0:
        yield "net.ipv4.tcp_syncookies = 1 (now 0): SYNs beyond the limit are answered with cookies"


def _cookies_always(case: SettingsCase) -> Iterator[str]:
    if case.now("net.ipv4.tcp_syncookies") == 2:
        yield "net.ipv4.tcp_syncookies = 1 (now 2): cookies only while the SYN queue is full"


def _max_syn_backlog(case: SettingsCase) -> Iterator[str]:
    now = case.now("net.ipv4.tcp_max_syn_backlog")
    if now is not None:
        yield f"net.ipv4.tcp_max_syn_backlog above {now}"


def _syn_limit(case: SettingsCase) -> Iterator[str]:
    """What limits the SYN queue of this kernel: the backlog, tcp_max_syn_backlog or both."""
    now = case.now("net.ipv4.tcp_max_syn_backlog")
    if case.host is None or case.queues is None or not isinstance(now, int):
        yield from _backlog(case)
        return
    backlog = case.queues.backlog
    if case.crowd > max(backlog, _A_FLOOD):
        yield from _for_a_crowd(case)
        return
    if not _syn_full(case, _HUGE, now) or _syn_full(case, backlog, _HUGE):
        yield from _backlog(case)
    if not _syn_full(case, backlog, _HUGE):
        yield from _max_syn_backlog(case)


_A_FLOOD = 50
"""So many SYNs beyond the queue, and more than it holds, are more than a somewhat larger backlog is for."""


def _for_a_crowd(case: SettingsCase) -> Iterator[str]:
    """What it would take to hold all of a flood, so that nobody takes one place more for a mend."""
    assert case.queues is not None
    needed = case.queues.syn + case.crowd
    held = f"to hold all of the {case.crowd:,} SYNs without a place, backlog and limits have to be about {needed:,}"
    if case.now("net.ipv4.tcp_syncookies") in (1, 2):
        yield f"nothing has to change: with SYN cookies a client needs no place in the SYN queue ({held})"
    else:
        yield f"a larger backlog is no mend here ({held})"


def _syn_full(case: SettingsCase, backlog: int, limit: int) -> bool:
    """Whether the SYN queue as it was would be full with these limits."""
    assert case.host is not None
    assert case.queues is not None
    rules, queues = case.host.generation.queues, case.queues
    table = rules.table(backlog, limit)
    return rules.syn_full(assumed_queues(backlog, queues.accept, queues.syn, queues.syn, table), limit)


def _another_control(case: SettingsCase) -> Iterator[str]:
    """How far the window comes down is the congestion control's to say."""
    falls = {"cubic": "seven tenths (reno: half)", "reno": "half (cubic: seven tenths)"}
    if case.control in falls:
        yield f"TCP_CONGESTION of {case.name} (now {case.control}): the window comes down to {falls[case.control]}"


def _without_hystart(case: SettingsCase) -> Iterator[str]:
    yield f"TCP_CONGESTION = reno at {case.name} (now {case.control}): without HyStart slow start ends by a loss"


def _by_losses(case: SettingsCase) -> Iterator[str]:
    control = f"TCP_CONGESTION = cubic at {case.name} (now {case.control})"
    yield f"{control}: the window grows until something is lost or delayed"


def _longer_queue(case: SettingsCase) -> Iterator[str]:
    if "queue" in case.lost:
        yield "a longer queue at the bottleneck (link.queue), where packets then wait longer"


def _with_sack(case: SettingsCase) -> Iterator[str]:
    now = case.now("net.ipv4.tcp_sack")
    if now is not None:
        where = f"{case.name} (now 0)" if now == 0 else "the peer"
        yield f"net.ipv4.tcp_sack = 1 at {where}: the sender is told which segments are missing, all at once"


def _time_outs(case: SettingsCase) -> Iterator[str]:
    longest = case.now("net.ipv4.tcp_rto_max_ms")
    if longest is not None:
        yield f"net.ipv4.tcp_rto_max_ms (now {longest}): how long a time-out can get"
    if case.now("net.ipv4.tcp_thin_linear_timeouts") == 0:
        yield (
            "net.ipv4.tcp_thin_linear_timeouts = 1 (now 0): with fewer than four segments under way the first six do "
            "not double"
        )
    retries = case.now("net.ipv4.tcp_retries2")
    if retries is not None:
        yield f"net.ipv4.tcp_retries2 (now {retries}) or TCP_USER_TIMEOUT: when the connection is given up"


def _no_probes(case: SettingsCase) -> Iterator[str]:
    now = case.now("net.ipv4.tcp_early_retrans")
    if now in (3, 4):
        yield f"net.ipv4.tcp_early_retrans = 0 at {case.name} (now {now}): no probe, and only the time-out is left"


def _after_idle(case: SettingsCase) -> Iterator[str]:
    if case.now("net.ipv4.tcp_slow_start_after_idle") == 1:
        yield f"net.ipv4.tcp_slow_start_after_idle = 0 at {case.name} (now 1): the window stays as it was"


def _mtu_probing(case: SettingsCase) -> Iterator[str]:
    if case.now("net.ipv4.tcp_mtu_probing") == 0:
        yield (
            f"net.ipv4.tcp_mtu_probing = 1 at {case.name} (now 0): after a few time-outs it tries smaller segments, "
            "without being told"
        )


def _no_ecn(case: SettingsCase) -> Iterator[str]:
    now = case.now("net.ipv4.tcp_ecn")
    if now:
        yield f"net.ipv4.tcp_ecn = 0 at {case.name} (now {now}): then packets are dropped where they are marked now"


_CHANGES: dict[str, tuple[Advice, ...]] = {
    "SLOW_START_HYSTART": (_without_hystart,),
    "SLOW_START_LOSS": (_longer_queue,),
    "BBR_STARTUP": (_by_losses,),
    "BBR_PROBE_RTT": (_by_losses,),
    "RECOVERY": (_longer_queue, _another_control),
    "RECOVERY_WITHOUT_SACK": (_with_sack, _longer_queue, _another_control),
    "TIME_OUTS": (_time_outs,),
    "TAIL_LOSS_PROBE": (_no_probes,),
    "DELAYED_ACK": (
        _words("a program that answers sooner: the answer carries the ACK"),
        _words("TCP_QUICKACK, which lasts only for a while; or a sender that does not wait (TCP_NODELAY)"),
    ),
    "RESTART": (_after_idle,),
    BLACK_HOLE: (
        _mtu_probing,
        _words("routers that send their ICMP errors, and no firewall that drops them (link.icmp = true)"),
        _words("an mtu of the host that the whole path has; or a smaller TCP_MAXSEG"),
    ),
    "CWR": (_no_ecn, _another_control),
    "UNDO": (_words("a path that keeps packets in order: then nothing is taken for lost"),),
    ACCEPT_FULL: (_backlog, _accept),
    SYN_FULL: (_cookies, _syn_limit),
    "ACCEPT_QUEUE_FULL": (_backlog, _accept, _abort),
    "ACCEPT_QUEUE_FULL_RST": (_backlog, _accept),
    "ABORT_ON_OVERFLOW": (_abort, _backlog, _accept),
    "ACCEPT_QUEUE_FULL_SYN": (_backlog, _accept),
    QUEUE_FULL: (_backlog, _accept),
    "QUEUE_FULL_SYN": (_backlog, _accept),
    "REQUEST_EVICTED": (_backlog,),
    "SYN_REFUSED": (_backlog, _accept),
    "COOKIE_ACCEPT_QUEUE_FULL": (_backlog, _accept),
    "SYN_QUEUE_FULL": (_cookies, _syn_limit),
    "SYN_COOKIE": (_syn_limit,),
    "SYN_COOKIE_ALWAYS": (_cookies_always,),
    "SYN_BACKLOG_LAST_QUARTER": (_max_syn_backlog, _cookies),
    "SYN_ACK_AGAIN": (_syn_ack_retries,),
    "REQUEST_EXPIRED": (_syn_ack_retries,),
    "REQUEST_CROWDED_OUT": (_backlog,),
    "DEFER_ACCEPT": (_words("a listener without TCP_DEFER_ACCEPT; or a client that sends its data first"),),
    "REQUEST_EXPIRED_RST": (_syn_ack_retries,),
    "SYN_AGAIN": (_syn_retries,),
    "SYN_TIMED_OUT": (_given_up,),
    "TIMED_OUT": (_given_up,),
    "ORPHAN_TIMED_OUT": (_given_up,),
    "PROBES_TIMED_OUT": (_given_up,),
    "CLOSED_WINDOW_TIMED_OUT": (_words("a program at the other end that calls recv() sooner"), _given_up),
    "SHUT_WINDOW_TIMED_OUT": (_given_up,),
    LONE: (_keepalive,),
    "ICMP_TOO_LARGE": (
        _words("an mtu of the host that the whole path has: then nothing has to be found out"),
    ),
    "LINGER_OVER": (
        _words("a longer SO_LINGER; or an answer of the peer that says it has all, in place of waiting"),
    ),
    FIN_WAIT2_OVER: (_words("a peer that closes too"), _fin_timeout),
    "KEEPALIVE_OVER": (_given_up, _keepalive_pace),
    "SYN_QUEUED_KNOWN_PEER": (_max_syn_backlog,),
    "UNREAD_RST": (_words("a program that reads what has come before it calls close()"), _more_may_come),
    "UNACCEPTED_RST": (_words("a program that accepts what waits before it closes its listener"), _migrate),
    "REQUEST_ORPHANED": (
        _words("a listening socket that the next program takes over, and that is never closed"),
        _migrate,
    ),
    "ACTIVE_RST": (_words("close() without SO_LINGER of 0 s"),),
    "LINGER2_RST": (_words("TCP_LINGER2 of 0 or more"),),
    "ABORT_ON_DATA": (_read_to_end,),
    "TIME_WAIT_RST": (_read_to_end,),
    ZERO_WINDOW: (_words("a program that calls recv() sooner"), _words("a larger SO_RCVBUF")),
    "HELD_DATA_SENT": (_words("TCP_NODELAY; or one send() in place of several"),),
}
