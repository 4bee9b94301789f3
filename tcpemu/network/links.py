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
from tcpemu.network.conditions import Conditions, Red, Rule
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

_SMALL = 1000
"""Octets of the packets by which early detection counts a time in which nobody waits, as tc-red does."""
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


def is_ecn_capable(segment: Segment) -> bool:
    """Whether a router may mark it (RFC 3168 section 5)."""
    return bool(segment.tos & _ECN)


def marked(flight: Flight) -> Flight:
    """The same packet, marked (CE)."""
    segment = flight.segment._replace(tos=flight.segment.tos | _ECN)
    return Flight(flight.number, segment, flight.copy_of)


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
        leaving = deque() if leaving is None else leaving
        hop = RateLimit(
            conditions.rate, conditions.queue, conditions.mark, lose, hop, leaving, conditions.queue_octets
        )
        if conditions.red is not None:
            hop = EarlyDetection(conditions.red, conditions.rate, stream("red"), lose, hop, leaving)
    if conditions.duplicate:
        hop = Duplicate(conditions.duplicate, stream("duplicate"), copy, hop)
    if conditions.loss:
        lossy: Hop = Loss(conditions.loss, conditions.burst, stream("loss"), lose, hop)
        if conditions.loss_begin or conditions.loss_until is not None:
            lossy = Between(conditions.loss_begin, conditions.loss_until, lossy, hop)
        hop = lossy
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

    __slots__ = ("_leaving", "_limit", "_lose", "_mark", "_octets", "_onward", "_rate")

    def __init__(
        self,
        rate: int,
        limit: int,
        mark: int | None,
        lose: Lose,
        onward: Hop,
        leaving: deque[int] | None = None,
        limit_octets: int | None = None,
    ) -> None:
        self._octets = limit_octets
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
        if self._octets is not None and self._waiting(at) + octets(flight.segment) > self._octets:
            self._lose(flight, at, f"the link's queue is full ({self._octets} octets)")
            return
        start = leaving[-1] if leaving else at
        leaves = start - (-octets(flight.segment) * 8 * SECOND // self._rate)
        if len(leaving) >= self._mark and is_ecn_capable(flight.segment):
            flight = marked(flight)
        leaving.append(leaves)
        self._onward(flight, leaves)

    def _waiting(self, at: int) -> int:
        """Octets that have not left yet, by the time that they will take."""
        return -((at - self._leaving[-1]) * self._rate // (8 * SECOND)) if self._leaving else 0


class EarlyDetection:
    """Random early detection (RED): marks or drops some packets before the queue is full (Floyd and Jacobson, 1993).

    It stands before the rate's queue, knows when each packet in it will have left, and follows its mean length, so that
    a burst passes. Below `least` nothing happens, from `most` on every packet is hit, between the two a share of them
    that grows up to `probability`, spread evenly: after each one that was not hit the next is somewhat more likely. One
    that is ECN-capable is marked, any other dropped. While nobody waits, the mean falls as if small packets had passed.
    """

    __slots__ = (
        "_count",
        "_idle_since",
        "_leaving",
        "_lose",
        "_mean",
        "_onward",
        "_random",
        "_red",
        "_usual",
    )

    def __init__(
        self, red: Red, rate: int, random: Random, lose: Lose, onward: Hop, leaving: "deque[int]"
    ) -> None:
        self._red, self._random, self._lose, self._onward = red, random, lose, onward
        self._leaving = leaving
        self._usual = max(_SMALL * 8 * SECOND // rate, 1)
        """Nanoseconds that such a packet takes."""
        self._mean = 0.0
        self._count = -1
        """Packets since the last one that was hit; -1 while the mean is below `least`."""
        self._idle_since = 0

    def __call__(self, flight: Flight, at: int) -> None:
        self._follow(at)
        if not self._hits():
            self._onward(flight, at)
        elif is_ecn_capable(flight.segment):
            self._onward(marked(flight), at)
        else:
            self._lose(flight, at, f"early detection (RED): {self._mean:.1f} packets wait in the mean")

    def _follow(self, at: int) -> None:
        """The mean, with the queue as this packet finds it."""
        leaving, weight = self._leaving, self._red.weight
        while leaving and leaving[0] <= at:
            self._idle_since = leaving.popleft()
        if leaving:
            self._mean += weight * (len(leaving) - self._mean)
        else:
            passed = max(at - self._idle_since, 0) // self._usual
            self._mean *= (1 - weight) ** (passed + 1)

    def _hits(self) -> bool:
        red, mean = self._red, self._mean
        if mean < red.least:
            self._count = -1
            return False
        if mean >= red.most:
            self._count = 0
            return True
        self._count += 1
        chance = red.probability * (mean - red.least) / (red.most - red.least)
        spread = 1 - self._count * chance
        if spread > 0 and self._random.random() >= chance / spread:
            return False
        self._count = 0
        return True


class Between:
    """Between two times packets take another way."""

    __slots__ = ("_begin", "_else", "_onward", "_until")

    def __init__(self, begin: int, until: int | None, onward: Hop, otherwise: Hop) -> None:
        self._begin, self._until, self._onward, self._else = begin, until, onward, otherwise

    def __call__(self, flight: Flight, at: int) -> None:
        inside = self._begin <= at and (self._until is None or at < self._until)
        hop = self._onward if inside else self._else
        hop(flight, at)


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
