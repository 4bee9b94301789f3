"""Drills on the real kernel go one at a time, also where several processes run the tests.

A queue that overflows makes the kernel write a line about SYN flooding to its console. On a serial one that takes 7 ms,
for which the processor does nothing else: more than a script that runs beside it may be late.
"""

import os
import tempfile
from pathlib import Path

import pytest

try:
    import fcntl
except ImportError:  # not on Windows, where there is no such kernel either
    fcntl = None

LOCK = Path(tempfile.gettempdir()) / f"tcpemu-tests-on-the-kernel-{os.getuid() if fcntl else 0}"
ON_THE_KERNEL = {"test_on_kernel", "test_on_both", "test_from_capture"}


@pytest.fixture(autouse=True)
def alone_on_the_kernel(request):
    if fcntl is None or request.path.stem not in ON_THE_KERNEL:
        yield
        return
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
