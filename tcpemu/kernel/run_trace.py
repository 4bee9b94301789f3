"""Step traces on the real kernel: `run(trace)` gives the trace with the kernel's answers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import tcpemu
from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError, StepError
from tcpemu.wire.relative_numbers import Trace

GRACE = 60
"""Seconds that a run may take beyond the trace's own."""
TOOLS = ("unshare", "ip", "ss")
"""Programs of util-linux and iproute2 that a run calls."""


def run(trace: Trace) -> Trace:
    """The trace with `kernel` and `log`, after as long as it says in `until`, in real time.

    Raises KernelUnavailableError where the kernel cannot be asked, StepError for a step that cannot be done,
    KernelError if anything else fails.
    """
    if missing := whats_missing():
        raise KernelUnavailableError(missing)
    answer = _ask_child(trace)
    if "mistake" in answer:
        raise StepError(f"{trace.get('name', 'trace')}: {answer['mistake']}")
    if "trouble" in answer:
        raise KernelError(f"{trace.get('name', 'trace')}: {answer['trouble']}")
    told: Trace = answer["answer"]
    return told


def whats_missing() -> str | None:
    """Why traces cannot be run on the kernel here, and what would help; None if they can."""
    if sys.platform != "linux":
        return "traces run on a real kernel only on Linux"
    if os.geteuid() != 0:
        return "the real kernel needs root for a network namespace and a TUN device: use sudo, or unshare -rn"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is missing or closed: load the module tun, or give the container that device"
    if absent := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"not in PATH: {', '.join(absent)}; install util-linux and iproute2"
    return None


def _ask_child(trace: Trace) -> dict[str, Any]:
    command = ["unshare", "--net", sys.executable, "-m", "tcpemu.kernel.worker"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(trace),
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=trace["until"] + GRACE,
        )
    except subprocess.TimeoutExpired as error:
        raise KernelError(f"no answer within {error.timeout} s; is the machine very busy?") from None
    if done.returncode != 0:
        raise KernelError(f"the child failed with status {done.returncode}: {done.stderr.strip()[-500:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _environment() -> dict[str, str]:
    """The child imports the package from where this process has it."""
    root = str(Path(tcpemu.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}
