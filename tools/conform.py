"""Hold the emulator to the kernel of this machine, on random step traces. Needs root, and Linux 6.18.

    python tools/conform.py --count 50 --seed 1 [--family NAME] [--ipv6] [--jobs 16] [--keep DIR]
    python tools/conform.py --kernel 6.1 [--generation linux-6.1@debian] ...

With --kernel another one is booted (tcpemu kernel list), and asked all traces, one after the other; its generation is
judged. That needs qemu, and no root.

Each trace is answered by the kernel, in real time, and by the emulator, and judged at the phases of the kernel's clock
and the times of its log. Where they differ at all of them the kernel is asked again, four times: what it answers as the
emulator does but once proves nothing and does not count. At the end comes a table: how each family fared, and what
differs, by the rule that it looks like. The exit status is 1 if anything differs, 2 if the kernel cannot be asked.
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

from conform_doubt import Trace, cookie_clock, guess, late_step, steadily
from conform_families import FAMILIES, GROUPS, family_for, random_trace
from conform_ipv6 import over_ipv6

from tcpemu.generations import GENERATIONS
from tcpemu.kernel.booted_kernel import kernel_to_boot, run_booted, whats_missing_to_boot
from tcpemu.kernel.kernel_errors import KernelError, StepError
from tcpemu.kernel.run_trace import run as ask_kernel
from tcpemu.kernel.run_trace import whats_missing
from tcpemu.scenario.traces.judge import earliest_difference
from tcpemu.scenario.traces.phases import judge as ask_emulator

_MORE_ANSWERS = 4
"""How often the kernel is asked again where it differs: what it never answers as the emulator does is no chance."""
JUDGED_BY = "6.18"
"""The release whose answers the emulator's default generation is to give."""


