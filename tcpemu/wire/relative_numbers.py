"""The numbers of a step trace, relative, and those on the wire.

Initial sequence numbers and timestamps are random, so a trace counts from them: the peer's numbers from its
own initial one, the host's from the one in its latest SYN, timestamps of the host from the first that it sent
on the flow. One `RelativeNumbers` knows these for every flow, learns them from what passes, and turns a trace's
segment into a `Segment` and back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import IcmpError, encode_icmp, quote
from tcpemu.wire.ipv6 import HEADER_LENGTH
from tcpemu.wire.options import (
    NOP,
    SACK_OK,
    Eol,
    FastOpen,
    Garbage,
    Mss,
    Nop,
    Option,
    Sack,
    SackOk,
    Timestamps,
    Unknown,
    WScale,
)
from tcpemu.wire.segment import ACK, RST, SYN, URG, Segment, address, address_text, flag_letters, flags_of

Trace: TypeAlias = dict[str, Any]
"""A step trace as it stands in its JSON file; `tcpemu.scenario.traces.step_trace` tells how it is written."""
LogEntry: TypeAlias = dict[str, Any]
"""What a trace's log says of one segment or call."""
FlowName: TypeAlias = tuple[str, int, int]
"""The peer's address and port, the host's port."""


@dataclass(frozen=True, slots=True)
class TraceEnds:
    """Where a trace's host and its peer live, and who sends ICMP, unless a step says otherwise."""

    host: str
    peer: str
    router: str

    @property
    def ipv6(self) -> bool:
        """Whether they speak IPv6."""
        return ":" in self.host


IPV4, IPV6 = "ipv4", "ipv6"
ENDS = {
    IPV4: TraceEnds("192.168.0.1", "192.0.2.1", "192.0.2.254"),
    IPV6: TraceEnds("2001:db8::1", "2001:db8:1::1", "2001:db8:1::fe"),
}
"""By what a trace says in `family`; without a word it is IPv4."""
HOST, PEER = ENDS[IPV4].host, ENDS[IPV4].peer
LISTENER_PORT = 8080
PEER_ISN_BASE = 1_000_000
"""A peer whose trace names no initial number starts at this plus its port."""
_EIGHT_FLAGS = 0xFF
_CHECKSUM_AT = 16
_LONGEST = 65535
_TEXTS_AND_LISTS = frozenset(("ip", "opts"))
_KEYS = frozenset(("len", "win", "isn", "lport", "ttl", "tos", "badsum", "urg", "label")) | _TEXTS_AND_LISTS
"""What the table of a segment may have."""


_ICMP_KEYS = frozenset(("mtu", "seq", "lport", "ip", "flow_ip"))
"""What the table of an ICMP error may have."""


def ends_of(trace: Mapping[str, Any]) -> TraceEnds:
    """Who is there in a trace. ValueError for a family that is none."""
    family = trace.get("family", IPV4)
    if not isinstance(family, str) or family not in ENDS:
        raise ValueError(f"family is {family!r}; it is {' or '.join(ENDS)}")
    return ENDS[family]


def host_for(peer: str) -> str:
    """The address of a trace's host that this peer speaks with: one of its own IP."""
    return ENDS[IPV6 if ":" in peer else IPV4].host


@dataclass(slots=True)
class FlowOrigins:
    """Where each side of a flow counts from; None as long as nobody has said."""

    host: int | None = None
    peer: int | None = None
    clock: int | None = None
    labels: list[int] = field(default_factory=list)
    """The flow labels that the host has used, in order."""


