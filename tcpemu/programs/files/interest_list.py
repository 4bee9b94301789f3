"""An epoll: what is added is watched from then on, and only what has changed since is looked at.

So a wait costs what is ready, and not what is registered. Level-triggered, unless EPOLLET or EPOLLONESHOT is asked
for.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from tcpemu.network.task import Wake
from tcpemu.programs.files.open_files import IN, OpenFile
from tcpemu.programs.files.readiness import ALWAYS, these_files
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.standing_still import count_call, look_around, stand_still, until_text
from tcpemu.programs.waiting.whereabouts import current_thread

_LONGEST_END = 60 * 10**9
"""Nanoseconds by its own clock that a process may take to end."""
EDGE_TRIGGERED, ONE_SHOT = 1 << 31, 1 << 30


class _Interest:
    __slots__ = ("bits", "file", "number", "watcher")

    def __init__(self, number: int, file: OpenFile, bits: int, watcher: Callable[[], None]) -> None:
        self.number, self.file, self.bits, self.watcher = number, file, bits, watcher


class InterestList(OpenFile):
    """What one epoll waits for. It is a file too, and ready where it may have something to tell."""

    __slots__ = ("_changed", "_interests", "_wakes")

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._interests: dict[int, _Interest] = {}
        self._changed: dict[int, None] = {}
        """Those to look at, in the order in which they changed."""
        self._wakes: list[Wake] = []

    def add(self, number: int, file: OpenFile, bits: int) -> None:
        """Wait for these bits of a file. EEXIST."""
        if number in self._interests:
            if self._interests[number].file is file:
                raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
            self.remove(number)  # of a file that was closed since: its number has been given to another

        def watcher() -> None:
            self._changed[number] = None
            self.wake()

        self._interests[number] = _Interest(number, file, bits, watcher)
        file.watchers[watcher] = None
        self._changed[number] = None

    def change(self, number: int, bits: int) -> None:
        """Wait for other bits of it. ENOENT."""
        self._known(number).bits = bits
        self._changed[number] = None

    def remove(self, number: int) -> None:
        """Wait for it no longer. ENOENT."""
        gone = self._known(number)
        del self._interests[number]
        self._changed.pop(number, None)
        gone.file.watchers.pop(gone.watcher, None)

    def poll(self) -> int:
        return IN if self._changed else 0

    def release(self) -> None:
        for number in list(self._interests):
            self.remove(number)

    def _known(self, number: int) -> _Interest:
        found = self._interests.get(number)
        if found is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return found

    def wake(self) -> None:
        """End the wait, if there is one."""
        computers = self.process.computers
        for wake in self._wakes:
            computers.at(computers.now, wake)
        self.changed()

    def ready(self, most: int = 2**31) -> list[tuple[int, int]]:
        """Those that are ready now, with their bits."""
        found: list[tuple[int, int]] = []
        for number in list(self._changed):
            if len(found) == most:
                break
            interest = self._interests[number]
            bits = 0
            if interest.file.references:  # one that is closed is in no list any more
                bits = (
                    interest.file.poll() & (interest.bits | ALWAYS) if interest.bits & ~EDGE_TRIGGERED else 0
                )
            if bits:
                found.append((number, bits))
            if not bits or interest.bits & EDGE_TRIGGERED:
                del self._changed[number]
            if bits and interest.bits & ONE_SHOT:
                interest.bits = 0
        return found

    def wait(self, timeout: int | None, most: int) -> list[tuple[int, int]]:
        """Wait until one is ready, or so many nanoseconds have passed; None waits for ever."""
        process = self.process
        count_call(process)
        found = self.ready(most)
        thread = current_thread()
        if thread is not None and thread.ending and timeout is not None and process.ahead < _LONGEST_END:
            # An event loop on its way out cancels its tasks, which may take some turns, and some timers.
            process.ahead += timeout
            return found
        if not found and timeout == 0:
            look_around(process)
            return self.ready(most)
        deadline = None if timeout is None else process.computers.now + timeout
        while not found and (deadline is None or process.computers.now < deadline):
            self._stand_still(deadline)
            found = self.ready(most)
        return found

    def _waits_for(self, deadline: int | None) -> str:
        files = (interest.file for interest in self._interests.values())
        return f"waits in epoll for {these_files(files, len(self._interests))}{until_text(deadline)}"

    def _stand_still(self, deadline: int | None) -> None:
        computers = self.process.computers
        own: list[Wake] = []

        def arm(wake: Wake) -> None:
            own.append(wake)
            self._wakes.append(wake)
            if deadline is not None:
                computers.at(deadline, wake)

        try:
            stand_still(self.process, arm, self._waits_for(deadline), deadline)
        finally:
            self._wakes[:] = [wake for wake in self._wakes if wake not in own]
