"""What a script says, as records: options, commands, events with their times, packets, calls, expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.drill.language.script_mistake import Place, ScriptText
from tcpemu.wire.options import Option

# ---------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Anything:
    """`...`: any value, or none that matters."""

    place: Place


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    value: int
    place: Place


@dataclass(frozen=True, slots=True)
class Word:
    """The name of a constant."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes, with those that follow it joined to it."""

    value: str
    place: Place
    open_ended: bool = False
    """`"abc"...`: only the beginning counts."""


@dataclass(frozen=True, slots=True)
class Either:
    """`A|B`: bits of each."""

    parts: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Named:
    """`name=value` or `name(argument)=value`."""

    name: str
    argument: Expression | None
    value: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Converted:
    """`htons(8080)`, `inet_addr("192.0.2.1")`, `inet6_addr("::1")`."""

    name: str
    argument: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Array:
    """`[A, B]`: memory with these values in it."""

    items: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Structure:
    """`{A, B}` or `{name=A, name=B}`."""

    items: tuple[Expression, ...]
    place: Place

    def members(self) -> dict[str, Named]:
        """Those that have a name."""
        return {item.name: item for item in self.items if isinstance(item, Named)}


Expression: TypeAlias = Anything | Number | Word | Text | Either | Named | Converted | Array | Structure
"""Any argument or result of a call."""


def parts_of(expression: Expression) -> Iterator[Expression]:
    """The expression and all that is in it."""
    yield expression
    inside: tuple[Expression, ...] = ()
    if isinstance(expression, Array | Structure):
        inside = expression.items
    elif isinstance(expression, Either):
        inside = expression.parts
    elif isinstance(expression, Converted):
        inside = (expression.argument,)
    elif isinstance(expression, Named):
        inside = (
            (expression.value,) if expression.argument is None else (expression.argument, expression.value)
        )
    for part in inside:
        yield from parts_of(part)


# ---------------------------------------------------------------------------------- packets


@dataclass(frozen=True, slots=True)
class IpPart:
    """What a script says of the IP header; None for what it leaves open."""

    ecn: int | None = None
    """The two bits of ECN, 0 to 3: noecn, ect1, ect0, ce."""
    any_ect: bool = False
    """Either ect0 or ect1."""
    tos: int | None = None
    """The whole octet."""
    flow_label: int | None = None
    ttl: int | None = None


@dataclass(frozen=True, slots=True)
class TcpPacket:
    """A segment that arrives at the host, or that the host is to send. Numbers are those of the script."""

    inbound: bool
    place: Place
    ip: IpPart
    ports: tuple[int, int] | None
    """Source and destination; None for those of the connection under test."""
    flags: int
    ace: int | None
    """The counter of AccECN in the three ECN flags; None where the flags are given by letters."""
    seq: int
    size: int
    """Octets of payload."""
    ack: int
    window: int | None
    urgent: int
    options: tuple[Option, ...] | None
    """None for `<...>`: any."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """The segment that an ICMP error quotes."""

    seq: int
    size: int


@dataclass(frozen=True, slots=True)
class IcmpPacket:
    """An ICMP error that arrives, about a segment of the connection under test."""

    inbound: bool
    place: Place
    ip: IpPart
    kind: str
    code: str | None
    mtu: int | None
    quoted: Quoted | None


# ---------------------------------------------------------------------------------- other actions


@dataclass(frozen=True, slots=True)
class SystemCall:
    """A call of the application, and what it is to give."""

    name: str
    arguments: tuple[Expression, ...]
    result: Expression
    error: Word | None
    """The name of the errno."""
    end: int | None
    """Microseconds: when a blocking call returns; None for a call that does not block."""
    place: Place


@dataclass(frozen=True, slots=True)
class Command:
    """A line for a shell."""

    line: str
    place: Place


@dataclass(frozen=True, slots=True)
class Code:
    """Python, with the values of TCP_INFO in names."""

    text: str
    place: Place


Action: TypeAlias = TcpPacket | IcmpPacket | SystemCall | Command | Code
"""What happens at one time."""


@dataclass(frozen=True, slots=True)
class EventTime:
    """When: microseconds from the start, or from the event before."""

    start: int
    end: int | None = None
    """Of a range."""
    relative: bool = False
    whenever: bool = False
    """`*`: at any time."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of what happens."""

    time: EventTime
    action: Action
    place: Place


@dataclass(frozen=True, slots=True)
class Flag:
    """`--name` or `--name=value`, at the head of a script or on the command line."""

    name: str
    value: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script."""

    text: ScriptText
    flags: tuple[Flag, ...]
    events: tuple[Event, ...]
    before: Command | None = None
    """The command that runs before the first event."""
    after: Command | None = None
    """The command that runs when all is over."""
    defines: dict[str, str] = field(default_factory=dict)
