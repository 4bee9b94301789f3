"""Faults: what goes wrong in a run, said as data; packets by their role, connections and hosts at a time.

`lose("third-ack", of="client", connection=2)` loses the final ACK of the second connection that `client` opens.
A fault names the host whose connections it is about; `by` names the sender where the role may be either end's.
`reset`, `cut` and `crash` happen at a time. A fault can be compared, printed, written as JSON and read again, and
says after a run whether it ever met its packet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from tcpemu.network.clock import duration, nanoseconds, seconds_text
from tcpemu.network.links import SAYS
from tcpemu.network.packet_roles import parse_role
from tcpemu.stack.base.errors import ConfigurationError

PACKET_FAULTS = ("lose", "delay", "duplicate", "reorder", "reject")
"""What happens to packets of a role; all else happens at a time."""
_OF_A_CONNECTION = frozenset({"of", "connection", "by"})
TAKES: dict[str, frozenset[str]] = {
    **{what: _OF_A_CONNECTION | {"role", "times"} for what in PACKET_FAULTS},
    "delay": _OF_A_CONNECTION | {"role", "times", "time"},
    "reject": _OF_A_CONNECTION | {"role", "times", "says"},
    "reset": _OF_A_CONNECTION | {"at"},
    "cut": _OF_A_CONNECTION | {"at", "until"},
    "crash": frozenset({"of", "at", "until"}),
}
NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PACKET_FAULTS, ("role",)),
    "delay": ("role", "time"),
    "reject": ("role", "says"),
    "reset": ("at",),
    "cut": ("at",),
    "crash": ("of", "at"),
}
"""What each kind of fault may have, and what it must have; of `Fault`'s fields, by their names."""
KINDS = tuple(TAKES)


