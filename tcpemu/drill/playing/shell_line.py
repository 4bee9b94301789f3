"""A command of a script, run by a shell: only where the user has asked for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tcpemu.drill.language.drill_script import Command
from tcpemu.drill.playing.drill_failure import DrillFailure

_LINES_KEPT = 20
PATIENCE = 120
"""Seconds that a command may take."""


def run_by_shell(command: Command, folder: Path, variables: Mapping[str, str] | None = None) -> None:
    """Run it in the script's folder. DrillFailure where it ends with another status than 0, or does not end."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command.line],
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise DrillFailure(command.place, f"the command has not ended after {PATIENCE} s") from None
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").splitlines()[-_LINES_KEPT:]
        raise DrillFailure(command.place, f"the command ends with status {done.returncode}", tuple(said))
