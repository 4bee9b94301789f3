"""A scenario: one server, groups of clients, the links between them, and how long to watch.

These are the tables of a scenario file, and what must hold within each of them. Everything has a default but
the title and what to look at, so that a small scenario is a small file. What must hold between tables is in
`consistency`; how mistakes are told, in `load_scenario`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from tcpemu.network.faults import NEEDS, TAKES, Fault
from tcpemu.network.packet_roles import parse_role
from tcpemu.scenario.format.actions import Actions, ServerActions, verb
from tcpemu.scenario.format.host_settings import HostTable
from tcpemu.scenario.format.links.link_tables import Link, OneWay, listed
from tcpemu.scenario.format.problems import Problem, hold
from tcpemu.scenario.format.strict_table import Table
from tcpemu.scenario.format.written_values import (
    Duration,
    Frequency,
    Name,
    Port,
    Share,
    SubnetText,
    Words,
    flat,
    with_floats,
)
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.wire.visible_text import visible

MOST_CLIENTS = 1_000_000
"""In one group."""


def _some(times: tuple[int, ...]) -> tuple[int, ...]:
    if not times:
        raise ValueError("a list with a time at least")
    return times


Times: TypeAlias = Annotated[tuple[Duration, ...], Field(strict=False), AfterValidator(_some)]


def _key(field: str) -> str:
    return "from" if field == "begin" else field


def _ascending(key: str, times: tuple[int, ...], inner: str = "") -> Iterator[Problem]:
    for number in range(1, len(times)):
        if times[number] < times[number - 1]:
            place = f"{key}[{number}]{inner}"
            yield Problem(place, "earlier than the one before", "put the times in order")


def _milliseconds(time: int) -> int:
    if time % MILLISECOND or not time:
        raise ValueError("a whole number of milliseconds, 1 or more")
    return time


def _some_time(time: int) -> int:
    if not time:
        raise ValueError("a time above 0")
    return time


class Slow(Table):
    """Some connections keep the server busy for longer."""

    share: Share
    """The share of connections that do."""
    every: Annotated[Duration, AfterValidator(_some_time)]
    """How long it is busy with each of them."""


class Pause(Table):
    """The server does not call accept() for a time: garbage collection, a reload, a disk that is slow."""

    begin: Annotated[Duration, Field(alias="from")] = 0
    """When the first one starts."""
    lasts: Annotated[Duration, AfterValidator(_some_time)]
    """How long each is."""
    every: Annotated[Duration, AfterValidator(_some_time)] | None = None
    """The time from the start of one to that of the next; there is one if not given."""

    @model_validator(mode="after")
    def _rules(self) -> Self:
        if self.every is not None and self.every <= self.lasts:
            hold([Problem("every", "not longer than a pause", "give a longer time, or accept.never = true")])
        return self

    def over(self, now: int) -> int:
        """When the pause that is on at that time is over; that time itself where none is."""
        since = now - self.begin
        if since < 0:
            return now
        place = since if self.every is None else since % self.every
        return now + max(self.lasts - place, 0)


class Accept(Table):
    """When the server calls accept()."""

    begin: Annotated[Duration, Field(alias="from")] = 0
    """No call before this time."""
    every: Duration = 0
    """The time from one call that gave a connection to the next: how long the server is busy with it."""
    by_chance: bool = False
    """`every` is a mean: how long it is busy comes by chance, from an exponential distribution."""
    slow: Slow | None = None
    """Some connections keep it busy for longer than `every`."""
    pauses: Annotated[tuple[Pause, ...], Field(strict=False)] = ()
    """Times in which it does not call accept()."""
    at: Times | None = None
    """One call at each of these times, in place of a loop."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """How many connections are accepted in all."""
    never: bool = False
    """The server does not accept at all."""

    @property
    def mean_busy(self) -> float:
        """Nanoseconds that the server is busy with a connection, in the mean."""
        share = self.slow.share if self.slow else 0.0
        return self.every * (1 - share) + (self.slow.every * share if self.slow else 0.0)

    def pauses_over(self, now: int) -> int:
        """When the pauses that are on at that time are over; that time itself where none is."""
        return max((pause.over(now) for pause in self.pauses), default=now)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        given = self.model_fields_set
        if self.never:
            for key in sorted(given - {"never"}):
                yield Problem(_key(key), f"{_key(key)} beside never = true", "keep one of the two")
        elif self.at is not None:
            for key in sorted(given - {"at", "limit"}):
                yield Problem(_key(key), f"{_key(key)} beside at", "give the times, or the loop")
            yield from _ascending("at", self.at)
        elif self.by_chance and not self.every:
            yield Problem("by_chance", "by_chance without every", "give the mean, such as every = '1 ms'")


class Relisten(Table):
    """A further listen() on the same socket, which sets a new backlog."""

    at: Duration
    """When."""
    backlog: int
    """The new backlog."""


class SocketOptionsTable(Table):
    """Options of a socket, by their names without the SO_ or TCP_ in front."""

    nodelay: bool | None = None
    """TCP_NODELAY: small segments do not wait for an ACK (Nagle's rule is off)."""
    cork: bool | None = None
    """TCP_CORK: segments that are not full wait, for 200 ms at most."""
    user_timeout: Annotated[Duration, AfterValidator(_milliseconds)] | None = None
    """TCP_USER_TIMEOUT: how long data may stay unacknowledged before the connection is given up."""
    keepalive: bool | None = None
    """SO_KEEPALIVE: a silent peer is asked whether it is still there."""
    keepidle: Annotated[int, Field(ge=1, le=32767)] | None = None
    """TCP_KEEPIDLE: seconds of silence before the first question."""
    keepintvl: Annotated[int, Field(ge=1, le=32767)] | None = None
    """TCP_KEEPINTVL: seconds between two questions."""
    keepcnt: Annotated[int, Field(ge=1, le=127)] | None = None
    """TCP_KEEPCNT: questions without an answer that end the connection."""
    linger: Annotated[int, Field(ge=0, le=65535)] | None = None
    """SO_LINGER on: close() waits so many seconds at most for the ACK of all data and FIN; with 0 it sends a RST."""
    sndbuf: Annotated[int, Field(ge=1)] | None = None
    """SO_SNDBUF, in octets; the kernel doubles it."""
    congestion: Literal["reno", "cubic", "bbr"] | None = None
    """TCP_CONGESTION: how the congestion window moves; the host's net.ipv4.tcp_congestion_control if not given."""
    max_pacing_rate: Annotated[int, Field(ge=1, le=2**64 - 1)] | None = None
    """SO_MAX_PACING_RATE, in octets per second: segments leave no faster than that."""


class ClientOptions(SocketOptionsTable):
    """Options of a client's socket, set before connect()."""

    syncnt: Annotated[int, Field(ge=1, le=127)] | None = None
    """TCP_SYNCNT: how often the SYN is repeated."""
    rcvbuf: Annotated[int, Field(ge=1)] | None = None
    """SO_RCVBUF, in octets; the kernel doubles it."""
    maxseg: Annotated[int, Field(ge=88, le=32767)] | None = None
    """TCP_MAXSEG: the largest MSS that is announced."""
    fastopen_connect: bool | None = None
    """TCP_FASTOPEN_CONNECT: with a cookie of its host's last visit the SYN carries the first data (Fast Open)."""
    fastopen_no_cookie: bool | None = None
    """TCP_FASTOPEN_NO_COOKIE: the same without a cookie, for a server that asks for none."""


class ListenOptions(SocketOptionsTable):
    """Options of the listening socket, set before listen(); the connections that it accepts have them too."""

    defer_accept: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """TCP_DEFER_ACCEPT, in seconds: no connection for accept() before the client has sent data."""
    syncnt: Annotated[int, Field(ge=1, le=127)] | None = None
    """TCP_SYNCNT: how often a SYN/ACK is repeated."""
    rcvbuf: Annotated[int, Field(ge=1)] | None = None
    """SO_RCVBUF, in octets; the kernel doubles it."""
    maxseg: Annotated[int, Field(ge=88, le=32767)] | None = None
    """TCP_MAXSEG: the largest MSS that is announced."""
    reuseaddr: bool | None = None
    """SO_REUSEADDR: connections of a socket before it, in TIME_WAIT, do not hold the port, if that one had it too."""
    fastopen: Annotated[int, Field(ge=0)] | None = None
    """TCP_FASTOPEN: a SYN with a good cookie opens its connection at once, data and all (Fast Open); so many may wait
    for their final ACK. The sysctl net.ipv4.tcp_fastopen must have the bit 2."""
    fastopen_no_cookie: bool | None = None
    """TCP_FASTOPEN_NO_COOKIE: no cookie is asked for."""


class Text(Table):
    """A fixed answer."""

    text: Annotated[str, Field(min_length=1)]
    """What is sent, in UTF-8."""


class Octets(Table):
    """An answer of a length."""

    octets: Annotated[int, Field(ge=1, le=2**24)]
    """How many octets are sent."""


def _kind(value: object) -> str:
    if isinstance(value, Octets) or (isinstance(value, dict) and "octets" in value):
        return "(octets)"
    return "(table)" if isinstance(value, dict | Text) else "(word)"


Answer: TypeAlias = Annotated[
    Annotated[Literal["nothing", "time", "echo"], Tag("(word)")]
    | Annotated[Text, Tag("(table)")]
    | Annotated[Octets, Tag("(octets)")],
    Discriminator(_kind),
]


class Server(HostTable):
    """The host that listens."""

    socket: Literal["tcp", "udp"] = "tcp"
    """What it listens with; listen() on a socket of UDP fails."""
    port: Port = 80
    """The port that it listens on."""
    backlog: Annotated[int, Field(ge=-(2**31), lt=2**31)] = 128
    """What it gives to listen()."""
    options: ListenOptions = ListenOptions()
    """Options of the listening socket."""
    accept: Accept = Accept()
    """When it calls accept(): in a loop, as fast as connections come, if not given."""
    answer: Answer = "nothing"
    """What it sends on a connection that it accepted: "nothing", "time" (date and time of the virtual clock),
    "echo" (what it receives), { text = "..." }, or { octets = 1000 }."""
    then: Literal["keep", "close", "read_to_end", "abort"] = "keep"
    """What it does after the answer: "keep" the connection, "close" it, "read_to_end": read until the
    client's end, and close, or "abort" it with a RST."""
    then_after: Duration = 0
    """How long after the answer it does that."""
    do: ServerActions = ()
    """In place of `answer` and `then`: what it does with each connection, in order, such as
    ["recv", { send = 1000 }, "close"]: read the request, answer, and close."""
    idle_timeout: Duration | None = None
    """It closes a connection on which it has waited so long for data."""
    relisten: Annotated[tuple[Relisten, ...], Field(strict=False)] = ()
    """Further calls of listen()."""
    listeners: Annotated[int, Field(ge=1, le=64)] = 1
    """So many sockets listen on the port, each with SO_REUSEPORT, queues of its own and a program that accepts."""
    close_at: Duration | None = None
    """When it closes the listening socket; of several, the first."""
    shutdown_at: Duration | None = None
    """When it calls shutdown(SHUT_RDWR) on the listening socket; of several, on the first."""
    stop_at: Duration | None = None
    """When its program ends: the kernel closes its listening socket and its connections; of several, the first."""
    listen_at: (
        Annotated[Times, BeforeValidator(listed, json_schema_input_type=Duration | list[Duration])] | None
    ) = None
    """When it listens again, on a new socket, after close_at or stop_at; of several times, each is a try that
    comes if those before it failed."""

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        for key in sorted(self.model_fields_set & {"answer", "then", "then_after"}) if self.do else ():
            yield Problem(key, f"{key} beside do", "keep one of the two")
        yield from _ascending("relisten", tuple(step.at for step in self.relisten), ".at")
        if self.listeners > 1 and self.socket == "udp":
            yield Problem("listeners", 'listeners beside socket = "udp"', "leave it out: UDP does not listen")
        ends = {key: at for key in ("close_at", "stop_at") if (at := getattr(self, key)) is not None}
        yield from self._broken_ends(ends)
        for key, end in ends.items():
            for number, step in enumerate(self.relisten):
                if step.at >= end:
                    yield Problem(f"relisten[{number}].at", f"listen() after {key}", "give an earlier time")
            if self.shutdown_at is not None and self.shutdown_at >= end:
                yield Problem("shutdown_at", f"shutdown() after {key}", "give an earlier time")

    def _broken_ends(self, ends: dict[str, int]) -> Iterator[Problem]:
        if len(ends) > 1:
            yield Problem("stop_at", "stop_at beside close_at", "keep one of the two")
        if self.listen_at is None:
            return
        yield from _ascending("listen_at", self.listen_at)
        if not ends:
            yield Problem("listen_at", "listen_at without an end", "say when it stops: stop_at or close_at")
        elif self.listen_at[0] < max(ends.values()):
            yield Problem("listen_at", "earlier than the end before it", "give a later time")


class Start(Table):
    """When the clients of a group start."""

    begin: Annotated[Duration, Field(alias="from")] = 0
    """When the first one starts; the others too, if there is no more than this."""
    every: Duration | None = None
    """The time from one start to the next."""
    rate: Frequency | None = None
    """Starts a second, in place of `every`."""
    poisson: bool = False
    """With `rate`: the starts come by chance, at that mean rate."""
    until: Duration | None = None
    """With `every` or `rate`, in place of `count`: as many clients as start before this time."""
    at: Times | None = None
    """One client at each of these times, in place of all else."""

    @property
    def spread(self) -> bool:
        """Whether the clients start one after the other, at a pace."""
        return self.every is not None or self.rate is not None

    @property
    def expected(self) -> float:
        """About how many clients start before `until`; 0 where nothing says so."""
        if self.until is None or not self.spread:
            return 0.0
        a_second = self.rate or SECOND / (self.every or SECOND)
        return max(0, self.until - self.begin) / SECOND * a_second

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        if self.at is not None:
            for key in sorted(self.model_fields_set - {"at"}):
                yield Problem(_key(key), f"{_key(key)} beside at", "give the times, or how they come")
            yield from _ascending("at", self.at)
            return
        if self.every is not None and self.rate is not None:
            yield Problem("rate", "rate beside every", "keep one of the two")
        if self.poisson and self.rate is None:
            yield Problem("poisson", "poisson without rate", "give the mean rate, such as rate = 100")
        if self.until is not None and not self.spread:
            yield Problem("until", "until without every or rate", "say how fast the clients come")
        if self.until is not None and self.every == 0:
            yield Problem("every", "found 0 beside until", "give a time above 0")
        if self.expected > MOST_CLIENTS:
            yield Problem(
                "until", f"about {self.expected:.0f} clients", f"there can be {MOST_CLIENTS} at most"
            )


def _start_table(value: object) -> object:
    return value if isinstance(value, dict | Start) else {"from": value}


class ClientGroup(HostTable):
    """One host with clients on it that all do the same."""

    name: Name
    """The group's name: its host and its clients are called so."""
    count: Annotated[int, Field(ge=1, le=MOST_CLIENTS)] | None = None
    """How many clients; one if nothing else says it."""
    start: Annotated[Start, BeforeValidator(_start_table, json_schema_input_type=Duration | Start)] = Start()
    """When they start: one time for all, or a table."""
    do: Actions = ("connect",)
    """What each does, in order: words such as "connect", and tables such as { send = "hello" }."""
    port: Port | None = None
    """The port that they connect to; the server's if not given."""
    own_port: Port | None = None
    """The port of the first client; each further one has the next. Free ones if not given."""
    options: ClientOptions = ClientOptions()
    """Options of each client's socket."""
    patience: Annotated[Duration, AfterValidator(_some_time)] | None = None
    """How long each waits in connect(), and then in each read, before it gives up and closes: a time-out of its own, as
    SO_SNDTIMEO and SO_RCVTIMEO set it. As long as TCP itself tries if not given."""
    link: Link | None = None
    """The group's own way to the server; what is not given is as in the scenario's `link`."""
    spoof: SubnetText | None = None
    """With "syn": each SYN comes from a random address of this range, where nobody is."""
    replies: Literal["nothing", "rst"] = "nothing"
    """With "syn": what answers a SYN/ACK: "nothing", or a "rst", as the kernel of an attacker does that is there."""

    @property
    def raw(self) -> bool:
        """Whether the group has no TCP of its own and only throws SYNs."""
        return any(verb(action) == "syn" for action in self.do)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        if self.spoof is not None and not self.raw:
            yield Problem("spoof", "spoof without a bare SYN", 'it goes with do = ["syn"]')
        if self.replies != "nothing" and not self.raw:
            yield Problem("replies", "replies without a bare SYN", 'it goes with do = ["syn"]')
        for key in sorted(self.model_fields_set & {"own_port", "options", "patience"}) if self.raw else ():
            yield Problem(key, f"{key} beside a bare SYN", "it goes with connect")
        if self.own_port is not None and self.own_port + (self.count or 1) > 65536:
            yield Problem("own_port", f"found {self.own_port}", f"too high for {self.count} ports")
        start = self.start
        if start.at is not None and self.count not in {None, len(start.at)}:
            yield Problem(
                "count", f"found {self.count}", f"start.at has {len(start.at)} times; leave count out"
            )
        if start.until is not None and self.count is not None:
            yield Problem("count", "count beside start.until", "keep one of the two")
        if start.spread and start.until is None and self.count is None:
            yield Problem("count", "missing", "give count or start.until: clients come at a pace without end")


def _role(text: str) -> str:
    try:
        parse_role(text)
    except ConfigurationError as error:
        raise ValueError(f"a part that a packet plays: {error}") from None
    return text


class FaultTable(Table):
    """Something that goes wrong: with packets of a role, or at a time."""

    what: Literal["lose", "delay", "duplicate", "reorder", "reject", "reset", "cut", "crash"]
    """With packets of a role: "lose" them, "delay" them by `time`, "duplicate" them, "reorder" them with the next,
    "reject" them: lost, and a router says so by ICMP.
    At a time: "reset": a RST comes to both ends of a connection; "cut": all packets are lost;
    "crash": the host stops and forgets its connections."""
    role: Annotated[str, AfterValidator(_role)] | None = None
    """The part that a packet plays: "syn", "syn-ack", "third-ack", "fin", "rst", "data 2", "ack 1" or
    "retransmission 1"."""
    of: Name | None = None
    """The host whose connections, or whose data, are meant: "server", or the name of a group; each if not given."""
    connection: Annotated[int, Field(ge=1)] | None = None
    """Which of the connections that the host opens, counted from 1; each if not given."""
    by: Name | None = None
    """The host that sends the packets, where either end may."""
    times: Annotated[int, Field(ge=1)] = 1
    """So many packets of this role in each connection."""
    time: Duration | None = None
    """How long a "delay" is."""
    at: Duration | None = None
    """When a "reset", a "cut" or a "crash" comes."""
    until: Duration | None = None
    """When a "cut" ends, or the host starts again after a "crash"; never if not given."""
    says: (
        Literal["net unreachable", "host unreachable", "port unreachable", "prohibited", "time exceeded"]
        | None
    ) = None
    """What the router says of what it does "reject"."""

    @property
    def fault(self) -> Fault:
        """The same as the network takes it."""
        return Fault.from_data({name: getattr(self, name) for name in self.model_fields_set})

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        given = {name for name in self.model_fields_set if getattr(self, name) is not None} - {"what"}
        for key in NEEDS[self.what]:
            if key not in given:
                yield Problem(key, "missing", f"a {self.what} takes it")
        for key in sorted(given - TAKES[self.what]):
            yield Problem(key, f'{key} beside what = "{self.what}"', "leave it out")
        if self.at is not None and self.until is not None and self.until <= self.at:
            yield Problem("until", "not after at", "give a later time")


class Variant(Table):
    """The scenario once more, with some settings changed."""

    name: Annotated[str, Field(min_length=1), AfterValidator(visible)]
    """What the run is called."""
    set: Annotated[
        dict[str, Any], BeforeValidator(flat), AfterValidator(with_floats), WithJsonSchema({"type": "object"})
    ]
    """Settings by their path in the file, such as "server.backlog" = 5, "clients.NAME.count" = 3, or
    "net.ipv4.tcp_syncookies" = 0 for a sysctl of the server."""


class Scenario(Table):
    """A scenario file."""

    title: Words
    """What happens, in a line."""
    about: Words = ""
    """What the scenario shows and why it is so."""
    look_at: Words = ""
    """A sentence on what to look at in the output."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """All chance comes from this number: the same seed gives the same packets."""
    duration: Duration = 10 * SECOND
    """How long the scenario runs, in virtual time."""
    link: Link = Link()
    """The way between every client and the server."""
    server: Server = Server()
    """The host that listens, and what its program does."""
    clients: Annotated[tuple[ClientGroup, ...], Field(strict=False)] = ()
    """Groups of clients."""
    faults: Annotated[tuple[FaultTable, ...], Field(strict=False)] = ()
    """What goes wrong: with packets by their role, or at a time."""
    variants: Annotated[tuple[Variant, ...], Field(strict=False)] = ()
    """Runs to be shown side by side, in place of the scenario as it stands; a single one has it beside it.
    The scenario runs once, as it stands, if there are none."""

    def group(self, name: str) -> ClientGroup:
        """The group of that name. Raises KeyError."""
        for group in self.clients:
            if group.name == name:
                return group
        raise KeyError(name)

    def link_of(self, group: ClientGroup) -> Link:
        """The way between the group and the server: its own where it says so, else everybody's."""
        if group.link is None:
            return self.link
        own = group.link
        plain = {key: getattr(own, key) for key in own.model_fields_set - _WAYS}
        ways = {key: _way(getattr(self.link, key), plain, getattr(own, key)) for key in _WAYS}
        return self.link.model_copy(update=plain | ways)


_WAYS = frozenset({"to_server", "to_client"})


def _way(shared: OneWay | None, plain: dict[str, Any], own: OneWay | None) -> OneWay | None:
    """One direction of a group's link: what it says of that way, then of both, then what everybody's link says."""
    given = {} if shared is None else {key: value for key, value in shared.given.items() if key not in plain}
    given |= {} if own is None else own.given
    return OneWay.model_construct(**given) if given else None
