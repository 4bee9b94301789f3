"""Builds of the core beside each other, each in an interpreter of its own: what each does in a second of CPU.

    python tools/_bench_builds.py SCALE

prints what the build does that this interpreter has, as JSON.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import _bench_speed as speed
from _bench_bulk import bulk_rate

from tcpemu.version import build

_LOST = 50
_OBJECTS, _OCTETS = "handshakes /s, segments in and out", "handshakes /s, octets in and out"
_ECHO, _ECHO_OCTETS = "echo, segments /s", "echo in octets, segments /s"
_BULK, _BULK_LOSS = "bulk, both ends, segments /s", f"bulk, every {_LOST}th lost, segments /s"
TARGETS = {_OBJECTS: 2.5, _OCTETS: 2.5, _ECHO: 4, _ECHO_OCTETS: 4, _BULK: 4, _BULK_LOSS: 4}
"""How many times plain Python the compiled core has to be."""


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
    first, second = _rates_of(plain, "plain Python", scale), _rates_of(other, "compiled", scale)
    return {name: Pair(first[name], second[name]) for name in TARGETS}


def _rates_of(python: Path, wanted: str, scale: float) -> dict[str, float]:
    command = [str(python), __file__, str(scale)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if told["build"] != wanted:
        raise SystemExit(f"{python} has {told['build']} where {wanted} is to be measured")
    rates: dict[str, float] = told["rates"]
    return rates


def rates(scale: float) -> dict[str, float]:
    """Each kind of work, and how much of it a second."""
    count = max(int(3000 * scale), 100)
    octets = int(20_000_000 * scale)
    work: dict[str, Callable[[], float]] = {
        _OBJECTS: lambda: count / speed.objects(count),
        _OCTETS: lambda: count / speed.octets(count),
        _ECHO: lambda: speed.echo_rate(count, as_octets=False),
        _ECHO_OCTETS: lambda: speed.echo_rate(count, as_octets=True),
        _BULK: lambda: bulk_rate(octets),
        _BULK_LOSS: lambda: bulk_rate(octets // 2, _LOST),
    }
    speed.octets(100)  # what is met first costs more
    return {name: one() for name, one in work.items()}


if __name__ == "__main__":
    print(json.dumps({"build": build(), "rates": rates(float(sys.argv[1]))}))
