"""Data that has arrived: in order and not read yet, or beyond a hole."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    replaces: Fragment | None = None
    """The fragment whose place in the search tree it is to take."""
    linked: bool = False
    """It is in the search tree; there it has a colour, a parent and two children."""
    red: bool = False
    parent: Fragment | None = None
    left: Fragment | None = None
    right: Fragment | None = None


@dataclass(slots=True, eq=False)
class SearchTree:
    """What decides which fragments a new one is compared with: see `connection/arriving/search_tree.py`."""

    root: Fragment | None = None
    changes: list[Fragment] = field(default_factory=list)
    """What was added or taken out, and is not in the tree yet."""
    tangled: bool = False
    """A fragment was joined by what covers the next, so they may end in another order than they begin in."""
