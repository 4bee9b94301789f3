"""The cheapest explanation of the handshakes at a server, and what every other value of a setting would cost.

Every combination of kernel and settings is tried that the capture gives a reason for; a try ends as soon as it takes
more unseen events than matter. So the cost of a value is the least with which it could be true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.diagnose.replay.listen_path import ListenPath, PathFlow
from tcpemu.diagnose.replay.listen_replay import LOST_BEHIND, Replayed, Shown, replay
from tcpemu.diagnose.replay.supposed_settings import LARGE, Supposed, linux_kernels

MOST_STEPS_REPLAYED = 1_500_000
"""Of all tries together. What was not tried is told."""
_MOST_LENGTHS = 4
_SMALL = 4
_MOST_RETRIES = 12
_USUAL_DEFERS = (1, 3, 7, 15, 31)
"""Seconds of TCP_DEFER_ACCEPT, one of each number of SYN|ACKs that they stand for."""
BEYOND = 4
"""An explanation that takes so many unseen events more than the best is none: nobody would believe it."""
_PLAIN = Supposed()
_SETTINGS = ("backlog", "defer", "abort", "max_syn_backlog", "cookies", "synack_retries", "fastopen")
_TELLING = (
    *("ListenOverflows", "TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv"),
    "TCPDeferAcceptDrop",
)
"""Counters that rule out what moves them where it is known that they have not moved."""

_OF_SILENCE = ("ListenOverflows", "TCPReqQFullDrop")
"""Counters of what is ignored: one that has moved as often as that rules out what does not move it."""


@dataclass(slots=True)
class Explanation:
    """The best supposition, and the others."""

    best: Replayed
    others: dict[str, dict[Any, Replayed]] = field(default_factory=dict)
    """By setting and value: the cheapest explanation in which it has that value. The best one is among them."""
    complete: bool = True
    """Everything was tried."""
    tries: int = 0
    without: dict[str, int] = field(default_factory=dict)
    """By the name of a reason: the least cost of a try in which it did not come up."""

    def values_within(self, name: str, more: int) -> list[Any]:
        """The values of a setting that take no more than so many unseen events above the best."""
        return [
            value for value, one in self.others.get(name, {}).items() if one.cost <= self.best.cost + more
        ]

    def cheapest_without(self, reason: str) -> int | None:
        """The least cost of a try in which nothing was done for that reason; None where there was none."""
        return self.without.get(reason)

    def cost_of(self, name: str, value: Any) -> int | None:
        """The least cost with which that setting can have that value; None for what was not tried."""
        one = self.others.get(name, {}).get(value)
        return None if one is None else one.cost


class _Search:
    def __init__(self, path: ListenPath, known: Known, kernel: str | None) -> None:
        self.path = path
        self.known = known
        self.values: dict[str, list[Any]] = {name: [value] for name, value in known.values.items()}
        self.values["kernel"] = [kernel] if kernel else linux_kernels()
        self.steps = 0
        self.tried: dict[Supposed, Replayed] = {}

    def run(self) -> Explanation:
        first = Supposed(self.values["kernel"][0])
        for name, value in self.known.values.items():
            first = first.with_value(name, value)
        found = Explanation(self._checked(replay(self.path, first)))
        for name, values in self._candidates(found.best).items():
            self.values.setdefault(name, values)
        costs: dict[frozenset[str], int] = {}
        for supposed in self._combinations():
            if self.steps > MOST_STEPS_REPLAYED:
                found.complete = False
                break
            one = self._replayed(supposed, found.best.cost + BEYOND)
            found.tries += 1
            if one.order < found.best.order:
                found.best = one
            reasons = frozenset(judged.reason.name for judged in one.judged)
            costs[reasons] = min(one.cost, costs.get(reasons, one.cost))
            for name in (*_SETTINGS, "kernel"):
                value = getattr(supposed, name)
                before = found.others.setdefault(name, {}).get(value)
                if before is None or one.order < before.order:
                    found.others[name][value] = one
        for reason in frozenset().union(*costs):
            lacking = [cost for reasons, cost in costs.items() if reason not in reasons]
            if lacking:
                found.without[reason] = min(lacking)
        return found

    def _replayed(self, supposed: Supposed, most: int) -> Replayed:
        """The outcome of a supposition. Where it cannot differ from one that was tried before, that one's."""
        for other in _plainer(supposed):
            before = self.tried.get(other)
            if before is not None and _is_the_same(before, supposed):
                return replace(before, supposed=supposed)
        one = self._checked(replay(self.path, supposed, most))
        self.steps += one.steps
        if not one.given_up:
            self.tried[supposed] = one
        return one

    def _checked(self, one: Replayed) -> Replayed:
        """The same, with the counters that speak against it."""
        moved = {name for judged in one.judged for name in judged.counted}
        one.contradicted = {name for name in _TELLING if name in moved and self.known.says_never(name)}
        ignored = sum(judged.shown is Shown.IGNORED for judged in one.judged)
        ignored += sum(unseen.what == LOST_BEHIND for unseen in one.unseen)
        if ignored:
            one.contradicted |= {
                name for name in _OF_SILENCE if name not in moved and self._counts(name, ignored)
            }
        return one

    def _counts(self, name: str, ignored: int) -> bool:
        """Whether that counter has moved about as often as something was ignored: then it speaks of this."""
        return ignored <= self.known.counters.get(name, 0) <= 2 * ignored + _SMALL

    def _combinations(self) -> Iterator[Supposed]:
        """Every combination that can differ from the others, the usual ones first."""
        names = ("kernel", *reversed(_SETTINGS))
        for values in product(*(self.values[name] for name in names)):
            supposed = Supposed(**dict(zip(names, values, strict=True)))
            if (supposed.cookies == 2 or supposed.defer) and supposed.abort and not self.known.values:
                continue  # each of these explains for itself; together they explain nothing more
            chosen = supposed.max_syn_backlog and "max_syn_backlog" not in self.known.values
            if chosen and (supposed.cookies or supposed.backlog != LARGE):
                continue  # it is asked for where there are no cookies, and explains what a backlog does
            yield supposed

    # What is worth a try.

    def _candidates(self, first: Replayed) -> dict[str, list[Any]]:
        path = self.path
        lost = [one for one in first.unseen if one.what == LOST_BEHIND]
        ignored = {one.accept for one in lost}
        ignored |= {one.accept for one in first.judged if one.shown is Shown.RESET}
        lengths = sorted(ignored)[:_MOST_LENGTHS] + sorted({one.syn for one in lost})[:_MOST_LENGTHS]
        beside = {max(length + by, 0) for length in lengths for by in (-1, 0)}
        small = range(
            min(max(beside, default=-1), _SMALL) + 1
        )  # calls of accept() may have emptied the queue
        near = sorted(beside.union(small), reverse=True)
        backlogs = [LARGE, *near]
        bare = any(step.bare_ack for step in path.steps)
        resets = any(flow.resets for flow in path.flows)
        return {
            "backlog": backlogs,
            "defer": [0, *(_USUAL_DEFERS if ignored and bare else ())],
            "abort": [0, 1] if resets or ignored else [0],
            "cookies": [1] if not path.flows else [1, 0, 2],
            "synack_retries": self._retries(),
            "fastopen": [0, 1] if path.fast_open else [0],
            "max_syn_backlog": [0, *_last_quarters({one.syn for one in lost})],
        }

    def _retries(self) -> list[int]:
        """The default, and what the longest row of repeats says."""
        rows = [len(flow.syn_acks) - 1 for flow in self.path.flows if _never_taken(flow)]
        if not rows:
            return [5]
        near = {min(max(row + by, 0), _MOST_RETRIES) for row in (max(rows), min(rows)) for by in (0, 1)}
        return sorted({5, *near, max(max(rows) - 1, 0)}, key=lambda retries: (retries != 5, retries))


