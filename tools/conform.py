"""Hold the emulator to the kernel of this machine, on random step traces. Needs root, and Linux 6.18.

    python tools/conform.py --count 50 --seed 1 [--family NAME] [--jobs 16] [--keep DIR]

Each trace is answered by the kernel, in real time, and by the emulator, and judged. Where they differ the
kernel is asked again: if it does not agree with itself, the trace proves nothing and does not count. The exit
status is 1 if any other differs, 2 if the kernel cannot be asked.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from conform_doubt import Trace, doubt, guess, steadily
from conform_families import FAMILIES, family_for, random_trace

from tcpemu.kernel.kernel_errors import KernelError, StepError
from tcpemu.kernel.run_trace import run as ask_kernel
from tcpemu.kernel.run_trace import whats_missing
from tcpemu.scenario.traces.judge import difference
from tcpemu.scenario.traces.step_trace import run as ask_emulator

JUDGED_BY = "6.18"
"""The release whose answers the emulator's default generation is to give."""


class Outcome(Enum):
    SAME = "the same"
    DIFFERENT = "different"
    DOUBTFUL = "not judged"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one trace."""

    name: str
    outcome: Outcome
    words: str = ""
    answers: dict[str, Trace] = field(default_factory=dict)
    """Whose, and the answered trace."""


def examine(trace: Trace) -> Finding:
    """Ask both and judge."""
    try:
        return judge(trace)
    except (KernelError, StepError) as error:
        return Finding(trace["name"], Outcome.DOUBTFUL, f"the kernel gives no answer: {error}")


def judge(trace: Trace) -> Finding:
    name = trace["name"]
    truth = steadily(ask_kernel, trace)
    if why := doubt(truth):
        return Finding(name, Outcome.DOUBTFUL, why)
    try:
        candidate = ask_emulator(trace)
    except Exception as error:
        return Finding(name, Outcome.DIFFERENT, f"the emulator fails: {error!r}", {"kernel": truth})
    found = difference(truth, candidate)
    if found is None:
        return Finding(name, Outcome.SAME)
    if unsteady := difference(truth, steadily(ask_kernel, trace)):
        return Finding(name, Outcome.DOUBTFUL, f"the kernel differs from itself: {unsteady}")
    if why := guess(truth):
        return Finding(
            name, Outcome.DOUBTFUL, f"{found}; but {why}", {"kernel": truth, "emulator": candidate}
        )
    return Finding(name, Outcome.DIFFERENT, found, {"kernel": truth, "emulator": candidate})


def examine_all(traces: list[Trace], jobs: int) -> Iterator[Finding]:
    """Side by side, as they mostly wait; findings in the order in which they come."""
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(examine, trace) for trace in traces]):
            yield done.result()


def keep(finding: Finding, directory: Path) -> None:
    """Write the answers as DIRECTORY/kernel/NAME.json and DIRECTORY/emulator/NAME.json."""
    for who, answer in finding.answers.items():
        path = directory / who / f"{finding.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer) + "\n", encoding="utf-8")


def report(findings: Iterator[Finding], total: int, directory: Path | None) -> Counter[Outcome]:
    """Print what differs as it is found, and how far things are."""
    counts: Counter[Outcome] = Counter()
    for number, finding in enumerate(findings, 1):
        counts[finding.outcome] += 1
        if finding.outcome is not Outcome.SAME:
            print(f"{finding.name}: {finding.outcome.value}: {finding.words}", flush=True)
        if directory:
            keep(finding, directory)
        if sys.stderr.isatty() or number % 20 == 0:
            print(f"{number} of {total}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr)
    return counts


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=50, help="how many traces (50)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; each trace adds one (1)")
    parser.add_argument("--family", choices=sorted(FAMILIES), help="only this family")
    parser.add_argument("--jobs", type=int, default=16, help="how many at once (16)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write both answers of those that differ")
    return parser.parse_args()


def main() -> int:
    chosen = arguments()
    if missing := whats_missing():
        print(f"conform: {missing}", file=sys.stderr)
        return 2
    if not os.uname().release.startswith(f"{JUDGED_BY}."):
        print(f"conform: this kernel is {os.uname().release}, not {JUDGED_BY}", file=sys.stderr)
    seeds = range(chosen.seed, chosen.seed + chosen.count)
    traces = [random_trace(chosen.family or family_for(seed), seed) for seed in seeds]
    counts = report(examine_all(traces, chosen.jobs), len(traces), chosen.keep)
    print(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome))
    return 1 if counts[Outcome.DIFFERENT] else 0


if __name__ == "__main__":
    sys.exit(main())
