"""Where two hosts send other packets in the same script: connection by connection, in numbers of their own.

Sequence numbers count from each connection's first one; what a host draws at random, as the octets of a cookie, and
its timestamps are left out. Times are compared as those since the packet before on the connection, as on a real host
what is late makes all that follows later; they may be off by what the script allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from tcpemu.drill.playing.packet_checks import segment_text
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.wire.capture_values import Direction, Packet
from tcpemu.wire.codec_choice import decode
from tcpemu.wire.options import FastOpen, Option, Sack, Timestamps
from tcpemu.wire.segment import ACK, SYN, Segment

_MASK = 2**32 - 1
_MICROSECOND = 1_000


@dataclass(frozen=True, slots=True)
class _Sent:
    """A packet of the host."""

    at: int
    since: int
    """Nanoseconds since the packet before it on the connection, from either side."""
    text: str


@dataclass(slots=True, eq=False)
class _Connection:
    """Numbers, and what the host sent."""

    local: int | None = None
    remote: int | None = None
    last: int | None = None
    """When a packet was seen."""
    sent: list[_Sent] = field(default_factory=list)


def differences_of_packets(
    emulated: Sequence[Packet], real: Sequence[Packet], flags: DrillFlags
) -> list[str]:
    """A line for each packet that one of the hosts sends alone, or at another time; none where they agree."""
    ours, theirs = _connections(emulated), _connections(real)
    lines: list[str] = []
    for number in range(max(len(ours), len(theirs))):
        mine = ours[number].sent if number < len(ours) else []
        its = theirs[number].sent if number < len(theirs) else []
        found = list(_differences(mine, its, flags))
        if found and max(len(ours), len(theirs)) > 1:
            lines.append(f"connection {number + 1}:")
        lines += found
    return lines


def _differences(mine: list[_Sent], its: list[_Sent], flags: DrillFlags) -> Iterator[str]:
    matcher = SequenceMatcher(None, [sent.text for sent in mine], [sent.text for sent in its], False)
    for kind, start, end, its_start, its_end in matcher.get_opcodes():
        if kind == "equal":
            for one, other in zip(mine[start:end], its[its_start:its_end], strict=True):
                yield from _apart(one, other, flags)
        else:
            yield from (_line("emulator", sent) for sent in mine[start:end])
            yield from (_line("kernel", sent) for sent in its[its_start:its_end])


def _apart(mine: _Sent, its: _Sent, flags: DrillFlags) -> Iterator[str]:
    slack = flags.tolerance_usecs * _MICROSECOND + int(flags.tolerance_percent / 100 * mine.since)
    if abs(mine.since - its.since) > slack:
        by = (its.since - mine.since) / 1e6
        yield f"{_line('emulator', mine)}; the kernel {abs(by):.3f} ms {'later' if by > 0 else 'earlier'}"


def _line(who: str, sent: _Sent) -> str:
    return f"{who:8}  {sent.at / 1e9:10.6f}  > {sent.text}"


def _connections(packets: Sequence[Packet]) -> list[_Connection]:
    """In the order of their first packets. A SYN from another beginning is another connection's."""
    order: list[_Connection] = []
    current: dict[tuple[int, int], _Connection] = {}
    for packet in packets:
        segment = decode(packet.data)
        if not isinstance(segment, Segment):
            continue
        inbound = packet.direction is Direction.INBOUND
        ports = (segment.sport, segment.dport) if inbound else (segment.dport, segment.sport)
        connection = current.get(ports)
        if connection is None or _is_new(connection, segment, inbound):
            connection = current[ports] = _Connection()
            order.append(connection)
        _note(connection, segment, inbound)
        if not inbound:
            before = packet.at if connection.last is None else connection.last
            connection.sent.append(_Sent(packet.at, packet.at - before, _text(connection, segment)))
        connection.last = packet.at
    return order


def _is_new(connection: _Connection, segment: Segment, inbound: bool) -> bool:
    known = connection.remote if inbound else connection.local
    return bool(segment.flags & SYN) and known is not None and known != segment.seq


def _note(connection: _Connection, segment: Segment, inbound: bool) -> None:
    if inbound and connection.remote is None:
        connection.remote = segment.seq
    if not inbound and connection.local is None:
        connection.local = segment.seq


def _text(connection: _Connection, segment: Segment) -> str:
    local, remote = connection.local or 0, connection.remote or 0
    ack = (segment.ack - remote) & _MASK if segment.flags & ACK else segment.ack
    options = tuple(_option(option, remote) for option in segment.options)
    shown = segment._replace(seq=(segment.seq - local) & _MASK, ack=ack, options=options)
    ecn = f" ecn {segment.tos & 3}" if segment.tos & 3 else ""
    return f"{segment_text(shown)}{ecn}"


def _option(option: Option, remote: int) -> Option:
    if isinstance(option, Sack):
        blocks = tuple(((left - remote) & _MASK, (right - remote) & _MASK) for left, right in option.blocks)
        return replace(option, blocks=blocks)
    if isinstance(option, Timestamps):
        return Timestamps(0, option.ecr)
    if isinstance(option, FastOpen):
        return replace(option, cookie=bytes(len(option.cookie)))
    return option