@dataclass(slots=True)
class RelativeNumbers:
    """The flows of one run."""

    ends: TraceEnds = ENDS[IPV4]
    flows: dict[FlowName, FlowOrigins] = field(default_factory=dict)

    # ------------------------------------------------------------------ from the trace to the wire

    def segment(
        self, port: int, flags: str, seq: int, ack: int | None, options: Mapping[str, Any]
    ) -> Segment:
        """The segment of the step `["in", port, flags, seq, ack, options]`. ValueError for nonsense."""
        _check(port, seq, ack, options)
        length = options.get("len", 0)
        if not isinstance(length, int) or not 0 <= length <= _LONGEST:
            raise ValueError(f"len is {length!r}; it can be 0 to {_LONGEST}")
        source, host_port = options.get("ip", self.ends.peer), options.get("lport", LISTENER_PORT)
        flow = self.flows.setdefault((source, port, host_port), FlowOrigins())
        if flow.peer is None:
            flow.peer = options.get("isn", PEER_ISN_BASE + port)
        return Segment(
            src=address(source),
            sport=port,
            dst=address(host_for(source)),
            dport=host_port,
            seq=_wrapped(seq + flow.peer),
            ack=0 if ack is None else _wrapped(ack + (flow.host or 0)),
            flags=flags_of(flags),
            window=options.get("win", 65535),
            options=tuple(_option(flow, words) for words in options.get("opts", [])),
            payload=b"x" * length,
            urgent=options.get("urg", 0),
            ttl=options.get("ttl", 64),
            tos=options.get("tos", 0),
            ip_id=0 if ":" in source else 1,
            flow_label=options.get("label", 0),
        )

    def packet(self, port: int, flags: str, seq: int, ack: int | None, options: Mapping[str, Any]) -> bytes:
        """The octets of that step; with `badsum` the checksum of TCP is wrong. ValueError for nonsense."""
        octets = encode(self.segment(port, flags, seq, ack, options))
        return _spoiled(octets) if options.get("badsum") else octets

    def icmp_error(self, port: int, kind: int, code: int, more: Mapping[str, Any]) -> bytes:
        """The octets of the step `["icmp", port, kind, code, more]`: an ICMP error about a segment to that port.

        ValueError for nonsense.
        """
        if unknown := sorted(more.keys() - _ICMP_KEYS):
            raise ValueError(f"unknown key {unknown[0]!r}; an ICMP error has {', '.join(sorted(_ICMP_KEYS))}")
        peer, host_port = more.get("flow_ip", self.ends.peer), more.get("lport", LISTENER_PORT)
        flow = self.flows.get((peer, port, host_port), FlowOrigins())
        quoted = Segment(
            *(address(host_for(peer)), host_port, address(peer), port),
            seq=_wrapped((flow.host or 0) + more.get("seq", 0)),
            ack=0,
            flags=0,
            window=0,
            ip_id=0 if ":" in peer else 1,
        )
        router = ENDS[IPV6 if ":" in peer else IPV4].router
        # Of the quoted header the length and checksum are those of a segment without data.
        error = IcmpError(
            *(address(more.get("ip", router)), address(host_for(router)), kind, code),
            quote(quoted, encode(quoted)),
            more.get("mtu", 0),
        )
        return encode_icmp(error)

    # ------------------------------------------------------------------ from the wire to the trace

    def entry(self, segment: Segment) -> LogEntry:
        """The log's words for a segment that the host sent, but for the time."""
        name = (address_text(segment.dst), segment.dport, segment.sport)
        flow = self.flows.setdefault(name, FlowOrigins())
        if segment.flags & SYN:
            flow.host = segment.seq
        told: LogEntry = {"out": segment.dport, "flags": flag_letters(segment.flags & _EIGHT_FLAGS)}
        if name[0] != self.ends.peer:
            told["ip"] = name[0]
        if segment.sport != LISTENER_PORT:
            told["lport"] = segment.sport
        told["seq"] = _host_number(flow, segment)
        if segment.flags & ACK or segment.ack:
            told["ack"] = _relative(segment.ack, flow.peer)
        if segment.flags & URG or segment.urgent:
            told["urg"] = segment.urgent
        told |= {
            "win": segment.window,
            "len": len(segment.payload),
            "opts": [words_of_option(flow, option) for option in segment.options],
        }
        if len(segment.src) == 16:
            return told | {"ttl": segment.ttl, "tos": segment.tos, "label": _label(flow, segment.flow_label)}
        return told | {
            "df": int(segment.df),
            "ttl": segment.ttl,
            "tos": segment.tos,
            "ipid0": int(segment.ip_id == 0),
        }


def _spoiled(packet: bytes) -> bytes:
    """The packet with a wrong checksum of TCP."""
    octets = bytearray(packet)
    at = _CHECKSUM_AT + (HEADER_LENGTH if packet[0] >> 4 == 6 else 20)
    octets[at] ^= 0x55
    octets[at + 1] ^= 0x55
    return bytes(octets)


