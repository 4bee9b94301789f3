"""TCP options in a packet: `<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>`."""

from __future__ import annotations

from collections.abc import Callable

from tcpemu.drill.language.script_mistake import Place
from tcpemu.drill.language.script_tokens import Sort
from tcpemu.drill.language.token_reader import TokenReader
from tcpemu.wire.options import (
    NOP,
    SACK_OK,
    Eol,
    FastOpen,
    Mss,
    Option,
    Sack,
    Unknown,
    WScale,
    encode_options,
    timestamps,
)

_MOST32 = 2**32 - 1
_MD5, _ACCECN0, _ACCECN1 = 19, 172, 174
_ROOM = 40
"""Octets that options may take."""


def tcp_options(reader: TokenReader, inbound: bool) -> tuple[Option, ...] | None:
    """The list in `< >`; none where nothing stands there, None for `<...>`."""
    opening = reader.take_if("<")
    if opening is None:
        return ()
    if reader.next_is("..."):
        dots = reader.take()
        reader.expect(">", "after '...'")
        if inbound:
            raise reader.mistake(
                dots.place, "<...> is for packets that the host sends; say which options arrive"
            )
        return None
    options: list[Option] = []
    while True:
        options.append(_option(reader))
        if reader.take_if(">"):
            break
        if not reader.next_is(","):
            raise reader.expected("',' or '>'", "after a TCP option")
        reader.take()
    return _checked(reader, tuple(options), opening.place)


def _checked(reader: TokenReader, options: tuple[Option, ...], place: Place) -> tuple[Option, ...]:
    size = sum(
        len(encode_options((option,))) if isinstance(option, Eol) else _length(option) for option in options
    )
    if size > _ROOM:
        raise reader.mistake(place, f"these options take {size} octets; there is room for {_ROOM}")
    if size % 4 and not any(isinstance(option, Eol) for option in options):
        words = f"these options take {size} octets, no multiple of four; add {4 - size % 4} nop"
        raise reader.mistake(place, words)
    return options


def _length(option: Option) -> int:
    """Octets of one option, without what pads it."""
    if option is NOP:
        return 1
    if isinstance(option, Unknown):
        return 2 + len(option.data)
    if isinstance(option, FastOpen):
        return 2 + len(option.cookie) + 2 * option.experimental
    if isinstance(option, Sack):
        return 2 + 8 * len(option.blocks)
    return {Mss: 4, WScale: 3}.get(type(option), 2 if option is SACK_OK else 10)


def _option(reader: TokenReader) -> Option:
    token = reader.peek()
    read = _READERS.get(token.text) if token.sort is Sort.WORD else None
    if read is None:
        raise reader.expected(f"a TCP option ({', '.join(_READERS)})", "here")
    reader.take()
    return read(reader)


def _sack(reader: TokenReader) -> Option:
    blocks: list[tuple[int, int]] = []
    while reader.sort_is(Sort.INTEGER):
        left = reader.whole("the left edge", 0, _MOST32)
        reader.expect(":", "between the edges of a SACK block")
        blocks.append((left, reader.whole("the right edge", 0, _MOST32)))
    if not blocks:
        raise reader.expected("a SACK block, as 1001:2001,", "here")
    return Sack(tuple(blocks))


def _timestamps(reader: TokenReader) -> Option:
    reader.expect("val", "after TS")
    val = reader.whole("the timestamp", 0, _MOST32)
    reader.expect("ecr", "after the timestamp")
    return timestamps(val, reader.whole("the timestamp's echo", 0, _MOST32))


def _hex(reader: TokenReader, what: str) -> bytes:
    """Octets as hexadecimal digits; none where none stand there."""
    if not reader.sort_is(Sort.WORD, Sort.INTEGER):
        return b""
    token = reader.take()
    try:
        return bytes.fromhex(token.text)
    except ValueError:
        raise reader.mistake(token.place, f"{what} is an even number of hexadecimal digits") from None


def _accecn(reader: TokenReader) -> Option:
    """`ECN e0b 1 ceb 0 e1b 1`: counters of octets, in this order or with e1b first."""
    counters, names = b"", []
    first = reader.peek()
    while reader.next_is("e0b", "e1b", "ceb"):
        names.append(reader.take().text)
        counters += reader.whole("the counter", 0, 2**24 - 1).to_bytes(3, "big")
    for kind, order in ((_ACCECN0, ["e0b", "ceb", "e1b"]), (_ACCECN1, ["e1b", "ceb", "e0b"])):
        if names and names == order[: len(names)]:
            return Unknown(kind, counters)
    raise reader.mistake(
        first.place, "expected 'e0b N ceb N e1b N', or 'e1b N ceb N e0b N', or a beginning of it"
    )


_READERS: dict[str, Callable[[TokenReader], Option]] = {
    "nop": lambda _: NOP,
    "eol": lambda _: Eol(),
    "mss": lambda reader: Mss(reader.whole("the MSS", 0, 2**16 - 1)),
    "wscale": lambda reader: WScale(reader.whole("the window scale", 0, 255)),
    "sackOK": lambda _: SACK_OK,
    "sack": _sack,
    "TS": _timestamps,
    "FO": lambda reader: FastOpen(_hex(reader, "the cookie")),
    "FOEXP": lambda reader: FastOpen(_hex(reader, "the cookie"), experimental=True),
    "md5": lambda reader: Unknown(_MD5, _hex(reader, "the digest")),
    "ECN": _accecn,
}
