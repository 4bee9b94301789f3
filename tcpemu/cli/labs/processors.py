"""How many processes it makes sense to run at a time."""

import os


def processors() -> int:
    """Processors that this process may use; 1 or more."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
