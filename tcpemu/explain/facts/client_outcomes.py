"""How the clients of a run fared, as their own calls tell it: what a user of the server would notice."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from tcpemu.explain.facts.flow_memory import octets_received
from tcpemu.explain.facts.record_steps import HostStep
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import Line, Role, Span
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.network.record import CRASHES, PROGRAM_ENDS, WAITS, Call, HostEvent, Record
from tcpemu.stack.base.events import Event, QueueChanged, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import FlowKey

CLIENTS_LISTED = 10
"""Clients that are told one by one; of more, those with the same outcome are counted."""


@dataclass(slots=True)
class ApplicationOutcome:
    """One application that called connect(). Times are nanoseconds."""

    application: str
    began: int
    connected: int | None
    """When connect() succeeded: the server may see it otherwise."""
    error: str
    """The errno of the last call that failed; empty if none did."""
    failed: int | None
    """When that was."""
    alone: bool = False
    """Whether the connection was there on the client's side only, because the server never completed it."""
    waits: str = ""
    """The call that had not ended when the run did; empty if there was none."""
    since: int = 0
    """When it was made."""
    over: int | None = None
    """When the run ended, for a client that was to begin later."""
    received: int = 0
    """Octets that recv() has given."""
    end: int | None = None
    """When recv() gave the end of the stream."""
    reset: int | None = None
    """When a RST ended its connection, where none of its calls met that."""
    crashed: int | None = None
    """When its host crashed under it."""
    flow: FlowKey | None = None
    """The connection that connect() gave last."""

    @property
    def words(self) -> str:
        """Without times, so that outcomes can be counted."""
        if self.over is not None:
            return "starts after the end"
        if self.connected is None:
            return f"connect() failed with {self.error}" if self.error else "still trying to connect"
        parts = ["connected on its side only" if self.alone else "connected"]
        parts += [f"later {self.error}"] if self.error else []
        parts += ["later reset, which no call met"] if self.reset is not None else []
        parts += ["gone with its host"] if self.crashed is not None else []
        parts += [f"still waits in {self.waits}"] if self.waits else []
        return ", ".join(parts)


def client_outcomes(
    record: Record, starts: Mapping[str, int] | None = None, ended: int = 0
) -> list[ApplicationOutcome]:
    """The outcome of each client, in the order in which they began.

    With `starts`, when each was to begin by its name, also of those that were to begin after the run `ended`.
    """
    clients = ClientOutcomes()
    for entry in record.each(Call, QueueChanged, StateChanged):
        if isinstance(entry, Call):
            clients.note_call(entry)
        elif isinstance(entry, HostEvent):
            clients.note_event(entry.node, entry.event)
    return clients.settled(starts, ended)


_Who: TypeAlias = tuple[str, str]
"""A node and an application on it."""


class ClientOutcomes:
    """The same for whoever goes through a record anyway, and notes what it finds there in order."""

    def __init__(self) -> None:
        self._outcomes: dict[_Who, ApplicationOutcome] = {}
        self._flows: dict[_Who, FlowKey] = {}
        self._over: set[_Who] = set()
        self._servers = _Servers()

    def note_step(self, step: HostStep) -> None:
        """All of one step of a host, and nothing else of it is to be noted."""
        if step.call is not None:
            self.note_call(step.call)
        for change in step.changes:
            self._servers.note(step.node, change)
        for queues in step.queues:
            self._servers.note(step.node, queues)

    def note_event(self, node: str, event: Event) -> None:
        """A change of a queue or a state; all else says nothing."""
        self._servers.note(node, event)

    def note_call(self, call: Call) -> None:
        """A call of an application, or what befalls its host."""
        who = call.node, call.application
        if not call.application and call.text == CRASHES:
            self._crash(call)
            return
        if call.text == PROGRAM_ENDS:
            self._over.add(who)
        connects = call.text.startswith("connect(")
        if connects and call.flow is not None:
            self._flows[who] = call.flow
        outcome = self._outcomes.get(who)
        if outcome is None:
            if not connects:
                return
            outcome = ApplicationOutcome(call.application or call.node, call.at, None, "", None)
            self._outcomes[who] = outcome
        _note(outcome, call)

    def _crash(self, crash: Call) -> None:
        """Whoever ran on that host, and had not come to its end, is gone."""
        for who, outcome in self._outcomes.items():
            if who[0] == crash.node and who not in self._over:
                outcome.waits, outcome.crashed = "", crash.at
                self._over.add(who)

    def settled(self, starts: Mapping[str, int] | None = None, ended: int = 0) -> list[ApplicationOutcome]:
        """All is noted: the outcomes, as `client_outcomes` gives them."""
        for who, outcome in self._outcomes.items():
            flow = self._flows.get(who)
            if outcome.flow is not None:
                outcome.alone = self._servers.never_completed(outcome.flow)
            if outcome.connected is not None and not outcome.error and outcome.crashed is None and flow:
                outcome.reset = self._servers.reset(who[0], flow, outcome.connected)
        begun = {outcome.application for outcome in self._outcomes.values()}
        later = [(name, at) for name, at in (starts or {}).items() if at > ended and name not in begun]
        return [
            *self._outcomes.values(),
            *[ApplicationOutcome(name, at, None, "", None, over=ended) for name, at in later],
        ]


