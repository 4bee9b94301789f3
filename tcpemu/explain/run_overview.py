"""Everything that `tcpemu run` prints of a run: its ladder, how the clients fared, sockets, counters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tcpemu.explain.facts.client_outcomes import ClientOutcomes, client_outcome_lines
from tcpemu.explain.ladder.fold import WHOLE
from tcpemu.explain.ladder.ladder_lines import each_ladder_line
from tcpemu.explain.lines.heading import Heading, section
from tcpemu.explain.lines.style import Line
from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.tables.counter_table import counter_lines, counters_in_short
from tcpemu.explain.tables.socket_table import socket_lines_of_hosts
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import Record
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.stack.sockets.ss_table import SocketRow

MOST_HOSTS = 6
"""Hosts of which sockets and counters are shown: the server and the first clients."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that is over."""

    name: str
    """Empty where there is only one."""
    heading: Heading
    record: Record
    ended: int
    """Nanoseconds of virtual time."""
    tables: Mapping[str, Sequence[SocketRow]]
    """The sockets of each host at the end, the server first."""
    counters: Mapping[str, Mapping[str, int]]
    """The counters of each host at the end, the server first."""
    starts: Mapping[str, int] = field(default_factory=dict)
    """When each client was to begin, by its name, in nanoseconds."""
    hosts: Mapping[str, KnownHost] = field(default_factory=dict)
    """Those whose settings are known, by their names."""
    transfers: Transfers | None = None
    """The inner life of its connections, where that was followed."""


def overview_lines(run: FinishedRun, width: int = 100, whole: int = WHOLE, since: int = 0) -> Iterator[Line]:
    """All that is shown of one run; of its ladder what is sent from a time on."""
    clients = ClientOutcomes()
    yield from each_ladder_line(
        run.record,
        run.heading,
        width,
        whole,
        run.hosts,
        clients.note_step,
        transfers=run.transfers,
        since=since,
    )
    outcomes = clients.settled(run.starts, run.ended)
    yield from section("How the clients fared", client_outcome_lines(outcomes, width))
    yield from section(f"Sockets after {span_words(run.ended)}, as ss -tan shows them", _sockets(run))
    server, *others = run.counters
    yield from section(f"Counters of {server} that moved", counter_lines(run.counters[server], width))
    short = [counters_in_short(host, run.counters[host], width) for host in others[: MOST_HOSTS - 1]]
    yield from section("Counters of the other hosts", [each for lines in short for each in lines])


def _sockets(run: FinishedRun) -> list[Line]:
    hosts = list(run.tables)[:MOST_HOSTS]
    return socket_lines_of_hosts({host: run.tables[host] for host in hosts})
