"""TCP options, as a segment carries them: in the order they stood, unknown and broken ones included.

`decode_options` never fails: what cannot be read as an option becomes `Garbage` and ends the list, as it
ends the kernel's reading (tcp_input.c: tcp_parse_options). `encode_options` gives the same octets
back.

Two layouts make nearly all traffic, and each has its own short way in both directions: that of a SYN with
every option (MSS, SACK permitted, timestamps, NOP, window scale) and that of a later segment (NOP, NOP,
timestamps). Other lists are read once and remembered, since a peer seldom changes them.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Eol:
    """End of the list (kind 0), with whatever octets stood behind it."""

    padding: bytes = b""


@dataclass(frozen=True, slots=True)
class Nop:
    """No operation (kind 1)."""


@dataclass(frozen=True, slots=True)
class Mss:
    """Maximum segment size (kind 2), 0 to 65535 octets."""

    value: int


@dataclass(frozen=True, slots=True)
class WScale:
    """Window scale (kind 3). RFC 7323 allows 0 to 14; the octet may hold 0 to 255."""

    shift: int


@dataclass(frozen=True, slots=True)
class SackOk:
    """SACK permitted (kind 4)."""


@dataclass(frozen=True, slots=True)
class Sack:
    """Selective acknowledgments (kind 5): left edge and right edge of each block."""

    blocks: tuple[tuple[int, int], ...]


class Timestamps(NamedTuple):
    """Timestamps (kind 8): TSval and TSecr, 0 to 2**32 - 1. A tuple, for nearly every segment has one."""

    val: int
    ecr: int


@dataclass(frozen=True, slots=True)
class FastOpen:
    """Fast Open cookie (RFC 7413); empty in a request for one."""

    cookie: bytes
    experimental: bool = False
    """By kind 254 with the number 0xF989 in front, as before there was kind 34 (RFC 6994)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An option of another kind, or of a known kind with a length that is not its own."""

    kind: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Garbage:
    """Octets that cannot be an option: a length below two, or beyond the end of the header."""

    data: bytes


Option: TypeAlias = Eol | Nop | Mss | WScale | SackOk | Sack | Timestamps | FastOpen | Unknown | Garbage
"""Any option that a segment may carry."""

NOP = Nop()
"""The one no operation that there needs to be."""
SACK_OK = SackOk()
"""The one SACK permitted that there needs to be."""
mss = lru_cache(maxsize=4096)(Mss)
"""`mss(1460)`: the same as `Mss(1460)`, made once."""
wscale = lru_cache(maxsize=256)(WScale)
"""`wscale(7)`: the same as `WScale(7)`, made once."""


def timestamps(val: int, ecr: int) -> Timestamps:
    """The same as `Timestamps(val, ecr)`, in half the time."""
    return _new(Timestamps, (val, ecr))


_new = tuple.__new__
_syn_layout = struct.Struct("!HHIIII")
_later_layout = struct.Struct("!III")
_read_syn, _write_syn = _syn_layout.unpack, _syn_layout.pack
_read_later, _write_later = _later_layout.unpack, _later_layout.pack
_MSS_HEAD = 0x0204
_SACK_OK_TIMESTAMPS_HEAD = 0x0402080A
_NOP_NOP_TIMESTAMPS_HEAD = 0x0101080A
_NOP_WSCALE_HEAD = 0x010303
_FAST_OPEN_EXPERIMENT = b"\xf9\x89"
"""The experiment's number (include/net/tcp.h: TCPOPT_FASTOPEN_MAGIC)."""


def decode_options(octets: bytes) -> tuple[Option, ...]:
    """The options in the octets between a TCP header and its payload. Never fails."""
    size = len(octets)
    if size == 12:
        head, val, ecr = _read_later(octets)
        if head == _NOP_NOP_TIMESTAMPS_HEAD:
            return (NOP, NOP, _new(Timestamps, (val, ecr)))
    elif size == 20:
        head, size, middle, val, ecr, tail = _read_syn(octets)
        if head == _MSS_HEAD and middle == _SACK_OK_TIMESTAMPS_HEAD and tail >> 8 == _NOP_WSCALE_HEAD:
            return (mss(size), SACK_OK, _new(Timestamps, (val, ecr)), NOP, wscale(tail & 255))
    return _decode_list(octets)


