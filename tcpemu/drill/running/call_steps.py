"""What each call of a script does to the emulated host.

A step is tried until it does not raise WouldWait: at once for a descriptor that does not block, else after each thing
that happens. It gives the call's result, or raises SocketError. What the script says of memory that the call writes is
compared where it is written: DrillFailure.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from tcpemu.drill.language.drill_script import Anything, Array, Structure, Text, Word
from tcpemu.drill.playing.call_arguments import Arguments
from tcpemu.drill.playing.drill_failure import DrillFailure, WouldWait
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.playing.result_checks import compared, expect_number
from tcpemu.drill.running.descriptor_table import (
    NON_BLOCKING,
    READ_WRITE,
    DataFile,
    EpollFile,
    OpenedFile,
    PipeFile,
    SocketFile,
)
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.stack import NotEmulatedError, Socket, SocketError
from tcpemu.stack.sockets.message_flags import MSG_DONTWAIT, MSG_FASTOPEN

Step: TypeAlias = Callable[[DrillWorld, Arguments], int]
"""One try of a call: its result."""
_AF_INET6, _SOCK_DGRAM, _TYPES, _UNSPEC = 10, 2, 0xF, 0
_F_GETFL, _F_SETFL = 3, 4
_SIOCINQ, _SIOCOUTQ, _SIOCOUTQNSD, _SIOCATMARK = 0x541B, 0x5411, 0x894B, 0x8905
_MOST_OCTETS = 2**26
_SPLICE_NONBLOCK = 2


# ---------------------------------------------------------------------------------- descriptors


def descriptor(world: DrillWorld, arguments: Arguments, place: int = 0) -> OpenedFile:
    """What a descriptor stands for. EBADF."""
    number = arguments.number(place)
    found = world.files.get(number)
    if found is None:
        raise SocketError(errno.EBADF, f"the script has no descriptor {number} now")
    return found


def socket_file(world: DrillWorld, arguments: Arguments, place: int = 0) -> SocketFile:
    """The socket of a descriptor. EBADF, ENOTSOCK."""
    found = descriptor(world, arguments, place)
    if not isinstance(found, SocketFile):
        raise SocketError(errno.ENOTSOCK)
    return found


def or_wait(file: SocketFile, flags: int, error: SocketError) -> SocketError | WouldWait:
    """EAGAIN of a descriptor that blocks is a wait."""
    if error.errno == errno.EAGAIN and not file.non_blocking and not flags & MSG_DONTWAIT:
        return WouldWait()
    return error


def new_descriptor(world: DrillWorld, arguments: Arguments, file: OpenedFile) -> int:
    """The number that the script gives to it. DrillFailure where it expects an error, or has that number in use."""
    wanted = arguments.value(arguments.call.result)
    if wanted < 0:
        return 3
    if wanted in world.files and not arguments.call.name.startswith("accept"):
        raise DrillFailure(arguments.place, f"descriptor {wanted} is in use already")
    world.files[wanted] = file
    return wanted


# ---------------------------------------------------------------------------------- opening


def _socket(world: DrillWorld, arguments: Arguments) -> int:
    kind = arguments.number(1)
    family = arguments.number_or(0, _AF_INET6 if world.flags.ipv6_sockets else 2)
    if family not in (2, _AF_INET6):
        raise SocketError(errno.EAFNOSUPPORT)
    if kind & _TYPES not in (1, _SOCK_DGRAM):
        raise SocketError(errno.ESOCKTNOSUPPORT)
    socket = world.stage.host.socket(kind & _TYPES == _SOCK_DGRAM, ipv6=family == _AF_INET6)
    flow = DrillFlow(socket=socket)
    world.flows.current = flow
    return new_descriptor(world, arguments, SocketFile(socket, flow, READ_WRITE | (kind & NON_BLOCKING)))


def _bind(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    address = arguments.address(1)
    host, port = address if address is not None else (world.flags.local_of_sockets, world.flags.bind_port)
    try:
        file.socket.bind(host, port)
    except SocketError as error:
        if file.freebind and error.errno == errno.EADDRNOTAVAIL:
            raise NotEmulatedError(
                f"IP_FREEBIND is not emulated for {host}, no address of the host"
            ) from None
        raise
    return 0


def _listen(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    file.socket.listen(arguments.number(1), world.stage.now)
    file.flow.listening = True
    return 0


def _accept(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    try:
        child = file.socket.accept(world.stage.now)
    except SocketError as error:
        raise or_wait(file, 0, error) from None
    flow = world.flows.accepted(child)
    flags = READ_WRITE | (arguments.number(3) & NON_BLOCKING if arguments.call.name == "accept4" else 0)
    return new_descriptor(world, arguments, SocketFile(child, flow, flags, inq=file.inq))


def _connect(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    if _is_unspecified(arguments):
        file.socket.disconnect(world.stage.now)
        return 0
    to = _peer(world, arguments, 1)
    try:
        file.socket.connect(*to, world.stage.now)
    except SocketError as error:
        waits = error.errno == errno.EINPROGRESS or (error.errno == errno.EALREADY and file.connected)
        if waits and not file.non_blocking:
            file.connected = True
            raise WouldWait from None
        raise
    finally:
        world.flows.connects(file)
    file.connected = False
    return 0


def _is_unspecified(arguments: Arguments) -> bool:
    """Whether the address is AF_UNSPEC alone, which ends the connection."""
    to = arguments.at(1)
    return isinstance(to, Word) and to.name == "AF_UNSPEC"


def _peer(world: DrillWorld, arguments: Arguments, place: int) -> tuple[str, int]:
    address = arguments.address(place)
    return address if address is not None else (world.flags.remote_of_sockets, world.flags.connect_port)


def _close(world: DrillWorld, arguments: Arguments) -> int:
    number = arguments.number(0)
    file = descriptor(world, arguments)
    if isinstance(file, SocketFile):
        if not file.closing:
            for each in world.files.values():
                if isinstance(each, EpollFile) and number in each.interests:
                    each.remove(number)
            file.socket.close(world.stage.now)
            file.closing = True
        if file.socket.lingering and not file.non_blocking:
            raise WouldWait
        file.flow.listening = False
    del world.files[number]
    return 0


def _shutdown(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    file.socket.shutdown(arguments.number(1), world.stage.now)
    return 0


# ---------------------------------------------------------------------------------- octets in


def receive(world: DrillWorld, file: SocketFile, size: int, flags: int) -> bytes:
    """What recv() gives, or a wait."""
    try:
        return file.socket.recv(size, world.stage.now, flags)
    except SocketError as error:
        raise or_wait(file, flags, error) from None


def _read(world: DrillWorld, arguments: Arguments) -> int:
    file = descriptor(world, arguments)
    size = arguments.number(2)
    content(arguments, 1, size)
    if isinstance(file, PipeFile):
        return _from_pipe(file, size)
    if isinstance(file, DataFile):
        return len(_from_file(file, size))
    flags = arguments.number(3) if arguments.call.name in ("recv", "recvfrom") else 0
    socket = socket_file(world, arguments)
    return compared(arguments, 1, receive(world, socket, size, flags))


def _readv(world: DrillWorld, arguments: Arguments) -> int:
    return len(receive(world, socket_file(world, arguments), sum(arguments.sizes(arguments.at(1))), 0))


def _from_pipe(file: PipeFile, size: int) -> int:
    taken = min(size, len(file.octets))
    del file.octets[:taken]
    if not taken:
        raise SocketError(errno.EAGAIN)
    return taken


def _from_file(file: DataFile, size: int) -> bytes:
    part = file.octets[file.at : file.at + size]
    file.at += len(part)
    return part


# ---------------------------------------------------------------------------------- octets out


def content(arguments: Arguments, place: int, size: int) -> bytes:
    """What is written: a text, or as many zeros. EFAULT, EINVAL for sizes that cannot be."""
    given = arguments.at(place)
    if size and isinstance(given, Word) and not arguments.value(given):
        raise SocketError(errno.EFAULT)
    if isinstance(given, Text):
        return given.value.encode("latin-1", "replace")[:size].ljust(size, b"\0")
    if not 0 <= size <= _MOST_OCTETS:
        raise arguments.mistake(arguments.call.arguments[-1], f"octets can be 0 to {_MOST_OCTETS}")
    return bytes(size)


def _write(world: DrillWorld, arguments: Arguments) -> int:
    file = descriptor(world, arguments)
    size = arguments.number(2)
    if isinstance(file, PipeFile):
        file.octets += bytes(size)
        return size
    flags = arguments.number(3) if arguments.call.name in ("send", "sendto") else 0
    socket = socket_file(world, arguments)
    data = content(arguments, 1, size)
    if arguments.call.name == "sendto" and flags & MSG_FASTOPEN:
        return _send_to(world, socket, data, flags, arguments)
    return send(world, socket, data, flags, arguments)


def _send_to(world: DrillWorld, file: SocketFile, data: bytes, flags: int, arguments: Arguments) -> int:
    target = arguments.at(4)
    if not isinstance(target, Anything | Structure):
        if arguments.number(4) == _UNSPEC:
            raise SocketError(errno.EOPNOTSUPP, "MSG_FASTOPEN with AF_UNSPEC")
        raise arguments.mistake(target, "expected an address or '...'")
    return _fast_open(world, file, data, flags, _peer(world, arguments, 4), arguments)


def _fast_open(
    world: DrillWorld, file: SocketFile, data: bytes, flags: int, to: tuple[str, int], arguments: Arguments
) -> int:
    """The SYN goes with data, or asks for a cookie; a call that blocks waits for the connection, and sends the rest."""
    key = id(arguments.call)
    waits = not file.non_blocking and not flags & MSG_DONTWAIT
    if not file.connected:
        try:
            world.progress[key] = file.socket.sendto(data, *to, world.stage.now, flags, waits=waits)
        except SocketError as error:
            if error.errno != errno.EINPROGRESS or not waits:
                raise
            world.progress[key] = 0
        finally:
            world.flows.connects(file)
        if not waits:
            return world.progress.pop(key)
        file.connected = True
        raise WouldWait
    _await_connection(world, file, to)
    if world.progress[key] == len(data):
        return len(data)
    return send(world, file, data, flags & ~MSG_FASTOPEN, arguments)


def _await_connection(world: DrillWorld, file: SocketFile, to: tuple[str, int]) -> None:
    """Wait until it is open, or failed."""
    try:
        file.socket.connect(*to, world.stage.now)
    except SocketError as error:
        if error.errno in (errno.EALREADY, errno.EINPROGRESS):
            raise WouldWait from None
        if error.errno != errno.EISCONN:
            file.connected = False
            raise
    file.connected = False


def send(
    world: DrillWorld,
    file: SocketFile,
    data: bytes,
    flags: int,
    arguments: Arguments,
    parts: Sequence[int] = (),
) -> int:
    """send(): one that blocks goes on until all is taken, each time that a third of the buffer is free."""
    conn, key = file.socket.connection, id(arguments.call)
    if file.connected or (conn is not None and conn.fast_open is not None and conn.fast_open.deferred):
        to = (world.flags.remote_of_sockets, world.flags.connect_port)
        return _fast_open(world, file, data, flags, to, arguments)
    waits = not file.non_blocking and not flags & MSG_DONTWAIT
    taken = world.progress.get(key, 0)
    if key in world.waited and not file.socket.writable:
        raise WouldWait
    try:
        taken += file.socket.send(data[taken:], world.stage.now, flags, () if taken else parts)
    except SocketError as error:
        if error.errno != errno.EAGAIN:
            if taken:
                return taken
            raise
        if not waits:
            raise
    if taken < len(data) and waits:
        world.progress[key] = taken
        world.waited.add(key)
        raise WouldWait
    if file.stamps is not None and taken and conn is not None:
        file.stamps.wrote(conn)
    return taken


def _writev(world: DrillWorld, arguments: Arguments) -> int:
    return send(
        world, socket_file(world, arguments), bytes(sum(arguments.sizes(arguments.at(1)))), 0, arguments
    )


def _sendmsg(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    message = arguments.structure(arguments.at(1))
    parts = arguments.sizes(arguments.field(message, "msg_iov").value)
    size, flags = sum(parts), arguments.number(2)
    if flags & MSG_FASTOPEN:
        to = (world.flags.remote_of_sockets, world.flags.connect_port)
        return _fast_open(world, file, bytes(size), flags, to, arguments)
    return send(world, file, bytes(size), flags, arguments, parts)


def _sendfile(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    source = descriptor(world, arguments, 1)
    if not isinstance(source, DataFile):
        raise SocketError(errno.EINVAL)
    offset = arguments.at(2)
    start = (
        source.at if isinstance(offset, Anything) else arguments.value(arguments.memory(offset, "an offset"))
    )
    part = source.octets[start : start + arguments.number(3)]
    return send(world, file, part, 0, arguments)


def _splice(world: DrillWorld, arguments: Arguments) -> int:
    source, target = descriptor(world, arguments), descriptor(world, arguments, 2)
    size, flags = arguments.number(4), arguments.number(5)
    if isinstance(source, SocketFile) and isinstance(target, PipeFile) and not target.reads:
        octets = _spliced(world, source, size, flags)
        target.octets += octets
        return len(octets)
    if isinstance(target, SocketFile) and isinstance(source, PipeFile) and source.reads:
        octets = bytes(source.octets[:size])
        taken = send(world, target, octets, 0, arguments)
        del source.octets[:taken]
        return taken
    raise SocketError(errno.EINVAL)


def _spliced(world: DrillWorld, file: SocketFile, size: int, flags: int) -> bytes:
    """What splice() moves; nothing where only an urgent octet waits, for which it does not wait (tcp_splice_read)."""
    conn = file.socket.connection
    if conn is not None and conn.recv_q and not file.socket.unread:
        return b""
    return receive(world, file, size, MSG_DONTWAIT if flags & _SPLICE_NONBLOCK else 0)


# ---------------------------------------------------------------------------------- files and settings


def _fcntl(world: DrillWorld, arguments: Arguments) -> int:
    file = descriptor(world, arguments)
    command = arguments.number(1)
    if command == _F_GETFL:
        return file.flags if isinstance(file, SocketFile) else READ_WRITE
    if command != _F_SETFL or len(arguments.call.arguments) < 3:
        raise arguments.mistake(arguments.at(1), "F_GETFL, and F_SETFL with flags, are emulated")
    if isinstance(file, SocketFile):
        file.flags = READ_WRITE | (arguments.number(2) & NON_BLOCKING)
    return 0


def _ioctl(world: DrillWorld, arguments: Arguments) -> int:
    socket = socket_file(world, arguments).socket
    command = arguments.number(1)
    if command == _SIOCINQ:
        value = _inq(socket)
    elif command == _SIOCATMARK:
        value = int(socket.at_mark)
    elif command in (_SIOCOUTQ, _SIOCOUTQNSD):
        value = world.unsent(socket, command == _SIOCOUTQNSD)
    else:
        raise arguments.mistake(arguments.at(1), "SIOCINQ, SIOCOUTQ, SIOCOUTQNSD and SIOCATMARK are emulated")
    expect_number(arguments, arguments.memory(arguments.at(2), "a number"), value)
    return 0


def _inq(socket: Socket) -> int:
    if socket.listener is not None:
        raise SocketError(errno.EINVAL)
    return socket.unread


def _open(world: DrillWorld, arguments: Arguments) -> int:
    name = arguments.at(0)
    if not isinstance(name, Text) or arguments.number(1) & 3:
        raise arguments.mistake(name, "files are opened for reading alone, by a name in quotes")
    octets = world.shell_files.get(name.value)
    if octets is None:
        path = Path(name.value)
        try:
            octets = path.read_bytes()
        except OSError as error:
            raise SocketError(error.errno or errno.EIO) from None
    return new_descriptor(world, arguments, DataFile(octets))


def _pipe(world: DrillWorld, arguments: Arguments) -> int:
    ends = arguments.at(0)
    if not isinstance(ends, Array) or len(ends.items) != 2:
        raise arguments.mistake(ends, "expected two descriptors, as [5, 6]")
    octets = bytearray()
    for item, reads in zip(ends.items, (True, False), strict=True):
        world.files[arguments.value(item)] = PipeFile(octets, reads)
    return 0


STEPS: dict[str, Step] = {
    "socket": _socket,
    "bind": _bind,
    "listen": _listen,
    "accept": _accept,
    "accept4": _accept,
    "connect": _connect,
    "close": _close,
    "shutdown": _shutdown,
    "read": _read,
    "recv": _read,
    "recvfrom": _read,
    "readv": _readv,
    "write": _write,
    "send": _write,
    "sendto": _write,
    "writev": _writev,
    "sendmsg": _sendmsg,
    "sendfile": _sendfile,
    "splice": _splice,
    "fcntl": _fcntl,
    "ioctl": _ioctl,
    "open": _open,
    "pipe": _pipe,
}
"""Calls that need no more than the socket itself; `waiting_steps` and `option_steps` have the others."""
