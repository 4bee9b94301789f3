"""Congestion windows over time: of an emulated sender, and of this machine's kernel over the same path, in one picture.

    python tools/windows.py [-o windows.png] [--octets 12000000] [--round-trip 50] [--rate 20] [--queue 60]
                            [--every 10] [--control reno cubic ...]

The path is that of `goodput.py` (two namespaces, a relay between their TUN devices, or two emulated hosts), but nothing
is lost by chance: what is lost finds the queue full, so the saw-tooth is the congestion control's own. While the kernel
sends, `ss -ti` is asked in its namespace every so many milliseconds; the emulated sender's figures are recorded as they
change. Both count from connect().

For each congestion control it prints the mean window of both, the mean difference as a share of the kernel's, and the
correlation of the two, all over the time in which both send; and draws one above the other. The exit status is 1 if a
correlation is below --least (0 asks for none). It needs root, TUN devices and `ss`, and says what is missing.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path as File
from statistics import correlation, fmean

import _goodput_kernel as kernel
from _goodput_end import FIRST_PORT
from _goodput_ours import Path, transfer

from tcpemu.explain.plots.draw import drawn
from tcpemu.explain.plots.picture import Curve, Meaning, Panel, PanelBlock, Picture
from tcpemu.network import MILLISECOND, SECOND
from tcpemu.network.recorded.transfers import FiguresChanged

GRID = 0.01
"""Seconds between the moments at which the two are compared."""
_OF_SS = re.compile(r"10\.0\.0\.2:(\d+) .*?\bcwnd:(\d+)")


@dataclass(frozen=True, slots=True)
class Windows:
    """A sender's congestion window: seconds since connect(), and segments from then on."""

    points: list[tuple[float, int]]
    seconds: float
    """How long the transfer took."""

    def at(self, moment: float) -> int:
        """The window at that moment."""
        return next((cwnd for since, cwnd in reversed(self.points) if since <= moment), self.points[0][1])


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the emulated window is to the kernel's, over the time in which both send."""

    ours: float
    kernel: float
    """Mean windows, in segments."""
    difference: float
    """The mean distance between them, as a share of the kernel's mean."""
    correlation: float


def likeness(ours: Windows, theirs: Windows) -> Likeness:
    """Compared at every `GRID` seconds."""
    moments = [GRID * n for n in range(1, int(min(ours.seconds, theirs.seconds) / GRID))]
    one, other = ([windows.at(moment) for moment in moments] for windows in (ours, theirs))
    distance = fmean(abs(a - b) for a, b in zip(one, other, strict=True))
    return Likeness(fmean(one), fmean(other), distance / fmean(other), correlation(one, other))


def emulated(path: Path, control: str, octets: int) -> Windows:
    """The windows of the emulated sender."""
    watched: list[FiguresChanged] = []
    done = transfer(path, control, True, 1, octets, watched)
    begun = watched[0].at
    points = [((change.at - begun) / SECOND, change.figures.cwnd) for change in watched]
    return Windows(points, done.seconds)


def of_kernel(path: Path, controls: list[str], octets: int, every: float) -> list[Windows]:
    """The windows of the kernel's senders, one for each congestion control, all at once. Raises RelayError."""
    samples, late, done = kernel.Samples(every), list[float](), dict[int, float]()
    wanted = [(control, 1) for control in controls]
    for index, transferred in kernel.transfers(path, wanted, True, octets, late, samples):
        done[index] = transferred.seconds
    return [Windows(sampled(samples, index, done[index]), done[index]) for index in range(len(controls))]


def sampled(samples: kernel.Samples, index: int, seconds: float) -> list[tuple[float, int]]:
    """What `ss` said of the connection of that number while it sent."""
    found = []
    for at, told in samples.told:
        since = at - samples.began[index]
        for port, cwnd in _OF_SS.findall(told):
            if int(port) == FIRST_PORT + index and 0 <= since <= seconds:
                found.append((since, int(cwnd)))
    return found


def picture(controls: list[str], both: list[tuple[Windows, Windows]], note: str) -> Picture:
    """A panel for each congestion control, with both windows."""
    blocks = []
    for control, (ours, theirs) in zip(controls, both, strict=True):
        end = max(ours.seconds, theirs.seconds) * SECOND
        curves = (
            Curve(Meaning.ONE_OF_SEVERAL, "kernel of this machine (ss -ti)", _drawn(theirs)),
            Curve(Meaning.ONE_OF_SEVERAL, "emulated", _drawn(ours)),
        )
        blocks.append(PanelBlock(control, (Panel("congestion window\n(segments)", curves),), (0, end)))
    return Picture("Congestion windows beside a real kernel", note, tuple(blocks))


def _drawn(windows: Windows) -> tuple[tuple[float, float], ...]:
    points = [(since * SECOND, float(cwnd)) for since, cwnd in windows.points if since <= windows.seconds]
    return (*points, (windows.seconds * SECOND, points[-1][1]))


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    if (missing := kernel.why_not()) is not None:
        print(f"windows.py: the kernel cannot be asked: {missing}", file=sys.stderr)
        return 2
    if lacking := sorted(set(asked.control) - kernel.controls_here()):
        print(f"windows.py: this kernel has no {', '.join(lacking)}", file=sys.stderr)
        return 2
    path = Path(
        0.0, round(asked.round_trip * MILLISECOND / 2), round(asked.rate * 1e6), asked.queue, asked.queue
    )
    try:
        theirs = of_kernel(path, asked.control, asked.octets, asked.every / 1000)
    except kernel.RelayError as error:
        print(f"windows.py: {error}", file=sys.stderr)
        return 1
    both = [
        (emulated(path, control, asked.octets), one)
        for control, one in zip(asked.control, theirs, strict=True)
    ]
    way = f"{asked.round_trip:g} ms, {asked.rate:g} Mbit/s, a queue of {asked.queue}"
    note = f"{way}; ss asked every {asked.every:g} ms"
    asked.output.write_bytes(drawn(picture(asked.control, both, note), asked.output.suffix[1:]))
    print(
        f"{'':8} {'emulated':>9} {'kernel':>8} {'difference':>11} {'correlation':>12}   mean windows in segments"
    )
    told = [likeness(*pair) for pair in both]
    for control, one in zip(asked.control, told, strict=True):
        figures = f"{one.ours:9.1f} {one.kernel:8.1f} {one.difference:10.0%} {one.correlation:12.3f}"
        print(f"{control:8} {figures}")
    print(f"Written: {asked.output}")
    return int(any(one.correlation < asked.least for one in told))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-o", "--output", type=File, default=File("windows.png"), help=".png, .svg or .pdf")
    add("--octets", type=int, default=12_000_000, help="how much each transfer sends")
    add("--round-trip", type=float, default=50.0, help="milliseconds, both ways alike")
    add("--rate", type=float, default=20.0, help="Mbit/s")
    add("--queue", type=int, default=60, help="packets that wait for the rate")
    add("--every", type=float, default=10.0, help="milliseconds from one ss to the next")
    add("--control", nargs="+", default=["reno", "cubic"], help="congestion controls")
    add("--least", type=float, default=0.0, help="the correlation that is asked for")
    return parser


if __name__ == "__main__":
    sys.exit(main())
