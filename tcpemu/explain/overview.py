"""Everything that is printed of a run: its ladder, how the clients fared, sockets, counters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tcpemu.explain.counters import counter_lines, counters_in_short
from tcpemu.explain.fates import fate_lines, fates_of
from tcpemu.explain.fold import WHOLE
from tcpemu.explain.ladder import Heading, ladder
from tcpemu.explain.side_by_side import NumberRow, comparison
from tcpemu.explain.style import Line, Role, line
from tcpemu.explain.table import socket_lines_of_hosts
from tcpemu.explain.words import duration
from tcpemu.network.record import Record
from tcpemu.stack.host import Host
from tcpemu.stack.sockets.ss_table import SocketRow

MOST_HOSTS = 6
"""Hosts of which sockets and counters are shown: the server and the first clients."""


@dataclass(frozen=True, slots=True)
class Run:
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
    hosts: Mapping[str, Host] = field(default_factory=dict)
    """Those whose settings are known, by their names."""


def overview(run: Run, width: int = 100, whole: int = WHOLE) -> Iterator[Line]:
    """All that is shown of one run."""
    yield from ladder(run.record, run.heading, width, whole, run.hosts)
    fates = fates_of(run.record, run.starts, run.ended)
    yield from _section("How the clients fared", fate_lines(fates, width))
    yield from _section(f"Sockets after {duration(run.ended)}, as ss -tan shows them", _sockets(run))
    server, *others = run.counters
    yield from _section(f"Counters of {server} that moved", counter_lines(run.counters[server], width))
    short = [counters_in_short(host, run.counters[host], width) for host in others[: MOST_HOSTS - 1]]
    yield from _section("Counters of the other hosts", [each for lines in short for each in lines])


def side_by_side(names: Sequence[str], rows: Sequence[NumberRow], width: int = 100) -> Iterator[Line]:
    """What each of several runs came to."""
    yield from _section("The runs side by side", comparison(names, rows, width))


def _sockets(run: Run) -> list[Line]:
    hosts = list(run.tables)[:MOST_HOSTS]
    return socket_lines_of_hosts({host: run.tables[host] for host in hosts})


def _section(title: str, lines: Sequence[Line]) -> Iterator[Line]:
    """A title and what belongs to it; nothing at all where there is nothing to show."""
    if lines:
        yield ()
        yield line(title, Role.TITLE)
        yield from lines
