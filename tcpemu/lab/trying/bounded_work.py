"""Work on what students handed in, in a process of its own, which is ended when its time is over.

The process has a limit of memory, of processor time and of what it writes, and no output; whatever it does to itself,
the marking of others goes on. It is no jail: a program that is run can do what its user can. Run the marking of
programs where that does no harm, as in a container.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

from tcpemu.lab.trying.goals import Attempt

MEMORY = 2 * 2**30
"""Octets of address space."""
LARGEST_FILE = 2**24
"""Octets that it may write into a file."""
SLOWER = 3
"""So many times its processor time a work may take in real time."""
_BEGINS = 60.0
"""Seconds that the start of the process may take: the first one loads all that is needed."""


def bounded(work: Callable[..., Attempt], arguments: tuple[Any, ...], seconds: float) -> Attempt:
    """What `work` gives, a function of a module; or that it took too long, or ended by itself.

    It may use so many seconds of processor time, and three times that of real time: others may use the machine.
    """
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, work, arguments, seconds), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_BEGINS):
            return Attempt((), (f"no process could be started for it within {_BEGINS:g} s",))
        ours.recv()
        if not ours.poll(SLOWER * seconds):
            return Attempt((), (f"it took longer than {SLOWER * seconds:g} s of real time and was ended",))
        kind, found = ours.recv()
    except (EOFError, OSError):
        return Attempt((), (_ended(process, seconds),))
    finally:
        ours.close()
        _end(process)
    if kind == "attempt" and isinstance(found, Attempt):
        return found
    return Attempt((), (f"it could not be run: {found}",))


def _ended(process: Any, seconds: float) -> str:
    """Why a process ended before it gave anything."""
    process.join(_BEGINS)
    if process.exitcode == -getattr(signal, "SIGXCPU", 0):
        return f"it used more than {max(1, round(seconds))} s of processor time and was ended"
    return "it ended the process that it was run in"


@cache
def _context() -> Any:
    """Processes that begin with all that is needed loaded, where the system can make such."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [__name__, "tcpemu.lab.trying.mended_run", "tcpemu.lab.trying.program_run"]
    )
    return context


def _end(process: Any) -> None:
    """End it, and what it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _run(
    results: Connection, work: Callable[..., Attempt], arguments: tuple[Any, ...], seconds: float
) -> None:
    """In the process: do the work, quietly and within limits."""
    _limit(seconds)
    results.send("begun")
    try:
        found = "attempt", work(*arguments)
    except MemoryError:
        found = "failure", "too little memory"  # type: ignore[assignment]
    except BaseException as error:  # whatever a student's program does
        found = "failure", f"{type(error).__name__}: {error}"  # type: ignore[assignment]
    with contextlib.suppress(OSError):
        results.send(found)
        results.close()
    os._exit(0)  # threads of the program may still wait


def _limit(seconds: float) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not there on Windows

    with contextlib.suppress(OSError):
        os.setsid()
    used = resource.getrusage(resource.RUSAGE_SELF)
    whole = int(used.ru_utime + used.ru_stime) + max(1, round(seconds))
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, whole, whole + 2),
        (resource.RLIMIT_AS, MEMORY, MEMORY),
        (resource.RLIMIT_FSIZE, LARGEST_FILE, LARGEST_FILE),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (soft, hard))
