"""setsockopt() and getsockopt() as programs call them: numbers, or structures in octets.

All are the stack's but the two time limits of calls, as it knows no call that waits. What it does not have is refused:
an option that was taken and did nothing would be a trap.
"""

from __future__ import annotations

import errno
import socket
import struct

from tcpemu.programs.calls.socket_addresses import not_emulated
from tcpemu.programs.files.tcp_stream import TcpStream
from tcpemu.stack.base.errors import SocketError

_TIMEVAL = struct.Struct("qq")
"""Seconds and microseconds, on a 64-bit machine."""
_JIFFY = 1_000_000
"""Nanoseconds of the least step in which these limits are kept; Linux's is 1, 4 or 10 ms."""
_LIMITS = {
    (socket.SOL_SOCKET, getattr(socket, "SO_RCVTIMEO", 20)): "receive_limit",
    (socket.SOL_SOCKET, getattr(socket, "SO_SNDTIMEO", 21)): "send_limit",
}


def set_stream_option(stream: TcpStream, level: int, name: int, value: int | bytes | None) -> None:
    """setsockopt(). Raises SocketError, or an OSError that says what is not emulated."""
    if value is None:
        raise not_emulated(errno.ENOPROTOOPT, f"setsockopt() of option {name} at level {level} with None")
    shown = value if isinstance(value, int) else f"{len(value)} octets"

    def attempt(now: int) -> None:
        assert value is not None
        if (level, name) in _LIMITS:
            setattr(stream, _LIMITS[level, name], _limit_of(value))
        else:
            stream.socket.setsockopt(level, name, value, now)

    stream.calls.call(stream.socket, f"setsockopt({level}, {name}, {shown})", attempt)


def stream_option(stream: TcpStream, level: int, name: int, size: int = 0) -> int | bytes:
    """getsockopt(): a number, or octets where a size was given."""

    def attempt(_: int) -> int | bytes:
        if (level, name) in _LIMITS:
            octets = _as_timeval(getattr(stream, _LIMITS[level, name]))
            return octets[:size] if size else int.from_bytes(octets[:4], "little", signed=True)
        if size:
            return stream.socket.getsockopt_octets(level, name, size)
        return stream.socket.getsockopt(level, name)

    return stream.calls.call(stream.socket, f"getsockopt({level}, {name})", attempt, _shown)


def _shown(value: int | bytes) -> str:
    return str(value) if isinstance(value, int) else f"{len(value)} octets"


def _limit_of(value: int | bytes) -> int | None:
    """SO_RCVTIMEO and SO_SNDTIMEO: nanoseconds that a call waits; None for ever (sock.c: sock_set_timeout)."""
    if isinstance(value, int) or len(value) < _TIMEVAL.size:
        raise SocketError(errno.EINVAL)
    seconds, microseconds = _TIMEVAL.unpack_from(value)
    if not 0 <= microseconds < 1_000_000:
        raise SocketError(errno.EDOM)
    if seconds < 0:
        return 0
    nanoseconds = seconds * 10**9 + microseconds * 1000
    return -(-nanoseconds // _JIFFY) * _JIFFY or None


def _as_timeval(limit: int | None) -> bytes:
    seconds, rest = divmod(limit or 0, 10**9)
    return _TIMEVAL.pack(seconds, rest // 1000)
