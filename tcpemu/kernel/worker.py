"""The child of `run_trace.run`: reads a trace, plays it in the namespace it was born in, writes the answer."""

import json
import sys
from typing import Any

from tcpemu.kernel.kernel_errors import KernelError, StepError
from tcpemu.kernel.player import play


def main() -> None:
    """Write `{"answer": trace}`, or `{"mistake": text}` for an impossible step, or `{"trouble": text}`."""
    told: dict[str, Any]
    try:
        told = {"answer": play(json.load(sys.stdin))}
    except StepError as error:
        told = {"mistake": str(error)}
    except (KernelError, OSError) as error:
        told = {"trouble": str(error)}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
