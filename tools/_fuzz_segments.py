"""Draws the segments of a few clients: what would bring a flow on, changed here and there.

Payload is always the text of its sequence numbers, whatever else is wrong with a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TypeAlias

from _fuzz_world import ALL_PEERS, PEERS, PEERS_OF_IPV6, text_at

from tcpemu.stack import Host, State
from tcpemu.stack.base.ip_families import is_ipv6, mapped
from tcpemu.stack.base.sequence_numbers import MASK, add, distance
from tcpemu.stack.base.units import MILLISECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.wire import (
    ACK,
    CWR,
    ECE,
    FIN,
    NOP,
    PSH,
    RST,
    SACK_OK,
    SYN,
    URG,
    Address,
    Eol,
    FastOpen,
    FlowKey,
    Garbage,
    Mss,
    Option,
    Sack,
    Segment,
    Timestamps,
    Unknown,
    WScale,
    address,
    decode,
    encode,
    encode_options,
)

_ODD_SOURCES = (address("0.0.0.0"), address("255.255.255.255"), address("224.0.0.1"), address("192.0.2.1"))
_ODD_SOURCES_OF_IPV6 = tuple(map(address, ("::", "::1", "ff02::1", "::ffff:10.0.0.1", "2001:db8::1")))
_EDGES = (0, 1, 0x7FFFFFFF, 0x80000000, 0x80000001, MASK, MASK - 1, MASK - 3000)
_SIZES = (0, 1, 1, 10, 100, 536, 1448, 1460, 5000)
_STEPS = (-65537, -1449, -2, -1, 1, 2, 100, 1448, 65535, 1 << 31)
_OPTIONS_ROOM = 40

_RARITY = {State.LISTEN: 1, State.ESTABLISHED: 0, State.CLOSE_WAIT: 0, State.SYN_SENT: 1}
"""States that flows reach seldom are drawn more often; LISTEN stands for a request."""

Drawn: TypeAlias = tuple[int, int, int, int]
"""Flags, sequence number, acknowledgment number, octets of payload."""


class Clients:
    """A few clients of one host."""

    def __init__(self, random: Random, ports: int, host: Host, answers: Mapping[FlowKey, Segment]) -> None:
        self.random = random
        self.host = host
        self.answers = answers
        """The last SYN|ACK to each flow, which may have been a cookie."""
        self.ports = range(1000, 1000 + ports)
        self.clocks = {client: random.choice((*_EDGES, random.getrandbits(32))) for client in ALL_PEERS}
        """Timestamps when time began."""
        self.options = random.random() < 0.8
        """Whether their SYNs carry options at all."""
        self.kinds: tuple[tuple[Callable[[Segment], Segment], int], ...] = (
            (self._seq, 4),
            (self._ack, 4),
            (self._flags, 3),
            (self._window, 3),
            (self._options, 4),
            (self._payload, 2),
            (self._oddities, 2),
            (self._flow, 1),
        )

    def random_address(self) -> Address:
        """That of a client, of an IP that the host has; now and then as a socket of IPv6 has one of IPv4."""
        peer = self._peer_of(self.random.choice(self.host.addresses))
        return mapped(peer) if self.random.random() < 0.2 else peer

    def _peer_of(self, local: Address) -> Address:
        return self.random.choice(PEERS_OF_IPV6 if is_ipv6(local) else PEERS)

    def random_port(self) -> int:
        return self.random.choice(self.ports)

    def segment(self, now: int) -> Segment:
        """One segment, right or wrong."""
        key = self._key()
        segment = self._next(key, now)
        for _ in range(self.random.choice((0, 0, 0, 0, 1, 1, 1, 2, 3))):
            (change,) = self.random.choices(
                [kind for kind, _ in self.kinds], [odds for _, odds in self.kinds]
            )
            segment = change(segment)
        return self._fit(segment)

    def octets(self, now: int) -> bytes:
        """A packet with octets changed, cut off or added; or no packet at all."""
        random = self.random
        if random.random() < 0.05:
            return random.randbytes(random.choice((0, 1, 19, 20, 39, 40, 60, 100)))
        octets = bytearray(encode(self.segment(now)))
        for _ in range(random.choice((0, 1, 1, 2, 5))):
            octets[random.randrange(min(len(octets), 60))] = random.getrandbits(8)
        if random.random() < 0.6:
            _mend_checksums(octets)
        if random.random() < 0.2:
            octets = octets[: random.randrange(len(octets) + 1)]
        elif random.random() < 0.1:
            octets += random.randbytes(random.randrange(1, 20))
        return self._with_text(bytes(octets))

    def _with_text(self, octets: bytes) -> bytes:
        """Changed octets that are a segment still carry the text of their numbers."""
        segment = decode(octets)
        return encode(self._fit(segment)) if isinstance(segment, Segment) and segment.payload else octets

    def _fit(self, segment: Segment) -> Segment:
        start = segment.seq + bool(segment.flags & SYN)
        return segment._replace(payload=text_at(start, len(segment.payload)))

    # --- what would come next ----------------------------------------------------------------------------------

    def _key(self) -> FlowKey:
        """A flow that the host has, or one that is not yet."""
        random, flows = self.random, self.host.tables.host.flows
        if flows and random.random() < 0.75:
            known = list(flows)
            few = [random.choice(known) for _ in range(random.choice((1, 1, 3)))]
            return max(few, key=lambda key: _RARITY.get(getattr(flows[key], "state", State.LISTEN), 2))
        local, port = random.choice(self.host.addresses), random.choice((80, 81, 5000))
        if self.host.tables.listeners and random.random() < 0.9:
            port = random.choice(list(self.host.tables.listeners))
            local = self.host.tables.listeners[port][0].address or local
        return self._peer_of(local), self.random_port(), local, port

    def _next(self, key: FlowKey, now: int) -> Segment:
        flow = self.host.tables.host.flows.get(key)
        if type(flow) is Request:
            last = flow.rare.ts_last if flow.rare is not None else 0
            stamped = flow.ts_recent is not None
            return self._build(key, self._for_request(flow), now, stamped, last or flow.ts_first)
        if type(flow) is Connection:
            clock = self.host.tables.host.tsval(flow.ts.offset, now)
            stamped = flow.ts.ok or flow.state is State.SYN_SENT
            return self._build(key, self._for_connection(flow), now, stamped, clock)
        if type(flow) is TimeWait:
            return self._build(key, self._for_bucket(flow), now, flow.ts_ok, 0)
        answer = self.answers.get(key)
        if answer is not None and self.random.random() < 0.7:
            return self._after_answer(answer, key, now)
        stray = self._stray() if self.random.random() < 0.1 else (SYN, self._number(), 0, 0)
        return self._build(key, stray, now, self.options, 0)

    def _after_answer(self, answer: Segment, key: FlowKey, now: int) -> Segment:
        """What follows a SYN|ACK that the host does not remember, or no longer."""
        stamp = next((option for option in answer.options if isinstance(option, Timestamps)), None)
        flags = self.random.choice((ACK, ACK, ACK | PSH, ACK | FIN, RST))
        size = 10 if flags & PSH else 0
        return self._build(
            key, (flags, answer.ack, answer.seq + 1, size), now, stamp is not None, stamp.val if stamp else 0
        )

    def _build(self, key: FlowKey, drawn: Drawn, now: int, stamped: bool, echo: int) -> Segment:
        flags, seq, ack, size = drawn
        options: tuple[Option, ...] = ()
        stamp = Timestamps(self.clocks.get(key[0], 0) + now // MILLISECOND & MASK, echo if flags & ACK else 0)
        if flags & SYN and self.options:
            mss, shift = (
                self.random.choice((1460, 1460, 536, 88, 1, 0, 65535)),
                self.random.choice((7, 0, 14, 15)),
            )
            options = (Mss(mss), SACK_OK, stamp, NOP, WScale(shift))
        elif stamped:
            options = (NOP, NOP, stamp)
        window = self.random.choice((65535, 65535, 502, 502, 8000, 1000))
        return Segment(*key, seq & MASK, ack & MASK, flags, window, options, bytes(size))

    def _for_request(self, request: Request) -> Drawn:
        seq, ack = request.irs + 1, request.iss + 1
        return self.random.choice(
            (
                (ACK, seq, ack, 0),
                (ACK, seq, ack, 0),
                (ACK, seq, ack, 0),
                (ACK | PSH, seq, ack, 100),
                (ACK | FIN, seq, ack, 10),
                (SYN, request.irs, 0, 0),
                (SYN, request.irs, 0, 0),
                (RST, seq, 0, 0),
                (SYN | ACK, request.irs, ack, 0),
            )
        )

    def _for_connection(self, conn: Connection) -> Drawn:
        if conn.state is State.SYN_SENT:
            irs = self._number()
            return self.random.choice(
                ((SYN | ACK, irs, conn.snd.nxt, 0),) * 4 + ((SYN, irs, 0, 0), (RST | ACK, 0, conn.snd.nxt, 0))
            )
        random, seq, ack = self.random, conn.rcv.nxt, conn.snd.nxt
        size = random.choice(_SIZES)
        part = conn.snd.una + random.randrange(distance(conn.snd.una, ack) + 1)
        beyond = seq + random.choice((1, 100, 1448, conn.rcv.wnd, conn.rcv.wnd - 1))
        draw = random.random()
        if draw < 0.06:
            return ACK | FIN, seq, ack, random.choice((0, 0, size))
        if draw < 0.08:
            return RST, seq, 0, 0
        if draw < 0.10:
            return SYN | ACK, conn.rcv.irs, conn.snd.iss + 1, 0
        return random.choice(
            (
                (ACK, seq, ack, 0),
                (ACK, seq, ack, 0),
                (ACK, seq, part, 0),
                (ACK | PSH, seq, ack, size),
                (ACK | PSH, seq, ack, size),
                (ACK | PSH, seq, part, size),
                (ACK | random.choice((0, FIN)), beyond, ack, size),
                (ACK, beyond, ack, size),
                (ACK | PSH, seq - size // 2, ack, size),
                (ACK | random.choice((0, FIN)), seq - 1, ack, random.choice((0, 1))),
            )
        )

    def _for_bucket(self, bucket: TimeWait) -> Drawn:
        seq, ack = bucket.rcv_nxt, bucket.snd_nxt
        return self.random.choice(
            (
                (ACK | FIN, seq - 1, ack, 0),
                (ACK | FIN, seq, ack, 0),
                (ACK, seq, ack, 0),
                (ACK | PSH, seq, ack, 10),
                (ACK | FIN, seq, ack, 10),
                (SYN, seq + self.random.choice((-1000, 0, 1, 1000)), 0, 0),
                (SYN, seq + 1000, 0, 0),
                (RST, seq, 0, 0),
            )
        )

    def _stray(self) -> Drawn:
        flags = self.random.choice((ACK, ACK, RST, RST | ACK, SYN | ACK, FIN, 0, SYN | FIN, ACK | PSH))
        return flags, self._number(), self._number(), self.random.choice(_SIZES)

    def _number(self) -> int:
        """A sequence number, often where numbers wrap."""
        return self.random.choice((*_EDGES, self.random.getrandbits(32), self.random.getrandbits(32)))

    # --- what may be wrong with it -----------------------------------------------------------------------------

    def _seq(self, segment: Segment) -> Segment:
        return segment._replace(seq=self._near(segment, segment.seq))

    def _ack(self, segment: Segment) -> Segment:
        return segment._replace(ack=self._near(segment, segment.ack))

    def _near(self, segment: Segment, number: int) -> int:
        """A number near one that matters to the flow."""
        random, flow = self.random, self.host.tables.host.flows.get(segment[:4])
        marks = [number, number]
        if type(flow) is Connection:
            edge = flow.rcv.wup + flow.rcv.wnd
            marks += [flow.rcv.nxt, edge, edge - len(segment.payload), flow.rcv.wup, flow.rcv.irs]
            marks += [
                flow.snd.una,
                flow.snd.nxt,
                flow.snd.write_seq,
                flow.snd.una - flow.snd.max_window,
                flow.snd.iss,
            ]
        elif type(flow) is Request:
            marks += [
                flow.irs,
                flow.irs + flow.terms.rcv_wnd,
                flow.irs + min(flow.terms.rcv_wnd, 65535),
                flow.iss,
            ]
        elif type(flow) is TimeWait:
            marks += [flow.rcv_nxt, flow.rcv_nxt + flow.rcv_wnd, flow.snd_nxt]
        if random.random() < 0.1:
            return self._number()
        return add(random.choice(marks), random.choice((0, *_STEPS)))

    def _flags(self, segment: Segment) -> Segment:
        random = self.random
        if random.random() < 0.3:
            return segment._replace(flags=random.getrandbits(9))
        return segment._replace(
            flags=segment.flags ^ random.choice((FIN, SYN, RST, PSH, ACK, URG, ECE | CWR))
        )

    def _window(self, segment: Segment) -> Segment:
        return segment._replace(window=self.random.choice((0, 0, 1, 10, 65535, self.random.getrandbits(16))))

    def _payload(self, segment: Segment) -> Segment:
        size = self.random.choice((0, 1, 2, 1448, 9000, 65000))
        return segment._replace(payload=bytes(size))

    def _oddities(self, segment: Segment) -> Segment:
        random = self.random
        of_both = (
            segment._replace(urgent=random.getrandbits(16)),
            segment._replace(ttl=random.choice((0, 1, 255))),
            segment._replace(tos=random.getrandbits(8)),
            segment._replace(tos=3),
            segment._replace(reserved=random.randrange(8)),
        )
        if is_ipv6(segment.src):
            return random.choice(
                (
                    *of_both,
                    segment._replace(flow_label=random.choice((0, 1, random.getrandbits(20)))),
                    segment._replace(ip_options=bytes((60, 6, 0, *(0,) * 6))),
                )
            )
        return random.choice(
            (
                *of_both,
                segment._replace(ip_id=random.getrandbits(16)),
                segment._replace(df=False),
                segment._replace(ip_options=bytes(4 * random.randrange(1, 11))),
            )
        )

    def _flow(self, segment: Segment) -> Segment:
        """Another flow, perhaps an impossible one."""
        random = self.random
        odd = _ODD_SOURCES_OF_IPV6 if is_ipv6(segment.src) else _ODD_SOURCES
        own = [one for one in self.host.addresses if len(one) == len(segment.src)]
        return random.choice(
            (
                segment._replace(src=random.choice(odd)),
                segment._replace(dst=random.choice((*odd, *own))),
                segment._replace(sport=random.choice((0, 80, 65535))),
                segment._replace(dport=random.choice((0, 80, 81, 65535))),
            )
        )

    def _options(self, segment: Segment) -> Segment:
        random = self.random
        options = list(segment.options)
        draw = random.random()
        if draw < 0.2:
            options = []
        elif draw < 0.5:
            options = [self._other_stamps(option) for option in options]
        elif draw < 0.6 and options:
            del options[random.randrange(len(options))]
        else:
            options.insert(random.randrange(len(options) + 1), self._option(segment))
        while len(encode_options(tuple(options))) > _OPTIONS_ROOM:
            options.pop()
        return segment._replace(options=tuple(options))

    def _other_stamps(self, option: Option) -> Option:
        if not isinstance(option, Timestamps):
            return option
        steps = (0, 0, -1, -2, 1, -1000, 1000, 1 << 31, -(1 << 31), self.random.getrandbits(32))
        return Timestamps(
            add(option.val, self.random.choice(steps)),
            self.random.choice((0, add(option.ecr, self.random.choice(steps)))),
        )

    def _option(self, segment: Segment) -> Option:
        random = self.random
        left = add(segment.ack, random.choice((-1448, 0, 1, 1448)))
        drawn: tuple[Option, ...] = (
            NOP,
            Eol(),
            Eol(random.randbytes(3)),
            Mss(random.choice((0, 1, 47, 48, 65535))),
            WScale(random.getrandbits(8)),
            SACK_OK,
            Sack(((left, add(left, 1448)),)),
            Sack(((left, add(left, -1)), (left, left), (self._number(), self._number()))),
            Timestamps(self._number(), self._number()),
            FastOpen(random.randbytes(random.choice((0, 8)))),
            Unknown(254, b"\xf9\x89"),
            Unknown(random.choice((19, 29, 30, 253)), random.randbytes(random.randrange(16))),
            Unknown(2, random.randbytes(3)),
            Garbage(bytes((8, random.choice((0, 1, 39))))),
        )
        return random.choice(drawn)


def _mend_checksums(octets: bytearray) -> None:
    """Make both checksums right, as far as lengths allow."""
    if octets and octets[0] >> 4 == 6:
        _mend_ipv6(octets)
        return
    header = (octets[0] & 15) * 4
    if header < 20 or len(octets) < header + 20:
        return
    octets[10:12] = bytes(2)
    octets[10:12] = (-_sum(octets[:header]) % 65535).to_bytes(2, "big")
    tcp = octets[header : int.from_bytes(octets[2:4], "big")]
    if len(tcp) < 20:
        return
    tcp[16:18] = bytes(2)
    total = _sum(octets[12:20]) + 6 + len(tcp) + _sum(tcp)
    octets[header + 16 : header + 18] = (-total % 65535).to_bytes(2, "big")


def _mend_ipv6(octets: bytearray) -> None:
    """The same where TCP follows the header at once."""
    tcp = octets[40 : 40 + int.from_bytes(octets[4:6], "big")]
    if len(tcp) < 20:
        return
    tcp[16:18] = bytes(2)
    total = _sum(octets[8:40]) + 6 + len(tcp) + _sum(tcp)
    octets[56:58] = (-total % 65535).to_bytes(2, "big")


def _sum(octets: bytes | bytearray) -> int:
    return int.from_bytes(octets + bytes(len(octets) & 1), "big") % 65535
