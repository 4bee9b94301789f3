"""One direction of a link, built of small wrappers around 'it arrives'.

Every wrapper is called with a packet and the time at which it gets there, and hands it to the next with the
time at which it leaves. None of them waits: a packet is taken through all of them when it is sent, and only
its arrival is put in the loop. So whatever depends on the order of packets (rules, the rate's queue) stands
before whatever changes it (jitter, reordering).

Each wrapper that draws has a random stream of its own: another loss probability leaves the jitter as it was.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple, TypeAlias

from tcpemu.network.clock import SECOND
from tcpemu.network.conditions import Conditions, Rule
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import (
    FRAGMENTATION_NEEDED,
    TIME_EXCEEDED,
    UNREACHABLE,
    V6_TIME_EXCEEDED,
    V6_TOO_BIG,
    V6_UNREACHABLE,
    IcmpError,
    quote,
)
from tcpemu.wire.options import encode_options
from tcpemu.wire.segment import Segment, address, ip_header_length

_ECN = 3
"""The bits of the TOS octet: neither for a packet that is not ECN-capable, both for one that is marked."""


ROUTER, ROUTER6 = address("192.0.0.8"), address("100:0:0:1::8")
"""Who speaks for the routers of a path, which have no addresses here: those set aside for that (RFC 7600, RFC 9780)."""


SAYS: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "net unreachable": ((UNREACHABLE, 0), (V6_UNREACHABLE, 0)),
    "host unreachable": ((UNREACHABLE, 1), (V6_UNREACHABLE, 3)),
    "port unreachable": ((UNREACHABLE, 3), (V6_UNREACHABLE, 4)),
    "prohibited": ((UNREACHABLE, 13), (V6_UNREACHABLE, 1)),
    "time exceeded": ((TIME_EXCEEDED, 0), (V6_TIME_EXCEEDED, 0)),
}
"""What a router may say of a packet that it does not forward: type and code of ICMP, and of ICMPv6."""


class Flight(NamedTuple):
    """A packet on its way."""

    number: int
    segment: Segment
    copy_of: int | None = None
    """The number of the packet that a link made this one of."""


Hop: TypeAlias = Callable[[Flight, int], None]
Lose: TypeAlias = Callable[[Flight, int, str], None]
Copy: TypeAlias = Callable[[Flight], Flight]


def octets(segment: Segment) -> int:
    """The length of the IP packet."""
    options = len(encode_options(segment.options)) if segment.options else 0
    return ip_header_length(segment) + 20 + options + len(segment.payload)


def build_hop(
    conditions: Conditions,
    stream: Callable[[str], Random],
    lose: Lose,
    copy: Copy,
    arrive: Hop,
    refuse: Hop,
    leaving: deque[int] | None = None,
) -> Hop:
    """The way through a link in these conditions. `stream` gives the random stream of a name.

    `refuse` gets what is too large for it; `leaving` is when each packet of a shared queue will have left it.
    """
    hop: Hop = Delay(conditions.delay, conditions.jitter, stream("jitter"), arrive)
    if conditions.reorder:
        hop = Reorder(conditions.reorder, stream("reorder"), arrive, hop)
    if conditions.rate is not None:
        hop = RateLimit(conditions.rate, conditions.queue, conditions.mark, lose, hop, leaving)
    if conditions.duplicate:
        hop = Duplicate(conditions.duplicate, stream("duplicate"), copy, hop)
    if conditions.loss:
        hop = Loss(conditions.loss, conditions.burst, stream("loss"), lose, hop)
    if conditions.mtu is not None:
        hop = TooLarge(conditions.mtu, refuse, hop)
    if conditions.rules:
        hop = DropByRule(conditions.rules, lose, hop)
    return hop


class TooLarge:
    """Packets that are larger than the MTU and may not be cut go no further."""

    __slots__ = ("_mtu", "_onward", "_refuse")

    def __init__(self, mtu: int, refuse: Hop, onward: Hop) -> None:
        self._mtu, self._refuse, self._onward = mtu, refuse, onward

    def __call__(self, flight: Flight, at: int) -> None:
        segment = flight.segment
        whole = segment.df or is_ipv6(segment.dst)
        hop = self._refuse if whole and octets(segment) > self._mtu else self._onward
        hop(flight, at)


def too_large(segment: Segment, mtu: int) -> IcmpError:
    """What a router says: the packet is larger than the next link's MTU (RFC 1191, RFC 8201)."""
    quoted = quote(segment, encode(segment))
    if is_ipv6(segment.src):
        return IcmpError(ROUTER6, segment.src, V6_TOO_BIG, 0, quoted, mtu)
    return IcmpError(ROUTER, segment.src, UNREACHABLE, FRAGMENTATION_NEEDED, quoted, mtu)


def not_forwarded(segment: Segment, says: str) -> IcmpError:
    """What a router says of a packet in the words of `SAYS`."""
    quoted, (four, six) = quote(segment, encode(segment)), SAYS[says]
    if is_ipv6(segment.src):
        return IcmpError(ROUTER6, segment.src, *six, quoted)
    return IcmpError(ROUTER, segment.src, *four, quoted)


class Delay:
    """Packets arrive later: by the delay, and up to the jitter more or less."""

    __slots__ = ("_delay", "_jitter", "_onward", "_random")

    def __init__(self, delay: int, jitter: int, random: Random, onward: Hop) -> None:
        self._delay, self._jitter, self._random, self._onward = delay, jitter, random, onward

    def __call__(self, flight: Flight, at: int) -> None:
        at += self._delay
        if self._jitter:
            at += int(self._random.random() * (2 * self._jitter + 1)) - self._jitter
        self._onward(flight, at)


