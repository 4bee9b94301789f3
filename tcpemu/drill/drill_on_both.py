"""One script on the emulator and on this machine's kernel: what became of it, and where their packets differ."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tcpemu.drill.compared_packets import differences_of_packets
from tcpemu.drill.drill_on_kernel import KERNEL_FLAGS, run_text_on_kernel
from tcpemu.drill.drill_outcome import DrillOutcome
from tcpemu.drill.drill_reading import DrillSettings, read_drill
from tcpemu.drill.drill_run import run_text

_SHOWN = 40
"""Lines of differences; a connection that went another way differs in all that comes after."""
EMULATOR, KERNEL = "emulator", "kernel"


def run_text_on_both(
    text: str, name: str = "script", folder: Path | None = None, settings: DrillSettings | None = None
) -> DrillOutcome:
    """Run a script on both. It passes where it passes on each of them, and both send the same packets.

    Packets of each are in the outcome, those of the kernel on an interface of its own. KernelUnavailableError where
    the kernel cannot be asked, ConfigurationError for settings that cannot be.
    """
    began = time.perf_counter()
    settings = replace(settings or DrillSettings(), cut_by_kernel=True)
    emulated = run_text(text, name, folder, settings)
    if emulated.mistake:
        return emulated
    real = run_text_on_kernel(text, name, folder, settings)
    flags = read_drill(text, name, folder or Path.cwd(), settings, KERNEL_FLAGS, device=True).flags
    apart = differences_of_packets(emulated.packets, real.packets, flags)
    outcome = replace(
        emulated,
        passed=emulated.passed and real.passed and not apart,
        kernel=real.kernel,
        packets=[
            *emulated.packets,
            *(replace(packet, interface=1) for packet in real.packets),
        ],
        interfaces=(EMULATOR, KERNEL),
        remarks=[*emulated.remarks, *(each for each in real.remarks if each not in emulated.remarks)],
        took=time.perf_counter() - began,
    )
    outcome.reason = _reason(emulated, real, apart)
    outcome.message = "\n".join(_message(name, emulated, real, apart)) if not outcome.passed else ""
    return outcome


def _reason(emulated: DrillOutcome, real: DrillOutcome, apart: list[str]) -> str:
    words = [
        f"{who} failed: {outcome.reason}"
        for who, outcome in ((EMULATOR, emulated), (KERNEL, real))
        if not outcome.passed
    ]
    if apart:
        words.append("emulator and kernel send other packets")
    return "; ".join(words)


def _message(name: str, emulated: DrillOutcome, real: DrillOutcome, apart: list[str]) -> list[str]:
    states = " and ".join(
        f"{'passed' if outcome.passed else 'failed'} on the {who}"
        for who, outcome in ((EMULATOR, emulated), (KERNEL, real))
    )
    lines = [f"{name}: {states}; {'their packets differ' if apart else 'they send the same packets'}"]
    for who, outcome in ((EMULATOR, emulated), (KERNEL, real)):
        if not outcome.passed:
            first, *rest = outcome.message.split("\n")
            lines += [f"    {who}: {first}", *(f"    {line}" for line in rest)]
    lines += [f"    {line}" for line in apart[:_SHOWN]]
    if len(apart) > _SHOWN:
        lines.append(f"    ... and {len(apart) - _SHOWN} more")
    return lines
