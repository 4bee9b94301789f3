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
    begun: bool = False
    """Some of it has been read."""


NO_OCTET, OCTET_READ = -1, -2
"""Of an urgent octet: it has not arrived (TCP_URG_NOTYET), or was read by recv() with MSG_OOB (TCP_URG_READ)."""


@dataclass(slots=True, eq=False)
class UrgentOctet:
    """The octet that the peer calls urgent."""

    seq: int
    """Its sequence number (urg_seq)."""
    octet: int = NO_OCTET
    """Its value, 0 to 255, or `NO_OCTET` or `OCTET_READ`."""


@dataclass(slots=True, eq=False)
class Fragment:
    """Data beyond a hole."""

    seq: int
    end: int
    payload: bytes
    fin: bool
    memory: int
    room: int
