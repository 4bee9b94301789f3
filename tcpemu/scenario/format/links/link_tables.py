"""The tables of a link: what it does to packets in both directions, or in one."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from tcpemu.scenario.format.host_settings import MTU_LEAST, MTU_MOST
from tcpemu.scenario.format.problems import Problem, hold
from tcpemu.scenario.format.strict_table import Table
from tcpemu.scenario.format.written_values import Duration, Flags, Port, Rate, Share
from tcpemu.stack.base.units import MILLISECOND


def listed(value: object) -> object:
    """A list, also where one thing was given."""
    return value if isinstance(value, list | tuple) else (value,)


PacketOrdinals: TypeAlias = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    Field(strict=False),
    BeforeValidator(listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "array", "items": {"type": "integer", "minimum": 1}},
            ]
        }
    ),
]


class Drop(Table):
    """Loses chosen packets of a link."""

    to: Literal["server", "client"]
    """The direction in which the packets travel."""
    flags: Flags = ""
    """Only packets with these flags, letters of FSRPAUECN; they may have others."""
    without: Flags = ""
    """Only packets without these flags: flags = "S" and without = "A" is a SYN that is no SYN/ACK."""
    data: bool | None = None
    """Only packets with data (true) or without (false)."""
    nth: PacketOrdinals = ()
    """Which of the packets that match, counted from 1: a number, or several as [1, 3]. All if not given."""
    every: Annotated[int, Field(ge=1)] | None = None
    """In place of nth: every so-many-th of the packets that match, as 10 for the 10th, 20th and 30th."""
    begin: Annotated[Duration, Field(alias="from")] = 0
    """Packets that are sent before this time are neither lost nor counted."""
    until: Duration | None = None
    """Nor are those that are sent at this time or later."""
    sport: Port | None = None
    """Only packets from this port."""
    dport: Port | None = None
    """Only packets to this port."""

    @model_validator(mode="after")
    def _rules(self) -> Self:
        if self.until is not None and self.until <= self.begin:
            hold([Problem("until", "not after from", "give a later time")])
        if self.every is not None and self.nth:
            hold([Problem("every", "every beside nth", "keep one of the two")])
        return self


class RedTable(Table):
    """Random early detection (RED) at the queue of a link: it goes by the mean of the packets that wait."""

    least: Annotated[float, Field(gt=0)]
    """Packets; with fewer in the mean nothing happens."""
    most: Annotated[float, Field(gt=0)]
    """Packets; with so many in the mean each one is marked or dropped."""
    probability: Share = 0.1
    """The share that is hit where the mean is just below most."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.002
    """How fast the mean follows the queue: the share that each packet's view of it has."""

    @model_validator(mode="after")
    def _rules(self) -> Self:
        if self.most <= self.least:
            hold(
                [Problem("most", f"found {self.most:g}, and least is {self.least:g}", "give more than least")]
            )
        return self


class OneWay(Table):
    """One direction of a link, where it is not as the other; what is not given is as in the link itself."""

    delay: Duration | None = None
    """How long a packet travels this way."""
    jitter: Duration | None = None
    """How much longer or shorter that may be, by chance, packet by packet."""
    rate: Rate | None = None
    """Bits a second this way."""
    queue: Annotated[int, Field(ge=1)] | None = None
    """Packets that wait for that rate, the one on its way included."""
    queue_octets: Annotated[int, Field(ge=1)] | None = None
    """Octets of packets that wait for that rate."""
    red: RedTable | None = None
    """Early detection this way."""
    mark: Annotated[int, Field(ge=1)] | None = None
    """An ECN-capable packet that finds so many packets waiting this way is marked (CE)."""
    mtu: Annotated[int, Field(ge=MTU_LEAST, le=MTU_MOST)] | None = None
    """Octets that a packet may have this way; of larger ones a router says so by ICMP."""
    icmp: bool | None = None
    """Whether that router says so."""
    loss: Share | None = None
    """Share of packets lost this way."""
    loss_from: Duration | None = None
    """Before this time none of them is lost."""
    loss_until: Duration | None = None
    """Nor at this time or later."""
    burst: Annotated[float, Field(ge=1, le=1_000_000)] | None = None
    """Packets lost in a row this way, in the mean."""
    duplicate: Share | None = None
    """Share of packets that arrive twice this way."""
    reorder: Share | None = None
    """Share of packets that go this way and arrive at once, ahead of those that are still on it."""

    @property
    def given(self) -> dict[str, Any]:
        """What stands in it, by key."""
        return {key: getattr(self, key) for key in self.model_fields_set if getattr(self, key) is not None}


class Link(Table):
    """The way between a client and the server. Each value holds for either direction, where no table says else."""

    delay: Duration = 5 * MILLISECOND
    """How long a packet travels one way."""
    jitter: Duration = 0
    """The delay is longer or shorter by up to this much, by chance, packet by packet; at most the delay."""
    rate: Rate | None = None
    """Bits a second; packets queue for it. Without limit if not given."""
    queue: Annotated[int, Field(ge=1)] = 1000
    """Packets that wait for the rate, the one on its way included; one more is lost."""
    queue_octets: Annotated[int, Field(ge=1)] | None = None
    """Octets of packets that wait for the rate; a packet that would be more is lost. Any number if not given."""
    red: RedTable | None = None
    """Early detection: the queue marks some ECN-capable packets, and drops some others, before it is full."""
    mark: Annotated[int, Field(ge=1)] | None = None
    """An ECN-capable packet that finds so many packets in the queue is marked (CE) and not lost; none if not given."""
    mtu: Annotated[int, Field(ge=MTU_LEAST, le=MTU_MOST)] | None = None
    """Octets that a packet may have on the path; of larger ones a router says so by ICMP. Any number if not given."""
    icmp: bool = True
    """Whether that router says so; if not, large packets vanish in a black hole. It needs an `mtu`."""
    shared: bool = False
    """All clients with a shared link wait in one queue for one rate in each direction: a bottleneck. Their delays may
    differ; rate, queue, queue_octets, mark and red may not."""
    loss: Share = 0.0
    """Share of packets lost."""
    loss_from: Duration = 0
    """Packets that are sent before this time are not lost so."""
    loss_until: Duration | None = None
    """Nor are those that are sent at this time or later."""
    burst: Annotated[float, Field(ge=1, le=1_000_000)] = 1.0
    """Packets lost in a row, in the mean: above 1 losses come in bursts, with good times between them (Gilbert)."""
    duplicate: Share = 0.0
    """Share of packets that arrive twice."""
    reorder: Share = 0.0
    """Share of packets that arrive at once, ahead of those that are still on their way."""
    to_server: OneWay | None = None
    """The way from a client to the server alone."""
    to_client: OneWay | None = None
    """The way from the server to a client alone."""
    drop: Annotated[tuple[Drop, ...], Field(strict=False)] = ()
    """Packets that are lost on purpose."""

    def towards(self, to: Literal["server", "client"]) -> Self:
        """The link with the values of that direction."""
        way = self.to_server if to == "server" else self.to_client
        return self if way is None else self.model_copy(update=way.given)

    @property
    def round_trip(self) -> int:
        """Nanoseconds from the server to a client and back, at an empty link without jitter."""
        return self.towards("server").delay + self.towards("client").delay
