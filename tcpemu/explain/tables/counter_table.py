"""Counters that moved, as nstat prints them, with what each counts."""

import textwrap
from collections.abc import Mapping

from tcpemu.explain.facts.counter_meanings import BULK, MEANING, group
from tcpemu.explain.lines.style import Line, Role, Span


def counter_lines(counters: Mapping[str, int], width: int = 100) -> list[Line]:
    """A line for each counter that is not nought: group, name, value, what it counts."""
    moved = sorted((name for name, value in counters.items() if value), key=_order)
    longest = max(map(len, moved), default=0)
    digits = max((len(f"{counters[name]:,}") for name in moved), default=0)
    return [_counter_line(name, counters[name], longest, digits, width) for name in moved]


def counters_in_short(host: str, counters: Mapping[str, int], width: int = 100) -> list[Line]:
    """The same for a host at the edge of the story: names and values in a paragraph, without the bulk."""
    moved = sorted((name for name, value in counters.items() if value and name not in BULK), key=_order)
    words = ", ".join(f"{name}\N{NO-BREAK SPACE}{counters[name]:,}" for name in moved)
    if not words:
        return []
    wrapped = textwrap.wrap(f"{host}: {words}", width, initial_indent="  ", subsequent_indent="    ")
    return [(Span(each.replace("\N{NO-BREAK SPACE}", " ")),) for each in wrapped]


def _order(name: str) -> tuple[int, str]:
    """What belongs to the listen path comes first, the bulk last."""
    if name.startswith(("Listen", "TCPReqQ", "Syncookies")):
        return 0, name
    return 2 if name in BULK else 1, name


def _counter_line(name: str, value: int, longest: int, digits: int, width: int) -> Line:
    head = f"  {group(name):<6}  {name:<{longest}}  {value:>{digits},}"
    room = width - len(head) - 2
    words = MEANING.get(name, "")
    shown = words if len(words) <= room else words[: max(room - 1, 0)].rstrip() + "…"
    return Span(head), Span(f"  {shown}", Role.QUIET)
