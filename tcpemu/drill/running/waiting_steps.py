"""poll(), epoll and the error queue: what a script's application waits for."""

from __future__ import annotations

import errno

from tcpemu.drill.language.drill_script import Anything, Structure
from tcpemu.drill.playing.call_arguments import Arguments
from tcpemu.drill.playing.drill_failure import DrillFailure, WouldWait
from tcpemu.drill.playing.result_checks import (
    controls_of,
    data_of,
    expect_controls,
    expect_field,
    expect_flags,
)
from tcpemu.drill.running.call_steps import Step, descriptor, new_descriptor, receive, socket_file
from tcpemu.drill.running.descriptor_table import EpollFile, SocketFile
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.drill.running.transmit_stamps import Stamp
from tcpemu.stack import NotEmulatedError, SocketError
from tcpemu.stack.records.connection import QueuedError
from tcpemu.stack.sockets.message_flags import MSG_ERRQUEUE, MSG_TRUNC
from tcpemu.stack.sockets.poll_bits import POLLERR, POLLHUP

_POLLNVAL = 0x20
_ALWAYS = POLLERR | POLLHUP
_ADD, _DEL, _MOD = 1, 2, 3
_MILLISECOND = 1_000_000
_RECVERR = (0, 11)
_RECVERR6 = (41, 25)
_SCM_TIMESTAMPING = (1, 37)
_ORIGIN_TIMESTAMPING = 4


def _deadline(world: DrillWorld, arguments: Arguments, timeout: int) -> int | None:
    """When the call has waited long enough; None for never. It counts from the first try."""
    if timeout < 0:
        return None
    key = id(arguments.call)
    began = world.progress.setdefault(key, world.stage.now)
    deadline = began + timeout * _MILLISECOND
    world.deadline = deadline if world.deadline is None else min(deadline, world.deadline)
    return deadline


# ---------------------------------------------------------------------------------- poll


def _poll(world: DrillWorld, arguments: Arguments) -> int:
    entries = arguments.structures(0)[: arguments.number(1)]
    found = []
    for entry in entries:
        wanted = arguments.field_value(entry, "events")
        file = world.files.get(arguments.field_value(entry, "fd"))
        bits = file.socket.poll() & (wanted | _ALWAYS) if isinstance(file, SocketFile) else _POLLNVAL
        found.append(bits)
    ready = sum(1 for bits in found if bits)
    deadline = _deadline(world, arguments, arguments.number(2))
    if not ready and (deadline is None or world.stage.now < deadline):
        raise WouldWait
    for entry, bits in zip(entries, found, strict=True):
        expected = arguments.field_value(entry, "revents")
        if bits != expected:
            words = f"poll() says {hex(bits)} of a descriptor where the script has {hex(expected)}"
            raise DrillFailure(entry.place, words)
    return ready


# ---------------------------------------------------------------------------------- epoll


def _epoll_create(world: DrillWorld, arguments: Arguments) -> int:
    if arguments.number(0) <= 0:
        raise SocketError(errno.EINVAL)
    epoll = EpollFile()
    return new_descriptor(world, arguments, epoll)


def _epoll_of(world: DrillWorld, arguments: Arguments) -> EpollFile:
    found = descriptor(world, arguments)
    if not isinstance(found, EpollFile):
        raise SocketError(errno.EINVAL)
    return found


def _epoll_ctl(world: DrillWorld, arguments: Arguments) -> int:
    epoll, action, number = _epoll_of(world, arguments), arguments.number(1), arguments.number(2)
    file = socket_file(world, arguments, 2)
    if action == _ADD and number in epoll.interests:
        raise SocketError(errno.EEXIST)
    if action in (_DEL, _MOD) and number not in epoll.interests:
        raise SocketError(errno.ENOENT)
    if action == _DEL:
        epoll.remove(number)
        return 0
    event = arguments.structure(arguments.at(3))
    bits, data = arguments.field_value(event, "events"), data_of(arguments, event)
    if action == _ADD:
        epoll.add(number, file, bits, data)
    elif action == _MOD:
        epoll.change(number, bits, data)
    else:
        raise SocketError(errno.EINVAL)
    return 0


