"""Signals: each process has handlers of its own; they come from processes of its host, and from its alarm.

A handler runs in the main thread, and what that waits for goes on afterwards. An event loop hears of a signal by the
descriptor that it gave to set_wakeup_fd().
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from typing import Any

from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.calls.process_calls import leave
from tcpemu.programs.calls.socket_addresses import not_emulated
from tcpemu.programs.files.memory_pair import MemoryEnd
from tcpemu.programs.files.open_files import file_of
from tcpemu.programs.files.process_end import end_process
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.program_threads import BatonThread
from tcpemu.programs.waiting.standing_still import span
from tcpemu.programs.waiting.whereabouts import caller, current_thread, here
from tcpemu.stack.base.errors import SocketError

_IGNORED_BY_DEFAULT = (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)


def deliver(process: Process, number: int) -> None:
    """A signal reaches a process: its handler runs, or it ends."""
    if process.over:
        return
    handler = process.signal_handlers.get(number, signal.SIG_DFL)
    if callable(handler):
        _to_handler(process, number)
    elif handler == signal.SIG_DFL and number not in _IGNORED_BY_DEFAULT:
        if process is here():
            leave(process, 128 + number)
        process.exit_status = 128 + number
        end_process(process)


def _to_handler(process: Process, number: int) -> None:
    process.signals.append(number)
    if isinstance(process.wakeup_file, MemoryEnd):
        with contextlib.suppress(SocketError):
            process.wakeup_file.send(bytes([number]))
    main = process.threads[0]
    if not isinstance(main, BatonThread):
        return
    if main is current_thread():
        main._handle_signals()
    else:
        process.computers.at(process.computers.now, main.interrupt)


def _set_signal(number: int, handler: Any) -> Any:
    handlers = caller().signal_handlers
    before = handlers.get(int(number), signal.SIG_DFL)
    handlers[int(number)] = handler
    return before


def _get_signal(number: int) -> Any:
    return caller().signal_handlers.get(int(number), signal.SIG_DFL)


def _set_wakeup_fd(number: int, *, warn_on_full_buffer: bool = True) -> int:
    process = caller()
    before = process.wakeup_file
    process.wakeup_file = None if number < 0 else file_of(process, number)
    return next((known for known, file in process.files.items() if file is before), -1)


def _kill(pid: int, number: int) -> None:
    """Signal 0 asks only whether there is such a process on this host. ESRCH."""
    own = caller()
    alive = (one for one in own.computers.processes if one.host is own.host and not one.over)
    process = next((one for one in alive if one.pid == pid), None)
    if process is None:
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    if number:
        deliver(process, int(number))


def _signal_thread(ident: int, number: int) -> None:
    """pthread_kill(): a handler runs in the main thread, and what ends a thread ends its process. ESRCH."""
    process = caller()
    if not any(
        isinstance(one, BatonThread) and one.prepare() == ident and not one.done for one in process.threads
    ):
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    if number:
        deliver(process, int(number))


def _set_timer(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
    if which != signal.ITIMER_REAL:
        raise not_emulated(errno.EINVAL, "a timer of processor time")
    process = caller()
    computers, before = process.computers, _timer(which)
    at = computers.now + span(seconds) if seconds else 0
    process.alarm = at, span(interval)
    if at:
        computers.at(at, _ring, process, process.alarm)
    return before


def _ring(process: Process, alarm: tuple[int, int]) -> None:
    if process.alarm != alarm:
        return  # another has taken its place since
    at, interval = alarm
    process.alarm = (at + interval if interval else 0), interval
    if interval:
        process.computers.at(at + interval, _ring, process, process.alarm)
    deliver(process, int(signal.SIGALRM))


def _timer(which: int) -> tuple[float, float]:
    at, interval = caller().alarm
    return (max(at - caller().computers.now, 0) / 1e9 if at else 0.0), interval / 1e9


def _alarm(seconds: int) -> int:
    left, _ = _set_timer(signal.ITIMER_REAL, seconds)
    return -int(-left // 1)


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    emulated: dict[Any, Any] = {
        signal.signal: _set_signal,
        signal.getsignal: _get_signal,
        signal.set_wakeup_fd: _set_wakeup_fd,
        signal.siginterrupt: lambda number, flag: None,
        signal.raise_signal: lambda number: _kill(caller().pid, number),
        signal.alarm: _alarm,
        signal.setitimer: _set_timer,
        signal.getitimer: _timer,
        os.kill: _kill,
    }
    if hasattr(signal, "pthread_kill"):
        emulated[signal.pthread_kill] = _signal_thread
    return [(real, on_hosts(real, stand_in)) for real, stand_in in emulated.items()]
