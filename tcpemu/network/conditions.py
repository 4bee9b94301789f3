"""What a link does to packets, said as values: `Conditions` of one direction, and the `Rule`s it drops by."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from tcpemu.network.clock import MICROSECOND, nanoseconds, seconds_text
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.wire.segment import FLAG_LETTERS, Segment, flag_names, flags_of

MEASURES = ("rate", "queue", "queue_octets", "mark", "red")
"""What is the same for all links that share a bottleneck."""
LEAST_MTU, MOST_MTU = 68, 65535
"""Octets of a packet that a link carries at least (RFC 791) and at most."""
_mask = lru_cache(flags_of)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _letters(name: str, letters: object) -> None:
    if not isinstance(letters, str) or set(letters) - set(FLAG_LETTERS):
        raise ConfigurationError(f"{name}={letters!r}: letters of TCP flags, out of {FLAG_LETTERS}")


def _port(name: str, port: object) -> None:
    if port is not None and not (isinstance(port, int) and 0 <= port <= 65535):
        raise ConfigurationError(f"{name}={port!r}: a port is 0 to 65535")


def _numbers(nth: int | Iterable[int]) -> tuple[int, ...]:
    numbers = (nth,) if isinstance(nth, int) else tuple(nth)
    if not all(isinstance(number, int) and number >= 1 for number in numbers):
        raise ConfigurationError(f"nth={nth!r}: packets are counted from 1; give a number or several")
    return tuple(sorted(set(numbers)))


def _probability(name: str, value: object) -> None:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigurationError(f"{name}={value!r}: a probability is 0 to 1; 5 % is 0.05")


def _count(name: str, value: object, unit: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{name}={value!r}: a whole number of {unit}, 1 or more")


def _burst(burst: object, loss: float) -> None:
    """So many packets in the mean; a loss that leaves no good time between two bursts cannot be."""
    if not isinstance(burst, int | float) or not 1 <= burst <= 1_000_000:
        raise ConfigurationError(f"burst={burst!r}: packets lost in a row, 1 to 1,000,000 in the mean")
    if burst > 1 and loss > burst / (burst + 1):
        raise ConfigurationError(
            f"burst={burst}: with loss={loss} there is not a packet between two bursts; raise burst or lower loss"
        )


def _rules(drop: object) -> tuple["Rule", ...]:
    rules = (drop,) if isinstance(drop, Rule) else drop
    if not isinstance(rules, list | tuple) or not all(isinstance(each, Rule) for each in rules):
        raise ConfigurationError(f"drop={drop!r}: give a Rule, or several as (Rule(...), Rule(...))")
    return tuple(rules)


def _unusual(record: "Rule | Conditions") -> str:
    """The fields of a record that have other values than by default."""
    values = [(each.name, getattr(record, each.name), each.default) for each in fields(record)]
    return ", ".join(f"{name}={value!r}" for name, value, usual in values if value != usual)


@dataclass(frozen=True, slots=True, repr=False)
class Rule:
    """Drop packets that look so: all of them, or the nth that does. A field that is None asks nothing."""

    flags: str = ""
    """Letters of flags that must be set, as `SA`; others may be."""
    without: str = ""
    """Letters of flags that must not be set."""
    payload: bool | None = None
    """True: only with data; False: only without."""
    sport: int | None = None
    dport: int | None = None
    nth: int | Iterable[int] = ()
    """Which of the packets that match, counted from 1: a number, or several. None at all: every one."""
    every: int | None = None
    """Of those that match, every so-many-th, as 10 for the 10th, 20th, 30th; in place of `nth`. None: no such rule."""
    begin: int = 0
    """Packets sent before this time, in nanoseconds, are neither dropped nor counted."""
    until: int | None = None
    """Nor are those sent at this time or later; None for no end."""

    def __repr__(self) -> str:
        """What is not as usual: `Rule(flags='S', nth=(1,))`."""
        return f"Rule({_unusual(self)})"

    def __post_init__(self) -> None:
        for name in ("flags", "without"):
            _letters(name, getattr(self, name))
        for name in ("sport", "dport"):
            _port(name, getattr(self, name))
        nanoseconds("begin", self.begin)
        if self.until is not None and nanoseconds("until", self.until) <= self.begin:
            raise ConfigurationError(f"until={self.until}: not after begin={self.begin}; give a later time")
        object.__setattr__(self, "nth", _numbers(self.nth))
        if self.every is not None:
            _count("every", self.every, "packets")
            if self.numbers:
                raise ConfigurationError(f"every={self.every} beside nth={self.nth}: keep one of the two")

    @property
    def numbers(self) -> tuple[int, ...]:
        """`nth`, sorted; empty for every one."""
        assert isinstance(self.nth, tuple)
        return self.nth

    def matches(self, segment: Segment) -> bool:
        """Whether the packet looks so; which one it is, is for the link to count."""
        required = _mask(self.flags)
        return (
            segment.flags & (required | _mask(self.without)) == required
            and (self.payload is None or self.payload == bool(segment.payload))
            and self.sport in (None, segment.sport)
            and self.dport in (None, segment.dport)
        )

    def holds_at(self, at: int) -> bool:
        """Whether the rule is in force for a packet that is sent at that time, in nanoseconds."""
        return self.begin <= at and (self.until is None or at < self.until)

    def text(self, count: int) -> str:
        """In words, for the packet that was the `count`-th to match: `the 2nd SYN|ACK to port 80`."""
        return self._said(f"the {ordinal(count)}" if self.numbers or self.every else "every")

    def drops(self, count: int) -> bool:
        """Whether it drops the packet that was the `count`-th to match."""
        if self.every is not None:
            return count % self.every == 0
        return not self.numbers or count in self.numbers

    @property
    def words(self) -> str:
        """In words, for all the packets that it is for: `the 2nd and 5th SYN|ACK`."""
        if self.every is not None:
            return self._said(f"every {ordinal(self.every)}")
        *others, last = map(ordinal, self.numbers or (1,))
        which = f"{', '.join(others)} and {last}" if others else last
        return self._said(f"the {which}" if self.numbers else "every")

    def _said(self, which: str) -> str:
        return " ".join([which, flag_names(flags_of(self.flags)) or "packet", *self._limits()])

    def _limits(self) -> Iterable[str]:
        if self.without:
            yield f"without {flag_names(flags_of(self.without))}"
        if self.payload is not None:
            yield "with data" if self.payload else "without data"
        if self.sport is not None:
            yield f"from port {self.sport}"
        if self.dport is not None:
            yield f"to port {self.dport}"
        if self.begin and self.until is not None:
            yield f"from {seconds_text(self.begin)} to {seconds_text(self.until)}"
        elif self.begin:
            yield f"from {seconds_text(self.begin)} on"
        elif self.until is not None:
            yield f"before {seconds_text(self.until)}"


@dataclass(frozen=True, slots=True)
class Red:
    """Random early detection at a queue: from how many packets on it marks or drops some, and from how many on all."""

    least: float
    """Packets that wait in the mean: below it none is hit."""
    most: float
    """From so many on each is hit."""
    probability: float = 0.1
    """The share that is hit just below `most`."""
    weight: float = 0.002
    """How fast the mean follows the queue: the share that each packet's view of it has."""

    def __post_init__(self) -> None:
        if not 0 < self.least < self.most:
            raise ConfigurationError(f"red: least={self.least}, most={self.most}: give 0 < least < most")
        _probability("red: probability", self.probability)
        if not 0 < self.weight <= 1:
            raise ConfigurationError(f"red: weight={self.weight}: above 0, and at most 1")


