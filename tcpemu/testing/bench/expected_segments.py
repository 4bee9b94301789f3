"""What a test says was sent, beside what was sent: field by field, with the host's reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Any, TypeAlias

from tcpemu.network.conditions import ordinal
from tcpemu.stack import ConfigurationError, Reason, Verdict
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench.bench_values import CLIENT, MASK
from tcpemu.wire.options import FastOpen, Mss, Nop, Option, Sack, SackOk, Timestamps, WScale
from tcpemu.wire.segment import FLAG_LETTERS

Fields: TypeAlias = dict[str, Any]
"""Fields by their names in a text; `at` in nanoseconds, `<>` for the options."""
NUMBERS = ("to", "seq", "ack", "len", "win", "ttl", "tos")
"""Fields that stand in a text with a number behind them."""
OPTIONS = "<>"
LAST_ARRIVALS = 3


@dataclass(frozen=True, slots=True)
class Departure:
    """A segment that was sent: its fields, and why it was sent."""

    fields: Fields
    reason: Reason | None

    @property
    def at(self) -> int:
        """Nanoseconds."""
        at: int = self.fields["at"]
        return at


def parsed(text: object) -> Fields:
    """`1.5 SA seq 0 ack 1 <mss 1460>` as fields. Raises ConfigurationError that names what is wrong."""
    if not isinstance(text, str):
        raise ConfigurationError(
            f"expect({text!r}): it takes a text for each segment, as '1.01 SA seq 0 ack 1'; "
            "taken() gives the segments themselves"
        )
    wanted: Fields = {"to": CLIENT, "len": 0}
    rest, sign, options = text.partition("<")
    if sign:
        if not options.rstrip().endswith(">"):
            raise _wrong(text, "options stand last, between < and >")
        inner = options.rstrip().removesuffix(">")
        wanted[OPTIONS] = [option.strip() for option in inner.split(",") if option.strip()]
    words = rest.split()
    if len(words) < 2 or len(words) % 2:
        raise _wrong(text, "a time in seconds, flags, then names with their numbers")
    wanted["at"], wanted["flags"] = _time(text, words[0]), _flags(text, words[1])
    for name, value in zip(words[2::2], words[3::2], strict=True):
        wanted[name] = _number(text, name, value)
    return wanted


def _wrong(text: str, rule: str) -> ConfigurationError:
    return ConfigurationError(f"{text!r}: {rule}; write it as '1.01 SA seq 0 ack 1 <mss 1460>'")


def _time(text: str, word: str) -> int:
    try:
        return int(Decimal(word) * SECOND)
    except InvalidOperation:
        raise _wrong(text, f"{word!r} is no time in seconds, which comes first") from None


def _flags(text: str, word: str) -> str:
    if set(word) - set(FLAG_LETTERS):
        raise _wrong(text, f"{word!r} are no flags: letters out of {FLAG_LETTERS}")
    return "".join(sorted(word, key=FLAG_LETTERS.index))


def _number(text: str, name: str, value: str) -> int | str:
    if name not in NUMBERS:
        near = difflib.get_close_matches(name, NUMBERS, 1)
        hint = f", but {near[0]}" if near else ""
        raise _wrong(text, f"there is no {name!r}{hint}; there are {' '.join(NUMBERS)}")
    if value == "zero":
        return value
    if not value.isdecimal():
        raise _wrong(text, f"{name} {value}: a whole number, or zero for an absolute one")
    return int(value)


def option_words(option: Option, stamp: int, peer_isn: int) -> str:
    """An option as a text of `expect` has it; timestamps and blocks relative to the first numbers given."""
    match option:
        case Timestamps(val, ecr):
            return f"TS {val - stamp & MASK} {ecr}"
        case Mss(value):
            return f"mss {value}"
        case WScale(shift):
            return f"ws {shift}"
        case SackOk():
            return "sackOK"
        case Nop():
            return "nop"
        case Sack(blocks):
            edges = (f"{left - peer_isn & MASK}-{right - peer_isn & MASK}" for left, right in blocks)
            return " ".join(("sack", *edges))
        case FastOpen(cookie, experimental):
            return " ".join(("experimental fo" if experimental else "fo", cookie.hex())).rstrip()
    return str(option)


def fields_text(fields: Mapping[str, Any]) -> str:
    """All fields of a segment, as a text of `expect` has them."""
    words = [f"{fields['at'] / SECOND:.9g}", fields["flags"] or "(no flags)"]
    words += [f"{name} {fields[name]}" for name in NUMBERS if name in fields]
    if fields.get(OPTIONS):
        words.append(f"<{', '.join(fields[OPTIONS])}>")
    return " ".join(words)


def mistakes(
    texts: Sequence[str], sent: Sequence[Departure], arrivals: Sequence[Verdict], tolerance: int
) -> str:
    """How what was sent differs from what the texts say, in lines; empty where it does not."""
    wanted = [parsed(text) for text in texts]
    lines: list[str] = []
    for number, (text, want, got) in enumerate(zip_longest(texts, wanted, sent), 1):
        lines += _pair(number, text, want, got, tolerance)
    if not lines:
        return ""
    head = f"{_count(len(sent))} sent, {len(texts)} expected"
    if len(sent) < len(texts):
        lines += _arrivals(arrivals)
    return "\n".join([f"{head}:" if len(sent) != len(texts) else "not as expected:", *lines])


def _count(number: int) -> str:
    return f"{number} segment{'s' * (number != 1)}"


def _pair(
    number: int, text: str | None, want: Fields | None, got: Departure | None, tolerance: int
) -> Iterator[str]:
    """One segment that was expected beside one that was sent; nothing where they agree."""
    label = f"  {ordinal(number):<5}"
    blank = " " * len(label)
    if want is None or got is None:
        yield f"{label}expected  {text or 'nothing more'}"
        yield f"{blank}sent      {fields_text(got.fields) if got else 'nothing more'}"
    else:
        differing = list(_differences(want, got.fields, tolerance))
        if not differing:
            return
        yield f"{label}expected  {text}"
        yield f"{blank}sent      {fields_text(got.fields)}"
        yield from (f"{blank}{name:<9} expected {one}, sent {other}" for name, one, other in differing)
    if got is not None and got.reason is not None:
        yield f"{blank}because   {got.reason.text} [{got.reason.source}]"


def _differences(want: Fields, got: Fields, tolerance: int) -> Iterator[tuple[str, str, str]]:
    """Name, expected and sent of each field that differs."""
    for name in ("at", "flags", *NUMBERS, OPTIONS):
        if name not in want or want[name] == got[name]:
            continue
        if name == "at":
            if abs(want[name] - got[name]) > tolerance:
                yield "time", f"{want[name] / SECOND:.9g} s", f"{got[name] / SECOND:.9g} s"
        elif name == OPTIONS:
            yield "options", ", ".join(want[name]) or "none", ", ".join(got[name]) or "none"
        else:
            yield name, str(want[name]), str(got[name])


def _arrivals(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What became of the last segments that arrived, which may say why nothing was sent."""
    if not verdicts:
        yield "  no segment had arrived before"
        return
    yield "  what arrived last:"
    for verdict in verdicts[-LAST_ARRIVALS:]:
        reason = verdict.reason
        yield (
            f"    {verdict.at / SECOND:.9g} {verdict.segment}: {verdict.outcome.value}: {reason.name}, "
            f"{reason.text} [{reason.source}]"
        )
