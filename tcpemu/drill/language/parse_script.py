"""A script's text becomes its records: options first, then a command, events, and a command at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tcpemu.drill.language.drill_script import (
    Code,
    Command,
    Event,
    EventTime,
    Expression,
    Flag,
    IcmpPacket,
    Script,
    SystemCall,
    TcpPacket,
    Word,
)
from tcpemu.drill.language.expression_grammar import expression, expressions_until
from tcpemu.drill.language.packet_grammar import packet
from tcpemu.drill.language.script_mistake import Place, ScriptError, ScriptText, raise_mistakes
from tcpemu.drill.language.script_tokens import Sort, Token
from tcpemu.drill.language.token_reader import TokenReader

_MICROSECONDS = 1_000_000
_ERRNO = re.compile("E[A-Z0-9]+")
_VALUES = (Sort.INTEGER, Sort.HEX, Sort.DECIMAL, Sort.WORD, Sort.TEXT, Sort.ADDRESS4, Sort.ADDRESS6)


def parse_script(text: str, name: str = "script", defines: Mapping[str, str] | None = None) -> Script:
    """The script in this text; `name` is what messages call it.

    `defines` stand above those that the script makes by --define. Raises ScriptError, which tells every mistake.
    """
    script, mistakes = read_script(text, name, defines)
    raise_mistakes(mistakes)
    return script


def read_script(
    text: str, name: str = "script", defines: Mapping[str, str] | None = None
) -> tuple[Script, list[ScriptError]]:
    """What could be read of the script in this text, and its mistakes: with any, events are missing."""
    lines = ScriptText(name, tuple(text.replace("\r\n", "\n").split("\n")))
    reader = TokenReader(lines, dict(defines or {}))
    flags = _flags(reader, dict(defines or {}))
    before = _outer_command(reader)
    events: list[Event] = []
    while not reader.sort_is(Sort.END, Sort.COMMAND):
        event = _event_or_mistake(reader)
        if event is not None:
            events.append(event)
    after = _outer_command(reader)
    if not reader.sort_is(Sort.END):
        reader.mistakes.append(
            reader.expected("the end of the script", "after the last command; an event begins with its time")
        )
    elif not events and not reader.mistakes:
        reader.mistakes.append(
            reader.expected("an event, as '+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3',", "in the script")
        )
    reader.mistakes += _backwards(lines, events)
    return Script(lines, flags, tuple(events), before, after, reader.defines), reader.mistakes


# ---------------------------------------------------------------------------------- options


def _flags(reader: TokenReader, above: dict[str, str]) -> tuple[Flag, ...]:
    flags: list[Flag] = []
    while reader.sort_is(Sort.OPTION):
        begun = reader.here()
        option = reader.take()
        try:
            value = _flag_value(reader) if reader.take_if("=") else None
        except ScriptError as mistake:
            reader.mistakes.append(mistake)
            reader.skip_line(begun)
            continue
        flags.append(Flag(option.text[2:], value, option.place))
        if flags[-1].name == "define" and value is not None:
            name, _, meant = value.partition("=")
            reader.defines[name] = meant
    reader.defines.update(above)
    return tuple(flags)


def _flag_value(reader: TokenReader) -> str:
    if not reader.sort_is(*_VALUES):
        raise reader.expected("a value", "after '='")
    value = reader.take().text
    if not reader.take_if("="):
        return value
    token = reader.take()
    quote = {Sort.TEXT: '"', Sort.COMMAND: "`"}.get(token.sort, "")
    return f"{value}={quote}{token.text}{quote}"


def _command(reader: TokenReader) -> Command:
    token = reader.take()
    return Command(token.text, token.place)


def _outer_command(reader: TokenReader) -> Command | None:
    """The command before all events, or after them."""
    if not reader.sort_is(Sort.COMMAND):
        return None
    begun = reader.here()
    command = _command(reader)
    if reader.had_told(begun):
        reader.next_event(begun)
        return None
    return command


# ---------------------------------------------------------------------------------- events


def _backwards(text: ScriptText, events: list[Event]) -> list[ScriptError]:
    """The events whose absolute time lies before what has passed by the script's own times."""
    found: list[ScriptError] = []
    passed = 0
    for event in events:
        time = event.time
        if not time.relative and time.start < passed:
            words = (
                f"this is at {_in_seconds(time.start)} s, but the events above take until {_in_seconds(passed)} s;"
                " a time after the event before begins with '+'"
            )
            found.append(ScriptError(text, event.place, words))
        else:
            passed = time.start + (passed if time.relative else 0)
    return found


