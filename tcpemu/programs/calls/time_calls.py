"""time and datetime on a host: sleeping lets virtual time pass, and every clock shows it.

time.time() begins at `EPOCH`, time.monotonic() at `UPTIME`; the processor clocks stay real.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.waiting.computers import EPOCH
from tcpemu.programs.waiting.standing_still import sleep, span
from tcpemu.programs.waiting.whereabouts import caller

UPTIME = 100 * 10**9
"""What time.monotonic() shows when virtual time begins, in nanoseconds."""


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    sleep(caller(), span(seconds))


def monotonic_ns() -> int:
    return caller().now + UPTIME


def time_ns() -> int:
    return caller().now + EPOCH


def monotonic() -> float:
    return monotonic_ns() / 1e9


def wall_time() -> float:
    return time_ns() / 1e9


_REAL_CLOCK_NS = getattr(time, "clock_gettime_ns", None)


def _clock_gettime_ns(clock: int) -> int:
    if clock == time.CLOCK_REALTIME:
        return time_ns()
    if clock in {
        getattr(time, name, None) for name in ("CLOCK_MONOTONIC", "CLOCK_BOOTTIME", "CLOCK_MONOTONIC_RAW")
    }:
        return monotonic_ns()
    return int(_REAL_CLOCK_NS(clock)) if _REAL_CLOCK_NS else 0


def _of_now(real: Callable[..., Any]) -> Callable[..., Any]:
    """localtime() and others that take the time now where none is given."""
    return lambda seconds=None: real(wall_time() if seconds is None else seconds)


def _strftime(real: Callable[..., Any], local: Callable[..., Any]) -> Callable[..., Any]:
    return lambda format, moment=None: real(format, local(wall_time()) if moment is None else moment)


def _asctime(real: Callable[..., Any], local: Callable[..., Any]) -> Callable[..., Any]:
    return lambda moment=None: real(local(wall_time()) if moment is None else moment)


def _functions() -> dict[str, Callable[..., Any]]:
    return {
        "sleep": _sleep,
        "monotonic": monotonic,
        "monotonic_ns": monotonic_ns,
        "perf_counter": monotonic,
        "perf_counter_ns": monotonic_ns,
        "time": wall_time,
        "time_ns": time_ns,
        "clock_gettime": lambda clock: _clock_gettime_ns(clock) / 1e9,
        "clock_gettime_ns": _clock_gettime_ns,
        "localtime": _of_now(time.localtime),
        "gmtime": _of_now(time.gmtime),
        "ctime": _of_now(time.ctime),
        "strftime": _strftime(time.strftime, time.localtime),
        "asctime": _asctime(time.asctime, time.localtime),
    }


def now(cls: Any, tz: datetime.tzinfo | None = None) -> datetime.datetime:
    """datetime.now(), which reads the machine's clock by itself; date.today() asks time.time()."""
    return cls.fromtimestamp(time.time(), tz)  # type: ignore[no-any-return]


def utcnow(cls: Any) -> datetime.datetime:
    return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)  # type: ignore[no-any-return]


METHODS_OF_DATETIME = {"now": classmethod(now), "utcnow": classmethod(utcnow)}
"""To be had by the class datetime itself: who has its name has it from anywhere, and asks for its type by identity."""


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    return [
        (getattr(time, name), on_hosts(getattr(time, name), emulated))
        for name, emulated in _functions().items()
        if hasattr(time, name)
    ]
