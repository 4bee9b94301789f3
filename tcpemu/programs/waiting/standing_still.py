"""A call that waits.

A thread of a program hands back the baton. Code without a thread of its own, a callback or coroutine of the event
loop that drives the network, lets the network go on meanwhile: as a blocking call in a coroutine does, it stops
every other coroutine of that loop, and no other host.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tcpemu.network.task import Arm, Pause, Wake
from tcpemu.programs.waiting import whereabouts
from tcpemu.programs.waiting.computers import Process, ProgramEnds, StuckError
from tcpemu.programs.waiting.program_threads import BatonThread
from tcpemu.programs.waiting.stuck_code import too_many_calls
from tcpemu.stack.base.errors import SocketError

__tracebackhide__ = True  # in a failing test the program's own lines are shown, and none of these

T = TypeVar("T")
_CALLS_IN_A_SLICE = 1000
_FIRST_SLICE, _LONGEST_SLICE = 1000, 1_000_000
"""Nanoseconds."""
_LOOKS_WITHOUT_TIME = 100
SHORTEST_WAIT = 1000
"""Nanoseconds. A wait with a limit, however short, lets some time pass, as on any machine: what is left of a time-out
is rounded, and a loop that waits for the rest of it would not end otherwise."""


class _Flag:
    """Stands in for a thread: that it was woken is all there is to it."""

    __slots__ = ("woken",)

    def __init__(self) -> None:
        self.woken = False

    def step(self) -> None:
        self.woken = True


def count_call(process: Process) -> None:
    """A process makes a call that may not wait. Too many in a row are a loop that waits for nothing.

    After some of them a thread has to give way: on a real machine time passes while it loops, and others run.
    """
    now = process.computers.network.now
    thread = whereabouts.current_thread()
    if thread is None and now != process.instant:
        process.instant, process.calls_in_a_row = now, 0
    process.calls_in_a_row += 1
    if process.calls_in_a_row > process.computers.calls_allowed:
        process.calls_in_a_row = 0
        raise too_many_calls(process)
    if not process.calls_in_a_row % _CALLS_IN_A_SLICE and isinstance(thread, BatonThread):
        _give_way(thread, process.calls_in_a_row // _CALLS_IN_A_SLICE)


def _give_way(thread: BatonThread, slices: int) -> None:
    """Let a microsecond pass, and each time as much again, up to a millisecond."""
    computers = thread.process.computers
    until = computers.now + min(_FIRST_SLICE << slices, _LONGEST_SLICE)
    if not thread.ending:
        thread.stand_still(lambda wake: computers.at(until, wake), "gives way to others")


def stand_still(process: Process, arm: Arm, why: str, until: int | None = None) -> None:
    """Wait until the Wake that `arm` gets is called; at `until` at the latest. `why` says in words what for."""
    thread = whereabouts.current_thread()
    if isinstance(thread, BatonThread):
        begins = process.computers.now
        thread.stand_still(arm, why, until)
        if process.computers.now != begins:
            process.calls_in_a_row = 0
        return
    count_call(process)
    if process.computers.over:
        raise ProgramEnds
    flag = _Flag()
    arm(Wake(flag))
    network = process.computers.network
    while not flag.woken:
        if network.next_due() is None:
            raise StuckError(f"{process.name}: {why}, and nothing can happen any more")
        network.step()


def until_text(deadline: int | None) -> str:
    """Until when somebody waits, behind the words that say what for; empty for ever."""
    return "" if deadline is None else f", until {deadline / 1e9:g} s"


def span(seconds: float) -> int:
    """Nanoseconds of a limit in seconds; 0 only for 0 or less."""
    return max(round(seconds * 1e9), SHORTEST_WAIT) if seconds > 0 else 0


def sleep(process: Process, nanoseconds: int) -> None:
    """Let so much time pass; with 0, let all others run who can at this instant."""
    computers = process.computers
    until = computers.now + nanoseconds
    stand_still(process, lambda wake: computers.at(until, wake), f"sleeps for {nanoseconds / 1e9:g} s", until)


def look_around(process: Process) -> None:
    """A look that finds nothing: others that can run at this instant do. Many in a row let some time pass."""
    thread = whereabouts.current_thread()
    process.looks_in_a_row += 1
    if process.looks_at != process.computers.now:
        process.looks_at, process.looks_in_a_row = process.computers.now, 1
    if thread is not None:
        sleep(process, SHORTEST_WAIT if process.looks_in_a_row > _LOOKS_WITHOUT_TIME else 0)


def finish(process: Process, coroutine: Coroutine[Any, Any, T], why: str, until: int | None = None) -> T:
    """What a coroutine of the network gives by `until`, with a socket call's error as Python has it."""
    try:
        while True:
            waits = _in_the_name_of(process, lambda: coroutine.send(None))
            assert isinstance(waits, Pause)
            stand_still(process, waits.arm, why, until)
    except StopIteration as stop:
        value: T = stop.value
        return value
    except SocketError as error:
        raise as_python_has_it(error) from None
    except NotImplementedError as error:
        raise OSError(errno.EOPNOTSUPP, refused(process, str(error))) from None
    finally:
        coroutine.close()


def refused(process: Process, words: str) -> str:
    """The words of a refusal, which its process remembers: a program may pass over the error, and wait for ever."""
    if words not in process.refused:
        process.refused.append(words)
    return words


def at_once(process: Process, call: Callable[[], T]) -> T:
    """What a call gives that does not wait, with its error as Python has it."""
    count_call(process)
    try:
        return _in_the_name_of(process, call)
    except SocketError as error:
        raise as_python_has_it(error) from None
    except NotImplementedError as error:
        raise OSError(errno.EOPNOTSUPP, refused(process, str(error))) from None


def _in_the_name_of(process: Process, call: Callable[[], T]) -> T:
    """In the record, a call of a coroutine is its host's; a thread has its name there already."""
    applications = process.computers.network.surroundings.applications
    if applications.current:
        return call()
    applications.current = process.name
    try:
        return call()
    finally:
        applications.current = ""


def as_python_has_it(error: SocketError) -> OSError:
    """ConnectionResetError, BlockingIOError and so on: the subclass that its number stands for."""
    number = error.errno or 0
    return OSError(number, error.strerror or os.strerror(number))