@dataclass(frozen=True, slots=True, repr=False)
class Fault:
    """What goes wrong. Make it by `lose`, `delay`, `duplicate`, `reorder`, `reject`, `reset`, `cut`, `crash`."""

    what: str
    """lose; delay: it arrives later by `time`; duplicate: it arrives twice; reorder: the next one overtakes it;
    reject: it is lost, and a router says so by ICMP.

    reset: at a time a RST comes to both ends; cut: for a time everything is lost; crash: a host stops, and forgets
    all that it knew."""
    role: str = ""
    """The part that the packet plays, as `packet_roles.py` lists them: `third-ack`, `data 2`."""
    of: str | None = None
    """The host whose connections are meant; None for every host. For a crash, the host.

    Of a handshake it is the host that opens the connection; of other packets the one that sends them, or with `by`
    either end; for a reset or a cut either end, or with a number the one that opens the connection."""
    connection: int | None = None
    """Which of the connections that a host opens, counted from 1; None for each."""
    by: str | None = None
    """The host that sends it, or in whose name it is sent; None for the one that the role names, or for either."""
    times: int = 1
    """So many packets of this role in each connection meet it."""
    time: int = 0
    """Nanoseconds, for a delay."""
    at: int | None = None
    """When it happens, in nanoseconds from the start of the network: for a reset, a cut or a crash."""
    until: int | None = None
    """When a cut ends, or a host starts again; None for never."""
    says: str = ""
    """For a reject, what the router says: a word of `SAYS` in `links.py`, as `host unreachable`."""

    def __post_init__(self) -> None:
        if self.what not in TAKES:
            raise ConfigurationError(f"what={self.what!r}: it can be {', '.join(KINDS)}")
        self._check_what_is_given()
        if self.what in PACKET_FAULTS:
            parse_role(self.role)
        for name in ("of", "by"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise ConfigurationError(f"{name}={value!r}: the name of a host, as text")
        for name in ("connection", "times"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigurationError(f"{name}={value!r}: a whole number, 1 or more")
        if self.what == "reject" and self.says not in SAYS:
            raise ConfigurationError(f"says={self.says!r}: it can be {', '.join(SAYS)}")
        nanoseconds("time", self.time)
        self._check_span()

    def _check_what_is_given(self) -> None:
        given = {name for name, usual in _DEFAULTS.items() if getattr(self, name) != usual}
        missing = [name for name in NEEDS[self.what] if name not in given]
        if missing:
            words = " and ".join(_WORDS[name] for name in missing)
            raise ConfigurationError(f"a {self.what} takes {words}, as {_EXAMPLES[self.what]}")
        spare = sorted(given - TAKES[self.what])
        if spare:
            raise ConfigurationError(
                f"a {self.what} has no {' and no '.join(spare)}; it is {_EXAMPLES[self.what]}"
            )

    def _check_span(self) -> None:
        for name in ("at", "until"):
            if getattr(self, name) is not None:
                nanoseconds(name, getattr(self, name))
        if self.at is not None and self.until is not None and self.until <= self.at:
            raise ConfigurationError(
                f"until {seconds_text(self.until)}: give a time after {seconds_text(self.at)}, when it begins"
            )

    def __repr__(self) -> str:
        """As it is made: `lose('third-ack', of='client', times=2)`, `cut(at='1 s', until='3 s')`."""
        given = self.as_data()
        what = given.pop("what")
        for name in ("time", "at", "until"):
            if name in given:
                given[name] = seconds_text(given[name])
        first = [repr(given.pop(name)) for name in _PLACES.get(what, ("role",)) if name in given]
        return f"{what}({', '.join([*first, *(f'{name}={value!r}' for name, value in given.items())])})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What IPython and Hypothesis show, which print dataclasses and tuples in their own way otherwise."""
        printer.text(repr(self))

    def __str__(self) -> str:
        """As a person would say it: `lose the third-ack of client's connection 2`."""
        if self.what == "crash":
            again = "" if self.until is None else f", which starts again at {seconds_text(self.until)}"
            return f"crash of {self.of}, {self._when()}{again}"
        words = [self.what, "the", self.role] if self.role else [self.what]
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
        if self.says:
            words.append(f"with {self.says}")
        if self.at is not None:
            words.append(self._when())
        if self.until is not None:
            words.append(f"until {seconds_text(self.until)}")
        return " ".join(words)

    def _when(self) -> str:
        assert self.at is not None
        return f"{'from' if self.what == 'cut' else 'at'} {seconds_text(self.at)}"

    @property
    def unmet_words(self) -> str:
        """What is to be said of it where it has met nothing."""
        return f"{_NOTHING.get(self.what, 'no packet was there for it')}: {self}"

    def as_data(self) -> dict[str, Any]:
        """What JSON can hold; `Fault.from_data` reads it again. What is as by default is left out."""
        return {name: value for name, value in asdict(self).items() if value != _DEFAULTS.get(name)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Fault:
        """The fault that `as_data` has written. Raises ConfigurationError for what is none."""
        known = set(cls.__dataclass_fields__)
        if set(data) - known or "what" not in data:
            raise ConfigurationError(
                f"{dict(data)!r} is no fault: it needs what, and may have {', '.join(sorted(known - {'what'}))}"
            )
        return cls(**data)


_DEFAULTS: dict[str, object] = {
    "role": "",
    "of": None,
    "connection": None,
    "by": None,
    "times": 1,
    "time": 0,
    "at": None,
    "until": None,
    "says": "",
}
_NOTHING = {
    "lose": "no packet was there to be lost",
    "reset": "no connection was there to be reset",
    "cut": "no packet was sent meanwhile",
    "crash": "the run ended before it",
}
_PLACES = {"delay": ("role", "time"), "reject": ("role", "says"), "crash": ("of",)}
"""What a function that makes a fault takes without a name, where it is not the role alone."""
_WORDS = {
    "role": "a role",
    "time": "a time",
    "says": "what the router says",
    "at": "at, a time",
    "of": "a host",
}
_EXAMPLES = {
    "lose": "lose('third-ack', of='client', connection=2)",
    "delay": "delay('data 2', '1 s')",
    "duplicate": "duplicate('data 2')",
    "reorder": "reorder('data 2')",
    "reject": "reject('syn', 'host unreachable')",
    "reset": "reset(at='1 s', of='client')",
    "cut": "cut(at='1 s', until='3 s', of='client')",
    "crash": "crash('server', at='1 s', until='3 s')",
}
_Time: TypeAlias = str | int
"""Nanoseconds, or text as '1 s'."""


def lose(
    role: str, *, of: object = None, connection: int | None = None, by: object = None, times: int = 1
) -> Fault:
    """The packet is lost. `of` and `by` are hosts or their names."""
    return Fault("lose", role, _name(of), connection, _name(by), times)


def delay(
    role: str,
    time: _Time,
    *,
    of: object = None,
    connection: int | None = None,
    by: object = None,
    times: int = 1,
) -> Fault:
    """The packet arrives later by `time`: nanoseconds, or text as '1 s'."""
    return Fault("delay", role, _name(of), connection, _name(by), times, _nanoseconds(time))


def reject(
    role: str,
    says: str,
    *,
    of: object = None,
    connection: int | None = None,
    by: object = None,
    times: int = 1,
) -> Fault:
    """The packet is lost, and a router says by ICMP what became of it: `host unreachable`, `time exceeded` (`SAYS`).

    Its answer takes as long as the link, in the middle of which it stands.
    """
    return Fault("reject", role, _name(of), connection, _name(by), times, says=says)


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


def reset(*, at: _Time, of: object = None, connection: int | None = None, by: object = None) -> Fault:
    """Something on the way sends a RST to both ends of each connection that is there, as firewalls do.

    With `by` only one, in the name of that host, to the other end.
    """
    return Fault("reset", "", _name(of), connection, _name(by), at=_nanoseconds(at))


def cut(
    *,
    at: _Time,
    until: _Time | None = None,
    of: object = None,
    connection: int | None = None,
    by: object = None,
) -> Fault:
    """All packets of these connections, or of this host, are lost from a time on; with `by`, those that it sends.

    Packets that are on their way already arrive.
    """
    ends = None if until is None else _nanoseconds(until)
    return Fault("cut", "", _name(of), connection, _name(by), at=_nanoseconds(at), until=ends)


def crash(host: object, *, at: _Time, until: _Time | None = None) -> Fault:
    """The host stops without a word: what runs on it is gone, and all that its TCP knew.

    With `until` it starts again at that time, and with it the programs that were servers; to segments of connections
    that it has forgotten it answers with RSTs.
    """
    return Fault(
        "crash", "", _name(host), at=_nanoseconds(at), until=None if until is None else _nanoseconds(until)
    )


def _nanoseconds(time: _Time) -> int:
    return duration(time) if isinstance(time, str) else time


def _name(host: object) -> str | None:
    """The name of a host that is given by name, or as something that has one."""
    if host is None or isinstance(host, str):
        return host
    name = getattr(host, "name", None)
    if not isinstance(name, str):
        raise ConfigurationError(f"{host!r} is no host; give one, or its name as text")
    return name
