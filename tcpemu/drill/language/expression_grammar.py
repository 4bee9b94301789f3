"""Arguments and results of calls: constants, texts, arrays, structures, `...`."""

from __future__ import annotations

from tcpemu.drill.language.drill_script import (
    Anything,
    Array,
    Converted,
    Either,
    Expression,
    Named,
    Number,
    Structure,
    Text,
    Word,
)
from tcpemu.drill.language.script_tokens import Sort
from tcpemu.drill.language.token_reader import TokenReader

CONVERSIONS = ("htons", "htonl", "inet_addr", "inet6_addr")
"""Functions that may stand in an expression."""
_DEEPEST = 20


def expression(reader: TokenReader, depth: int = 0) -> Expression:
    """One expression, with all that `|` joins to it."""
    if depth > _DEEPEST:
        raise reader.mistake(reader.peek().place, f"more than {_DEEPEST} brackets in each other")
    first = _one(reader, depth)
    if not reader.next_is("|"):
        return first
    parts = [first]
    while reader.take_if("|"):
        parts.append(_one(reader, depth))
    return Either(tuple(parts), first.place)


def expressions_until(
    reader: TokenReader, closing: str, where: str, depth: int = 0
) -> tuple[Expression, ...]:
    """What stands between commas up to the closing bracket, which is taken."""
    found: list[Expression] = []
    if reader.take_if(closing):
        return ()
    while True:
        found.append(expression(reader, depth))
        if reader.take_if(closing):
            return tuple(found)
        if not reader.next_is(","):
            raise reader.expected(f"',' or '{closing}'", where)
        reader.take()


def _one(reader: TokenReader, depth: int) -> Expression:
    token = reader.peek()
    if token.sort in (Sort.INTEGER, Sort.HEX):
        reader.take()
        return Number(int(token.text, 16) if token.sort is Sort.HEX else int(token.text), token.place)
    if token.sort is Sort.TEXT:
        return _text(reader)
    if token.sort is Sort.WORD:
        return _worded(reader, depth)
    if reader.take_if("..."):
        return Anything(token.place)
    if reader.take_if("["):
        return Array(expressions_until(reader, "]", "in this array", depth + 1), token.place)
    if reader.take_if("{"):
        return Structure(expressions_until(reader, "}", "in this structure", depth + 1), token.place)
    raise reader.expected("a value (a number, a constant, a text, '[', '{' or '...')", "here")


def _text(reader: TokenReader) -> Text:
    first = reader.take()
    value = _unescaped(first.text)
    while reader.sort_is(Sort.TEXT):
        value += _unescaped(reader.take().text)
    return Text(value, first.place, open_ended=reader.take_if("...") is not None)


def _unescaped(text: str) -> str:
    """Line ends, hexadecimal octets and the like are written as in C."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\" in text else text


def _worded(reader: TokenReader, depth: int) -> Expression:
    token = reader.take()
    if reader.next_is("("):
        reader.take()
        argument = expression(reader, depth + 1)
        reader.expect(")", f"after the argument of {token.text}")
        if reader.take_if("="):
            return Named(token.text, argument, expression(reader, depth + 1), token.place)
        if token.text not in CONVERSIONS:
            words = f"'{token.text}' is no function; there are {', '.join(CONVERSIONS)}"
            raise reader.mistake(token.place, words)
        return Converted(token.text, argument, token.place)
    if reader.take_if("="):
        return Named(token.text, None, expression(reader, depth + 1), token.place)
    return Word(token.text, token.place)