def _label(flow: FlowOrigins, label: int) -> int | None:
    """How many other labels the flow has had before this one; None where the packet has none."""
    if not label:
        return None
    if label not in flow.labels:
        flow.labels.append(label)
    return flow.labels.index(label)


def _check(port: object, seq: object, ack: object, options: Mapping[str, Any]) -> None:
    """Raises ValueError for what is not taken: it would be left out, or end in an error of another kind."""
    for name, number in {"port": port, "seq": seq, "ack": 0 if ack is None else ack, **options}.items():
        if name not in _TEXTS_AND_LISTS and (not isinstance(number, int) or isinstance(number, bool)):
            raise ValueError(f"{name} is {number!r}; it is a whole number")
    unknown = sorted(options.keys() - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; a segment has {', '.join(sorted(_KEYS))}")
    if not isinstance(options.get("ip", PEER), str):
        raise ValueError(f"ip is {options['ip']!r}; it is an address such as {PEER!r}")  # noqa: TRY004
    if not isinstance(options.get("opts", []), list):
        raise ValueError(f"opts is {options['opts']!r}; it is a list such as [['mss', 1460]]")  # noqa: TRY004


def _wrapped(number: int) -> int:
    return number % 2**32


def _relative(number: int, start: int | None) -> int | dict[str, int]:
    return {"abs": number} if start is None else _wrapped(number - start)


def _host_number(flow: FlowOrigins, segment: Segment) -> int | dict[str, int]:
    """A RST for a segment without an ACK carries a plain 0, which is no number of the flow's."""
    plain_zero = segment.flags & RST and segment.seq == 0
    return _relative(segment.seq, None if plain_zero else flow.host)


# ---------------------------------------------------------------------------------- options


def _option(flow: FlowOrigins, words: list[Any]) -> Option:
    """An option of a trace's segment. ValueError for a name that is none."""
    name, *values = words
    if name not in _FROM_WORDS:
        raise ValueError(f"unknown option {name!r}; the names are {', '.join(_FROM_WORDS)}")
    try:
        return _FROM_WORDS[name](flow, *values)
    except TypeError:
        raise ValueError(f"the option {words} has not the values that {name!r} takes") from None


def _timestamps(flow: FlowOrigins, value: int, echo: int) -> Option:
    """The echo counts from the host's first timestamp, and is 0 before there is one."""
    return Timestamps(value, 0 if flow.clock is None else _wrapped(flow.clock + echo))


def _sack(flow: FlowOrigins, blocks: list[list[int]]) -> Option:
    start = flow.host or 0
    return Sack(tuple((_wrapped(start + left), _wrapped(start + right)) for left, right in blocks))


_FROM_WORDS: dict[str, Callable[..., Option]] = {
    "mss": lambda _, value: Mss(value),
    "sackOK": lambda _: SACK_OK,
    "TS": _timestamps,
    "nop": lambda _: NOP,
    "eol": lambda _: Eol(),
    "wscale": lambda _, shift: WScale(shift),
    "sack": _sack,
    "fo": lambda _, cookie: FastOpen(bytes.fromhex(cookie)),
    "raw": lambda _, octets: Garbage(bytes.fromhex(octets)),
}


def words_of_option(flow: FlowOrigins, option: Option) -> list[Any]:
    match option:
        case Eol():
            return ["eol"]
        case Nop():
            return ["nop"]
        case Mss(value):
            return ["mss", value]
        case WScale(shift):
            return ["wscale", shift]
        case SackOk():
            return ["sackOK"]
        case Timestamps(value, echo):
            if flow.clock is None:
                flow.clock = value
            return ["TS", _wrapped(value - flow.clock), echo]
        case Sack(blocks):
            start = flow.peer or 0
            return ["sack", [[_wrapped(left - start), _wrapped(right - start)] for left, right in blocks]]
        case FastOpen(cookie, experimental):
            return ["raw", 254, "f989" + cookie.hex()] if experimental else ["fo", cookie.hex()]
        case Unknown(kind, data):
            return ["raw", kind, data.hex()]
        case Garbage(data):
            return ["raw", data.hex()]
