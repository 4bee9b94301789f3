"""Processes that do runs for another: how many make sense, and how each begins."""

import multiprocessing
import os
import signal
import threading


def usual_jobs() -> int:
    """As many processes as this one may use processors."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_begins() -> None:
    """A worker leaves Ctrl-C to the process that has the results, and ends with it, should that be killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="tcpemu parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
