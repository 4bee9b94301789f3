"""How fast a file gets through a path that loses packets: between two emulated hosts, and on this machine's kernel.

    python tools/goodput.py [--octets 10000000] [--seeds 4] [--loss 0.01] [--round-trip 50] [--rate 20]
                            [--control reno ...] [--without-kernel]

Both have the same path: 1 % of the packets are lost in either direction, a round trip takes 50 ms, and packets wait for
20 Mbit/s in a queue of 100. The emulated hosts are in virtual time (`_goodput_ours.py`). The kernel's are two network
namespaces, each with a TUN device (MTU 1500); a relay in this process holds both devices, and delays and drops what
it carries in real time (`_goodput_kernel.py`), as this machine may have no netem. All transfers with SACK run at once
there, then those without, each over a path of its own. Which packets are lost is drawn from the same seeds on both
sides. dctcp has a path that marks packets too, from 20 in the queue on.

For each congestion control, with SACK and without, it prints the mean goodput in Mbit/s of both, and their ratio with
its standard error: where transfers go differently from seed to seed (bbr without SACK: by a third) a few of them tell
little, on the kernel too. The exit status is 1 if data was not intact, or the ratio is further from 1 than 15 % and two
such errors; 2 if the options are wrong. Where the kernel cannot be asked (root, a TUN device), or has no such
congestion control, it says so and prints what the emulator does.
"""

import argparse
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from math import hypot, sqrt
from statistics import fmean, stdev
from typing import Any

import _goodput_kernel as kernel
from _goodput_ours import Path, Transfer, transfer

from tcpemu.network import MILLISECOND
from tcpemu.stack.base.congestion_hooks import KINDS

WITHIN = 0.15
"""How far the emulator's goodput may be from the kernel's, as a share of that."""
_QUEUE, _MARK = 100, 20


@dataclass(slots=True)
class Row:
    """One congestion control, with SACK or without."""

    control: str
    sack: bool
    ours: list[Transfer] = field(default_factory=list)
    kernel: list[Transfer] = field(default_factory=list)

    def ratio(self, octets: int) -> float | None:
        """Ours by the kernel's; None where that was not asked."""
        if not self.kernel:
            return None
        return mean_goodput(self.ours, octets) / mean_goodput(self.kernel, octets)

    def ratio_error(self, octets: int) -> float:
        """The standard error of that ratio; 0 where a single transfer tells nothing of it."""
        both = (self.ours, self.kernel)
        return (self.ratio(octets) or 0) * hypot(*(relative_error(each, octets) for each in both))

    def falls_short(self, octets: int) -> bool:
        ratio = self.ratio(octets)
        intact = all(each.intact for each in (*self.ours, *self.kernel))
        allowed = WITHIN + 2 * self.ratio_error(octets)
        return not intact or (ratio is not None and abs(ratio - 1) > allowed)

    def line(self, octets: int) -> str:
        ratio = self.ratio(octets)
        theirs = "-" if ratio is None else f"{mean_goodput(self.kernel, octets):.2f}"
        told = "-" if ratio is None else f"{ratio:.2f} +- {self.ratio_error(octets):.2f}"
        words = ["not as it should be"] if self.falls_short(octets) else []
        if not all(each.intact for each in (*self.ours, *self.kernel)):
            words = ["the data is not intact"]
        return (
            f"{self.control:8} {'SACK' if self.sack else 'no SACK':8} {mean_goodput(self.ours, octets):8.2f} "
            f"{theirs:>8} {told:>12}  {' '.join(words)}"
        ).rstrip()


def mean_goodput(transfers: list[Transfer], octets: int) -> float:
    return fmean(each.goodput(octets) for each in transfers)


def relative_error(transfers: list[Transfer], octets: int) -> float:
    """The standard error of their mean goodput, as a share of it."""
    each = [one.goodput(octets) for one in transfers]
    return stdev(each) / sqrt(len(each)) / fmean(each) if len(each) > 1 else 0.0


def compare(
    path: Path, controls: list[str], seeds: int, octets: int, asks_kernel: bool, progress: bool = True
) -> list[Row]:
    """All transfers; the kernel's only where it has that congestion control."""
    rows = [Row(control, sack) for sack in (True, False) for control in controls]

    def say(row: Row, who: str, seed: int, done: Transfer) -> None:
        if progress:
            sack = "with SACK" if row.sack else "without SACK"
            words = f"{done.goodput(octets):.2f} Mbit/s in {done.seconds:.1f} s"
            print(f"{row.control} {sack}, seed {seed}, {who}: {words}", file=sys.stderr, flush=True)

    for row, seed in itertools.product(rows, range(1, seeds + 1)):
        row.ours.append(transfer(path, row.control, row.sack, seed, octets))
        say(row, "emulated", seed, row.ours[-1])
    late: list[float] = []
    for sack in (True, False) if asks_kernel else ():
        here = [row for row in rows if row.sack is sack and row.control in kernel.controls_here()]
        both = list(itertools.product(here, range(1, seeds + 1)))
        wanted = [(row.control, seed) for row, seed in both]
        for index, done in kernel.transfers(path, wanted, sack, octets, late) if wanted else ():
            row, seed = both[index]
            row.kernel.append(done)
            say(row, "kernel", seed, done)
    if progress and late:
        words = f"the relay was late by {max(late):.2f} ms a packet"
        print(f"{words}, which makes the kernel's round trip as much longer each way", file=sys.stderr)
    return rows


def table(rows: list[Row], octets: int) -> str:
    head = f"{'':17} {'emulated':>8} {'kernel':>8} {'ratio':>12}   Mbit/s, mean of {len(rows[0].ours)}"
    return "\n".join([head, *(row.line(octets) for row in rows)])


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    delay = round(asked.round_trip * MILLISECOND / 2)
    path = Path(asked.loss, delay, round(asked.rate * 1e6), _QUEUE, _MARK)
    missing = "as asked" if asked.without_kernel else kernel.why_not()
    if missing is not None:
        print(f"the kernel is left out: {missing}", file=sys.stderr)
    try:
        rows = compare(path, asked.control, asked.seeds, asked.octets, missing is None)
    except kernel.RelayError as error:
        print(f"goodput.py: {error}", file=sys.stderr)
        return 1
    print(table(rows, asked.octets))
    if missing is None:
        for control in sorted(set(asked.control) - kernel.controls_here()):
            print(f"This kernel has no {control}.")
    return int(any(row.falls_short(asked.octets) for row in rows))


def _parser() -> argparse.ArgumentParser:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--octets", type=_at_least(1, int), default=10_000_000, help="how much each transfer sends")
    add("--seeds", type=_at_least(1, int), default=4, help="how many transfers each mean is of")
    add("--loss", type=_share, default=0.01, help="share of packets lost in either direction")
    add("--round-trip", type=_at_least(0, float), default=50.0, help="milliseconds, both ways alike")
    add("--rate", type=_at_least(0.001, float), default=20.0, help="Mbit/s")
    add("--control", nargs="+", choices=KINDS, default=list(KINDS), help="congestion controls")
    add("--without-kernel", action="store_true", help="the emulator alone")
    return parser


def _at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"{text}: give {least} or more")
        return value

    parse.__name__ = "number"
    return parse


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a share from 0 to below 1, as 0.01 for 1 %")
    return value


if __name__ == "__main__":
    sys.exit(main())
