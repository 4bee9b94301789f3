"""What every host of a scenario has, and whether its kernel knows the settings."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tcpemu.generations import DEFAULT, GENERATIONS
from tcpemu.scenario.base import Table
from tcpemu.scenario.errors import Problem, did_you_mean, hold
from tcpemu.scenario.values import AddressText, Sysctls
from tcpemu.stack.errors import ConfigurationError
from tcpemu.stack.generation import Generation
from tcpemu.stack.sysctl import SYSCTLS
from tcpemu.stack.sysctl import Sysctls as SysctlTable

MTU_LEAST, MTU_MOST = 68, 65535


def _known_generation(name: str) -> str:
    if name not in GENERATIONS:
        raise ValueError("a kernel that is known; " + did_you_mean(name, GENERATIONS))
    return name


class HostTable(Table):
    """What every host has."""

    address: AddressText | None = None
    """The host's address; 10.0.0.1 for the server and the next free ones for the clients if not given."""
    generation: Annotated[str, AfterValidator(_known_generation)] = DEFAULT
    """Which kernel the host runs."""
    sysctls: Sysctls = Field(default={})
    """Sysctls by their full names, such as "net.ipv4.tcp_syncookies" = 0."""
    hz: Literal[100, 250, 1000] | None = None
    """Ticks a second of the timer wheel, which makes timers late as a kernel's are. Exact if not given."""
    mtu: Annotated[int, Field(ge=MTU_LEAST, le=MTU_MOST)] = 1500
    """The largest IP packet that the host sends, in octets."""

    @model_validator(mode="after")
    def _settings_are_known(self) -> Self:
        hold(_wrong_settings(GENERATIONS[self.generation], self.sysctls))
        return self


def _wrong_settings(kernel: Generation, settings: Mapping[str, int | str]) -> Iterator[Problem]:
    for name, value in settings.items():
        place = f'sysctls."{name}"'
        if name not in SYSCTLS:
            yield Problem(place, "not among the sysctls that are emulated", did_you_mean(name, SYSCTLS))
            continue
        try:
            SysctlTable(kernel, {name: value})
        except ConfigurationError as error:
            yield Problem(place, str(error), "")
