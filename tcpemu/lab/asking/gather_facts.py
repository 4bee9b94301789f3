"""From a run that is over to the rows of all tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import TypeAlias

from tcpemu.explain.capture.chosen_sights import ChosenSights
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.rows import PacketRow, each_row
from tcpemu.lab.asking.fact_rows import (
    CallFact,
    ClientFact,
    CounterFact,
    FigureFact,
    HostFact,
    PacketFact,
    ProgramFact,
    QueueFact,
    SocketFact,
    StateFact,
    TimerFact,
)
from tcpemu.network import Network, Node
from tcpemu.network.record import Call, HostEvent, PacketSeen, Point, Record
from tcpemu.programs import Program
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.events import IcmpArrived, QueueChanged, StateChanged, TimerFired
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.segment import ACK, FIN, RST, SYN, address_text, flag_letters

Rows: TypeAlias = dict[str, list[tuple[object, ...]]]
"""Rows by the name of their table."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A network whose time is over, and what is known of who was on it."""

    network: Network
    seen_by: SeenBy = SeenBy.SERVER
    """Whose capture gives frames their numbers."""
    result: Result | None = None
    """Of a scenario."""
    programs: Sequence[Program] = ()


def gather(run: FinishedRun) -> Rows:
    """All rows of the run."""
    record = run.network.record
    rows: Rows = {
        "packets": list(_packets(record, run.seen_by)),
        "counters": list(_counters(run.network)),
        "hosts": [
            HostFact(node.name, address) for node in run.network.nodes.values() for address in node.addresses
        ],
        "sockets": list(_sockets(run.network)),
        "figures": list(_figures(run.network)),
        "programs": [
            ProgramFact(
                one.name,
                one.process.node.name if one.process.node else "",
                one.status,
                one.output,
                one.errors,
            )
            for one in run.programs
        ],
        **_events(record),
    }
    rows["clients"] = list(_clients(run.result, record)) if run.result is not None else []
    return rows


def seconds(nanoseconds: int) -> float:
    """Seconds."""
    return nanoseconds / SECOND


