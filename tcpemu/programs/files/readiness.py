"""Waiting for several files at once: what select() and poll() do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from tcpemu.network.task import Wake
from tcpemu.programs.files.open_files import ERR, HUP, OpenFile
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.standing_still import count_call, look_around, stand_still, until_text

_NAMED = 4
"""So many files are named where somebody waits for them."""
ALWAYS = ERR | HUP
"""Bits that poll() and epoll tell whether they were asked for or not."""


def ready_bits(wanted: Mapping[OpenFile, int]) -> dict[OpenFile, int]:
    """Those that are ready for something that is wanted of them, with the bits that hold."""
    found = ((file, file.poll() & bits) for file, bits in wanted.items())
    return {file: bits for file, bits in found if bits}


def wait_for_any(
    process: Process, wanted: Mapping[OpenFile, int], timeout: int | None
) -> dict[OpenFile, int]:
    """Wait until one is ready, or so many nanoseconds have passed; None waits for ever."""
    count_call(process)
    ready = ready_bits(wanted)
    if not ready and timeout == 0:
        look_around(process)
        return ready_bits(wanted)
    deadline = None if timeout is None else process.computers.now + timeout
    while not ready and (deadline is None or process.computers.now < deadline):
        wait_for_change(process, list(wanted), deadline)
        ready = ready_bits(wanted)
    return ready


def wait_for_change(
    process: Process, files: list[OpenFile], deadline: int | None, call: str = "poll()"
) -> None:
    """Stand still until one of the files may have changed, or until the deadline."""
    computers = process.computers
    wakes: list[Wake] = []

    def changed() -> None:
        for wake in wakes:
            computers.at(computers.now, wake)

    def arm(wake: Wake) -> None:
        wakes.append(wake)
        for file in files:
            file.watchers[changed] = None
        if deadline is not None:
            computers.at(deadline, wake)

    try:
        stand_still(process, arm, _waits_for(call, files, deadline), deadline)
    finally:
        for file in files:
            file.watchers.pop(changed, None)


def _waits_for(call: str, files: list[OpenFile], deadline: int | None) -> str:
    return f"waits in {call} for {these_files(files, len(files))}{until_text(deadline)}"


def these_files(files: Iterable[OpenFile], number: int) -> str:
    """Some of the files by name: `one of 2 files: the listener on port 80, a socketpair()`."""
    named = [file.words for file in islice(files, _NAMED)]
    if number == 1:
        return named[0]
    more = ["..."] if number > _NAMED else []
    return f"one of {number} files" + (": " + ", ".join(named + more) if named else "")
