"""Faults by role: what goes wrong in a run, said as data.

`lose("third-ack", of="client", connection=2)` loses the final ACK of the second connection that `client` opens.
A fault names the host whose connections it is about; `by` names the sender where the role may be either end's. It
can be compared, printed, written as JSON and read again, and says after a run whether it ever met its packet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tcpemu.network.clock import duration, nanoseconds, seconds_text
from tcpemu.network.packet_roles import parse_role
from tcpemu.stack.base.errors import ConfigurationError

PACKET_FAULTS = ("lose", "delay", "duplicate", "reorder")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens to packets of one role. Make it by `lose`, `delay`, `duplicate` or `reorder`."""

    what: str
    """lose; delay: it arrives later by `time`; duplicate: it arrives twice; reorder: the next one overtakes it."""
    role: str
    """The part that the packet plays, as `packet_roles.py` lists them: `third-ack`, `data 2`."""
    of: str | None = None
    """The host whose connections are meant; None for every host."""
    connection: int | None = None
    """Which of the connections that a host opens, counted from 1; None for each."""
    by: str | None = None
    """The host that sends it; None for the one that the role names, or for either."""
    times: int = 1
    """So many packets of this role in each connection meet it."""
    time: int = 0
    """Nanoseconds, for a delay."""

    def __post_init__(self) -> None:
        if self.what not in PACKET_FAULTS:
            raise ConfigurationError(f"what={self.what!r}: it can be {', '.join(PACKET_FAULTS)}")
        parse_role(self.role)
        for name in ("of", "by"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise ConfigurationError(f"{name}={value!r}: the name of a host, as text")
        for name in ("connection", "times"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigurationError(f"{name}={value!r}: a whole number, 1 or more")
        nanoseconds("time", self.time)
        if (self.what == "delay") != bool(self.time):
            raise ConfigurationError("a delay takes a time, as delay('data 2', '1 s'), and nothing else does")

    def __str__(self) -> str:
        """As a person would say it: `lose the third-ack of client's connection 2`."""
        words = [self.what, "the", self.role]
        if self.of is not None:
            words.append(f"of {self.of}'s" if self.connection else f"of {self.of}")
        elif self.connection:
            words.append("of every host's")
        if self.connection:
            words.append(f"connection {self.connection}")
        if self.by is not None:
            words.append(f"sent by {self.by}")
        if self.times > 1:
            words.append(f"{self.times} times")
        if self.time:
            words.append(f"by {seconds_text(self.time)}")
        return " ".join(words)

    def as_data(self) -> dict[str, Any]:
        """What JSON can hold; `Fault.from_data` reads it again. What is as by default is left out."""
        return {name: value for name, value in asdict(self).items() if value != _DEFAULTS.get(name)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Fault:
        """The fault that `as_data` has written. Raises ConfigurationError for what is none."""
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown or not {"what", "role"} <= set(data):
            raise ConfigurationError(
                f"{dict(data)!r} is no fault: it needs what and role, and may have of, connection, by, times, time"
            )
        return cls(**data)


_DEFAULTS: dict[str, object] = {"of": None, "connection": None, "by": None, "times": 1, "time": 0}


def lose(
    role: str, *, of: object = None, connection: int | None = None, by: object = None, times: int = 1
) -> Fault:
    """The packet is lost. `of` and `by` are hosts or their names."""
    return Fault("lose", role, _name(of), connection, _name(by), times)


def delay(
    role: str,
    time: str | int,
    *,
    of: object = None,
    connection: int | None = None,
    by: object = None,
    times: int = 1,
) -> Fault:
    """The packet arrives later by `time`: nanoseconds, or text as '1 s'."""
    late = duration(time) if isinstance(time, str) else time
    return Fault("delay", role, _name(of), connection, _name(by), times, late)


def duplicate(
    role: str, *, of: object = None, connection: int | None = None, by: object = None, times: int = 1
) -> Fault:
    """The packet arrives twice."""
    return Fault("duplicate", role, _name(of), connection, _name(by), times)


def reorder(
    role: str, *, of: object = None, connection: int | None = None, by: object = None, times: int = 1
) -> Fault:
    """The next packet of the same direction overtakes it; where none comes within 1 s it goes on alone."""
    return Fault("reorder", role, _name(of), connection, _name(by), times)


def _name(host: object) -> str | None:
    """The name of a host that is given by name, or as something that has one."""
    if host is None or isinstance(host, str):
        return host
    name = getattr(host, "name", None)
    if not isinstance(name, str):
        raise ConfigurationError(f"{host!r} is no host; give one, or its name as text")
    return name
