"""Builds of the core beside each other, each in an interpreter of its own: what each does in a second of CPU.

    python tools/_bench_builds.py SCALE [--core]

prints what the build does that this interpreter has, as JSON; with --core without scenarios, which PyPy cannot load.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import _bench_speed as speed
from _bench_bulk import bulk_rate, echo_pair_rate

from tcpemu.version import build

_LOST, _QUEUE, _CLIENTS = 50, 100, 5000
_OBJECTS, _OCTETS = "handshakes /s, segments in and out", "handshakes /s, octets in and out"
_ECHO, _ECHO_OCTETS = "echo, segments /s", "echo in octets, segments /s"
_PAIR, _PAIR_LOSS = "echo, both ends, segments /s", f"echo, both ends, every {_LOST}th lost, segments /s"
_BULK, _BULK_LOSS = "bulk, both ends, segments /s", f"bulk, every {_LOST}th lost, segments /s"
_BULK_QUEUE = f"bulk, a queue of {_QUEUE}, segments /s"
TARGETS = {_OBJECTS: 2.5, _OCTETS: 2.5, _ECHO: 4, _ECHO_OCTETS: 4, _BULK: 4, _BULK_LOSS: 4}
"""How many times plain Python the compiled core has to be; what has no target is measured and shown."""
LEAST = {_OCTETS: 100_000, _OBJECTS: 150_000, _BULK: 90_000}
"""How much the compiled core has to do in a second of a quiet core."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work done by two builds, in a second."""

    plain: float
    other: float

    @property
    def times(self) -> float:
        return self.other / self.plain


def compared(plain: Path, other: Path, scale: float) -> dict[str, Pair]:
    """Every kind of work by both, one after the other."""
    first, second = rates_of(plain, "plain Python", scale), rates_of(other, "compiled", scale)
    return {name: Pair(each, second[name]) for name, each in first.items()}


def rates_of(python: Path, wanted: str, scale: float, *, core: bool = False) -> dict[str, float]:
    """What the build does that this interpreter has; of the core alone, where that is asked for."""
    command = [str(python), __file__, str(scale), *(["--core"] if core else [])]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if told["build"] != wanted:
        raise SystemExit(f"{python} has {told['build']} where {wanted} is to be measured")
    rates: dict[str, float] = told["rates"]
    return rates


def rates(scale: float) -> dict[str, float]:
    """Each kind of work of the core, and how much of it a second."""
    count = max(int(3000 * scale), 100)
    octets = int(20_000_000 * scale)
    work: dict[str, Callable[[], float]] = {
        _OBJECTS: lambda: count / speed.objects(count),
        _OCTETS: lambda: count / speed.octets(count),
        _ECHO: lambda: speed.echo_rate(count, as_octets=False),
        _ECHO_OCTETS: lambda: speed.echo_rate(count, as_octets=True),
        _PAIR: lambda: echo_pair_rate(count),
        _PAIR_LOSS: lambda: echo_pair_rate(count, _LOST),
        _BULK: lambda: bulk_rate(octets),
        _BULK_LOSS: lambda: bulk_rate(octets // 2, _LOST),
        _BULK_QUEUE: lambda: bulk_rate(octets // 2, queue=_QUEUE),
    }
    speed.octets(100)  # what is met first costs more
    return {name: one() for name, one in work.items()}


def end_to_end_rates(scale: float) -> dict[str, float]:
    """Packets of a long run a second, in each way of telling it."""
    from _bench_end_to_end import costs  # PyPy cannot load it

    return {f"{name}, packets /s": 1e6 / each for name, each in costs(max(int(_CLIENTS * scale), 20)).items()}


if __name__ == "__main__":
    size = float(sys.argv[1])
    found = rates(size) | ({} if "--core" in sys.argv else end_to_end_rates(size))
    print(json.dumps({"build": build(), "rates": found}))