def _note(outcome: ApplicationOutcome, call: Call) -> None:
    """A call was made, or has come to its end."""
    if call.result == WAITS:
        outcome.waits, outcome.since = f"{call.text.split('(')[0]}()", call.at
        return
    outcome.waits = ""
    if call.result.isupper():
        outcome.error, outcome.failed = call.result, call.at
    elif (octets := octets_received(call)) is not None:
        outcome.received += octets
    elif call.result == "end" and call.text.startswith("recv("):
        outcome.end = call.at
    elif call.text.startswith("connect("):
        outcome.connected = call.at
        outcome.flow = call.flow


class _Servers:
    """What the hosts that listen know of connections."""

    def __init__(self) -> None:
        self._ports: set[int] = set()
        self._completed: set[FlowKey] = set()
        self._reset: dict[tuple[str, FlowKey], list[int]] = {}

    def note(self, node: str, event: Event) -> None:
        """A queue or a state changed."""
        if isinstance(event, QueueChanged):
            self._ports.add(event.port)
        elif isinstance(event, StateChanged):
            if event.new is State.ESTABLISHED or event.new is State.CLOSE_WAIT:
                self._completed.add(event.flow)
            elif event.new is State.CLOSE and event.cause.startswith("RST arrives"):
                self._reset.setdefault((node, event.flow), []).append(event.at)

    def reset(self, node: str, flow: FlowKey, since: int) -> int | None:
        """When a RST that arrived there ended the connection of that time."""
        return next((at for at in self._reset.get((node, flow), ()) if at >= since), None)

    def never_completed(self, flow: FlowKey) -> bool:
        """Whether somebody listens there, and the connection that a client calls so was never there."""
        remote, remote_port, local, local_port = flow
        return remote_port in self._ports and (local, local_port, remote, remote_port) not in self._completed


def client_outcome_lines(outcomes: Sequence[ApplicationOutcome], width: int | None = None) -> list[Line]:
    """A line for each client, or for each outcome if there are many clients; broken to the width, if one is given."""
    return list(_one_by_one(outcomes, width) if len(outcomes) <= CLIENTS_LISTED else _counted(outcomes))


def _one_by_one(outcomes: Sequence[ApplicationOutcome], width: int | None) -> Iterator[Line]:
    longest = max((len(outcome.application) for outcome in outcomes), default=0)
    for outcome in outcomes:
        line: list[Span] = [Span(f"  {outcome.application:<{longest}}  ")]
        size = indent = len(line[0].text)
        for part in _spans(outcome):
            if width is not None and size + len(part.text.rstrip()) > width and size > indent:
                yield tuple(line)
                line, size = [Span(" " * indent)], indent
            line.append(part)
            size += len(part.text)
        yield tuple(line)


def _spans(outcome: ApplicationOutcome) -> Iterator[Span]:
    """Its parts, each with what sets it apart from the next."""
    parts = list(_parts(outcome))
    for (part, role), (follows, _) in pairwise(parts):
        yield Span(part + (", " if follows == ALONE else "; "), role)
    yield parts[-1]


ALONE = "on its side only: the server never completed it"


def _parts(outcome: ApplicationOutcome) -> Iterator[Span]:
    if outcome.over is not None:
        yield Span(f"starts at {_at(outcome.began)}, after the end at {_at(outcome.over)}", Role.QUIET)
    elif outcome.connected is not None:
        yield Span(
            f"connected at {_at(outcome.connected)}, after {span_words(outcome.connected - outcome.began)}"
        )
        yield from _afterwards(outcome)
    elif outcome.error:
        yield Span(f"connect() failed with {outcome.error} at {_at(outcome.failed)}", Role.LOST)
    else:
        yield Span(f"has been trying to connect since {_at(outcome.began)}", Role.AGAIN)


def _afterwards(outcome: ApplicationOutcome) -> Iterator[Span]:
    """What there is to say of one that is connected, as it says."""
    if outcome.alone:
        yield Span(ALONE, Role.LOST)
    if outcome.error:
        if outcome.received:
            yield Span(f"recv() gave {count(outcome.received, 'octet')}")
        before = ", then " if outcome.received else ""
        yield Span(f"{before.lstrip(', ')}{outcome.error} at {_at(outcome.failed)}", Role.LOST)
    if outcome.reset is not None:
        if outcome.end is not None:
            yield Span(f"recv() gave the end of the stream at {_at(outcome.end)}")
        yield Span(f"a RST ended it at {_at(outcome.reset)}, which none of its calls met", Role.LOST)
    if outcome.crashed is not None:
        yield Span(f"gone when its host crashed at {_at(outcome.crashed)}", Role.LOST)
    if outcome.waits:
        yield Span(f"still waits in {outcome.waits} since {_at(outcome.since)}", Role.AGAIN)


def _at(time: int | None) -> str:
    return moment(time or 0)


def _counted(outcomes: Sequence[ApplicationOutcome]) -> Iterator[Line]:
    tally = Counter(outcome.words for outcome in outcomes)
    digits = len(f"{len(outcomes):,}")
    for words, number in tally.most_common():
        yield (Span(f"  {number:>{digits},}  {words}"),)
