"""Virtual time: whole nanoseconds from the start of the network, and how they are written."""

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND

__all__ = ["MICROSECOND", "MILLISECOND", "SECOND", "duration", "nanoseconds", "seconds_text"]

_UNITS = {"ns": 1, "us": MICROSECOND, "ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND}


def nanoseconds(name: str, value: object) -> int:
    """`value` where it is a time: an int, 0 or more. All else is a ConfigurationError about `name`."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigurationError(
            f"{name}={value!r}: time is a whole number of nanoseconds; 10 ms is 10 * MILLISECOND"
        )
    if value < 0:
        raise ConfigurationError(f"{name}={value}: a time is 0 ns or more")
    return value


def duration(text: str) -> int:
    """Nanoseconds of a duration in words: `10 ms`, `1.5s`, `250 us`. Units: ns us ms s min.

    Raises ConfigurationError for any other text.
    """
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text.strip()[len(number) :]
    whole, _, fraction = number.strip().partition(".")
    if unit not in _UNITS or not whole.isdecimal() or not (fraction or "0").isdecimal():
        raise ConfigurationError(f"{text!r} is no duration; write it as '10 ms' or '1.5 s' (ns us ms s min)")
    digits = int(whole + fraction)
    return digits * _UNITS[unit] // int("1" + "0" * len(fraction))


def seconds_text(at: int) -> str:
    """Nanoseconds as seconds with as many decimals as it takes: `1.003 s`."""
    whole, rest = divmod(at, SECOND)
    decimals = f"{rest:09d}".rstrip("0")
    return f"{whole}.{decimals} s" if decimals else f"{whole} s"
