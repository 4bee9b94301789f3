"""Runs without the garbage collector.

What a run keeps is kept to its end, and what it lets go is freed at once: nothing of it refers to itself. The collector
would look at millions of events again and again (45 % of the time of a long run) and find nothing.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_off() -> Iterator[None]:
    """The collector rests while the block runs, and is as before afterwards."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