@dataclass(frozen=True, slots=True, repr=False)
class Conditions:
    """One direction of a link. Packets meet the rules, loss, duplication, rate and delay in this order."""

    delay: int = 500 * MICROSECOND
    """Nanoseconds from the end of sending to arrival."""
    jitter: int = 0
    """Nanoseconds by which the delay is longer or shorter, evenly spread; packets may overtake each other."""
    rate: int | None = None
    """Bits of IP packets each second; None for a link without limit."""
    queue: int = 1000
    """Packets that wait for the rate, the one on its way included; one more is dropped."""
    loss: float = 0.0
    """Probability that a packet is lost."""
    duplicate: float = 0.0
    """Probability that a packet comes twice."""
    reorder: float = 0.0
    """Probability that a packet goes ahead without the delay, as tc-netem has it."""
    drop: tuple[Rule, ...] | Rule = ()
    """Rules, or a single one."""
    shared: str = ""
    """The name of a bottleneck: all links of the network with this name wait in one queue for one rate, which stands at
    their senders, before the delay of each. What `MEASURES` names is the same for all of them."""
    burst: float = 1.0
    """Packets that are lost one after the other, in the mean, where `loss` loses any: above 1 losses come in bursts,
    with good times between them (Gilbert's model); 1: each packet by itself."""
    mark: int | None = None
    """An ECN-capable packet that finds so many packets in the queue is marked (CE), as DCTCP's K has it; None: none."""

    mtu: int | None = None
    """Octets that a packet may have beyond the first router, which stands in the middle; larger ones with DF, and of
    IPv6, are lost there, and it says so by ICMP. None: any. Others of IPv4 go on as one, as if put together again."""
    icmp: bool = True
    """Whether that router says so; without it the path is a black hole for large packets."""
    queue_octets: int | None = None
    """Octets of IP packets that wait for the rate, what is left of the one on its way included; a packet that would be
    more is dropped. None: only `queue` counts."""
    red: Red | None = None
    """Early detection at the queue: it marks what is ECN-capable, and drops other packets. None: the queue fills up."""
    loss_begin: int = 0
    """Before this time, in nanoseconds, none is lost by chance."""
    loss_until: int | None = None
    """Nor at this time or later; None for no end."""

    def __repr__(self) -> str:
        """What is not as usual: `Conditions(delay=20000000, loss=0.1)`."""
        return f"Conditions({_unusual(self)})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What IPython and Hypothesis show, which print dataclasses and tuples in their own way otherwise."""
        printer.text(repr(self))

    def __post_init__(self) -> None:
        nanoseconds("delay", self.delay)
        nanoseconds("jitter", self.jitter)
        for name in ("loss", "duplicate", "reorder"):
            _probability(name, getattr(self, name))
        _count("queue", self.queue, "packets")
        if self.queue_octets is not None:
            _count("queue_octets", self.queue_octets, "octets")
        if self.red is not None and not isinstance(self.red, Red):
            raise ConfigurationError(f"red={self.red!r}: give a Red(least, most)")
        nanoseconds("loss_begin", self.loss_begin)
        if self.loss_until is not None and nanoseconds("loss_until", self.loss_until) <= self.loss_begin:
            raise ConfigurationError(
                f"loss_until={self.loss_until}: not after loss_begin={self.loss_begin}; give a later time"
            )
        if self.rate is not None:
            _count("rate", self.rate, "bit/s")
        if not isinstance(self.shared, str):
            raise ConfigurationError(f"shared={self.shared!r}: the name of a bottleneck")
        _burst(self.burst, self.loss)
        if self.mark is not None:
            _count("mark", self.mark, "packets")
        if self.mtu is not None and not (type(self.mtu) is int and LEAST_MTU <= self.mtu <= MOST_MTU):
            raise ConfigurationError(f"mtu={self.mtu!r}: a link has {LEAST_MTU} to {MOST_MTU} octets")
        self._check_together()
        object.__setattr__(self, "drop", _rules(self.drop))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """`drop`, as a tuple also where one rule was given."""
        assert isinstance(self.drop, tuple)
        return self.drop

    def _check_together(self) -> None:
        if not self.icmp and self.mtu is None:
            raise ConfigurationError(
                "icmp=False: only a link with an mtu has anything to say; set mtu as well"
            )
        for name in ("mark", "queue_octets", "red"):
            if getattr(self, name) is not None and self.rate is None:
                given = f"{name}={getattr(self, name)}"
                raise ConfigurationError(
                    f"{given}: nothing waits on a link without a rate; set rate or leave {name} out"
                )
        if (self.loss_begin or self.loss_until is not None) and not self.loss:
            raise ConfigurationError(
                "loss_begin or loss_until without loss: nothing is lost by chance; set loss or leave them out"
            )
        if self.mark is not None and self.mark >= self.queue:
            raise ConfigurationError(
                f"mark={self.mark}: the queue has room for {self.queue}, so none would be marked; lower mark"
            )
        if self.shared and self.rate is None:
            raise ConfigurationError(
                f"shared={self.shared!r}: nothing waits on a link without a rate; set rate or leave shared out"
            )
        if self.burst > 1 and not self.loss:
            raise ConfigurationError(
                f"burst={self.burst}: nothing is lost on a link without loss; set loss or leave burst out"
            )
        if self.jitter > self.delay:
            raise ConfigurationError(
                f"jitter={self.jitter}: more than delay={self.delay}, so packets would arrive before they "
                "are sent; raise delay or lower jitter"
            )
        if self.reorder and not self.delay:
            raise ConfigurationError(
                f"reorder={self.reorder}: needs a delay to go ahead of; set delay or leave reorder out"
            )


LOOPBACK = Conditions(delay=10 * MICROSECOND)
"""Between a host and itself, unless a link says otherwise."""
