"""Sequence numbers: unsigned 32-bit numbers that wrap, compared as RFC 9293 section 3.4 says.

Of two numbers less than 2**31 apart one is before the other; at exactly 2**31 each is before the other,
as in the kernel (include/net/tcp.h: before).
"""

from __future__ import annotations

MASK = 0xFFFFFFFF


def before(a: int, b: int) -> bool:
    """Whether `a` comes before `b`."""
    return (a - b) & MASK > 0x7FFFFFFF


def after(a: int, b: int) -> bool:
    """Whether `a` comes after `b`."""
    return (b - a) & MASK > 0x7FFFFFFF


def between(x: int, low: int, high: int) -> bool:
    """Whether low <= x <= high, going upwards from low."""
    return (high - low) & MASK >= (x - low) & MASK


def in_window(seq: int, end: int, low: int, high: int) -> bool:
    """Whether some of what goes from `seq` to `end` lies in the window from `low` to `high`.

    What has no length may stand at either edge (tcp_minisocks.c: tcp_in_window).
    """
    return seq == low or (after(end, low) and before(seq, high)) or seq == end == high


def add(a: int, n: int) -> int:
    """The number that lies `n` after `a`, or before it where `n` is negative."""
    return (a + n) & MASK


def distance(low: int, high: int) -> int:
    """How far `high` is after `low`: 0 to 2**32 - 1."""
    return (high - low) & MASK


def offset(a: int, b: int) -> int:
    """Signed distance from `a` to `b`: -2**31 to 2**31 - 1."""
    return ((b - a + 0x80000000) & MASK) - 0x80000000