def _last_quarters(lengths: set[int]) -> Iterator[int]:
    """The values of tcp_max_syn_backlog whose last quarter begins at such a length of the SYN queue."""
    for length in sorted(lengths)[:_MOST_LENGTHS]:
        near = range(max(4 * (length - 1) // 3 - 2, 1), 4 * length // 3 + 2)
        fit = [most for most in near if most - length < most >> 2 and most - length + 1 >= most >> 2]
        yield from fit


def _plainer(supposed: Supposed) -> Iterator[Supposed]:
    """The same with usual values of settings that seldom matter."""
    if supposed.cookies == 0:
        yield replace(supposed, cookies=1)
    if supposed.abort:
        yield replace(supposed, abort=0)
    if supposed.synack_retries != _PLAIN.synack_retries:
        yield replace(supposed, synack_retries=_PLAIN.synack_retries)


def _is_the_same(before: Replayed, supposed: Supposed) -> bool:
    """Whether nothing happened in that try for which the settings that differ would matter."""
    if before.supposed.cookies != supposed.cookies:
        return not before.syn_was_full
    if before.supposed.abort != supposed.abort:
        return not before.accept_was_full
    return before.repeats < min(before.supposed.synack_retries, supposed.synack_retries)


def _never_taken(flow: PathFlow) -> bool:
    return flow.spoke is None and bool(flow.syn_acks)


def explain_listener(path: ListenPath, known: Known | None = None, kernel: str | None = None) -> Explanation:
    """The cheapest explanation of these handshakes. `kernel` is the only one that is tried, if it is given."""
    return _Search(path, known or Known(), kernel).run()
