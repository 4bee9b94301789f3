"""One script on this machine's kernel: a child in a network namespace of its own plays it, in real time."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tcpemu.drill.drill_outcome import DrillOutcome
from tcpemu.drill.drill_reading import DrillSettings, read_drill
from tcpemu.drill.language.drill_script import Script, SystemCall
from tcpemu.drill.language.script_mistake import ScriptError
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.wire.capture_values import Direction, Packet

KERNEL_FLAGS = replace(DrillFlags(), tolerance_usecs=4000, tolerance_percent=12.5)
"""What packetdrill allows a packet or a call to be early or late."""


def run_text_on_kernel(
    text: str, name: str = "script", folder: Path | None = None, settings: DrillSettings | None = None
) -> DrillOutcome:
    """Run a script on this machine's kernel; it takes as long as the script says. It needs root.

    KernelUnavailableError where the kernel cannot be asked, ConfigurationError for settings that cannot be.
    """
    # Its programs are Linux's; scripts run on the emulator everywhere.
    from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError  # noqa: PLC0415
    from tcpemu.kernel.run_trace import GRACE, ask_child, whats_missing  # noqa: PLC0415

    if missing := whats_missing():
        raise KernelUnavailableError(missing)
    began = time.perf_counter()
    outcome = DrillOutcome(name, True)
    folder, settings = folder or Path.cwd(), settings or DrillSettings()
    try:
        read = read_drill(text, name, folder, settings, KERNEL_FLAGS, device=True)
        longest = _seconds(read.script) + GRACE
        question = _question(text, name, folder, settings, longest)
        _take(outcome, ask_child("tcpemu.drill.drill_worker", question, longest + GRACE / 2))
    except ScriptError as mistake:
        outcome.passed, outcome.mistake = False, True
        outcome.message, outcome.reason = str(mistake), mistake.words
    except KernelError as error:
        outcome.passed, outcome.reason = False, str(error)
        outcome.message = f"{name}: {error}"
    outcome.took = time.perf_counter() - began
    return outcome


def _seconds(script: Script) -> float:
    """How long a script takes at most, but for packets that may come at any time."""
    total = 0
    for event in script.events:
        end = event.action.end if isinstance(event.action, SystemCall) else None
        latest = max(event.time.start, event.time.end or 0, end or 0)
        total = total + latest if event.time.relative else max(total, latest)
    return total / 1e6


def _question(text: str, name: str, folder: Path, settings: DrillSettings, longest: float) -> dict[str, Any]:
    return {
        "text": text,
        "name": name,
        "folder": str(folder),
        "longest": longest,
        "defines": dict(settings.defines),
        "flags": settings.flags,
        "run_shell": settings.run_shell,
        "cut_by_kernel": settings.cut_by_kernel,
    }


def _take(outcome: DrillOutcome, answer: dict[str, Any]) -> None:
    outcome.passed = answer["passed"]
    outcome.message, outcome.reason = answer["message"], answer["reason"]
    outcome.mistake = answer["mistake"]
    outcome.kernel = answer["kernel"]
    outcome.virtual = answer["lasted"]
    outcome.remarks = answer["remarks"]
    outcome.packets = [
        Packet(at, bytes.fromhex(octets), 0, tuple(said), Direction[direction])
        for at, octets, said, direction in answer["packets"]
    ]
