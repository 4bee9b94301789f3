"""What formulas say of a backlog, beside what runs have measured; and what stands beside the backlog and limits too."""

from collections.abc import Iterator, Sequence
from math import ceil

from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import span_words
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep.advice.backlog_question import SOMAXCONN, BacklogQuestion
from tcpemu.sweep.advice.backlog_search import Advice
from tcpemu.sweep.sweep_table import number

SHORT = SECOND
"""Arrivals of a run that last less say little of what goes on for hours."""


def rules_beside(advice: Advice) -> Iterator[str]:
    """Sentences on what matters beside the backlog."""
    question, best = advice.question, advice.best
    yield from _formula(advice)
    yield from _load(question)
    yield from _short(question)
    yield from _too_long(advice)
    yield from _caps(question, advice.backlog)
    yield _syn_queue(advice)
    yield _rate_limit(question)
    if best is not None and _connects_deceive(advice):
        yield (
            "connect() is no measure here: with SYN cookies a client counts itself connected while the server has "
            "ignored its final ACK; look at the answer"
        )


def _connects_deceive(advice: Advice) -> bool:
    """Whether clients that are answered late or never say that they are connected."""
    best = advice.best
    if best is None or not any(each.measure.startswith("connect") for each in advice.question.targets):
        return False
    connects, answers = best.estimate("connect_time.p99"), best.estimate("first_octet_time.p99")
    ignored = best.estimate("ListenOverflows")
    if connects is None or answers is None or ignored is None:
        return False
    return ignored.mean > 0 and answers.median > connects.median + 0.5


def _formula(advice: Advice) -> Iterator[str]:
    """Backlog over round-trip time, as texts have it."""
    question, best = advice.question, advice.best
    if best is None or not question.round_trip:
        return
    said = (best.backlog + 1) * SECOND / question.round_trip
    measured = best.estimate("accept_rate")
    took = "nothing was measured" if measured is None else f"measured here: {number(measured.mean)} a second"
    terms = f"{best.backlog + 1} / {span_words(question.round_trip)} = {number(said)} connections a second"
    yield (
        f"the formula of the texts, (backlog + 1) / round-trip time = {terms}, is about the SYN queue without SYN "
        f"cookies; {took}, which is the pace of the clients and of the server"
    )


def _load(question: BacklogQuestion) -> Iterator[str]:
    if not question.service.mean:
        return
    busy = f"the server is busy {question.load:.0%} of its time"
    if question.load >= 1:
        yield f"{busy}, which is too much: a backlog only moves the moment at which the queue is full; accept faster"
    elif question.load > 0.8:
        yield f"{busy}: near 100 % a queue grows without measure, and a little more speed does more than any backlog"


def _short(question: BacklogQuestion) -> Iterator[str]:
    """That a run is over before its queue can get as long as it will."""
    arrivals = question.arrivals
    if arrivals.endless and arrivals.last < SHORT:
        enough = ceil(arrivals.rate * SHORT / SECOND)
        yield (
            f"the {arrivals.number:,} clients of a run come within {span_words(arrivals.last)}: --clients {enough} "
            "would be a second of them, and show longer queues"
        )


def _too_long(advice: Advice) -> Iterator[str]:
    """A queue in which the last one waits longer than it is willing to."""
    question = advice.question
    if question.patience is None or not question.service.mean:
        return
    most = int(question.patience / question.service.mean)
    yield (
        f"more than {most:,} is harmful: the last of so many waits {span_words(question.patience)} to be accepted, "
        "and its client is gone by then; the server works for nobody"
    )


def _caps(question: BacklogQuestion, backlog: int | None) -> Iterator[str]:
    if backlog is not None and backlog * 2 > question.cap:
        yield f"{SOMAXCONN} = {question.cap} caps the backlog without a word; raise it before you need more"


def _rate_limit(question: BacklogQuestion) -> str:
    """What a limit of new connections in front of the server would have to let through."""
    starts = question.starts
    at_once, in_a_second = _most_within(starts, 0), _most_within(starts, SECOND)
    told = f"{in_a_second:,} within a second" + (f", {at_once:,} at one moment" if at_once > 1 else "")
    return (
        "a rate limit in front of the server (nftables, a load balancer) that lets through less than comes at the "
        f"worst ({told}) drops SYNs as a full queue does, and no backlog mends that"
    )


def _most_within(times: Sequence[int], span: int) -> int:
    """The most of these ascending times that lie within so many nanoseconds."""
    first = most = 0
    for place, at in enumerate(times):
        while times[first] < at - span:
            first += 1
        most = max(most, place - first + 1)
    return most


def _syn_queue(advice: Advice) -> str:
    """How many half-open connections there are where no backlog limits them, and what becomes of those beyond one."""
    question, backlog = advice.question, advice.backlog
    measured = advice.tried[-1].estimate("syn_queue.max")
    half_open = ceil(measured.highest) if measured else 0
    told = f"the SYN queue holds up to {count(half_open, 'half-open connection')} when nothing limits it"
    if backlog is None or half_open <= backlog + 1:
        return told
    if question.cookies:
        return (
            f"{told}, more than {backlog + 1}: SYN cookies answer for the rest (net.ipv4.tcp_syncookies = 1), which "
            "costs them window scaling and SACK where timestamps are off"
        )
    return f"{told}, more than {backlog + 1}: without SYN cookies the rest is dropped and comes again after a second"
