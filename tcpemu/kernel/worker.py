"""The child of `run_trace.run`: reads a trace, plays it in the namespace it was born in, writes the answer."""

import json
import os
import sys
from contextlib import suppress
from typing import Any

from tcpemu.kernel.kernel_errors import KernelError, StepError
from tcpemu.kernel.player import play


def main() -> None:
    """Write `{"answer": trace}`, or `{"mistake": text}` for an impossible step, or `{"trouble": text}`."""
    told: dict[str, Any]
    trace = json.load(sys.stdin)
    come_first()
    try:
        told = {"answer": play(trace)}
    except StepError as error:
        told = {"mistake": str(error)}
    except (KernelError, OSError) as error:
        told = {"trouble": str(error)}
    json.dump(told, sys.stdout)


def come_first() -> None:
    """Before all ordinary programs of the machine, where that is allowed: a step that comes late is another step."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))


if __name__ == "__main__":
    main()