class Reorder:
    """Some packets go straight ahead while the others take the way onward."""

    __slots__ = ("_ahead", "_onward", "_probability", "_random")

    def __init__(self, probability: float, random: Random, ahead: Hop, onward: Hop) -> None:
        self._probability, self._random, self._ahead, self._onward = probability, random, ahead, onward

    def __call__(self, flight: Flight, at: int) -> None:
        hop = self._ahead if self._random.random() < self._probability else self._onward
        hop(flight, at)


class RateLimit:
    """Packets leave one after another, each as long as its bits take; too many that wait are dropped.

    One that finds `mark` packets before it is marked (CE), if it is ECN-capable (RFC 3168 section 5, RFC 8257).
    """

    __slots__ = ("_leaving", "_limit", "_lose", "_mark", "_onward", "_rate")

    def __init__(
        self,
        rate: int,
        limit: int,
        mark: int | None,
        lose: Lose,
        onward: Hop,
        leaving: deque[int] | None = None,
    ) -> None:
        self._rate, self._limit, self._lose, self._onward = rate, limit, lose, onward
        self._mark = limit if mark is None else mark
        self._leaving: deque[int] = deque() if leaving is None else leaving

    def __call__(self, flight: Flight, at: int) -> None:
        leaving = self._leaving
        while leaving and leaving[0] <= at:
            leaving.popleft()
        if len(leaving) >= self._limit:
            self._lose(flight, at, f"the link's queue is full ({self._limit} packets)")
            return
        start = leaving[-1] if leaving else at
        leaves = start - (-octets(flight.segment) * 8 * SECOND // self._rate)
        if len(leaving) >= self._mark and flight.segment.tos & _ECN:
            marked = flight.segment._replace(tos=flight.segment.tos | _ECN)
            flight = Flight(flight.number, marked, flight.copy_of)
        leaving.append(leaves)
        self._onward(flight, leaves)


class Duplicate:
    """Some packets come twice."""

    __slots__ = ("_copy", "_onward", "_probability", "_random")

    def __init__(self, probability: float, random: Random, copy: Copy, onward: Hop) -> None:
        self._probability, self._random, self._copy, self._onward = probability, random, copy, onward

    def __call__(self, flight: Flight, at: int) -> None:
        twice = self._random.random() < self._probability
        self._onward(flight, at)
        if twice:
            self._onward(self._copy(flight), at)


class Loss:
    """Some packets are lost: each by itself, or in bursts of so many in the mean.

    In bursts there is a good time, in which none is lost, and a bad one, in which all are (Gilbert 1960). A bad one
    goes on with the probability 1 - 1 / burst; a good one ends so often that `probability` of all packets are lost.
    """

    __slots__ = ("_bad", "_begins", "_goes_on", "_lose", "_onward", "_random", "_why")

    def __init__(self, probability: float, burst: float, random: Random, lose: Lose, onward: Hop) -> None:
        self._random, self._lose, self._onward = random, lose, onward
        self._begins = self._goes_on = probability
        self._bad = False
        self._why = f"lost by chance ({probability * 100:g} %)"
        if burst > 1:
            self._begins, self._goes_on = probability / (burst * (1 - probability)), 1 - 1 / burst
            self._why = f"lost by chance ({probability * 100:g} %, in bursts of {burst:g})"

    def __call__(self, flight: Flight, at: int) -> None:
        self._bad = self._random.random() < (self._goes_on if self._bad else self._begins)
        if self._bad:
            self._lose(flight, at, self._why)
        else:
            self._onward(flight, at)


class DropByRule:
    """Packets that a rule names are dropped.

    Every rule counts every packet that matches, those that another rule drops as well: so what a rule drops
    does not depend on the rules beside it.
    """

    __slots__ = ("_counts", "_dropped", "_lose", "_onward", "_rules")

    def __init__(self, rules: tuple[Rule, ...], lose: Lose, onward: Hop) -> None:
        self._rules, self._lose, self._onward = rules, lose, onward
        self._counts = [0] * len(rules)
        self._dropped = [0] * len(rules)

    def busy(self) -> list[Rule]:
        """The rules that have dropped something."""
        return [rule for rule, dropped in zip(self._rules, self._dropped, strict=True) if dropped]

    def idle(self) -> list[tuple[Rule, int]]:
        """The rules that have dropped nothing so far, each with how many packets matched it."""
        counted = zip(self._rules, self._counts, self._dropped, strict=True)
        return [(rule, count) for rule, count, dropped in counted if not dropped]

    def __call__(self, flight: Flight, at: int) -> None:
        verdicts = [self._verdict(index, flight.segment, at) for index in range(len(self._rules))]
        why = next(filter(None, verdicts), "")
        if why:
            self._lose(flight, at, f"dropped by rule: {why}")
        else:
            self._onward(flight, at)

    def _verdict(self, index: int, segment: Segment, at: int) -> str:
        """What the rule says of the packet; empty where it lets it pass."""
        rule = self._rules[index]
        if not rule.holds_at(at) or not rule.matches(segment):
            return ""
        self._counts[index] += 1
        count = self._counts[index]
        if not rule.drops(count):
            return ""
        self._dropped[index] += 1
        return rule.text(count)
