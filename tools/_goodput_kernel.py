"""Transfers between two network namespaces of this machine's kernel, over a path that a relay makes.

Each namespace has a TUN device, which hands out the IP packets of that host and takes those for it; this process holds
both. It loses packets, has them wait for the rate and then for the delay, as `tcpemu.network` does: from the same
random streams, so the nth packet of a direction is lost on both sides if it is on one. A packet of a TUN device without
offloads is one segment of at most the MTU (1500): the kernel cuts its bursts before it hands them out, and does not
join what it is given.
"""

import contextlib
import heapq
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as File
from random import Random
from typing import Any

from _goodput_end import FIRST_PORT, ahead_of_others
from _goodput_ours import LONGEST, Path, Transfer, sysctls_for

from tcpemu.kernel.run_trace import whats_missing
from tcpemu.network import MILLISECOND, SECOND
from tcpemu.network.seeds import stream

_ENDS = ("client", "server")
_ROOM = 65536


class RelayError(Exception):
    """The transfers could not be done."""


def why_not() -> str | None:
    """Why the kernel cannot be asked here; None if it can."""
    return whats_missing()


def controls_here() -> frozenset[str]:
    """The congestion controls that this kernel has."""
    return frozenset(
        File("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text(encoding="ascii").split()
    )


@dataclass(slots=True)
class Way:
    """One direction of one transfer's path: `Loss`, `RateLimit` and `Delay` of tcpemu.network.links, by the clock."""

    path: Path
    random: Random
    leaving: deque[int] = field(default_factory=deque)

    def arrives(self, length: int, now: int) -> int | None:
        """When a packet of so many octets gets there; None for never."""
        if self.path.loss and self.random.random() < self.path.loss:
            return None
        while self.leaving and self.leaving[0] <= now:
            self.leaving.popleft()
        if len(self.leaving) >= self.path.queue:
            return None
        start = self.leaving[-1] if self.leaving else now
        self.leaving.append(start - (-length * 8 * SECOND // self.path.rate))
        return self.leaving[-1] + self.path.delay


class Relay:
    """Carries packets between the two devices."""

    def __init__(self, path: Path, seeds: list[int], devices: tuple[int, int]) -> None:
        self.devices = devices
        self.flying: list[tuple[int, int, int, bytes]] = []
        self.count = 0
        self.handed_on = self.late = 0
        """Packets handed on, and by how much all of them were late, in nanoseconds."""
        self.ways = [
            [Way(path, stream(seed, "link", a, b, 1, "loss")) for seed in seeds]
            for a, b in (_ENDS, _ENDS[::-1])
        ]

    def wait(self, others: list[int], longest: float) -> list[int]:
        """Carry on until one of the other descriptors can be read, or so many seconds have passed."""
        until = time.monotonic() + longest
        while (left := until - time.monotonic()) > 0:
            due = self.flying[0][0] / SECOND - time.monotonic() if self.flying else left
            ready, _, _ = select.select([*self.devices, *others], [], [], max(min(due, left), 0))
            for side, device in enumerate(self.devices):
                if device in ready:
                    self._take_up(side, device)
            self._hand_on()
            if told := [other for other in others if other in ready]:
                return told
        return []

    def _take_up(self, side: int, device: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(device, _ROOM)
                now = time.monotonic_ns()
                if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
                    continue
                header = (packet[0] & 15) * 4
                ports = packet[header : header + 2], packet[header + 2 : header + 4]
                index = int.from_bytes(ports[side]) - FIRST_PORT
                at = self.ways[side][index].arrives(len(packet), now)
                if at is not None:
                    self.count += 1
                    heapq.heappush(self.flying, (at, self.count, self.devices[1 - side], packet))

    def _hand_on(self) -> None:
        while self.flying and self.flying[0][0] <= (now := time.monotonic_ns()):
            at, _, device, packet = heapq.heappop(self.flying)
            self.handed_on += 1
            self.late += now - at
            os.write(device, packet)


@dataclass(slots=True)
class Samples:
    """How the senders stand, asked of the kernel by `ss -ti` while it sends."""

    every: float
    """Seconds."""
    began: dict[int, float] = field(default_factory=dict)
    """When each transfer began, by its number."""
    told: list[tuple[float, str]] = field(default_factory=list)
    """When it was asked, and what `ss` said of all connections."""


def transfers(
    path: Path,
    wanted: list[tuple[str, int]],
    sack: bool,
    octets: int,
    lateness: list[float],
    samples: Samples | None = None,
) -> Iterator[tuple[int, Transfer]]:
    """Do all of these at once, each (congestion control, seed) on a path of its own; which has ended, and how.

    The relay's mean lateness is added to `lateness`, in milliseconds. Raises RelayError.
    """
    every = samples.every if samples else 0.0
    with contextlib.ExitStack() as stack:
        ends = [_start(stack, name == "server", wanted, sack, octets, every) for name in _ENDS]
        devices = [socket.recv_fds(end.line, 3, 1)[1] for end in ends]
        if not all(devices):
            raise RelayError("a namespace with a TUN device could not be made")
        for (device,) in devices:
            stack.callback(os.close, device)
        for end in ends:
            end.line.recv(1)
        for end in ends:
            end.line.sendall(b"!")
        relay = Relay(path, [seed for _, seed in wanted], (devices[0][0], devices[1][0]))
        stack.enter_context(ahead_of_others())
        yield from _ended(relay, ends, len(wanted), samples)
        lateness.append(relay.late / max(relay.handed_on, 1) / MILLISECOND)


@dataclass(frozen=True, slots=True)
class _End:
    process: "subprocess.Popen[bytes]"
    line: socket.socket


def _start(
    stack: contextlib.ExitStack,
    serves: bool,
    wanted: list[tuple[str, int]],
    sack: bool,
    octets: int,
    sample: float,
) -> _End:
    ours, theirs = socket.socketpair()
    stack.enter_context(ours)
    process = subprocess.Popen(
        ["unshare", "--net", sys.executable, str(File(__file__).with_name("_goodput_end.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[theirs.fileno()],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stack.enter_context(process.stdout)
    stack.callback(process.wait)
    stack.callback(process.kill)
    task = {
        "serves": serves,
        "sysctls": sysctls_for(sack),
        "transfers": [{"control": control, "seed": seed} for control, seed in wanted],
        "octets": octets,
        "sample": sample,
        "give_to": theirs.fileno(),
    }
    process.stdin.write(json.dumps(task).encode())
    process.stdin.close()
    theirs.close()
    return _End(process, ours)


def _has_ended(process: "subprocess.Popen[bytes]", count: int) -> None:
    """An end has nothing more to say: it has done, or failed."""
    if process.wait():
        raise RelayError(
            f"{count} transfers have not ended: one end has failed, with status {process.returncode}"
        )


def _ended(
    relay: Relay, ends: list[_End], count: int, samples: Samples | None
) -> Iterator[tuple[int, Transfer]]:
    outputs = {end.process.stdout.fileno(): b"" for end in ends if end.process.stdout is not None}
    processes = {end.process.stdout.fileno(): end.process for end in ends if end.process.stdout is not None}
    began: dict[int, dict[str, Any]] = {}
    until = time.monotonic() + LONGEST
    while count:
        told = relay.wait(list(outputs), until - time.monotonic())
        if not told:
            raise RelayError(f"{count} transfers have not ended within {LONGEST} s")
        for output in told:
            read = os.read(output, _ROOM)
            if not read:
                _has_ended(processes[output], count)
                del outputs[output]
                continue
            *lines, outputs[output] = (outputs[output] + read).split(b"\n")
            for line in map(json.loads, lines):
                if "sampled" in line and samples is not None:
                    samples.told.append((line["sampled"], line["told"]))
                    continue
                if "began" in line:
                    began[line["index"]] = line
                    if samples is not None:
                        samples.began[line["index"]] = line["began"]
                    continue
                start = began[line["index"]]
                yield (
                    line["index"],
                    Transfer(line["ended"] - start["began"], line["digest"] == start["digest"]),
                )
                count -= 1
