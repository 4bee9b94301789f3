"""What happened at a listener, and the settings behind it, by the cheapest explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tcpemu.diagnose.claims.sureness import MARGIN, Claim, Sure, sureness
from tcpemu.diagnose.replay.explanation_search import Explanation
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.diagnose.replay.listen_path import ListenPath
from tcpemu.diagnose.replay.listen_replay import Judged, Shown
from tcpemu.diagnose.replay.supposed_settings import LARGE
from tcpemu.explain.lines.count_words import count

_USUAL = frozenset(
    ("SYN_QUEUED", "SYN_QUEUED_KNOWN_PEER", "HANDSHAKE_DONE", "DUPLICATE_SYN", "COOKIE_GOOD", "LISTENER_ACK")
)
"""What needs no word: a handshake as it should be; and what the end of a connection says already."""
_OVERFLOW = (
    "on the server: nstat -az TcpExtListenOverflows before and after; ss -ltn meanwhile (Recv-Q above Send-Q)"
)
_DECIDES = {
    "ACCEPT_QUEUE_FULL": _OVERFLOW,
    "ACCEPT_QUEUE_FULL_SYN": _OVERFLOW,
    "COOKIE_ACCEPT_QUEUE_FULL": _OVERFLOW,
    "ABORT_ON_OVERFLOW": "on the server: sysctl net.ipv4.tcp_abort_on_overflow; nstat -az TcpExtListenOverflows",
    "SYN_QUEUE_FULL": "on the server: nstat -az TcpExtTCPReqQFullDrop; sysctl net.ipv4.tcp_syncookies",
    "SYN_BACKLOG_LAST_QUARTER": "on the server: nstat -az TcpExtListenDrops; sysctl net.ipv4.tcp_max_syn_backlog",
    "SYN_COOKIE": "on the server: nstat -az TcpExtSyncookiesSent TcpExtTCPReqQFullDoCookies",
    "SYN_COOKIE_ALWAYS": "on the server: sysctl net.ipv4.tcp_syncookies",
    "DEFER_ACCEPT": "the program's source: setsockopt(TCP_DEFER_ACCEPT); nstat -az TcpExtTCPDeferAcceptDrop",
}
_COUNTER = {
    "ACCEPT_QUEUE_FULL": "ListenOverflows",
    "ACCEPT_QUEUE_FULL_SYN": "ListenOverflows",
    "COOKIE_ACCEPT_QUEUE_FULL": "ListenOverflows",
    "ABORT_ON_OVERFLOW": "ListenOverflows",
    "SYN_QUEUE_FULL": "TCPReqQFullDrop",
    "SYN_COOKIE": "SyncookiesSent",
    "SYN_COOKIE_ALWAYS": "SyncookiesSent",
    "DEFER_ACCEPT": "TCPDeferAcceptDrop",
}
"""The counter that has moved if it was so."""
_COUNTER_OF_SETTING = {
    ("cookies", 0): "TCPReqQFullDrop",
    ("cookies", 1): "SyncookiesSent",
    ("cookies", 2): "SyncookiesSent",
    ("abort", 0): "ListenOverflows",
    ("abort", 1): "ListenOverflows",
    ("defer", 1): "TCPDeferAcceptDrop",
}
_NO_COUNTER = "no counter was given (--nstat), and a firewall on the server that does so would look the same"
_LISTED = 8


def listener_claims(path: ListenPath, found: Explanation, known: Known, doubts: list[str]) -> list[Claim]:
    """Every claim about the listener: what happened, then what had to be unseen, then the settings."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for judged in found.best.judged:
        if judged.reason.name not in _USUAL and judged.shown is not Shown.UNKNOWN:
            groups[judged.reason.name].append(judged)
    claims = [_claim_of(reason, group, found, known, doubts) for reason, group in groups.items()]
    claims += _unseen(path, found)
    claims += _settings(found, known, doubts)
    return claims


def _claim_of(reason: str, group: list[Judged], found: Explanation, known: Known, doubts: list[str]) -> Claim:
    cost = found.best.cost
    counter = _COUNTER.get(reason, "")
    sure, why = sureness(cost, found.cheapest_without(reason), _unless_counted(known, counter, doubts))
    first = group[0]
    flows = tuple(dict.fromkeys(one.step.flow.life.number for one in group))
    counted = tuple(dict.fromkeys(name for one in group for name in one.counted))
    rule = f"{first.reason.source}; {', '.join(counted)}" if counted else first.reason.source
    if known.counters.get(counter, 0):
        why += f"; nstat has {counter} {known.counters[counter]}"
    guessed = sure is not Sure.CERTAIN or "backlog" in known.values
    return Claim(
        at_least=len(group) - MARGIN if sure is Sure.CERTAIN else 0,
        what=first.reason.text + (_queues(reason, first, found) if guessed else ""),
        sure=sure,
        why=why,
        frames=tuple(one.step.seen.frame for one in group),
        flows=flows,
        rule=rule,
        decides="" if sure is Sure.CERTAIN else _DECIDES.get(reason, ""),
        reason=reason,
    )