@lru_cache(maxsize=1024)
def _decode_list(octets: bytes) -> tuple[Option, ...]:
    options: list[Option] = []
    at, end = 0, len(octets)
    while at < end:
        kind = octets[at]
        if kind == 0:
            options.append(Eol(octets[at + 1 :]))
            break
        if kind == 1:
            options.append(NOP)
            at += 1
            continue
        length = octets[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            options.append(Garbage(octets[at:]))
            break
        options.append(_decode_one(kind, octets[at + 2 : at + length]))
        at += length
    return tuple(options)


def _decode_one(kind: int, data: bytes) -> Option:
    reader = _READERS.get(kind)
    return (reader(data) if reader else None) or Unknown(kind, data)


def _read_mss(data: bytes) -> Option | None:
    return mss(int.from_bytes(data, "big")) if len(data) == 2 else None


def _read_wscale(data: bytes) -> Option | None:
    return wscale(data[0]) if len(data) == 1 else None


def _read_sack_ok(data: bytes) -> Option | None:
    return None if data else SACK_OK


def _read_sack(data: bytes) -> Option | None:
    if not data or len(data) % 8:
        return None
    return Sack(tuple(struct.iter_unpack("!II", data)))


def _read_timestamps(data: bytes) -> Option | None:
    return timestamps(*struct.unpack("!II", data)) if len(data) == 8 else None


def _read_fast_open(data: bytes) -> Option | None:
    """An odd length is not a cookie's (tcp_input.c: tcp_parse_fastopen_option)."""
    return None if len(data) % 2 else FastOpen(data)


def _read_experiment(data: bytes) -> Option | None:
    """One of the two kinds for experiments: which, its first octets tell (RFC 6994)."""
    cookie = data.removeprefix(_FAST_OPEN_EXPERIMENT)
    return None if len(cookie) == len(data) or len(cookie) % 2 else FastOpen(cookie, experimental=True)


_READERS: dict[int, Callable[[bytes], Option | None]] = {
    2: _read_mss,
    3: _read_wscale,
    4: _read_sack_ok,
    5: _read_sack,
    8: _read_timestamps,
    34: _read_fast_open,
    254: _read_experiment,
}


def encode_options(options: tuple[Option, ...]) -> bytes:
    """The octets of the options, with zeros behind them up to a multiple of four.

    Raises ValueError where a number does not fit its field. Their whole length is not looked at.
    """
    try:
        if len(options) == 3:
            first, second, third = options
            if first is NOP and second is NOP and type(third) is Timestamps:
                return _write_later(_NOP_NOP_TIMESTAMPS_HEAD, third.val, third.ecr)
        elif len(options) == 5:
            one, two, three, four, five = options
            if (
                two is SACK_OK
                and four is NOP
                and type(one) is Mss
                and type(three) is Timestamps
                and type(five) is WScale
                and 0 <= five.shift <= 255
            ):
                tail = _NOP_WSCALE_HEAD << 8 | five.shift
                return _write_syn(_MSS_HEAD, one.value, _SACK_OK_TIMESTAMPS_HEAD, three.val, three.ecr, tail)
    except struct.error:
        pass  # the long way names the option that does not fit
    octets = b"".join(map(_encode_one, options))
    return octets + bytes(-len(octets) % 4)


def _encode_one(option: Option) -> bytes:
    try:
        return _WRITERS[type(option)](option)
    except (struct.error, ValueError):
        raise ValueError(f"{option} does not fit its field; give numbers that do") from None


def _tlv(kind: int, data: bytes) -> bytes:
    return bytes((kind, 2 + len(data))) + data


_WRITERS: dict[type[Option], Callable[[Any], bytes]] = {
    Eol: lambda option: b"\0" + option.padding,
    Nop: lambda _: b"\1",
    Mss: lambda option: struct.pack("!BBH", 2, 4, option.value),
    WScale: lambda option: struct.pack("!BBB", 3, 3, option.shift),
    SackOk: lambda _: b"\4\2",
    Sack: lambda option: _tlv(5, b"".join(struct.pack("!II", *block) for block in option.blocks)),
    Timestamps: lambda option: struct.pack("!BBII", 8, 10, option.val, option.ecr),
    FastOpen: lambda option: (
        _tlv(254, _FAST_OPEN_EXPERIMENT + option.cookie) if option.experimental else _tlv(34, option.cookie)
    ),
    Unknown: lambda option: _tlv(option.kind, option.data),
    Garbage: lambda option: option.data,
}
