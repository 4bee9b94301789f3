"""How the clients of a run fared, as their own calls tell it: what a user of the server would notice."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tcpemu.explain.lines.style import Line, Role, Span
from tcpemu.explain.lines.time_words import duration, moment
from tcpemu.network.record import WAITS, Call, Record
from tcpemu.stack.events import QueueChanged, StateChanged
from tcpemu.stack.states import State
from tcpemu.wire.segment import FlowKey

CLIENTS_LISTED = 10
"""Clients that are told one by one; of more, those with the same fate are counted."""


@dataclass(frozen=True, slots=True)
class ClientOutcome:
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

    @property
    def words(self) -> str:
        """Without times, so that fates can be counted."""
        if self.over is not None:
            return "starts after the end"
        if self.connected is None:
            return f"connect() failed with {self.error}" if self.error else "still trying to connect"
        parts = ["connected on its side only" if self.alone else "connected"]
        parts += [f"later {self.error}"] if self.error else []
        parts += [f"still waits in {self.waits}"] if self.waits else []
        return ", ".join(parts)


def client_outcomes(
    record: Record, starts: Mapping[str, int] | None = None, ended: int = 0
) -> list[ClientOutcome]:
    """The fate of each client, in the order in which they began.

    With `starts`, when each was to begin by its name, also of those that were to begin after the run `ended`.
    """
    fates: dict[tuple[str, str], ClientOutcome] = {}
    servers = _Servers(record)
    for call in record.calls():
        who = call.node, call.application
        fate = fates.get(who)
        if fate is None:
            if not call.text.startswith("connect("):
                continue
            fate = ClientOutcome(call.application or call.node, call.at, None, "", None)
        fates[who] = _after(fate, call, servers)
    begun = {fate.application for fate in fates.values()}
    later = {name: at for name, at in (starts or {}).items() if at > ended and name not in begun}
    return [
        *fates.values(),
        *(ClientOutcome(name, at, None, "", None, over=ended) for name, at in later.items()),
    ]


def _after(fate: ClientOutcome, call: Call, servers: "_Servers") -> ClientOutcome:
    """The fate once this call was made, or had come to its end."""
    if call.result == WAITS:
        return replace(fate, waits=f"{call.text.split('(')[0]}()", since=call.at)
    fate = replace(fate, waits="")
    if call.result.isupper():
        return replace(fate, error=call.result, failed=call.at)
    if call.text.startswith("connect("):
        alone = call.flow is not None and servers.never_completed(call.flow)
        return replace(fate, connected=call.at, alone=alone)
    return fate


class _Servers:
    """What the hosts that listen know of connections."""

    def __init__(self, record: Record) -> None:
        self._ports: set[int] = set()
        self._completed: set[FlowKey] = set()
        for entry in record.events(QueueChanged, StateChanged):
            match entry.event:
                case QueueChanged(port=port):
                    self._ports.add(port)
                case StateChanged(flow=flow, new=State.ESTABLISHED | State.CLOSE_WAIT):
                    self._completed.add(flow)

    def never_completed(self, flow: FlowKey) -> bool:
        """Whether somebody listens there, and the connection that a client calls so was never there."""
        remote, remote_port, local, local_port = flow
        return remote_port in self._ports and (local, local_port, remote, remote_port) not in self._completed


def client_outcome_lines(fates: Sequence[ClientOutcome], width: int | None = None) -> list[Line]:
    """A line for each client, or for each fate if there are many clients; broken to the width, if one is given."""
    return list(_one_by_one(fates, width) if len(fates) <= CLIENTS_LISTED else _counted(fates))


def _one_by_one(fates: Sequence[ClientOutcome], width: int | None) -> Iterator[Line]:
    longest = max((len(fate.application) for fate in fates), default=0)
    for fate in fates:
        line: list[Span] = [Span(f"  {fate.application:<{longest}}  ")]
        size = indent = len(line[0].text)
        for part in _story(fate):
            if width is not None and size + len(part.text.rstrip()) > width and size > indent:
                yield tuple(line)
                line, size = [Span(" " * indent)], indent
            line.append(part)
            size += len(part.text)
        yield tuple(line)


def _story(fate: ClientOutcome) -> Iterator[Span]:
    """Its parts, each with what sets it apart from the next."""
    parts = list(_parts(fate))
    for (part, role), (follows, _) in pairwise(parts):
        yield Span(part + (", " if follows == ALONE else "; "), role)
    yield parts[-1]


ALONE = "on its side only: the server never completed it"


def _parts(fate: ClientOutcome) -> Iterator[Span]:
    if fate.over is not None:
        yield Span(f"starts at {_at(fate.began)}, after the end at {_at(fate.over)}", Role.QUIET)
    elif fate.connected is not None:
        yield Span(f"connected at {_at(fate.connected)}, after {duration(fate.connected - fate.began)}")
        yield from _afterwards(fate)
    elif fate.error:
        yield Span(f"connect() failed with {fate.error} at {_at(fate.failed)}", Role.LOST)
    else:
        yield Span(f"has been trying to connect since {_at(fate.began)}", Role.AGAIN)


def _afterwards(fate: ClientOutcome) -> Iterator[Span]:
    """What there is to say of one that is connected, as it says."""
    if fate.alone:
        yield Span(ALONE, Role.LOST)
    if fate.error:
        yield Span(f"{fate.error} at {_at(fate.failed)}", Role.LOST)
    if fate.waits:
        yield Span(f"still waits in {fate.waits} since {_at(fate.since)}", Role.AGAIN)


def _at(time: int | None) -> str:
    return moment(time or 0)


def _counted(fates: Sequence[ClientOutcome]) -> Iterator[Line]:
    tally = Counter(fate.words for fate in fates)
    digits = len(f"{len(fates):,}")
    for words, number in tally.most_common():
        yield (Span(f"  {number:>{digits},}  {words}"),)