def _unless_counted(known: Known, counter: str, doubts: list[str]) -> list[str]:
    """What speaks against certainty: also that no counter of the host says so."""
    return doubts if known.counters.get(counter, 0) else [*doubts, _NO_COUNTER]


def _queues(reason: str, first: Judged, found: Explanation) -> str:
    backlog = found.best.supposed.backlog
    if "ACCEPT_QUEUE_FULL" in reason or reason == "ABORT_ON_OVERFLOW":
        return f" ({first.accept} waited for accept(), backlog {backlog})"
    if reason in ("SYN_QUEUE_FULL", "SYN_COOKIE"):
        limit = "" if backlog == LARGE else f", backlog {backlog}"
        return f" ({first.syn} half-open{limit})"
    return ""


def _unseen(path: ListenPath, found: Explanation) -> Iterator[Claim]:
    """Where the capture and the best explanation part."""
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in found.best.unseen:
        groups[one.what].append((one.frame or _frame_near(path, one.at), one.flow.life.number))
    for what, places in groups.items():
        yield Claim(
            what=f"here the capture and the best explanation part: {what}",
            sure=Sure.POSSIBLE if found.best.cost <= MARGIN else Sure.CANNOT_TELL,
            why="no supposition makes it fit" if found.complete else "not everything was tried",
            frames=tuple(frame for frame, _ in places),
            flows=tuple(dict.fromkeys(flow for _, flow in places)),
            decides="a second capture, at the other end, of the same time",
        )


def _frame_near(path: ListenPath, at: int) -> int:
    """The last frame before a moment."""
    frames = [step.seen.frame for step in path.steps if step.at <= at]
    return max(frames, default=0)


# Settings.

_NAMES = {
    "backlog": "backlog",
    "cookies": "net.ipv4.tcp_syncookies",
    "abort": "net.ipv4.tcp_abort_on_overflow",
    "synack_retries": "net.ipv4.tcp_synack_retries (or TCP_SYNCNT)",
    "defer": "TCP_DEFER_ACCEPT (seconds)",
    "max_syn_backlog": "net.ipv4.tcp_max_syn_backlog",
    "fastopen": "Fast Open",
    "kernel": "kernel",
}
_NOTHING_SHOWS = {
    "backlog": "nothing in the capture shows a full queue",
    "cookies": "the SYN queue was not full, as far as the capture shows",
    "abort": "no final ACK came while the accept queue was full, as far as the capture shows",
    "synack_retries": "no half-open connection lasted to its end",
    "defer": "nothing shows it",
}
_SELDOM = ("max_syn_backlog", "fastopen")
"""Settings that are worth a word only where something shows them."""
_FAST_OPEN = (
    "no Fast Open: net.ipv4.tcp_fastopen has no 2 in it, or the socket no TCP_FASTOPEN",
    "Fast Open is taken: net.ipv4.tcp_fastopen has 2 in it, and the socket TCP_FASTOPEN",
)


def _settings(found: Explanation, known: Known, doubts: list[str]) -> Iterator[Claim]:
    for name, title in _NAMES.items():
        if name in known.values:
            yield Claim(f"{title} is {known.values[name]}", Sure.CERTAIN, "it was given")
        elif found.best.cost > MARGIN and name not in _SELDOM:
            yield Claim(f"{title}", Sure.CANNOT_TELL, "the capture is not explained well enough")
        elif name in _SELDOM:
            yield from _seldom(name, title, found, doubts)
        elif name == "kernel":
            yield _kernels(found)
        elif name == "backlog":
            yield _backlog(found, doubts)
        else:
            yield _one_setting(name, title, found, known, doubts)


