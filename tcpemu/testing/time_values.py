"""Times as a test writes them: text with a unit, or a number of seconds."""

from __future__ import annotations

from typing import TypeAlias

from tcpemu.network import SECOND
from tcpemu.network.clock import duration
from tcpemu.stack.base.errors import ConfigurationError

Time: TypeAlias = str | int | float
"""`"20 ms"`, `"1.5 s"`, or seconds: `1.5`."""


def nanoseconds_of(name: str, value: Time) -> int:
    """Nanoseconds. ConfigurationError about `name` where it is no time."""
    if isinstance(value, str):
        return duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ConfigurationError(f"{name}={value!r}: a time is text like '20 ms', or a number of seconds")
    return round(value * SECOND)
