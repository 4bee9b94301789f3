"""Processes that do runs for another."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import os, time
from multiprocessing import get_context
from concurrent.futures import ProcessPoolExecutor
from {module} import {begins}

pool = ProcessPoolExecutor(1, get_context("spawn"), {begins}, {given})
print(pool.submit(os.getpid).result(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the worker in /proc")
@pytest.mark.parametrize(
    ("module", "begins", "given"),
    [
        ("tcpemu.scenario.running.worker_process", "worker_begins", ()),
        ("tcpemu.lab.making.make_class", "_begin", (None,)),
    ],
)
def test_workers_end_with_a_parent_that_is_killed(module, begins, given):
    program = PARENT.format(module=module, begins=begins, given=given)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    worker = Path("/proc", parent.stdout.readline().strip(), "stat")
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while worker.exists() and worker.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)
