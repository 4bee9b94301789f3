"""Programs on the loopback of this machine, each as on a host of its own: an address of 127.0.0.0/8 and a name.

The real counterpart of programs on emulated hosts, for comparison. Each is a process; `loopback_host.py` is loaded
into it first, so that names of hosts are known and a socket has its host's address.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

SETTLES = 1.0
"""Seconds that servers have after the last program that is none."""
_POLL = 0.02
HOSTS_VARIABLE = "TCPEMU_LOOPBACK_HOSTS"


@dataclass(frozen=True, slots=True)
class RealProgram:
    """A program on a host."""

    host: str
    program: str
    at: float
    """Seconds after the start."""


def run_on_loopback(programs: Sequence[RealProgram], until: float | None) -> int:
    """Run them until all but servers have ended, or for so many seconds; the status of the first that failed."""
    names = {one.host: f"127.{1 + number // 250}.0.{1 + number % 250}" for number, one in enumerate(programs)}
    started = time.monotonic()
    running: list[_Running] = []
    failed: list[int] = []
    try:
        for one in sorted(programs, key=lambda one: one.at):
            time.sleep(max(0.0, started + one.at - time.monotonic()))
            running.append(_Running(one, names))
            if len(running) == 1:
                time.sleep(SETTLES)  # the first is the server, as a rule: what follows finds it listening
        while not _over(running, failed, started, until):
            time.sleep(_POLL)
    finally:
        for each in running:
            each.stop()
    return failed[0] if failed else 0


class _Running:
    """A process, and the threads that pass on what it prints."""

    def __init__(self, program: RealProgram, names: dict[str, str]) -> None:
        environment = os.environ | {
            HOSTS_VARIABLE: json.dumps({"own": program.host, "names": names}),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "tcpemu.kernel.loopback_host", *shlex.split(program.program)]
        self.told = False
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._readers = [
            self._passing_on(program.host, self._process.stdout, sys.stdout),
            self._passing_on(program.host, self._process.stderr, sys.stderr),
        ]

    @staticmethod
    def _passing_on(host: str, stream: IO[str] | None, onward: IO[str]) -> threading.Thread:
        assert stream is not None

        def read() -> None:
            with stream:
                for text in stream:
                    onward.write(f"{host} | {text}" if text.endswith("\n") else f"{host} | {text}\n")
                    onward.flush()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def listens(self) -> bool:
        """Whether one of its sockets listens, as /proc tells."""
        return bool(_sockets_of(self._process.pid) & _listening_sockets())

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(SETTLES)


def _over(running: Sequence[_Running], failed: list[int], started: float, until: float | None) -> bool:
    for each in running:
        if each.status and not each.told:
            each.told = True
            failed.append(each.status)
    if until is not None:
        return time.monotonic() - started >= until or all(each.status is not None for each in running)
    left = [each for each in running if each.status is None]
    if all(each.listens() for each in left):
        time.sleep(SETTLES if left else 0)
        return True
    return False


def _sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        return found
    return found


def _listening_sockets() -> set[str]:
    """The inodes of all TCP sockets that listen."""
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in table][1:]
    return {row[9] for row in rows if row[3] == "0A"}