def _maybe(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else seconds(nanoseconds)


# Packets.


def frame_numbers(
    record: Record, seen_by: SeenBy
) -> tuple[dict[int, tuple[int, int]], list[tuple[int, HostEvent]]]:
    """By a packet's number: its frame in the capture and its time there; and the ICMP errors with their frames.

    In the order of `annotated_capture`, which writes the same packets.
    """
    sights = ChosenSights(record, seen_by)
    segments = (
        (found.place, found.sight)
        for found in sights.each()
        if found.chosen and found.sight.point is not Point.LOST
    )
    frames: dict[int, tuple[int, int]] = {}
    icmp: list[tuple[int, HostEvent]] = []
    together: Iterable[tuple[int, PacketSeen | HostEvent]] = merge(
        sights.errors(), segments, key=lambda one: (one[1].at, one[0])
    )
    for frame, (_, seen) in enumerate(together, 1):
        if isinstance(seen, PacketSeen):
            frames[seen.number] = frame, seen.at
        else:
            icmp.append((frame, seen))
    return frames, icmp


def _packets(record: Record, seen_by: SeenBy) -> Iterator[PacketFact]:
    frames, icmp = frame_numbers(record, seen_by)
    first = min([at for _, at in frames.values()] + [entry.at for _, entry in icmp], default=0)
    listening = {port for _, port in record.outline().ports}
    for row in each_row(record):
        if isinstance(row, PacketRow):
            frame, at = frames.get(row.number, (None, None))
            yield _packet(row, frame, None if at is None else at - first, listening)
    for frame, entry in icmp:
        yield _icmp(entry, frame, entry.at - first)


def _packet(row: PacketRow, frame: int | None, time: int | None, listening: set[int]) -> PacketFact:
    segment, verdict, sent = row.segment, row.verdict, row.sent
    flags = segment.flags
    return PacketFact(
        number=row.number,
        frame=frame,
        time=_maybe(time),
        at=seconds(row.at),
        arrived=_maybe(row.arrived),
        lost=row.lost,
        kind="tcp",
        sender=row.sender,
        receiver=row.receiver or "",
        src=address_text(segment.src),
        dst=address_text(segment.dst),
        sport=segment.sport,
        dport=segment.dport,
        port=segment.dport if segment.sport in listening else segment.sport,
        flags=flag_letters(flags),
        is_syn=int(bool(flags & SYN)),
        is_ack=int(bool(flags & ACK)),
        is_fin=int(bool(flags & FIN)),
        is_rst=int(bool(flags & RST)),
        seq=row.relative.seq,
        ack=row.relative.ack,
        raw_seq=segment.seq,
        raw_ack=segment.ack,
        window=row.relative.window,
        len=len(segment.payload),
        repeat=sent.repeat if sent else 0,
        sent_because=sent.reason.name if sent else "",
        fate=verdict.outcome.value if verdict else "",
        fate_because=verdict.reason.name if verdict else "",
        fate_why=verdict.reason.text if verdict else "",
        receiver_state=row.receiver_state.ss_name if row.receiver_state else "",
    )


def _icmp(entry: HostEvent, frame: int, time: int) -> PacketFact:
    told = entry.event
    assert isinstance(told, IcmpArrived)
    blank = dict.fromkeys(PacketFact._fields, 0)
    words = {"lost": "", "sender": "", "flags": "", "sent_because": "", "fate": "", "receiver_state": ""}
    return PacketFact(
        **{
            **blank,
            **words,
            "frame": frame,
            "time": seconds(time),
            "at": seconds(entry.at),
            "arrived": seconds(entry.at),
            "kind": "icmp",
            "receiver": entry.node,
            "src": address_text(told.error.src),
            "dst": address_text(told.error.dst),
            "ack": None,
            "fate_because": told.reason.name,
            "fate_why": told.reason.text,
        }  # type: ignore[arg-type]
    )


# All else.


def _events(record: Record) -> Rows:
    rows: Rows = {"states": [], "timers": [], "queues": [], "calls": []}
    for entry in record.each(StateChanged, TimerFired, QueueChanged, Call):
        at = seconds(entry.at)
        if isinstance(entry, Call):
            flow = entry.flow
            ends = (None, None) if flow is None else (flow[3], flow[1])
            rows["calls"].append(CallFact(at, entry.node, entry.application, entry.text, entry.result, *ends))
            continue
        event = entry.event if isinstance(entry, HostEvent) else None
        if isinstance(event, StateChanged):
            names = event.old.ss_name, event.new.ss_name
            rows["states"].append(
                StateFact(at, entry.node, event.flow[1], event.flow[3], *names, event.cause)
            )
        elif isinstance(event, TimerFired):
            why = event.reason.name, event.reason.text
            rows["timers"].append(TimerFact(at, entry.node, event.flow[1], event.flow[3], *why))
        elif isinstance(event, QueueChanged):
            lengths = event.accept, event.syn, event.backlog
            rows["queues"].append(QueueFact(at, entry.node, event.port, *lengths))
    return rows


def _counters(network: Network) -> Iterator[CounterFact]:
    for name, host in network.known_hosts.items():
        for counter, value in host.counters.items():
            yield CounterFact(name, counter, value)


def _sockets(network: Network) -> Iterator[SocketFact]:
    for node in network.nodes.values():
        if isinstance(node, Node):
            for row in network.table(node):
                remote = None if row.remote is None else row.remote[1]
                yield SocketFact(node.name, row.state.ss_name, row.recv_q, row.send_q, row.local[1], remote)


def _figures(network: Network) -> Iterator[FigureFact]:
    for host, flow, changes in network.transfers or ():
        for change in changes:
            one = change.figures
            yield FigureFact(
                at=seconds(change.at),
                host=host,
                remote_port=flow[1],
                local_port=flow[3],
                cwnd=one.cwnd,
                ssthresh=one.ssthresh,
                ca_state=one.ca_state,
                in_flight=one.in_flight,
                srtt=one.srtt / 10**6,
                rto=one.rto / 10**6,
                backoff=one.backoff,
                snd_wnd=one.snd_wnd,
                notsent=one.notsent,
                total_retrans=one.total_retrans,
                acked=one.acked,
                mss=one.mss,
            )


def _clients(result: Result, record: Record) -> Iterator[ClientFact]:
    ports = _ports_of_applications(record)
    accepted: Mapping[tuple[bytes, int], int] = {one.peer: one.at for one in result.accepted}
    for client in result.clients:
        flow = ports.get(client.name)
        yield ClientFact(
            client.name,
            client.group,
            None if flow is None else flow[1],
            seconds(client.started),
            _maybe(client.connected),
            client.sent,
            client.received,
            client.error,
            _maybe(client.ended),
            None if flow is None else _maybe(accepted.get(flow)),
        )


def _ports_of_applications(record: Record) -> dict[str, tuple[bytes, int]]:
    """The local address and port of the first connection of each application, by its name."""
    found: dict[str, tuple[bytes, int]] = {}
    for call in record.each_call():
        if call.application and call.flow is not None:
            found.setdefault(call.application, (call.flow[2], call.flow[3]))
    return found
