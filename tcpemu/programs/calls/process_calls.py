"""What a process has of its own: its number, random octets, pairs of sockets, its exit."""

from __future__ import annotations

import errno
import os
import socket
import threading
from typing import Any

from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.calls.emulated_socket import EmulatedSocket, close, duplicate, send_file
from tcpemu.programs.calls.thread_start import main_thread
from tcpemu.programs.files.memory_pair import memory_pair
from tcpemu.programs.files.process_end import end_process
from tcpemu.programs.waiting.computers import Process, ProgramEnds
from tcpemu.programs.waiting.standing_still import refused
from tcpemu.programs.waiting.whereabouts import caller


def leave(process: Process, status: int) -> None:
    """The process ends at once, with nothing run on its way out but what lets go of locks."""
    process.exit_status = status
    end_process(process)
    raise ProgramEnds(status)


def _socketpair(family: int | None = None, type: int = socket.SOCK_STREAM, proto: int = 0) -> Any:
    """Two sockets that are joined, in memory."""
    one, other = memory_pair(caller())
    return EmulatedSocket._over(one), EmulatedSocket._over(other)


def _cannot_fork() -> int:
    """A process is a thread here, and no copy of one can be made."""
    refused(caller(), what := "fork() is not emulated; use threads or asyncio, or tcpemu exec --real")
    raise OSError(errno.ENOSYS, what)


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    emulated: dict[Any, Any] = {
        os.getpid: lambda: caller().pid,
        os.urandom: lambda size: caller().random.randbytes(size),
        os.fork: _cannot_fork,
        os.forkpty: _cannot_fork,
        os._exit: lambda status: leave(caller(), status),
        socket.socketpair: _socketpair,
        socket.dup: duplicate,
        socket.close: close,
        threading.main_thread: main_thread,
    }
    if hasattr(os, "sendfile"):
        emulated[os.sendfile] = send_file
    return [(real, on_hosts(real, stand_in)) for real, stand_in in emulated.items()]
