"""What `--name=value` lines at the head of a script, and the same on the command line, say.

The names are packetdrill's. One that has no meaning where there is neither a device nor a real clock is known, and
changes nothing; one that asks for what is not there is a mistake.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from tcpemu.drill.language.drill_script import Flag
from tcpemu.drill.language.script_mistake import ScriptError, ScriptText

IPV4, IPV6, MAPPED = "ipv4", "ipv6", "ipv4-mapped-ipv6"
"""Which IP is on the wire, and which addresses sockets have: for the last, AF_INET6 over IPv4."""


@dataclass(frozen=True, slots=True)
class DrillFlags:
    """How a script is run."""

    ip_version: str = IPV4
    local_ip: str = ""
    """The host's address; empty for the usual one of that IP."""
    remote_ip: str = ""
    """The peer's."""
    bind_port: int = 8080
    """Where a listener listens whose address is `...`."""
    connect_port: int = 8080
    """Where connect() goes whose address is `...`."""
    mtu: int = 1500
    mss: int = 0
    """Octets of the segments of which a longer packet that arrives was put together (GRO); 0: it is one segment."""
    tolerance_usecs: int = 1000
    """Microseconds that a packet or a call may be early or late: one tick of the kernel that scripts are written for,
    whose timers, and so their times, are no finer."""
    tolerance_percent: float = 0.0
    """The same as a part of the time since the event before; the larger one holds."""
    event_usecs: int = 0
    """Microseconds that an event takes, so that all that follows it is later. At 0 times can be equal that on a real
    machine never are, such as two round trips, and rules that ask which is longer answer otherwise."""
    tcp_ts_tick_usecs: int = 0
    """Microseconds of one tick of a timestamp; 0: timestamps of the host are not compared."""
    tcp_ts_ecr_scaled: bool = False
    """An echo that the host never sent counts from the first timestamp of the connection."""
    strict_segments: bool = False
    """A packet of the script is one piece, as the host hands it to a device that cuts it: such a piece ends with PSH.
    Without it pieces that leave at one time are joined to what the script has."""

    @property
    def local(self) -> str:
        """The host's address in force."""
        return self.local_ip or ("fd3d:0a0b:17d6::1" if self.ip_version == IPV6 else "192.168.0.1")

    @property
    def remote(self) -> str:
        """The peer's address in force."""
        return self.remote_ip or ("fd3d:fa7b:d17d::1" if self.ip_version == IPV6 else "192.0.2.1")

    @property
    def ipv6_sockets(self) -> bool:
        """Whether sockets are of AF_INET6 where the script leaves it open."""
        return self.ip_version != IPV4

    @property
    def local_of_sockets(self) -> str:
        """The host's address, as bind() is given it."""
        return self._of_sockets(self.local)

    @property
    def remote_of_sockets(self) -> str:
        """The peer's address, as connect() is given it."""
        return self._of_sockets(self.remote)

    def _of_sockets(self, address: str) -> str:
        return f"::ffff:{address}" if self.ip_version == MAPPED else address


_NUMBERS = {
    "bind_port": (1, 65535),
    "connect_port": (1, 65535),
    "mtu": (68, 65535),
    "tolerance_usecs": (0, 10**9),
    "event_usecs": (0, 1000),
    "tcp_ts_tick_usecs": (0, 10**6),
    "mss": (1, 65535),
}
_SWITCHES = ("tcp_ts_ecr_scaled", "strict_segments")
_NO_MEANING = (
    *("gateway_ip", "netmask_ip", "speed", "send_omit_free", "is_anyip", "verbose", "debug", "code_sockopt"),
    "define",
)
_NOT_THERE = {
    "non_fatal": "every mismatch ends a script",
    "dry_run": "a script is always read whole before it runs",
    "init_scripts": "put the sysctls into the script",
    "so_filename": "no other stack is loaded",
    "so_flags": "no other stack is loaded",
    "psp_udp_port": "PSP is not emulated",
}
_WIRE = "wire_"


def with_flags(
    before: DrillFlags, flags: Iterable[Flag], text: ScriptText
) -> tuple[DrillFlags, list[ScriptError]]:
    """The same with what these lines change; and the lines that have a mistake."""
    after = before
    mistakes: list[ScriptError] = []
    for flag in flags:
        try:
            after = with_flag(after, flag.name, flag.value)
        except ValueError as error:
            mistakes.append(ScriptError(text, flag.place, str(error)))
    return after, mistakes


def with_flag(before: DrillFlags, name: str, value: str | None) -> DrillFlags:
    """The same with one line's change. Raises ValueError, which says what would be right."""
    if name in _SWITCHES:
        return _switch(before, name, value)
    if name in _NO_MEANING:
        return before
    if name in _NOT_THERE or name.startswith(_WIRE):
        raise ValueError(f"--{name} is not there: {_NOT_THERE.get(name, 'no second machine takes part')}")
    if name not in _NUMBERS and name not in _READERS:
        known = ", ".join(sorted((*_NUMBERS, *_READERS, *_SWITCHES, *_NO_MEANING)))
        raise ValueError(f"--{name} is no option of a script; there are {known}")
    if value is None:
        raise ValueError(f"--{name} needs a value: --{name}=...")
    if name in _NUMBERS:
        changed: dict[str, Any] = {name: _number(name, value)}
        return replace(before, **changed)
    return _READERS[name](before, value)


def check_addresses(flags: DrillFlags) -> str | None:
    """What is wrong with the two addresses, if anything: both are of the IP that is on the wire."""
    six = flags.ip_version == IPV6
    for name, address in (("local_ip", flags.local), ("remote_ip", flags.remote)):
        if (":" in address) != six:
            return f"--{name} is {address}, but --ip_version is {flags.ip_version}: both have to be of one IP"
    return None


def _switch(before: DrillFlags, name: str, value: str | None) -> DrillFlags:
    if value is not None:
        raise ValueError(f"--{name} takes no value")
    return (
        replace(before, tcp_ts_ecr_scaled=True)
        if name == _SWITCHES[0]
        else replace(before, strict_segments=True)
    )


def _number(name: str, value: str) -> int:
    least, most = _NUMBERS[name]
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ValueError(f"--{name} is {value!r}; it can be a whole number from {least} to {most}")
    return int(value)


def _ip_version(before: DrillFlags, value: str) -> DrillFlags:
    if value not in (IPV4, IPV6, MAPPED):
        raise ValueError(f"--ip_version is {value!r}; it can be {IPV4}, {IPV6} or {MAPPED}")
    return replace(before, ip_version=value)


def _local(before: DrillFlags, value: str) -> DrillFlags:
    return replace(before, local_ip=_address("local_ip", value))


def _remote(before: DrillFlags, value: str) -> DrillFlags:
    return replace(before, remote_ip=_address("remote_ip", value.partition("/")[0]))


def _address(name: str, value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"--{name} is {value!r}, no address of IPv4 or IPv6") from None


def _python(before: DrillFlags, value: str) -> DrillFlags:
    if not value.rpartition("/")[2].startswith("python"):
        raise ValueError(f"code is Python, not for {value}")
    return before


def _percent(before: DrillFlags, value: str) -> DrillFlags:
    try:
        percent = float(value)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 1000:
        raise ValueError(f"--tolerance_percent is {value!r}; it can be a number from 0 to 1000")
    return replace(before, tolerance_percent=percent)


_READERS: dict[str, Callable[[DrillFlags, str], DrillFlags]] = {
    "ip_version": _ip_version,
    "local_ip": _local,
    "remote_ip": _remote,
    "tolerance_percent": _percent,
    "code_command": _python,
    "code_format": _python,
}
