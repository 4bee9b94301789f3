"""ssl on a host: the TLS of an SSLSocket, whose octets go through an emulated socket.

The SSLSocket itself is Python's own. What it asks of OpenSSL is answered by an object that works in memory, as
asyncio's TLS does, and the octets that this takes and gives are received and sent here.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from tcpemu.programs.calls.emulated_socket import EmulatedSocket

T = TypeVar("T")
_HEADER = 5
_OF_OPENSSL = frozenset({"context", "owner", "session"})
_REAL = (ssl.SSLContext._wrap_socket,)  # type: ignore[attr-defined]


class TlsInMemory:
    """Stands in for the object of OpenSSL that an SSLSocket has."""

    def __init__(self, context: ssl.SSLContext, carrier: EmulatedSocket, **named: Any) -> None:
        self._carrier = carrier
        self._record = bytearray()
        """What has come of the record that is being read."""
        self._ended = False
        """No more octets will come, and OpenSSL has been told."""
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context._wrap_bio(self._arrived, self._leaving, **named)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tls, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """What an SSLSocket sets of its object, as a callback for server names does with the context."""
        if name in _OF_OPENSSL:
            setattr(self._tls, name, value)
        else:
            super().__setattr__(name, value)

    def do_handshake(self) -> None:
        self._carry(self._tls.do_handshake)

    def read(self, *arguments: Any) -> Any:
        return self._carry(lambda: self._tls.read(*arguments))

    def write(self, data: Any) -> int:
        return int(self._carry(lambda: self._tls.write(data)))

    def shutdown(self) -> Any:
        self._carry(self._tls.shutdown)
        return self._carrier

    def _carry(self, work: Callable[[], T]) -> T:
        """Do it, as often as it takes octets that have yet to come, or gives some to be sent first."""
        while True:
            try:
                done = work()
            except ssl.SSLWantReadError:
                self._send()
                self._receive()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the alert that tells the peer, if it is still there
                    self._send()
                raise
            else:
                self._send()
                return done

    def _send(self) -> None:
        while self._leaving.pending:
            EmulatedSocket.sendall(self._carrier, self._leaving.read())

    def _missing(self) -> int:
        """Octets of the record that is being read: of its header, then of what that says."""
        have = len(self._record)
        if have < _HEADER:
            return _HEADER - have
        return _HEADER + int.from_bytes(self._record[3:_HEADER], "big") - have

    def _receive(self) -> None:
        """One record at a time, as OpenSSL reads: what belongs to later ones stays in the socket, which stays ready."""
        try:
            octets = EmulatedSocket.recv(self._carrier, self._missing())
        except BlockingIOError:
            raise ssl.SSLWantReadError(
                ssl.SSL_ERROR_WANT_READ, "The operation did not complete (read)"
            ) from None
        if octets:
            self._record += octets
            self._arrived.write(octets)
            if len(self._record) >= _HEADER and not self._missing():
                self._record.clear()
        elif self._ended:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol")
        else:
            self._ended = True
            self._arrived.write_eof()


def wrap_socket(
    context: ssl.SSLContext,
    sock: Any,
    server_side: bool,
    server_hostname: str | None = None,
    *,
    owner: Any = None,
    session: Any = None,
) -> Any:
    """SSLContext._wrap_socket(), for real sockets the real one."""
    named = {
        "server_side": server_side,
        "server_hostname": server_hostname,
        "owner": owner,
        "session": session,
    }
    if isinstance(sock, EmulatedSocket):
        return TlsInMemory(context, sock, **named)
    (real,) = _REAL
    return real(context, sock, server_side, server_hostname, owner=owner, session=session)
