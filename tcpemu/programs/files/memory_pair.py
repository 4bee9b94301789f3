"""The two ends of a socketpair(), in memory: what is written to one is read from the other, at once."""

from __future__ import annotations

import errno

from tcpemu.programs.files.open_files import HUP, IN, OUT, OpenFile
from tcpemu.programs.waiting.computers import Process
from tcpemu.stack.base.errors import SocketError

_ROOM = 212_992
"""Octets that wait to be read, at most: net.core.wmem_default."""


class MemoryEnd(OpenFile):
    """One end."""

    __slots__ = ("closed", "ended", "peer", "unread")

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self.peer = self
        self.unread = bytearray()
        self.ended = False
        """No more will come: the other end was closed or shut down."""
        self.closed = False

    @property
    def words(self) -> str:
        return "a socketpair()"

    def poll(self) -> int:
        bits = IN if self.unread or self.ended else 0
        if self.peer.closed:
            return bits | OUT | HUP
        return bits | OUT if len(self.peer.unread) < _ROOM else bits

    def send(self, data: bytes) -> int:
        """EPIPE, EAGAIN."""
        if self.peer.closed or self.peer.ended:
            raise SocketError(errno.EPIPE)
        room = _ROOM - len(self.peer.unread)
        if room <= 0 and data:
            raise SocketError(errno.EAGAIN)
        self.peer.unread += data[:room]
        self.peer.changed()
        return min(room, len(data))

    def recv(self, size: int, peek: bool = False) -> bytes:
        """EAGAIN; b"" at the end."""
        if not self.unread and not self.ended and size:
            raise SocketError(errno.EAGAIN)
        data = bytes(self.unread[:size])
        if not peek:
            del self.unread[:size]
            self.peer.changed()
        return data

    def shutdown(self, how: int) -> None:
        """SHUT_RD, SHUT_WR or both."""
        if how != 1:
            self.ended = True
        if how != 0:
            self.peer.ended = True
        self.changed()
        self.peer.changed()

    def release(self) -> None:
        self.closed = self.ended = self.peer.ended = True
        self.changed()
        self.peer.changed()


def memory_pair(process: Process) -> tuple[MemoryEnd, MemoryEnd]:
    """Two ends that are joined."""
    one, other = MemoryEnd(process), MemoryEnd(process)
    one.peer, other.peer = other, one
    return one, other
