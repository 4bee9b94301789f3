"""Data that has arrived: in order and not read yet, or beyond a hole."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Unread:
    """Data in order that waits to be read."""

    payload: bytes
    memory: int
    """Octets of memory that it takes (truesize)."""
    room: int
    """Octets of that memory that later data may fill."""


@dataclass(slots=True, eq=False)
class Fragment:
    """Data beyond a hole."""

    seq: int
    end: int
    payload: bytes
    fin: bool
    memory: int
    room: int
