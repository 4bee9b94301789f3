"""setsockopt() and getsockopt() as programs call them: numbers, or structures in octets.

What the stack does not have is refused: an option that was taken and did nothing would be a trap.
"""

from __future__ import annotations

import errno
import socket
import struct

from tcpemu.network.application_sockets import set_option
from tcpemu.programs.calls.socket_addresses import not_emulated
from tcpemu.programs.files.tcp_stream import TcpStream
from tcpemu.stack.base.errors import SocketError

_LINGER = struct.Struct("ii")
_NAMES = {
    (getattr(socket, "SOL_SOCKET", 1), getattr(socket, name)): name
    for name in dir(socket)
    if name.startswith("SO_") and isinstance(getattr(socket, name), int)
} | {(6, getattr(socket, name)): name for name in dir(socket) if name.startswith("TCP_")}
_LINGER_OPTION = (socket.SOL_SOCKET, socket.SO_LINGER)


def set_stream_option(stream: TcpStream, level: int, name: int, value: int | bytes | None) -> None:
    """setsockopt(). Raises SocketError, or an OSError that says what is not emulated."""
    if value is None:
        raise not_emulated(errno.ENOPROTOOPT, f"setsockopt({_option(level, name)}, None)")
    if (level, name) == _LINGER_OPTION:
        _set_linger(stream, value)
        return
    number = value if isinstance(value, int) else _number(value, level, name)
    try:
        set_option(stream.calls, stream.socket, level, name, int(number))
    except SocketError as error:
        _say_which(error, level, name)
        raise


def stream_option(stream: TcpStream, level: int, name: int, size: int = 0) -> int | bytes:
    """getsockopt(): a number, or octets where a size was given."""
    try:
        value = stream.calls.call(
            stream.socket,
            f"getsockopt({level}, {name})",
            lambda _: stream.socket.getsockopt(level, name),
            str,
        )
    except SocketError as error:
        _say_which(error, level, name)
        raise
    return value.to_bytes(4, "little", signed=True)[:size] if size else value


def _set_linger(stream: TcpStream, value: int | bytes) -> None:
    if isinstance(value, int) or len(value) < _LINGER.size:
        raise SocketError(errno.EINVAL)
    on, seconds = _LINGER.unpack_from(value)
    stream.socket.linger(bool(on), seconds)


def _number(value: bytes, level: int, name: int) -> int:
    octets = bytes(value)
    if len(octets) < 4:
        raise SocketError(errno.EINVAL)
    if len(octets) > 4:
        raise not_emulated(errno.ENOPROTOOPT, _option(level, name))
    return int.from_bytes(octets, "little", signed=True)


def _say_which(error: SocketError, level: int, name: int) -> None:
    if error.errno == errno.ENOPROTOOPT:
        raise not_emulated(errno.ENOPROTOOPT, _option(level, name)) from None


def _option(level: int, name: int) -> str:
    return _NAMES.get((level, name), f"option {name} at level {level}")
