"""Which process the code that runs now belongs to; none for all that is not on an emulated host.

A thread belongs to the process that started it, for as long as it lives. Code that shares its thread with other
hosts, as coroutines of one event loop do, belongs where its context says, which asyncio carries along.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tcpemu.programs.waiting.computers import Process, ProgramThread


class _OfThisThread(threading.local):
    thread: ProgramThread | None = None
    guest: Process | None = None
    """Where code belongs whose context says nothing."""


_OF_THIS_THREAD = _OfThisThread()
_ON_HOST: ContextVar[Process | None] = ContextVar("tcpemu_process", default=None)


def current_thread() -> ProgramThread | None:
    """The program's thread that this OS thread is."""
    return _OF_THIS_THREAD.thread


def here() -> Process | None:
    """The process that the caller belongs to; None off the hosts."""
    thread = _OF_THIS_THREAD.thread
    return (_ON_HOST.get() or _OF_THIS_THREAD.guest) if thread is None else thread.process


def caller() -> Process:
    """The process that makes a call; what stands in for the call is there on the hosts alone."""
    process = here()
    assert process is not None
    return process


def settle_in(thread: ProgramThread) -> None:
    """From now on this OS thread is that thread of a program."""
    _OF_THIS_THREAD.thread = thread
    _ON_HOST.set(thread.process)


@contextmanager
def on(process: Process) -> Iterator[None]:
    """The code within belongs to that process."""
    token = _ON_HOST.set(process)
    try:
        yield
    finally:
        _ON_HOST.reset(token)


@contextmanager
def guest_of_this_thread(process: Process | None) -> Iterator[None]:
    """Code of this thread belongs to that process meanwhile, unless its context says otherwise."""
    before, _OF_THIS_THREAD.guest = _OF_THIS_THREAD.guest, process
    try:
        yield
    finally:
        _OF_THIS_THREAD.guest = before
