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
from tcpemu.programs.waiting.stuck_code import count_call
from tcpemu.stack.base.errors import SocketError

T = TypeVar("T")


class _Flag:
    """Stands in for a thread: that it was woken is all there is to it."""

    __slots__ = ("woken",)

    def __init__(self) -> None:
        self.woken = False

    def step(self) -> None:
        self.woken = True


def stand_still(process: Process, arm: Arm, why: str, as_server: bool = False) -> None:
    """Wait until the Wake that `arm` gets is called. `why` says in words what for."""
    count_call(process)
    thread = whereabouts.current_thread()
    if isinstance(thread, BatonThread):
        thread.stand_still(arm, why, as_server)
        return
    if process.computers.over:
        raise ProgramEnds
    flag = _Flag()
    arm(Wake(flag))
    network = process.computers.network
    while not flag.woken:
        if network.next_due() is None:
            raise StuckError(f"{process.name}: {why}, and nothing can happen any more")
        network.step()


def sleep(process: Process, nanoseconds: int) -> None:
    """Let so much time pass; with 0, let all others run who can at this instant."""
    computers = process.computers
    until = computers.now + nanoseconds
    stand_still(process, lambda wake: computers.at(until, wake), f"sleeps for {nanoseconds / 1e9:g} s")


def finish(process: Process, coroutine: Coroutine[Any, Any, T], why: str, as_server: bool = False) -> T:
    """What a coroutine of the network gives, with a socket call's error as Python has it."""
    try:
        while True:
            waits = _in_the_name_of(process, lambda: coroutine.send(None))
            assert isinstance(waits, Pause)
            stand_still(process, waits.arm, why, as_server)
    except StopIteration as stop:
        value: T = stop.value
        return value
    except SocketError as error:
        raise as_python_has_it(error) from None
    except NotImplementedError as error:
        raise OSError(errno.EOPNOTSUPP, str(error)) from None
    finally:
        coroutine.close()


def at_once(process: Process, call: Callable[[], T]) -> T:
    """What a call gives that does not wait, with its error as Python has it."""
    count_call(process)
    try:
        return _in_the_name_of(process, call)
    except SocketError as error:
        raise as_python_has_it(error) from None
    except NotImplementedError as error:
        raise OSError(errno.EOPNOTSUPP, str(error)) from None


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
