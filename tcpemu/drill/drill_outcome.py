"""What became of a script, and how its failure is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpemu.drill.language.drill_script import Script
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.wire.capture_values import Packet


@dataclass(slots=True)
class DrillOutcome:
    """What became of a script."""

    name: str
    passed: bool
    message: str = ""
    """Why it did not pass: its place, the line, what was expected and what came. Empty where it passed."""
    reason: str = ""
    """The same in a few words."""
    mistake: bool = False
    """The script could not be read, or asks for what is not there."""
    virtual: int = 0
    """Nanoseconds of virtual time from the first event; on a real kernel of real time."""
    took: float = 0.0
    """Seconds of real time."""
    packets: list[Packet] = field(default_factory=list)
    """All packets, for a capture."""
    interfaces: tuple[str, ...] = ("tun0",)
    """Where they were seen."""
    remarks: list[str] = field(default_factory=list)
    """Sysctls that it sets and that do nothing here."""
    kernel: str = ""
    """The release of the real kernel that it ran on; empty for the emulator."""


def told_failure(script: Script, failure: DrillFailure) -> str:
    """Place, line, what was expected and what came."""
    place = failure.place
    head = f"{script.text.name}:{place.line}: {failure.words}"
    return "\n".join((head, script.text.excerpt(place), *(f"        {line}" for line in failure.details)))
