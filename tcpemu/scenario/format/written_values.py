"""Times, rates and probabilities as a person writes them, read exactly.

A time becomes a whole number of nanoseconds and a rate a whole number of bits a second. Nothing passes
through binary floating point on the way: "0.1 s" is 100,000,000 ns, and "0.1 ns" is refused.
"""

import ipaddress
import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.wire.segment import FLAG_LETTERS
from tcpemu.wire.visible_text import visible

TIME_UNITS = {
    "ns": 1,
    "us": MICROSECOND,
    "µs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "min": 60 * SECOND,
    "h": 3600 * SECOND,
}
RATE_UNITS = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
LONGEST = 10 * 365 * 24 * 3600 * SECOND
"""Ten years: longer times are slips of the pen, and a capture's clock must be able to hold them."""

TIME_MEND = "a time such as '63 s', '200 ms' or '1.5 s' (ns, us, ms, s, min, h), or a number of seconds"
RATE_MEND = "a rate such as '10 Mbit/s' (bit/s, kbit/s, Mbit/s, Gbit/s), or a number of bits a second"
SHARE_MEND = "a probability such as '5 %', or a number from 0 to 1"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(\S*)\s*")


def _number(value: object) -> Fraction | None:
    """The exact value of a number as TOML or Python gives it; a float counts as its shortest text."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    decimal = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    # Ahead of Fraction, which would try to write out a number such as 1e999999999.
    if not decimal.is_finite() or abs(decimal.adjusted()) > 40:
        return None
    return Fraction(decimal)


def _quantity(value: object, units: dict[str, int], bare: int, mend: str) -> Fraction:
    """The value in the smallest unit; a number without unit counts `bare` of them."""
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        if match is None or match[2] not in units:
            raise ValueError(mend)
        return Fraction(match[1]) * units[match[2]]
    number = _number(value)
    if number is None or number < 0:
        raise ValueError(mend)
    return number * bare


def parse_duration(value: object) -> int:
    """Nanoseconds of a time such as "63 s", "200 ms" or 1.5 (seconds). Raises ValueError that says what is right."""
    exact = _quantity(value, TIME_UNITS, SECOND, TIME_MEND)
    if exact.denominator != 1:
        raise ValueError("a whole number of nanoseconds; nothing here is finer")
    if exact > LONGEST:
        raise ValueError("at most ten years")
    return int(exact)


def duration_text(nanoseconds: int) -> str:
    """The time in the largest unit up to seconds that gives a whole number: "200 ms"."""
    for unit in ("s", "ms", "us"):
        if nanoseconds % TIME_UNITS[unit] == 0:
            return f"{nanoseconds // TIME_UNITS[unit]} {unit}"
    return f"{nanoseconds} ns"


def parse_rate(value: object) -> int:
    """Bits a second of "10 Mbit/s" or of a number. Raises ValueError, saying what would be right."""
    exact = _quantity(value, RATE_UNITS, 1, RATE_MEND)
    if exact.denominator != 1 or exact == 0:
        raise ValueError("a whole number of bits a second, 1 or more")
    return int(exact)


def rate_text(bits: int) -> str:
    """The rate in the largest unit that gives a whole number: "10 Mbit/s"."""
    unit = next(name for name in reversed(RATE_UNITS) if bits % RATE_UNITS[name] == 0)
    return f"{bits // RATE_UNITS[unit]} {unit}"


def parse_share(value: object) -> float:
    """A probability from 0 to 1, of "5 %" or of a number. Raises ValueError, saying what would be right."""
    exact = _quantity(value, {"%": 1}, 100, SHARE_MEND) / 100
    if exact > 1:
        raise ValueError(SHARE_MEND)
    return float(exact)


def parse_frequency(value: object) -> float:
    """A number of times a second, above 0. Raises ValueError, saying what would be right."""
    number = _number(value)
    if number is None or not 0 < number <= 10**9:
        raise ValueError("a number of times a second, above 0 and at most 1000000000")
    return float(number)


def parse_address(value: object) -> str:
    """An IP address in its usual form. Raises ValueError, saying what would be right."""
    try:
        found = ipaddress.ip_address(str(value) if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("an IP address such as '10.0.0.1' or '2001:db8::1'") from None
    if found.version == 6 and (found.is_link_local or found.ipv4_mapped or found.is_multicast):
        raise ValueError("an address that a host can have, such as '2001:db8::1': no other is emulated")
    return str(found)


def parse_subnet(value: object) -> str:
    """A range of addresses in its usual form. Raises ValueError, saying what would be right."""
    try:
        found = ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "a range of addresses such as '198.18.0.0/24', with no bit set below the prefix"
        ) from None
    return str(found)


def parse_flags(value: object) -> str:
    """Flags of a TCP header as letters. Raises ValueError, saying what would be right."""
    if not isinstance(value, str) or set(value) - set(FLAG_LETTERS):
        raise ValueError(f"letters of {FLAG_LETTERS}, such as 'S' or 'SA'")
    return value


def parse_name(value: object) -> str:
    """A name that fits into a path and a table. Raises ValueError, saying what would be right."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a letter, then up to 39 letters, digits, '-' or '_'")
    return value


