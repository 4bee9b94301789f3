"""A failure made short, and written as a program that anybody can run."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from _fuzz_rules import BrokenRuleError
from _fuzz_world import Arrive, ArriveOctets, Call, Deed, Open, SetSysctl, Setup, World

import tcpemu
from tcpemu.wire import Segment, decode, flag_letters

_MOST_RUNS = 600
_PROGRAM = PurePath(tcpemu.__file__).parent


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that did not hold, or an exception."""

    kind: str
    """The same for failures that are likely to have the same cause."""
    words: str
    trace: str = ""


def failure_of(error: Exception) -> Failure:
    if isinstance(error, BrokenRuleError):
        return Failure(error.rule, str(error))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _ours(frame.filename)]
    place = f"{PurePath(frames[-1].filename).name}: {frames[-1].name}" if frames else "outside"
    words = f"{type(error).__name__}: {error}"
    return Failure(
        f"{type(error).__name__} in {place}", words, "".join(traceback.format_tb(error.__traceback__))
    )


def _ours(filename: str) -> bool:
    """Whether it is a module of a room of the program."""
    return PurePath(filename).is_relative_to(_PROGRAM)


def play(setup: Setup, deeds: Sequence[Deed]) -> Failure | None:
    """What goes wrong with these deeds on a new host, everything checked after each."""
    try:
        world = World(setup)
        for deed in deeds:
            world.play(deed)
        world.finish()
    except Exception as error:
        return failure_of(error)
    return None


def shrink(setup: Setup, deeds: Sequence[Deed], kind: str) -> list[Deed]:
    """As few of the deeds as still fail in the same way."""
    kept = list(deeds)
    size, runs = max(len(kept) // 2, 1), 0
    while runs < _MOST_RUNS:
        start, shorter = 0, False
        while start < len(kept) and runs < _MOST_RUNS:
            fewer = kept[:start] + kept[start + size :]
            runs += 1
            failure = play(setup, fewer)
            if failure is not None and failure.kind == kind:
                kept, shorter = fewer, True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(size // 2, 1)
    return kept


# --- as a program --------------------------------------------------------------------------------------------

_PREAMBLE = """\
from tcpemu.generations import generation
from tcpemu.stack import Host, SocketError
from tcpemu.wire import *

def call(method, *arguments):
    try:
        return method(*arguments)
    except SocketError as error:
        return error
"""
_TIMELESS = ("bind", "linger", "getsockopt")


def program(setup: Setup, deeds: Sequence[Deed]) -> str:
    """The deeds as a Python program that prints what the host says of the last. Text is zeros in it."""
    lines = [
        _PREAMBLE,
        f"host = Host({list(setup.addresses)!r}, generation({setup.generation!r}), seed={setup.seed},",
        f"            mtu={setup.mtu}, hz={setup.hz}, routes={setup.routes!r}, sysctls={dict(setup.sysctls)!r})",
    ]
    for deed in deeds:
        lines += [f"host.advance({deed.at})", *_lines(deed)]
        if deed is deeds[-1]:
            lines.append('print(*host.events(), sep="\\n")')
        elif isinstance(deed, Arrive | ArriveOctets):
            lines.append("host.transmit(), host.events()")
    return "\n".join(lines) + "\n"


def _lines(deed: Deed) -> list[str]:
    if isinstance(deed, Arrive):
        return [f"host.receive({_segment(deed.segment)}, {deed.at})"]
    if isinstance(deed, ArriveOctets):
        found = decode(deed.octets)
        what = _segment(found) if isinstance(found, Segment) else f"decode({deed.octets!r})"
        return [f"host.receive({what}, {deed.at})"]
    if isinstance(deed, Open):
        return [f"s{deed.socket} = host.socket({'ipv6=True' if deed.ipv6 else ''})"]
    if isinstance(deed, SetSysctl):
        return [f"host.set_sysctl({deed.name!r}, {deed.value!r})"]
    return [_call(deed)] if isinstance(deed, Call) else []


def _segment(segment: Segment) -> str:
    """The segment with the fields that are not as usual, its text as zeros, its flags as letters."""
    values = [repr(value) for value in segment[:8]]
    values[6] = f'flags_of("{flag_letters(segment.flags)}")'
    for name, value in list(segment._asdict().items())[8:]:
        if value != segment._field_defaults[name]:
            values.append(f"{name}={f'bytes({len(value)})' if name == 'payload' else repr(value)}")
    return f"Segment({', '.join(values)})"


def _call(deed: Call) -> str:
    arguments = [repr(argument) for argument in deed.arguments]
    if deed.name == "send":
        arguments = [f"bytes({arguments[0]})"]
    if deed.name not in _TIMELESS:
        arguments.append(str(deed.at))
    result = f"s{deed.makes} = " if deed.makes >= 0 else ""
    return f"{result}call(s{deed.socket}.{deed.name}{''.join(', ' + one for one in arguments)})"