def _in_seconds(microseconds: int) -> str:
    return f"{microseconds / _MICROSECONDS:.6f}".rstrip("0").removesuffix(".")


def _event_or_mistake(reader: TokenReader) -> Event | None:
    """The next event; None where it has a mistake, which is kept, and reading goes on below."""
    begun = reader.begun = reader.here()
    try:
        event = _event(reader)
    except ScriptError as mistake:
        if not reader.had_told(begun):
            reader.mistakes.append(mistake)
        reader.next_event(begun)
        return None
    return None if reader.had_told(begun) else event


def _event(reader: TokenReader) -> Event:
    first = reader.peek()
    time = _time(reader)
    if time.end is not None and time.end < time.start:
        raise reader.mistake(first.place, "this range of time ends before it begins")
    end, end_at = None, reader.peek().place
    if reader.take_if("..."):
        end = _seconds(reader, "the time at which the call returns")
    token = reader.peek()
    if reader.next_is("<", ">"):
        action: TcpPacket | IcmpPacket | SystemCall | Command | Code = packet(reader)
    elif token.sort is Sort.COMMAND:
        action = _command(reader)
    elif token.sort is Sort.CODE:
        reader.take()
        action = Code(token.text, token.place)
    elif token.sort is Sort.WORD:
        action = _call(reader, end)
    else:
        raise reader.expected("a packet ('<' or '>'), a call, a `command` or %{ code }%", "after the time")
    _check_time(reader, first, time, action)
    if end is not None:
        if not isinstance(action, SystemCall):
            raise reader.mistake(end_at, "only a system call can last from one time to another")
        if end < time.start:
            raise reader.mistake(end_at, "the call would return before it begins")
    return Event(time, action, first.place)


def _check_time(reader: TokenReader, first: Token, time: EventTime, action: object) -> None:
    """Only what the host sends may come at any time, or within a range."""
    if (time.whenever or time.end is not None) and not (isinstance(action, TcpPacket) and not action.inbound):
        what = "'*'" if time.whenever else "a range of time"
        raise reader.mistake(first.place, f"{what} is for packets that the host sends ('>')")


def _time(reader: TokenReader) -> EventTime:
    if reader.take_if("*"):
        return EventTime(0, relative=True, whenever=True)
    relative = reader.take_if("+") is not None
    start = _seconds(reader, "a time in seconds, as 0.1, +0.1 or *," if not relative else "a time in seconds")
    end = None
    if reader.take_if("~"):
        if relative:
            reader.expect("+", "before the end of a range that begins with '+'")
        end = _seconds(reader, "the end of the range, in seconds,")
    return EventTime(start, end, relative)


def _seconds(reader: TokenReader, what: str) -> int:
    """A time in seconds, as microseconds."""
    if not reader.sort_is(Sort.INTEGER, Sort.DECIMAL):
        raise reader.expected(what, "here")
    token = reader.take()
    if token.text.startswith("-"):
        raise reader.mistake(token.place, "a time cannot be negative")
    whole, _, part = token.text.partition(".")
    return int(whole or 0) * _MICROSECONDS + int(part[:6].ljust(6, "0"))


def _call(reader: TokenReader, end: int | None) -> SystemCall:
    name = reader.take()
    reader.expect("(", f"after '{name.text}', as in a system call")
    arguments = expressions_until(reader, ")", f"among the arguments of {name.text}()")
    reader.expect("=", f"and the result of {name.text}()")
    result: Expression = expression(reader)
    error = None
    if reader.sort_is(Sort.WORD) and _ERRNO.fullmatch(reader.peek().text):
        token = reader.take()
        error = Word(token.text, token.place)
    if reader.next_is("("):
        _note(reader, reader.take().place)
    return SystemCall(name.text, arguments, result, error, end, name.place)


def _note(reader: TokenReader, opening: Place) -> None:
    """Words in brackets behind a result mean nothing."""
    while not reader.take_if(")"):
        if reader.sort_is(Sort.END):
            raise reader.mistake(opening, "this bracket is never closed")
        reader.take()
