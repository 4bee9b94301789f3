"""select.select, select.poll and select.epoll on a host."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterable
from typing import Any

from tcpemu.programs.calls.either_way import class_on_hosts, on_hosts
from tcpemu.programs.files.interest_list import InterestList
from tcpemu.programs.files.open_files import (
    ERR,
    HUP,
    IN,
    OUT,
    PRI,
    OpenFile,
    close_descriptor,
    file_of,
    open_descriptor,
)
from tcpemu.programs.files.readiness import ALWAYS, wait_for_any
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.standing_still import refused, span
from tcpemu.programs.waiting.whereabouts import caller

_READABLE, _WRITABLE, _EXCEPTIONAL = IN | HUP | ERR, OUT | ERR, PRI
"""What counts for select() (select.c: POLLIN_SET, POLLOUT_SET, POLLEX_SET)."""
_LARGEST_MASK = 0xFFFF
_EPOLL_CLOEXEC = getattr(select, "EPOLL_CLOEXEC", 0)


def number_of(fileobj: Any) -> int:
    """The descriptor of what select() and its kin take."""
    number = fileobj if isinstance(fileobj, int) else getattr(fileobj, "fileno", lambda: None)()
    if not isinstance(number, int):
        raise TypeError("argument must be an int, or have a fileno() method.")
    if number < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({number})")
    return number


def file_to_wait_for(process: Process, number: int) -> OpenFile:
    """What a number leads to. EBADF, or EPERM for a real file, which does not wait in virtual time."""
    file = file_of(process, number)
    if file is None:
        if _is_closed(process, number):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        raise OSError(
            errno.EPERM,
            refused(
                process, f"descriptor {number} is a file of the real machine: waiting for it is not emulated"
            ),
        )
    return file


def emulated_select(
    readers: Iterable[Any], writers: Iterable[Any], exceptional: Iterable[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """select(): what is exceptional is urgent data, and nothing else."""
    process = caller()
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    groups = [
        (list(files), bits)
        for files, bits in ((readers, _READABLE), (writers, _WRITABLE), (exceptional, _EXCEPTIONAL))
    ]
    files = {id(one): file_to_wait_for(process, number_of(one)) for group, _ in groups for one in group}
    wanted: dict[OpenFile, int] = {}
    for group, bits in groups:
        for one in group:
            wanted[files[id(one)]] = wanted.get(files[id(one)], 0) | bits
    held = wait_for_any(process, wanted, None if timeout is None else span(timeout))
    reading, writing, others = (
        [one for one in group if held.get(files[id(one)], 0) & bits] for group, bits in groups
    )
    return reading, writing, others


def _is_closed(process: Process, number: int) -> bool:
    """Whether it leads nowhere, on the machine neither."""
    if file_of(process, number) is not None:
        return False
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def _mask(bits: int) -> int:
    """A C unsigned short. ValueError, OverflowError."""
    if bits < 0:
        raise ValueError("value must be positive")
    if bits > _LARGEST_MASK:
        raise OverflowError("Python int too large for C unsigned short")
    return bits


def _c_int(milliseconds: float) -> float:
    if milliseconds >= 2**31:
        raise OverflowError("timeout is too large")
    return milliseconds


class EmulatedPoll:
    """select.poll()."""

    def __init__(self) -> None:
        self._process = caller()
        self._masks: dict[int, int] = {}
        self._polls = False

    def register(self, fd: Any, eventmask: int = IN | PRI | OUT) -> None:
        self._masks[number_of(fd)] = _mask(eventmask)

    def modify(self, fd: Any, eventmask: int) -> None:
        number = number_of(fd)
        if number not in self._masks:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._masks[number] = _mask(eventmask)

    def unregister(self, fd: Any) -> None:
        del self._masks[number_of(fd)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """`timeout` in milliseconds; None or less than 0 for ever."""
        if self._polls:
            raise RuntimeError("concurrent poll() invocation")
        limit = None if timeout is None or timeout < 0 else span(_c_int(timeout) / 1000)
        self._polls = True
        try:
            return self._poll(limit)
        finally:
            self._polls = False

    def _poll(self, limit: int | None) -> list[tuple[int, int]]:
        process = self._process
        gone = [number for number in self._masks if _is_closed(process, number)]
        if gone:
            return [(number, select.POLLNVAL) for number in gone]
        files = {number: file_to_wait_for(process, number) for number in self._masks}
        wanted: dict[OpenFile, int] = {}
        for number, file in files.items():
            wanted[file] = wanted.get(file, 0) | self._masks[number] | ALWAYS
        found = wait_for_any(process, wanted, limit)
        bits = {number: found.get(file, 0) & (self._masks[number] | ALWAYS) for number, file in files.items()}
        return [(number, held) for number, held in bits.items() if held]


class EmulatedEpoll:
    """select.epoll()."""

    def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
        if not isinstance(sizehint, int) or not isinstance(flags, int):
            raise TypeError("integer argument expected")
        if sizehint < -1 or sizehint == 0:
            raise ValueError("negative sizehint")
        if flags & ~_EPOLL_CLOEXEC:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._process = caller()
        self._list = InterestList(self._process)
        self._process.had_event_loop = True
        self._number = open_descriptor(self._list)

    @classmethod
    def fromfd(cls, fd: int) -> EmulatedEpoll:
        """The epoll behind a number, which closes with this object.

        EBADF, and EINVAL for another file. Differs: Python takes any number, and a call fails with EINVAL later.
        """
        process = caller()
        file = file_to_wait_for(process, number_of(fd))
        if not isinstance(file, InterestList):
            raise OSError(errno.EINVAL, f"descriptor {fd} is of no epoll")
        found = cls.__new__(cls)
        found._process, found._list, found._number = process, file, fd
        return found

    @property
    def closed(self) -> bool:
        return self._number < 0

    def fileno(self) -> int:
        self._check()
        return self._number

    def close(self) -> None:
        number, self._number = self._number, -1
        if number >= 0 and number in self._process.files:
            close_descriptor(self._process, number)

    def _check(self) -> None:
        if self._number < 0:
            raise ValueError("I/O operation on closed epoll object")

    def __enter__(self) -> EmulatedEpoll:
        self._check()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_number", -1) >= 0:
            self.close()

    def register(self, fd: Any, eventmask: int = IN | PRI | OUT) -> None:
        self._check()
        number = number_of(fd)
        self._list.add(number, file_to_wait_for(self._process, number), eventmask)

    def modify(self, fd: Any, eventmask: int) -> None:
        self._check()
        self._list.change(number_of(fd), eventmask)

    def unregister(self, fd: Any) -> None:
        self._check()
        number = number_of(fd)
        if _is_closed(self._process, number):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._list.remove(number)

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """`timeout` in seconds; None or less than 0 for ever."""
        self._check()
        if maxevents == 0 or maxevents < -1:
            raise ValueError(f"maxevents must be greater than 0, got {maxevents}")
        limit = None if timeout is None or timeout < 0 else span(timeout)
        return self._list.wait(limit, 2**31 if maxevents < 0 else maxevents)


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    pairs: list[tuple[Any, Any]] = [(select.select, on_hosts(select.select, emulated_select))]
    if hasattr(select, "poll"):
        pairs.append(
            (select.poll, class_on_hosts(select.poll, EmulatedPoll, (EmulatedPoll, type(select.poll()))))
        )
    if hasattr(select, "epoll"):
        real = select.epoll
        pairs.append(
            (
                real,
                class_on_hosts(
                    real,
                    EmulatedEpoll,
                    (EmulatedEpoll, real),
                    fromfd=staticmethod(on_hosts(real.fromfd, EmulatedEpoll.fromfd)),
                ),
            )
        )
    return pairs