def _epoll_wait(world: DrillWorld, arguments: Arguments) -> int:
    epoll = _epoll_of(world, arguments)
    found = epoll.wait(arguments.number(2))
    deadline = _deadline(world, arguments, arguments.number(3))
    if not found and (deadline is None or world.stage.now < deadline):
        raise WouldWait
    given = arguments.at(1)
    expected = [] if isinstance(given, Anything) else arguments.structures(1)
    for event, (bits, data) in zip(expected, found, strict=False):
        wanted, wanted_data = arguments.field_value(event, "events"), data_of(arguments, event)
        if (bits, data) != (wanted, wanted_data):
            words = f"epoll_wait() says {hex(bits)} of {data}; the script has {hex(wanted)} of {wanted_data}"
            raise DrillFailure(event.place, words)
    return len(found)


# ---------------------------------------------------------------------------------- recvmsg


def _recvmsg(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    message = arguments.structure(arguments.at(1))
    sizes = arguments.sizes(arguments.field(message, "msg_iov").value)
    flags = arguments.number(2)
    if flags & MSG_ERRQUEUE:
        return _from_error_queue(world, file, message, sum(sizes), arguments)
    octets = receive(world, file, sum(sizes), flags)
    controls = controls_of(message)
    if file.inq:
        left = file.socket.unread + _end_waits(file)
        expect_controls(arguments, message, controls, [(6, 36, left)])
    elif controls:
        raise DrillFailure(message.place, "recvmsg() gives no control message here")
    expect_flags(arguments, message, 0)
    return len(octets)


def _end_waits(file: SocketFile) -> int:
    """A FIN that waits behind the last octet counts as one (tcp.c: tcp_inq_hint)."""
    conn = file.socket.connection
    return int(conn is not None and not file.socket.unread and conn.peer_done)


def _from_error_queue(
    world: DrillWorld, file: SocketFile, message: Structure, room: int, arguments: Arguments
) -> int:
    level, kind = _RECVERR6 if world.flags.ipv6_sockets else _RECVERR
    if file.stamps is not None and file.stamps.waiting:
        if room:
            raise NotEmulatedError(
                "what SO_TIMESTAMPING quotes of a packet is not emulated: leave it no room"
            )
        stamp = file.stamps.waiting.popleft()
        _expect_stamp(world, arguments, message, stamp, (level, kind))
        expect_flags(arguments, message, MSG_ERRQUEUE | MSG_TRUNC)
        return 0
    entry = file.socket.recv_error(world.stage.now)
    size = min(room, len(entry.octets))
    expect_controls(arguments, message, controls_of(message), [(level, kind, entry)])
    expect_flags(arguments, message, MSG_ERRQUEUE | (MSG_TRUNC if size < len(entry.octets) else 0))
    return size


def _expect_stamp(
    world: DrillWorld, arguments: Arguments, message: Structure, stamp: Stamp, option: tuple[int, int]
) -> None:
    """When it was, and of what it is the time."""
    controls = controls_of(message)
    told = QueuedError(errno.ENOMSG, _ORIGIN_TIMESTAMPING, 0, 0, stamp.kind, stamp.key, b"", None, None)
    expect_controls(arguments, message, controls[1:], [(*option, told)])
    control = arguments.structure(controls[0])
    expect_field(arguments, control, "cmsg_level", _SCM_TIMESTAMPING[0])
    expect_field(arguments, control, "cmsg_type", _SCM_TIMESTAMPING[1])
    time = arguments.structure(arguments.field(control, "cmsg_data").value)
    wanted = arguments.field_value(time, "scm_sec") * 10**9 + arguments.field_value(time, "scm_nsec")
    at = world.stage.since_start(stamp.at)
    if abs(at - wanted) > world.flags.tolerance_usecs * 1000:
        raise DrillFailure(time.place, f"the stamp is of {at / 1e9:.6f} s; expected {wanted / 1e9:.6f} s")


WAITING_STEPS: dict[str, Step] = {
    "poll": _poll,
    "epoll_create": _epoll_create,
    "epoll_ctl": _epoll_ctl,
    "epoll_wait": _epoll_wait,
    "recvmsg": _recvmsg,
}
"""These calls by name."""
