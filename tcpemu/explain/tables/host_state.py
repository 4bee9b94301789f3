"""How hosts stand at one moment: listeners, both their queues, sockets, counters, and the timers that wait."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpemu.explain.lines.heading import Heading, heading_lines
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.explain.tables.connection_info import ConnectionInfo, info_lines
from tcpemu.explain.tables.counter_table import counter_lines
from tcpemu.explain.tables.socket_table import FIRST_OF_MANY, SOCKETS_LISTED, socket_lines
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import Record
from tcpemu.stack.base.events import QueueChanged
from tcpemu.stack.base.states import State
from tcpemu.stack.host import Host
from tcpemu.stack.sockets.armed_timers import PendingTimer
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.wire.segment import FlowKey, endpoint_text


@dataclass(frozen=True, slots=True)
class HostState:
    """One host."""

    name: str
    sockets: Sequence[SocketRow]
    counters: Mapping[str, int]
    queues: Sequence[QueueChanged]
    """The last word on each listener's queues."""
    timers: Sequence[PendingTimer]
    """In the order in which they will fire."""
    waiting: Collection[FlowKey] = ()
    """The connections that wait for accept()."""
    connections: Sequence[ConnectionInfo] = ()
    """Its connections with their windows, round-trip times and recovery."""


def last_queues(record: Record, node: str) -> list[QueueChanged]:
    """The last word of the record on the queues of each port of that host where somebody listens or did."""
    events = (entry.event for entry in record.events(QueueChanged, node=node))
    return list({event.port: event for event in events if isinstance(event, QueueChanged)}.values())


def waiting_for_accept(host: KnownHost) -> set[FlowKey]:
    """The connections in the accept queues of a host."""
    return host.waiting_for_accept()


def connections_of(host: KnownHost) -> list[ConnectionInfo]:
    """The connections of a host, as TCP_INFO has them; none of one that is only a copy."""
    if not isinstance(host, Host):
        return []
    found = []
    for row in host.sockets():
        flow = None if row.remote is None else (*row.remote, *row.local)
        info = None if flow is None else host.tcp_info(flow)
        if flow is not None and info is not None:
            found.append(ConnectionInfo(flow, host.congestion_control(flow), info))
    return found


def host_state_lines(
    heading: Heading, at: int, hosts: Sequence[HostState], width: int = 100, raw: Sequence[str] = ()
) -> Iterator[Line]:
    """All of it, host after host; at the end `raw`, the names of those that have no TCP."""
    yield from heading_lines(Heading(heading.title, "", (f"at {moment(at)}", *heading.facts)), width)
    for host in hosts:
        yield from _section(f"{host.name}: listeners (ss -tln)", _listeners(host))
        yield from _section(f"{host.name}: queues of each listener", _queues(host))
        yield from _section(f"{host.name}: sockets (ss -tan)", _sockets(host))
        inner = info_lines(host.connections, width)
        yield from _section(f"{host.name}: connections (ss -ti)", inner)
        yield from _section(f"{host.name}: counters that moved (nstat)", counter_lines(host.counters, width))
        yield from _section(f"{host.name}: timers that wait", timer_lines(host.timers, at))
    if raw:
        yield ()
    for name in raw:
        yield line(f"{name}: sends bare SYNs, has no TCP, so no sockets", Role.TITLE)


def _section(title: str, lines: Sequence[Line]) -> Iterator[Line]:
    """What there is nothing of is left out."""
    if lines:
        yield ()
        yield line(title, Role.TITLE)
        yield from lines


def _listeners(host: HostState) -> list[Line]:
    rows = [row for row in host.sockets if row.state is State.LISTEN]
    return socket_lines(rows) if rows else []


def _sockets(host: HostState) -> list[Line]:
    waiting = [row for row in host.sockets if row.remote and (*row.remote, *row.local) in host.waiting]
    return socket_lines(host.sockets, waiting) if host.sockets else [line("  none")]


def _queues(host: HostState) -> list[Line]:
    ports = {row.local[1] for row in host.sockets if row.state is State.LISTEN}
    cells = [
        (str(queue.port), str(queue.backlog), str(queue.accept), str(queue.syn))
        for queue in host.queues
        if queue.port in ports
    ]
    return _table(("Port", "Backlog", "Accept queue", "SYN queue"), cells) if cells else []


def _table(header: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> list[Line]:
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    head, *rows = (
        "  ".join(f"{text:<{size}}" for text, size in zip(row, widths, strict=True))
        for row in (header, *cells)
    )
    return [line(f"  {head}", Role.QUIET), *(line(f"  {row}") for row in rows)]


def timer_lines(timers: Sequence[PendingTimer], at: int) -> list[Line]:
    """A line for each timer: when it is due, in how long, whose it is, and what for; of very many, the first."""
    if not timers:
        return []
    most = len(timers) if len(timers) <= SOCKETS_LISTED else FIRST_OF_MANY
    cells = [
        (moment(one.due), f"in {span_words(one.due - at)}", _flow(one), one.what) for one in timers[:most]
    ]
    return [*_table(("Due at", "", "Flow", "For"), cells), *_rest(timers[most:])]


def _flow(timer: PendingTimer) -> str:
    remote, remote_port, local, local_port = timer.flow
    if not remote:
        return f"the listener on port {local_port}"
    return f"{endpoint_text((local, local_port))} with {endpoint_text((remote, remote_port))}"


def _rest(timers: Sequence[PendingTimer]) -> Iterator[Line]:
    if timers:
        tally = Counter(timer.what for timer in timers).most_common()
        words = ", ".join(f"{number:,} {what}" for what, number in tally)
        yield line(f"  … and {len(timers):,} more until {moment(timers[-1].due)}: {words}", Role.QUIET)
