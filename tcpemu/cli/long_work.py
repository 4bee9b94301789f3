"""What a command does about runs that take long or much memory: the garbage collector rests, and there is a limit."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from tcpemu.cli.user_mistakes import UsageError
from tcpemu.scenario.running.collector_off import collector_off

P = ParamSpec("P")
R = TypeVar("R")

MEMORY = "TCPEMU_MEMORY"
"""The environment variable that sets the limit, as the option --memory does."""
_UNITS = {"kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3, "": 1}


def for_long_work(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command without the garbage collector and within the limit of memory; both are as before afterwards."""

    @functools.wraps(command)
    def working(*args: P.args, **kwargs: P.kwargs) -> R:
        with collector_off(), _limited(memory_limit()):
            return command(*args, **kwargs)

    return working


@contextmanager
def _limited(octets: int | None) -> Iterator[None]:
    """Beyond so much memory there is a MemoryError; where the system can do that."""
    try:
        import resource
    except ImportError:  # not on Windows
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lower = octets is not None and all(
        octets < each for each in (soft, hard) if each != resource.RLIM_INFINITY
    )
    if lower:
        resource.setrlimit(resource.RLIMIT_DATA, (octets or 0, hard))
    try:
        yield
    except MemoryError:
        raise UsageError(_too_much(octets)) from None
    finally:
        if lower:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _too_much(octets: int | None) -> str:
    limit = f"the limit of {size_words(octets)}" if octets else "what there is"
    return f"the run took more memory than {limit}; {WAYS_OUT}"


WAYS_OUT = (
    "stop it earlier, with --until, let fewer clients come or send less, or set another limit: "
    "tcpemu --memory '8 GB' ..."
)


def memory_limit() -> int | None:
    """Octets that the process may take: as it was told, else what the machine has left; None where nobody knows."""
    told = os.environ.get(MEMORY, "")
    if not told:
        return _available()
    if (octets := size_of(told)) < _LEAST:
        raise UsageError(
            f"--memory {told!r}: the program itself takes more; give {size_words(_LEAST)} at least"
        )
    return octets


def _available() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def size_of(text: str) -> int:
    """Octets of `2 GB`, `512 MiB`; a bare number counts octets."""
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text.strip()[len(number) :].lower()
    try:
        octets = int(float(number) * _UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        octets = 0
    if octets <= 0:
        raise UsageError(f"--memory {text!r}: it must be a size such as '2 GB' or '512 MB'")
    return octets


_LEAST = 64 * 10**6


def size_words(octets: int | None) -> str:
    """A size for people: `1.5 GB`."""
    value = octets or 0
    for unit in ("GB", "MB", "kB"):
        whole = _UNITS[unit.lower()]
        if value >= whole:
            return f"{value / whole:.1f} {unit}"
    return f"{value} octets"
