"""Make the golden captures in pcaps/ anew: one of each run of each built-in scenario.

usage: python tools/goldens.py [--check] [DIRECTORY]

They are byte-identical on every run. With --check nothing is written: what differs is named, and the exit
status is 1. After a change that is meant to change packets, make them anew and read the difference.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tcpemu.cli.run_command import chosen_runs, follow_if_few, paths_of, results_of, until_of, write_captures
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS

GOLDENS = Path(__file__).resolve().parent.parent / "pcaps"
SHORTER = {
    "accept-rate": "300 ms",
    "syn-flood": "1200 ms",
    "slow-start": "150 ms",
    "lost-retransmission": "220 ms",
    "loss-burst": "200 ms",
    "reno-cubic": "350 ms",
    "shared-bottleneck": "200 ms",
    "red-ecn": "230 ms",
}
"""Long runs that say all they have to say early, or enough of it for a capture that is kept."""


def make(directory: Path) -> list[Path]:
    """Write all captures into the directory; their paths."""
    paths: list[Path] = []
    for name in BUILT_IN_SCENARIOS:
        until = until_of(SHORTER.get(name))
        results = results_of(name, {}, None, until, follow_if_few(chosen_runs(name, {}, None)))
        places = paths_of(directory / f"{name}.pcapng", [result.name for result in results], name)
        written = write_captures(places, results, name, SeenBy.SERVER, comments=True)
        paths += [each.path for each in written]
    return paths


def differences(directory: Path, goldens: Path = GOLDENS) -> list[str]:
    """What in the directory is not as in the goldens."""
    made = {path.name: path.read_bytes() for path in directory.glob("*.pcapng")}
    kept = {path.name: path.read_bytes() for path in goldens.glob("*.pcapng")}
    found = [f"{name}: not among the goldens" for name in made.keys() - kept.keys()]
    found += [f"{name}: no scenario makes it any more" for name in kept.keys() - made.keys()]
    found += [f"{name}: differs" for name in made.keys() & kept.keys() if made[name] != kept[name]]
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the golden captures anew.")
    parser.add_argument("directory", nargs="?", type=Path, default=GOLDENS)
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    options = parser.parse_args()
    if not options.check:
        options.directory.mkdir(exist_ok=True)
        for path in make(options.directory):
            print(path.name)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch))
        found = differences(Path(scratch), options.directory)
    print("\n".join(found) or "every golden capture is the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
