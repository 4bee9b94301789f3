"""What every host of a scenario has, and whether its kernel knows the settings."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from tcpemu.generations import DEFAULT, GENERATIONS
from tcpemu.generations.kernel_names import instead_of
from tcpemu.scenario.format.problems import Problem, hold
from tcpemu.scenario.format.strict_table import Table
from tcpemu.scenario.format.written_values import AddressText, SysctlSettings
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.host_arguments import why_no_ticks
from tcpemu.stack.base.not_emulated import unemulated_sysctl
from tcpemu.stack.base.sysctls import SYSCTLS, nearest_sysctl
from tcpemu.stack.base.sysctls import Sysctls as SysctlTable

MTU_LEAST, MTU_MOST = 68, 65535


def _known_generation(name: str) -> str:
    if name not in GENERATIONS:
        raise ValueError(f"a kernel that is known; {instead_of(name)}")
    return name


class HostTable(Table):
    """What every host has."""

    address: AddressText | None = None
    """The host's address, of IPv4 or IPv6, the same for all; 10.0.0.1 for the server and the next free ones for the
    clients if not given, or 2001:db8::1 and the next where an address of IPv6 is."""
    generation: Annotated[str, AfterValidator(_known_generation)] = DEFAULT
    """Which kernel the host runs."""
    sysctls: SysctlSettings = Field(default={})
    """Sysctls by their full names, such as "net.ipv4.tcp_syncookies" = 0."""
    hz: Literal[100, 250, 1000] | None = None
    """Ticks a second of a kernel of Linux: timers fire late by a tick and more, as its own do. Exact if not given."""
    mtu: Annotated[int, Field(ge=MTU_LEAST, le=MTU_MOST)] = 1500
    """The largest IP packet that the host sends, in octets."""

    @field_validator("sysctls", mode="after")
    @classmethod
    def _settings_are_known(
        cls, settings: dict[str, int | str], info: ValidationInfo
    ) -> dict[str, int | str]:
        """A rule of the field, not of the table, so that it is told beside mistakes in other fields."""
        hold(_wrong_settings(info.data.get("generation"), settings))
        return settings

    @field_validator("hz", mode="after")
    @classmethod
    def _ticks_are_known(cls, hz: int | None, info: ValidationInfo) -> int | None:
        kernel = info.data.get("generation")
        if hz is not None and kernel is not None and (why := why_no_ticks(GENERATIONS[kernel])):
            hold([Problem("", why, "leave hz out")])
        return hz


def _wrong_settings(kernel: str | None, settings: Mapping[str, int | str]) -> Iterator[Problem]:
    """Of a kernel that is not known (None) only the names can be wrong."""
    for name, value in settings.items():
        place = f'"{name}"'
        if (words := unemulated_sysctl(name)) is not None:
            yield Problem(place, words, "leave it out")
        elif name not in SYSCTLS:
            near = nearest_sysctl(name)
            mend = f"did you mean {near!r}?" if near else "tcpemu schema --text lists them"
            yield Problem(place, "not among the sysctls that are emulated", mend)
        elif kernel is not None:
            try:
                SysctlTable(GENERATIONS[kernel], {name: value})
            except ConfigurationError as error:
                yield Problem(place, str(error), "")