def parse_setting(value: object) -> int | str:
    """The value of a sysctl. Raises ValueError, saying what would be right."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    raise ValueError("a whole number, or a text such as '4096 131072 6291456'")


def flat(value: object) -> object:
    """Full names from nested tables: TOML reads an unquoted `net.ipv4.x = 1` as tables in tables."""
    if not isinstance(value, dict):
        return value
    names: dict[str, Any] = {}
    for key, inner in value.items():
        below = flat(inner)
        if isinstance(below, dict):
            names |= {f"{key}.{name}": setting for name, setting in below.items()}
        else:
            names[str(key)] = below
    return names


def with_floats(value: Any) -> Any:
    """Numbers with a point as floats, as JSON has them: where any value may stand, a Decimal would be a text there."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {key: with_floats(inner) for key, inner in value.items()}
        case list():
            return [with_floats(inner) for inner in value]
    return value


def _schema(words: str, pattern: str, **number: Any) -> WithJsonSchema:
    text = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"anyOf": [text, {"type": "number", **number}], "description": words})


_DECIMAL = r"^\s*[0-9]+(\.[0-9]+)?\s*"

Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(duration_text, return_type=str),
    _schema(TIME_MEND, _DECIMAL + r"(ns|us|µs|ms|s|min|h)\s*$", minimum=0),
]
"""Nanoseconds; written "63 s", "200 ms", or as a number of seconds."""

Rate = Annotated[
    int,
    BeforeValidator(parse_rate),
    PlainSerializer(rate_text, return_type=str),
    _schema(RATE_MEND, _DECIMAL + r"([kMG]?bit/s)\s*$", exclusiveMinimum=0),
]
"""Bits a second; written "10 Mbit/s", or as a number."""

Share = Annotated[
    float, BeforeValidator(parse_share), _schema(SHARE_MEND, _DECIMAL + r"%\s*$", minimum=0, maximum=1)
]
"""A probability; written "5 %" or 0.05."""

Frequency = Annotated[
    float,
    BeforeValidator(parse_frequency),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 10**9}),
]
"""Times a second."""

AddressText = Annotated[str, BeforeValidator(parse_address), WithJsonSchema({"type": "string"})]
SubnetText = Annotated[str, BeforeValidator(parse_subnet), WithJsonSchema({"type": "string"})]
Name = Annotated[
    str, BeforeValidator(parse_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})
]
Flags = Annotated[
    str,
    BeforeValidator(parse_flags),
    WithJsonSchema({"type": "string", "pattern": f"^[{FLAG_LETTERS}]*$"}),
]
Words = Annotated[str, AfterValidator(visible)]
"""A text for people; control characters in it are written as escapes."""
Port = Annotated[int, Field(ge=1, le=65535)]
SysctlSettings = Annotated[
    dict[str, Annotated[int | str, BeforeValidator(parse_setting)]],
    BeforeValidator(flat),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["integer", "string", "object"]}}),
]
"""Sysctls by their full names."""
