"""The system calls of a script, prepared to be made for real: sockets, octets, files, options."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import Any

from tcpemu.drill.language.drill_script import Anything, Array, Structure, Text, Word
from tcpemu.drill.on_kernel.call_memory import Message, Vector, socket_address
from tcpemu.drill.on_kernel.kernel_world import KernelFile, KernelWorld, Preparation, PreparedCall, libc
from tcpemu.drill.playing.call_arguments import Arguments, option_octets
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.playing.result_checks import (
    compared,
    expect_bits,
    expect_linger,
    expect_number,
    expect_text,
)
from tcpemu.stack.sockets.message_flags import MSG_FASTOPEN

_MOST_OCTETS = 2**26
_SO_LINGER = (1, 13)
_ADDRESS_OCTETS = 128
_size, _offset = ctypes.c_size_t, ctypes.c_int64


def _call(world: KernelWorld, arguments: Arguments, *rest: Any) -> PreparedCall:
    """The call of that name on the descriptor that comes first."""
    return PreparedCall(libc(arguments.call.name), (world.live(arguments.number(0)), *rest))


# ---------------------------------------------------------------------------------- opening


def _socket(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    family = arguments.number_or(0, socket.AF_INET6 if world.flags.ipv6_sockets else socket.AF_INET)

    def then(live: int) -> int:
        flow = world.flows.current = DrillFlow(descriptor=live)
        return world.opened(arguments, live, flow)

    return PreparedCall(libc("socket"), (family, arguments.number(1), arguments.number(2)), then)


def _bind(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    host, port = arguments.address(1) or (world.flags.local_of_sockets, world.flags.bind_port)
    address = socket_address(host, port)
    return _call(world, arguments, address, len(address))


def _listen(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    file = world.file(arguments.number(0))
    prepared = _call(world, arguments, arguments.number(1))

    def then(result: int) -> int:
        if file.flow is not None:
            file.flow.listening = True
        return result

    prepared.then = then
    return prepared


def _accept(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    more = (arguments.number(3),) if arguments.call.name == "accept4" else ()
    address = ctypes.create_string_buffer(_ADDRESS_OCTETS)
    length = ctypes.c_uint32(_ADDRESS_OCTETS)
    prepared = _call(world, arguments, address, ctypes.byref(length), *more)

    def then(live: int) -> int:
        peer = int.from_bytes(address.raw[2:4])
        flow = world.flows.given((peer, own_port(live)))
        flow.descriptor = live
        return world.opened(arguments, live, flow)

    prepared.then = then
    return prepared


def own_port(live: int) -> int:
    """The port of a socket; 0 for none."""
    with socket.socket(fileno=os.dup(live)) as same:
        port: int = same.getsockname()[1]
    return port


def _connect(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    given = arguments.at(1)
    if isinstance(given, Word):
        return _disconnect(world, arguments)
    host, port = arguments.address(1) or (world.flags.remote_of_sockets, world.flags.connect_port)
    address = socket_address(host, port)
    prepared = _call(world, arguments, address, len(address))
    prepared.connects = (world.file(arguments.number(0)), port)
    return prepared


def _disconnect(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    """The address is a family alone: AF_UNSPEC ends the connection."""
    file = world.file(arguments.number(0))
    address = struct.pack("=H14x", arguments.number(1))
    prepared = _call(world, arguments, address, len(address))

    def then(result: int) -> int:
        file.opens = False
        return result

    prepared.then = then
    return prepared


def _close(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    number = arguments.number(0)
    file = world.files.get(number)
    prepared = _call(world, arguments)
    if file is not None:

        def then(result: int) -> int:
            del world.files[number]
            if file.flow is not None:
                file.flow.listening = False
            return result

        prepared.then = then
    return prepared


def _shutdown(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    return _call(world, arguments, arguments.number(1))


# ---------------------------------------------------------------------------------- octets in


def _read(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    size = _fitting(arguments, arguments.number(2))
    room = None if _is_null(arguments, 1) else ctypes.create_string_buffer(max(size, 1))
    name = arguments.call.name
    more = (arguments.number(3),) if name in ("recv", "recvfrom") else ()
    prepared = _call(
        world, arguments, room, _size(size), *more, *((None, None) if name == "recvfrom" else ())
    )
    if room is not None:
        prepared.then = lambda result: compared(arguments, 1, room.raw[:result])
    return prepared


def _readv(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    vector = Vector(arguments.sizes(arguments.at(1)))
    prepared = _call(world, arguments, vector.parts, len(vector.sizes))
    prepared.kept = vector
    return prepared


def _is_null(arguments: Arguments, place: int) -> bool:
    given = arguments.at(place)
    return isinstance(given, Word) and not arguments.value(given)


def _fitting(arguments: Arguments, size: int) -> int:
    if not 0 <= size <= _MOST_OCTETS:
        raise arguments.mistake(arguments.call.arguments[-1], f"octets can be 0 to {_MOST_OCTETS}")
    return size


# ---------------------------------------------------------------------------------- octets out


def _write(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    name, size = arguments.call.name, _fitting(arguments, arguments.number(2))
    given = arguments.at(1)
    octets: bytes | None = bytes(size)
    if isinstance(given, Text):
        octets = given.value.encode("latin-1", "replace")[:size].ljust(size, b"\0")
    elif _is_null(arguments, 1):
        octets = None
    flags = arguments.number(3) if name in ("send", "sendto") else 0
    if name == "sendto":
        return _send_to(world, arguments, octets, size, flags)
    return _call(world, arguments, octets, _size(size), *((flags,) if name == "send" else ()))


def _send_to(
    world: KernelWorld, arguments: Arguments, octets: bytes | None, size: int, flags: int
) -> PreparedCall:
    given, address, port = arguments.at(4), None, 0
    if not isinstance(given, Anything | Structure):
        address = struct.pack("=H14x", arguments.number(4))
    elif flags & MSG_FASTOPEN:
        host, port = arguments.address(4) or (world.flags.remote_of_sockets, world.flags.connect_port)
        address = socket_address(host, port)
    prepared = _call(world, arguments, octets, _size(size), flags, address, len(address or b""))
    if port:
        prepared.connects = (world.file(arguments.number(0)), port)
    return prepared


def _writev(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    vector = Vector(arguments.sizes(arguments.at(1)))
    prepared = _call(world, arguments, vector.parts, len(vector.sizes))
    prepared.kept = vector
    return prepared


def _sendmsg(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    given = arguments.structure(arguments.at(1))
    sizes = arguments.sizes(arguments.field(given, "msg_iov").value)
    flags = arguments.number(2)
    port = world.flags.connect_port
    name = socket_address(world.flags.remote_of_sockets, port) if flags & MSG_FASTOPEN else b""
    message = Message(sizes, name)
    prepared = _call(world, arguments, ctypes.byref(message.head), flags)
    if name:
        prepared.connects = (world.file(arguments.number(0)), port)
    prepared.kept = message
    return prepared


def _sendfile(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    given = arguments.at(2)
    offset = None
    if not isinstance(given, Anything) and not _is_null(arguments, 2):
        offset = ctypes.byref(_offset(arguments.value(arguments.memory(given, "an offset"))))
    source = world.live(arguments.number(1))
    return _call(world, arguments, source, offset, _size(arguments.number(3)))


def _splice(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    target = world.live(arguments.number(2))
    return _call(world, arguments, None, target, None, _size(arguments.number(4)), arguments.number(5))


# ---------------------------------------------------------------------------------- files and settings


def _fcntl(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    return _call(
        world, arguments, *(arguments.number(place) for place in range(1, len(arguments.call.arguments)))
    )


def _ioctl(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    value = ctypes.c_int(0)
    prepared = _call(world, arguments, ctypes.c_ulong(arguments.number(1)), ctypes.byref(value))

    def then(result: int) -> int:
        expect_number(arguments, arguments.memory(arguments.at(2), "a number"), value.value)
        return result

    prepared.then = then
    return prepared


def _open(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    name = arguments.at(0)
    if not isinstance(name, Text) or arguments.number(1) & 3:
        raise arguments.mistake(name, "files are opened for reading alone, by a name in quotes")
    place = name.value
    made = world.shell_files.get(place)
    if made is not None:
        memory = os.memfd_create("script")
        os.write(memory, made)
        place = f"/proc/self/fd/{memory}"
    prepared = PreparedCall(libc("open"), (place.encode(), arguments.number(1)))
    prepared.then = lambda live: world.opened(arguments, live, None)
    return prepared


def _pipe(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    ends = arguments.at(0)
    if not isinstance(ends, Array) or len(ends.items) != 2:
        raise arguments.mistake(ends, "expected two descriptors, as [5, 6]")
    items = ends.items
    made = (ctypes.c_int * 2)()

    def then(result: int) -> int:
        for item, live in zip(items, made, strict=True):
            world.files[arguments.value(item)] = KernelFile(live)
        return result

    return PreparedCall(libc("pipe"), (made,), then)


# ---------------------------------------------------------------------------------- options


def _setsockopt(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    octets = option_octets(arguments)
    return _call(world, arguments, arguments.number(1), arguments.number(2), octets, len(octets))


def _getsockopt(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    level, name = arguments.number(1), arguments.number(2)
    length = ctypes.c_uint32(max(0, arguments.value(arguments.memory(arguments.at(4), "a length"))))
    room = ctypes.create_string_buffer(max(length.value, 8))
    prepared = _call(world, arguments, level, name, room, ctypes.byref(length))

    def then(result: int) -> int:
        _expect_option(arguments, (level, name), room.raw[: length.value])
        return result

    prepared.then = then
    return prepared


def _expect_option(arguments: Arguments, option: tuple[int, int], octets: bytes) -> None:
    given = arguments.at(3)
    if isinstance(given, Array):
        given = arguments.memory(given, "a value")
    if isinstance(given, Anything):
        return
    if isinstance(given, Text):
        expect_text(given, octets)
    elif isinstance(given, Structure) or option == _SO_LINGER:
        expect_linger(arguments, given, octets)
    else:
        number = octets[:4]
        expect_bits(arguments, given, int.from_bytes(number, "little"), len(number))


PREPARATIONS: dict[str, Preparation] = {
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
    "setsockopt": _setsockopt,
    "getsockopt": _getsockopt,
}
"""Calls that need no more than the descriptor itself; `kernel_waits` has the others."""
