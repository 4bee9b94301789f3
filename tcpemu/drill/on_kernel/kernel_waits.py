"""poll(), epoll and recvmsg() of a script, prepared to be made for real."""

from __future__ import annotations

import ctypes
import struct

from tcpemu.drill.language.drill_script import Anything, Expression, Structure
from tcpemu.drill.on_kernel.call_memory import EpollEvent, Message, PollEntry
from tcpemu.drill.on_kernel.kernel_world import KernelFile, KernelWorld, Preparation, PreparedCall, libc
from tcpemu.drill.playing.call_arguments import Arguments
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_stage import BEGINNING
from tcpemu.drill.playing.result_checks import (
    controls_of,
    data_of,
    expect_controls,
    expect_field,
    expect_flags,
)
from tcpemu.stack.records.connection import QueuedError

_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_STAMP = struct.Struct("=qq")
_RECVERR = ((0, 11), (41, 25))
_SCM_TIMESTAMPING = (1, 37)
_DEL = 2
_MOST_EVENTS = 1024


def _poll(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    entries = arguments.structures(0)[: arguments.number(1)]
    made = [
        PollEntry(world.live(arguments.field_value(entry, "fd")), arguments.field_value(entry, "events"))
        for entry in entries
    ]
    table = (PollEntry * len(made))(*made)

    def then(result: int) -> int:
        for entry, found in zip(entries, table, strict=True):
            expected = arguments.field_value(entry, "revents")
            if found.revents & 0xFFFF != expected:
                words = (
                    f"poll() says {hex(found.revents)} of a descriptor where the script has {hex(expected)}"
                )
                raise DrillFailure(entry.place, words)
        return result

    return PreparedCall(libc("poll"), (table, ctypes.c_ulong(len(made)), arguments.number(2)), then)


def _epoll_create(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    return PreparedCall(
        libc("epoll_create"), (arguments.number(0),), lambda live: world.opened(arguments, live, None)
    )


def _epoll_ctl(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    action, target = arguments.number(1), world.live(arguments.number(2))
    event = EpollEvent()
    if action != _DEL:
        given = arguments.structure(arguments.at(3))
        event.events = arguments.field_value(given, "events") & 0xFFFFFFFF
        event.data = data_of(arguments, given) & (2**64 - 1)
    epoll = world.live(arguments.number(0))
    return PreparedCall(libc("epoll_ctl"), (epoll, action, target, ctypes.byref(event)))


def _epoll_wait(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    most = arguments.number(2)
    table = (EpollEvent * max(1, min(most, _MOST_EVENTS)))()
    given = arguments.at(1)
    expected = [] if isinstance(given, Anything) else arguments.structures(1)

    def then(result: int) -> int:
        for event, found in zip(expected, table[:result], strict=False):
            wanted, data = arguments.field_value(event, "events"), data_of(arguments, event)
            if (found.events, found.data) != (wanted & 0xFFFFFFFF, data):
                words = f"epoll_wait() says {hex(found.events)} of {found.data}; the script has {hex(wanted)} of {data}"
                raise DrillFailure(event.place, words)
        return result

    epoll = world.live(arguments.number(0))
    return PreparedCall(
        libc("epoll_wait"), (epoll, table, min(most, _MOST_EVENTS), arguments.number(3)), then
    )


# ---------------------------------------------------------------------------------- recvmsg


def _recvmsg(world: KernelWorld, arguments: Arguments) -> PreparedCall:
    given = arguments.structure(arguments.at(1))
    sizes = arguments.sizes(arguments.field(given, "msg_iov").value)
    message = Message(sizes, controls="msg_control" in given.members())
    file: KernelFile = world.file(arguments.number(0))

    def then(result: int) -> int:
        found = message.control_messages()
        expected = controls_of(given)
        if len(expected) != len(found):
            words = f"recvmsg() gives {len(found)} control messages where the script has {len(expected)}"
            raise DrillFailure(given.place, words)
        for item, control in zip(expected, found, strict=True):
            _expect_control(world, arguments, given, item, control)
        expect_flags(arguments, given, message.head.flags)
        return result

    return PreparedCall(libc("recvmsg"), (file.live, ctypes.byref(message.head), arguments.number(2)), then)


def _expect_control(
    world: KernelWorld,
    arguments: Arguments,
    message: Structure,
    item: Expression,
    control: tuple[int, int, bytes],
) -> None:
    level, kind, octets = control
    if (level, kind) == _SCM_TIMESTAMPING:
        _expect_stamp(world, arguments, item, octets)
    elif (level, kind) in _RECVERR and len(octets) >= _EXTENDED_ERROR.size:
        number, origin, type_, code, _, info, data = _EXTENDED_ERROR.unpack_from(octets)
        entry = QueuedError(number, origin, type_, code, info, data, b"", None, None)
        expect_controls(arguments, message, (item,), [(level, kind, entry)])
    else:
        value = int.from_bytes(octets[:4], "little")
        expect_controls(arguments, message, (item,), [(level, kind, value)])


def _expect_stamp(world: KernelWorld, arguments: Arguments, item: Expression, octets: bytes) -> None:
    control = arguments.structure(item)
    expect_field(arguments, control, "cmsg_level", _SCM_TIMESTAMPING[0])
    expect_field(arguments, control, "cmsg_type", _SCM_TIMESTAMPING[1])
    time = arguments.structure(arguments.field(control, "cmsg_data").value)
    wanted = arguments.field_value(time, "scm_sec") * 10**9 + arguments.field_value(time, "scm_nsec")
    seconds, nanoseconds = _STAMP.unpack_from(octets)
    at = world.stage.of_real_time(seconds * 10**9 + nanoseconds) - BEGINNING
    if abs(at - wanted) > world.flags.tolerance_usecs * 1000:
        raise DrillFailure(time.place, f"the stamp is of {at / 1e9:.6f} s; expected {wanted / 1e9:.6f} s")


WAITS: dict[str, Preparation] = {
    "poll": _poll,
    "epoll_create": _epoll_create,
    "epoll_ctl": _epoll_ctl,
    "epoll_wait": _epoll_wait,
    "recvmsg": _recvmsg,
}
"""These calls by name."""
