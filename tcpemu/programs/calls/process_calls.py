"""What a process has of its own: signals, its number, random octets, its exit."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import Any

from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.calls.emulated_socket import EmulatedSocket, close, duplicate
from tcpemu.programs.calls.thread_start import main_thread
from tcpemu.programs.files.memory_pair import memory_pair
from tcpemu.programs.files.process_end import end_process
from tcpemu.programs.waiting.computers import Process, ProgramEnds
from tcpemu.programs.waiting.whereabouts import here


def _caller() -> Process:
    process = here()
    assert process is not None
    return process


def leave(process: Process, status: int) -> None:
    """The process ends at once, with nothing run on its way out but what lets go of locks."""
    process.exit_status = status
    end_process(process)
    raise ProgramEnds(status)


def _set_signal(number: int, handler: Any) -> Any:
    """Signals are kept for each process, and reach it by os.kill() alone."""
    handlers = _caller().signal_handlers
    before = handlers.get(int(number), signal.SIG_DFL)
    handlers[int(number)] = handler
    return before


def _get_signal(number: int) -> Any:
    return _caller().signal_handlers.get(int(number), signal.SIG_DFL)


def _kill(pid: int, number: int) -> None:
    """A signal to a process on the same host: its handler runs at once, or it ends."""
    own = _caller()
    alive = (one for one in own.computers.processes if one.node is own.node and not one.over)
    process = next((one for one in alive if one.pid == pid), None)
    if process is None:
        raise ProcessLookupError(3, "No such process")
    if number:
        _deliver(own, process, int(number))


def _deliver(own: Process, process: Process, number: int) -> None:
    handler = process.signal_handlers.get(number, signal.SIG_DFL)
    if callable(handler):
        handler(number, None)
    elif handler == signal.SIG_DFL and number not in (signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH):
        if process is own:
            leave(process, 128 + number)
        process.exit_status = 128 + number
        end_process(process)


def _socketpair(family: int | None = None, type: int = socket.SOCK_STREAM, proto: int = 0) -> Any:
    """Two sockets that are joined, in memory."""
    one, other = memory_pair(_caller())
    return EmulatedSocket._over(one), EmulatedSocket._over(other)


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    emulated: dict[Any, Any] = {
        signal.signal: _set_signal,
        signal.getsignal: _get_signal,
        signal.set_wakeup_fd: lambda fd, **_: -1,
        signal.siginterrupt: lambda number, flag: None,
        signal.raise_signal: lambda number: _kill(_caller().pid, number),
        os.kill: _kill,
        os.getpid: lambda: _caller().pid,
        os.urandom: lambda size: _caller().random.randbytes(size),
        os._exit: lambda status: leave(_caller(), status),
        socket.socketpair: _socketpair,
        socket.dup: duplicate,
        socket.close: close,
        threading.main_thread: main_thread,
    }
    return [(real, on_hosts(real, stand_in)) for real, stand_in in emulated.items()]
