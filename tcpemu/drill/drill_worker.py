"""The child of `drill_on_kernel`: plays a script on the kernel of the namespace that it was born in.

It reads the script and what is asked for as JSON, and writes what became of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tcpemu.drill.drill_on_kernel import KERNEL_FLAGS
from tcpemu.drill.drill_outcome import DrillOutcome, told_failure
from tcpemu.drill.drill_reading import DrillSettings, ReadDrill, read_drill
from tcpemu.drill.on_kernel.kernel_flows import KernelFlows
from tcpemu.drill.on_kernel.kernel_player import KernelPlayer
from tcpemu.drill.on_kernel.kernel_shell import KernelShell
from tcpemu.drill.on_kernel.kernel_stage import KernelStage
from tcpemu.drill.on_kernel.kernel_world import KernelWorld
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_stage import BEGINNING
from tcpemu.kernel.tun_device import bring_up_between, open_device
from tcpemu.kernel.worker import come_first
from tcpemu.wire.segment import address

_SWITCH = 0.00005
"""Seconds that a thread may hold the interpreter: a call in a thread notes its time when it has it again."""


def main() -> None:
    """Write what became of the script; a descriptor or a thread that is left ends with the process."""
    question = json.load(sys.stdin)
    sys.setswitchinterval(_SWITCH)
    folder = Path(question["folder"])
    settings = DrillSettings(
        defines=question["defines"],
        flags=tuple((name, value) for name, value in question["flags"]),
        run_shell=question["run_shell"],
        cut_by_kernel=question["cut_by_kernel"],
    )
    read = read_drill(question["text"], question["name"], folder, settings, KERNEL_FLAGS, device=True)
    outcome = DrillOutcome(question["name"], True)
    with tempfile.TemporaryDirectory() as place:
        shell = KernelShell(read.acts, folder, f"{place}/nstat", settings.run_shell)
        _play(read, shell, outcome, int(question["longest"] * 1e9), settings.cut_by_kernel)
    json.dump(_answer(outcome), sys.stdout)
    sys.stdout.flush()
    os._exit(0)


def _play(read: ReadDrill, shell: KernelShell, outcome: DrillOutcome, longest: int, cut: bool) -> None:
    script, flags = read.script, read.flags
    device = open_device(offload=True, cuts=flags.strict_segments or not cut)
    bring_up_between(flags.local, flags.remote, flags.mtu)
    stage = KernelStage(device, flags.mss)
    flows = KernelFlows(address(flags.local), address(flags.remote), flags.bind_port)
    world = KernelWorld(stage, flags, flows, shell_files=shell.files)
    try:
        if script.before is not None:
            shell.run(script.before)
        # Not before: what comes first delays the scripts that run beside this one.
        come_first()
        stage.begin()
        KernelPlayer(script, world, shell.run, longest).play()
        outcome.virtual = stage.clock() - BEGINNING
        if script.after is not None:
            shell.run(script.after)
    except DrillFailure as failure:
        outcome.virtual = max(0, stage.clock() - BEGINNING)
        outcome.passed, outcome.reason = False, failure.words
        outcome.message = told_failure(script, failure)
    stage.hear()
    outcome.packets, outcome.remarks = stage.packets, shell.remarks


def _answer(outcome: DrillOutcome) -> dict[str, Any]:
    return {
        "kernel": os.uname().release,
        "passed": outcome.passed,
        "message": outcome.message,
        "reason": outcome.reason,
        "mistake": outcome.mistake,
        "lasted": outcome.virtual,
        "remarks": outcome.remarks,
        "packets": [
            (packet.at, packet.data.hex(), packet.comments, packet.direction.name)
            for packet in outcome.packets
        ],
    }


if __name__ == "__main__":
    main()
