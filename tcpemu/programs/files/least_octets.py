"""A recv() that waits for more than one octet: as many as SO_RCVLOWAT says, or all of them with MSG_WAITALL."""

from __future__ import annotations

import errno
import socket

from tcpemu.network.endpoint import EndpointSocket
from tcpemu.programs.files.open_files import ERR, HUP, PRI, RDHUP
from tcpemu.stack.base.errors import SocketError

_NO_MORE = ERR | HUP | RDHUP
"""Bits of poll() with which nothing comes any more."""


class LeastOctets:
    """What such a call has taken so far (tcp.c: tcp_recvmsg_locked, Linux 6.12)."""

    def __init__(
        self, stream: EndpointSocket, size: int, least: int, flags: int, deadline: int | None
    ) -> None:
        """`deadline` is that of SO_RCVTIMEO, in nanoseconds: then it gives what it has."""
        self._stream, self._size, self._least, self._flags = stream, size, least, flags
        self._peeks = bool(flags & socket.MSG_PEEK)
        self._deadline = deadline
        self._found = b""

    def attempt(self, now: int) -> bytes:
        """All that the call gives. EAGAIN where it has to wait; another error only where it has nothing yet."""
        if not self._found or self._stream.unread:
            self._take(now)
        late = self._deadline is not None and now >= self._deadline
        if len(self._found) < self._least and not self._ends() and not (late and self._found):
            raise SocketError(errno.EAGAIN)
        return self._found

    def _take(self, now: int) -> None:
        if self._peeks:
            self._found = self._stream.recv(self._size, now, self._flags)
        else:
            self._found += self._stream.recv(self._size - len(self._found), now, self._flags)

    def _ends(self) -> bool:
        """Whether no more comes, or urgent data stands in the way. What ended it the next call tells."""
        bits = self._stream.poll()
        if not self._found or bits & _NO_MORE:
            return True
        return bool(bits & PRI) if self._peeks else self._stream.at_mark