class Outcome(Enum):
    SAME = "the same"
    AT_A_PHASE = "the same at a phase"
    DIFFERENT = "different"
    DOUBTFUL = "not judged"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one trace."""

    name: str
    outcome: Outcome
    words: str = ""
    rule: str = ""
    """What a difference looks like."""
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
    if why := cookie_clock(truth):
        return Finding(name, Outcome.DOUBTFUL, why)
    try:
        judged = ask_emulator(truth)
    except Exception as error:
        return Finding(
            name, Outcome.DIFFERENT, f"the emulator fails: {error!r}", "failure", {"kernel": truth}
        )
    if judged.same:
        return Finding(name, Outcome.SAME if judged.phase is None else Outcome.AT_A_PHASE)
    for _ in range(_MORE_ANSWERS):
        if ask_emulator(again := steadily(ask_kernel, trace)).same:
            itself = earliest_difference(truth, again) or "by so little that no time or packet shows it"
            return Finding(name, Outcome.DOUBTFUL, f"the kernel differs from itself: {itself}")
    assert judged.difference is not None
    answers = {"kernel": truth, "emulator": judged.answer}
    if why := late_step(truth):
        return Finding(name, Outcome.DOUBTFUL, f"{judged.difference}; but {why}", "", answers)
    return Finding(name, Outcome.DIFFERENT, str(judged.difference), judged.difference.rule, answers)


def examine_all(traces: list[Trace], jobs: int) -> Iterator[Finding]:
    """Side by side, as they mostly wait; findings in the order in which they come."""
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(examine, trace) for trace in traces]):
            yield done.result()


def examine_booted(traces: list[Trace], kernel: str, generation: str) -> Iterator[Finding]:
    """Boot that kernel for all traces; and once more, at other phases, for those where it differs."""
    by_name = {trace["name"]: trace for trace in traces}
    first = run_booted(kernel, by_name, seed=1)
    doubted = {}
    for name, truth in first.answered.items():
        judged = ask_emulator(truth, generation_name=generation)
        if judged.difference is None:
            same = Outcome.SAME if judged.phase is None else Outcome.AT_A_PHASE
            yield Finding(name, same, answers={"kernel": truth})
        else:
            doubted[name] = judged
    for name, mistake in first.mistakes.items():
        yield Finding(name, Outcome.DOUBTFUL, f"the kernel gives no answer: {mistake}")
    again = run_booted(kernel, {name: by_name[name] for name in doubted}, seed=2).answered if doubted else {}
    for name, judged in doubted.items():
        truth, other = first.answered[name], again.get(name)
        assert judged.difference is not None
        answers = {"kernel": truth, "emulator": judged.answer}
        if other is not None and ask_emulator(other, generation_name=generation).same:
            itself = earliest_difference(truth, other) or "by so little that no time or packet shows it"
            yield Finding(name, Outcome.DOUBTFUL, f"the kernel differs from itself: {itself}")
        elif why := late_step(truth) or guess(truth):
            yield Finding(name, Outcome.DOUBTFUL, f"{judged.difference}; but {why}", "", answers)
        else:
            words = str(judged.difference)
            yield Finding(name, Outcome.DIFFERENT, words, judged.difference.rule, answers)


def generation_of(kernel: str) -> str:
    """The generation that a booted kernel is to be: that of its release or version, as Debian builds it."""
    release = kernel_to_boot(kernel).release
    for name in (release, release.rpartition(".")[0]):
        if f"linux-{name}@debian" in GENERATIONS:
            return f"linux-{name}@debian"
    raise KernelError(f"no generation is that of {kernel!r}: name one with --generation")


def keep(finding: Finding, directory: Path) -> None:
    """Write the answers as DIRECTORY/kernel/NAME.json and DIRECTORY/emulator/NAME.json."""
    for who, answer in finding.answers.items():
        path = directory / who / f"{finding.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer) + "\n", encoding="utf-8")


def report(findings: Iterator[Finding], total: int, directory: Path | None) -> list[Finding]:
    """Print what differs as it is found, and how far things are."""
    found: list[Finding] = []
    for number, finding in enumerate(findings, 1):
        found.append(finding)
        if finding.outcome in (Outcome.DIFFERENT, Outcome.DOUBTFUL):
            print(f"{finding.name}: {finding.outcome.value}: {finding.words}", flush=True)
        if directory:
            keep(finding, directory)
        if sys.stderr.isatty() or number % 20 == 0:
            print(f"{number} of {total}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr)
    return found


def print_tables(findings: list[Finding]) -> None:
    """How each family fared; then what differs, the most frequent first, with an example."""
    families: dict[str, Counter[Outcome]] = {}
    rules: dict[str, list[str]] = {}
    for finding in findings:
        families.setdefault(finding.name.rpartition("_")[0], Counter())[finding.outcome] += 1
        if finding.outcome is Outcome.DIFFERENT:
            rules.setdefault(finding.rule, []).append(finding.name)
    total = Counter(finding.outcome for finding in findings)
    print(f"\n{'family':<22}{'same':>6}{'phase':>7}{'differ':>8}{'not judged':>12}{'consistent':>12}")
    for name, counts in [*sorted(families.items()), ("all", total)]:
        judged = counts.total() - counts[Outcome.DOUBTFUL]
        share = f"{1 - counts[Outcome.DIFFERENT] / judged:.1%}" if judged else "-"
        numbers = [
            counts[one] for one in (Outcome.SAME, Outcome.AT_A_PHASE, Outcome.DIFFERENT, Outcome.DOUBTFUL)
        ]
        print(f"{name:<22}{numbers[0]:>6}{numbers[1]:>7}{numbers[2]:>8}{numbers[3]:>12}{share:>12}")
    for rule, names in sorted(rules.items(), key=lambda entry: -len(entry[1])):
        print(f"{len(names):>4}  {rule}: {', '.join(names[:4])}{' ...' if len(names) > 4 else ''}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=50, help="how many traces (50)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; each trace adds one (1)")
    parser.add_argument("--family", choices=sorted(FAMILIES), help="only this family")
    parser.add_argument(
        "--group", choices=sorted(GROUPS), default="plain", help="only these families (plain)"
    )
    parser.add_argument("--ipv6", action="store_true", help="over IPv6, with dual-stack listeners")
    parser.add_argument("--jobs", type=int, default=16, help="how many at once (16)")
    parser.add_argument("--kernel", help="boot this kernel, and judge its generation")
    parser.add_argument("--generation", help="the generation that a booted kernel is to be")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write both answers of those that differ")
    return parser.parse_args()


def main() -> int:
    chosen = arguments()
    if missing := whats_missing_to_boot() if chosen.kernel else whats_missing():
        print(f"conform: {missing}", file=sys.stderr)
        return 2
    if not chosen.kernel and not os.uname().release.startswith(f"{JUDGED_BY}."):
        print(f"conform: this kernel is {os.uname().release}, not {JUDGED_BY}", file=sys.stderr)
    seeds = range(chosen.seed, chosen.seed + chosen.count)
    traces = [random_trace(chosen.family or family_for(seed, chosen.group), seed) for seed in seeds]
    if chosen.ipv6:
        traces = [over_ipv6(trace) for trace in traces]
    if chosen.kernel:
        try:
            asked = examine_booted(traces, chosen.kernel, chosen.generation or generation_of(chosen.kernel))
            findings = report(asked, len(traces), chosen.keep)
        except KernelError as error:
            print(f"conform: {error}", file=sys.stderr)
            return 2
    else:
        findings = report(examine_all(traces, chosen.jobs), len(traces), chosen.keep)
    print_tables(findings)
    return 1 if any(finding.outcome is Outcome.DIFFERENT for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