def _one_setting(name: str, title: str, found: Explanation, known: Known, doubts: list[str]) -> Claim:
    best = getattr(found.best.supposed, name)
    equal = found.values_within(name, 0)
    others = [one.cost for value, one in found.others[name].items() if value != best]
    if len(equal) > 1 or not others:
        listed = ", ".join(map(str, sorted(equal))) if len(equal) > 1 else "any"
        return Claim(title, Sure.CANNOT_TELL, f"{_NOTHING_SHOWS[name]}; {listed} would do")
    counter = _COUNTER_OF_SETTING.get((name, min(best, 1) if name == "defer" else best))
    against = doubts if counter is None else _unless_counted(known, counter, doubts)
    sure, why = sureness(found.best.cost, min(others), against)
    if name == "defer" and best:
        low, high = _same_defer(best)
        return Claim(f"{title} is {low} to {high}", sure, why, setting=(name, (low, high)))
    return Claim(f"{title} is {best}", sure, why, setting=(name, best))


def _seldom(name: str, title: str, found: Explanation, doubts: list[str]) -> Iterator[Claim]:
    """Fast Open and tcp_max_syn_backlog, where there is anything to say of them."""
    costs = {value: one.cost for value, one in found.others[name].items()}
    best = getattr(found.best.supposed, name)
    without = min((cost for value, cost in costs.items() if bool(value) != bool(best)), default=None)
    sure, why = sureness(found.best.cost, without, doubts)
    if without is None or sure is Sure.CANNOT_TELL:
        return
    if name == "fastopen":
        yield Claim(_FAST_OPEN[best], sure, why, setting=(name, best))
    elif best:
        equal = [value for value in found.values_within(name, 0) if value]
        words = f"{min(equal)} to {max(equal)}" if len(equal) > 1 else str(best)
        yield Claim(f"{title} is {words}", sure, why, setting=(name, (min(equal), max(equal))))


def _same_defer(seconds: int) -> tuple[int, int]:
    """The times that Linux turns into as many SYN|ACKs (tcp.c: secs_to_retrans): 1, 2 to 3, 4 to 7 and so on."""
    low = 1 << (seconds.bit_length() - 1)
    return low, 2 * low - 1


def _backlog(found: Explanation, doubts: list[str]) -> Claim:
    best = found.best.supposed.backlog
    free = found.cost_of("backlog", LARGE)
    if best == LARGE or (free is not None and free <= found.best.cost):
        others = [value for value in found.values_within("max_syn_backlog", 0) if value]
        if best != LARGE and others:
            return Claim(
                f"backlog is {best}, or net.ipv4.tcp_max_syn_backlog is {' or '.join(map(str, others))}",
                Sure.POSSIBLE,
                "both explain as much",
                decides="on the server: ss -ltn (Send-Q of the listener); nstat -az TcpExtTCPReqQFullDrop",
            )
        return Claim("backlog", Sure.CANNOT_TELL, _NOTHING_SHOWS["backlog"])
    equal = [value for value in found.values_within("backlog", 0) if value != LARGE]
    sure, why = sureness(found.best.cost, free, doubts)
    if sure is Sure.CERTAIN:
        sure = Sure.LIKELY
    less = (
        ""
        if len(equal) == 1
        else f"; less (from {min(equal)} on) if more was accepted than the capture shows"
    )
    more = f"; {max(equal)} with other kernels" if max(equal) > best else ""
    return Claim(
        f"backlog is {best}{less}{more}",
        sure,
        f"{why}; more if connections waited that are not in the capture",
        decides="on the server: ss -ltn (Send-Q of the listener)",
        setting=("backlog", (min(equal), max(equal))),
    )


def _kernels(found: Explanation) -> Claim:
    equal = [str(name) for name in found.values_within("kernel", 0)]
    all_of_them = len(found.others["kernel"])
    if len(equal) == all_of_them and all(one.looks for one in found.others["kernel"].values()):
        return Claim(
            "kernel", Sure.CANNOT_TELL, f"all {all_of_them} kernels of Linux that were tried would do so"
        )
    alike = [name for name in equal if not found.others["kernel"][name].looks]
    ruled_out = [
        str(name) for name, one in found.others["kernel"].items() if one.cost > found.best.cost + MARGIN
    ]
    out = (
        f"{count(len(ruled_out), 'kernel')} ruled out: {', '.join(ruled_out)}"
        if ruled_out
        else "none is ruled out"
    )
    look = (
        "whose SYN|ACK looks like this one" if alike else "though none sends such a SYN|ACK unless configured"
    )
    names = alike or equal
    return Claim(f"kernel: {_some(names)}, {look}", Sure.POSSIBLE, out, setting=("kernel", ",".join(names)))


def _some(names: list[str]) -> str:
    """One of these names, in words."""
    named = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    return f"one of {named}" if len(names) > 1 else named
