"""Step traces on the real kernel: `run(trace)` gives the trace with the kernel's answers."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
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
    answer = ask_child("tcpemu.kernel.worker", trace, trace["until"] + GRACE)
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


def ask_child(module: str, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """What a module of the package, run in a network namespace of its own, answers: JSON in and out.

    KernelError where it gives no answer within these seconds. Nothing that it has started is left then.
    """
    with subprocess.Popen(
        ["unshare", "--net", sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        text=True,
        start_new_session=True,
    ) as child:
        try:
            told, complaint = child.communicate(json.dumps(question), seconds)
        except subprocess.TimeoutExpired:
            raise KernelError(f"no answer within {seconds:.0f} s; is the machine very busy?") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode != 0:
        raise KernelError(f"the child failed with status {child.returncode}: {complaint.strip()[-500:]}")
    answer: dict[str, Any] = json.loads(told)
    return answer


def _environment() -> dict[str, str]:
    """The child imports the package from where this process has it."""
    root = str(Path(tcpemu.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}
