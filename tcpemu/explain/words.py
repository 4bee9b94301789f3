"""Small words: times, flags, options and ordinals, as a reader says them."""

import re
from collections.abc import Iterable

from tcpemu.stack.base.states import State
from tcpemu.wire import options as opt
from tcpemu.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment

_FLAG_NAMES = (
    (SYN, "SYN"),
    (FIN, "FIN"),
    (RST, "RST"),
    (PSH, "PSH"),
    (URG, "URG"),
    (ACK, "ACK"),
    (ECE, "ECE"),
    (CWR, "CWR"),
    (AE, "AE"),
)
_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
_DECIMALS_MOST = 6
JOINED = "\N{NO-BREAK SPACE}"
"""Keeps what belongs together on one line, such as a number and its unit; shown as a blank."""
_NUMBER_AND_UNIT = re.compile(r"(?<=[0-9]) (?=(?:s|ms|us|ns)\b)")


def flag_words(flags: int) -> str:
    """The flags by name: `SYN|ACK`; a segment without any is `no flags`."""
    return "|".join(name for bit, name in _FLAG_NAMES if flags & bit) or "no flags"


def duration(nanoseconds: int, digits: int = 4) -> str:
    """A span of time in its largest fitting unit, to so many digits that count: `63 s`, `0.5 ms`."""
    if nanoseconds == 0:
        return "0 s"
    size = abs(nanoseconds)
    unit, name = next(pair for pair in _UNITS if size >= pair[0] or pair[0] == 1)
    return f"{nanoseconds / unit:.{digits}g} {name}"


def joined(text: str) -> str:
    """The text with each time in one piece."""
    return _NUMBER_AND_UNIT.sub(JOINED, text)


def decimals_for(times: Iterable[int]) -> int:
    """How many decimals of a second show all of the times exactly: from 3 to 6, then they are rounded."""
    most = 3
    for at in times:
        while most < _DECIMALS_MOST and at % 10 ** (9 - most):
            most += 1
        if most == _DECIMALS_MOST:
            break
    return most


def seconds(nanoseconds: int, decimals: int) -> str:
    """A moment in seconds with that many decimals, rounded to the nearest."""
    step = 10 ** (9 - decimals)
    rounded = (nanoseconds + step // 2) // step
    whole, part = divmod(rounded, 10**decimals)
    return f"{whole}.{part:0{decimals}d}"


def moment(nanoseconds: int) -> str:
    """A moment in seconds, to the microsecond and without zeros at the end: `0.111 s`."""
    return seconds(nanoseconds, 6).rstrip("0").rstrip(".") + " s"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def count(number: int, one: str, many: str = "") -> str:
    """`1 packet`, `2 packets`, `1,000 packets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def state_word(state: State) -> str:
    """A state as `ss` names it; a connection that is not there is `closed`."""
    return "closed" if state is State.CLOSE else state.ss_name


def option_words(segment: Segment) -> str:
    """The options that a reader cares about, in the order they stand; padding is left out."""
    return ", ".join(word for word in map(_option, segment.options) if word)


def _option(option: opt.Option) -> str:
    match option:
        case opt.Mss(value):
            return f"mss {value}"
        case opt.WScale(shift):
            return f"window scale {shift}"
        case opt.SackOk():
            return "SACK permitted"
        case opt.Sack(blocks):
            return "SACK of " + count(len(blocks), "block")
        case opt.Timestamps():
            return "timestamps"
        case opt.FastOpen(cookie):
            return "Fast Open cookie" if cookie else "asks for a Fast Open cookie"
        case opt.Unknown(kind, _):
            return f"option {kind}"
        case opt.Garbage():
            return "octets that are no option"
        case _:
            return ""
