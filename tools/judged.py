"""Count how many of a kernel's answers its generation gives, and keep the count for the reference.

    python tools/judged.py linux-6.1@debian ANSWERS... [--keep]

ANSWERS are directories of step traces that `tcpemu kernel run`, or `tools/conform.py --kernel K --keep DIR`, has had
answered by that kernel. Each is judged at the phases of the kernel's clock. With --keep the count goes to
tools/judged.json, from which `python tools/reference.py` makes the table in docs/reference/judged.md.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tcpemu.generations import GENERATIONS, generation
from tcpemu.scenario.traces.phases import judge

KEPT = Path(__file__).resolve().parent / "judged.json"

READ: dict[str, str] = {
    "linux-1.2": "1.2.13",
    "linux-2.0": "2.0.40",
    "linux-2.2": "2.2.1",
    "linux-2.4": "2.4.22",
    "linux-2.6.32": "2.6.32.2",
    "linux-3.0": "3.0.27",
    "linux-3.10": "3.10.65",
    "linux-4.10": "4.10.1",
    "linux-4.19": "4.19",
    "bsd-4.4": "4.4BSD",
    "freebsd-14": "FreeBSD 13.0, and the cache of half-open connections of 14",
    "macos-15": "XNU 11417",
    "solaris": "illumos",
}
"""Whose sources were read, where no kernel was asked."""


@dataclass(slots=True)
class Judged:
    """How a generation fared."""

    kernel: str
    """The release that answered."""
    traces: int = 0
    same: int = 0
    differs: dict[str, int] = field(default_factory=dict)
    """What differs, by the rule that it looks like."""


def judged(name: str, truths: Iterator[tuple[str, dict[str, object]]]) -> Judged:
    """Judge the generation of that name by answered traces; says on the way what differs."""
    found, rules = Judged(""), Counter[str]()
    for trace, truth in truths:
        found.kernel = GENERATIONS[name].release or str(truth.get("kernel", ""))
        found.traces += 1
        verdict = judge(truth, generation_name=name)
        if verdict.difference is None:
            found.same += 1
            continue
        print(f"{trace}: {verdict}")
        rules[verdict.difference.rule] += 1
    found.differs = dict(rules.most_common())
    return found


def kept() -> dict[str, Judged]:
    """What was counted, by the generation's name, a distribution's too."""
    if not KEPT.exists():
        return {}
    return {name: Judged(**each) for name, each in json.loads(KEPT.read_text(encoding="utf-8")).items()}


def rows() -> Iterator[tuple[str, ...]]:
    """A row for each generation: judged by a kernel, by sources, or from memory."""
    counted = kept()
    for name in GENERATIONS:
        own = {each: one for each, one in counted.items() if each.partition("@")[0] == name}
        for each, one in own.items():
            differs = "; ".join(f"{count} x {rule}" for rule, count in one.differs.items())
            share = f"{one.same} ({one.same / one.traces:.1%})"
            yield f"`{each}`", f"a kernel: {one.kernel}", str(one.traces), share, differs
        if not own and name in READ:
            yield f"`{name}`", f"sources: {READ[name]}", "", "", ""
        elif not own:
            release = GENERATIONS[name].release
            by = f"what others found of {release}" if release else "memory and documents"
            yield f"`{name}`", by, "", "", ""


def _truths(places: list[Path]) -> Iterator[tuple[str, dict[str, object]]]:
    for place in places:
        for path in sorted(place.glob("*.json")):
            yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("generation", help="whose answers these should be, as linux-6.1@debian")
    parser.add_argument("answers", nargs="+", type=Path, help="directories of answered traces")
    parser.add_argument("--keep", action="store_true", help="write the count to tools/judged.json")
    chosen = parser.parse_args()
    name = generation(chosen.generation).name
    found = judged(name, _truths(chosen.answers))
    print(f"{found.same} of {found.traces} the same")
    if chosen.keep:
        counted = {each: asdict(one) for each, one in (kept() | {name: found}).items()}
        KEPT.write_text(json.dumps(dict(sorted(counted.items())), indent=1) + "\n", encoding="utf-8")
    return 1 if found.same < found.traces else 0


if __name__ == "__main__":
    sys.exit(main())
