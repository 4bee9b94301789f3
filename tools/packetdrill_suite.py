"""Run a suite of packetdrill scripts on the emulator, or on this machine's kernel, and say what passes by folder.

    python tools/packetdrill_suite.py PATH [-D NAME=VALUE ...] [-O NAME=VALUE ...] [--generation KERNEL] [--ipv6]
        [--kernel] [-j N] [--against TABLE]

Each script that fails is listed with its line and why; the last line is `N passed, N failed`. Definitions that the
runners of the well-known suites make for IPv4 are made here too. Scripts whose name ends in `v6` are for IPv6 alone,
and run only with --ipv6, where those that end in `v4` do not.

`--against` lays it beside another judge's answers: a table with tabs, whose heads have `script`, a path whose end says
which, and `ipv4` or `ipv6`, which is `pass` where it passes.
"""

import argparse
import csv
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tcpemu.drill import DrillOutcome, DrillSettings, run_file, run_text, run_text_on_kernel, scripts_in
from tcpemu.generations import DEFAULT

IPV4 = {
    "TFO_COOKIE": "3021b9d889017eeb",
    "TFO_COOKIE_ZERO": "b7c12350a90dc8f5",
    "CODE": "host_unreachable",
    "CMSG_LEVEL_IP": "SOL_IP",
    "CMSG_TYPE_RECVERR": "IP_RECVERR",
}
IPV6 = {
    "TFO_COOKIE": "c1d1e9742a47a9bc",
    "TFO_COOKIE_ZERO": "82af1a8f9a205c34",
    "CMSG_LEVEL_IP": "SOL_IPV6",
    "CMSG_TYPE_RECVERR": "IPV6_RECVERR",
}
IPV6_OPTIONS = (
    ("ip_version", "ipv6"),
    ("mtu", "1520"),
    ("local_ip", "fd3d:0a0b:17d6::1"),
    ("remote_ip", "fd3d:fa7b:d17d::1"),
)


def main() -> int:
    arguments = parsed()
    began = time.perf_counter()
    unfit = "v4" if arguments.ipv6 else "v6"
    scripts = [path for path in scripts_in([arguments.path]) if not path.stem.endswith(unfit)]
    settings = settings_of(arguments)
    run = partial(run_file, settings=settings, run=run_text_on_kernel if arguments.kernel else run_text)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = dict(zip(scripts, pool.map(run, scripts), strict=True))
    tell(arguments.path, outcomes)
    if arguments.against is not None:
        tell_against(arguments.against, "ipv6" if arguments.ipv6 else "ipv4", outcomes)
    passed = sum(outcome.passed for outcome in outcomes.values())
    print(f"in {time.perf_counter() - began:.1f} s")
    print(f"{passed} passed, {len(outcomes) - passed} failed")
    return 0 if passed == len(outcomes) else 1


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, help="a folder of .pkt files, or one of them")
    parser.add_argument("-D", dest="defines", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("-O", dest="options", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--generation", default=DEFAULT, metavar="KERNEL")
    parser.add_argument("--ipv6", action="store_true", help="run over IPv6")
    parser.add_argument("--kernel", action="store_true", help="run on this machine's kernel; needs root")
    parser.add_argument("-j", dest="jobs", type=int, default=1, metavar="N", help="so many at a time")
    parser.add_argument("--against", type=Path, metavar="TABLE", help="another judge's answers")
    return parser.parse_args()


def settings_of(arguments: argparse.Namespace) -> DrillSettings:
    defines = dict(IPV6 if arguments.ipv6 else IPV4)
    defines |= dict(define.split("=", 1) for define in arguments.defines)
    options = [tuple(option.split("=", 1)) for option in arguments.options]
    flags = (*(IPV6_OPTIONS if arguments.ipv6 else ()), *options)
    return DrillSettings(arguments.generation, defines, flags)


def tell(root: Path, outcomes: dict[Path, DrillOutcome]) -> None:
    folders: dict[Path, list[DrillOutcome]] = defaultdict(list)
    for script, outcome in outcomes.items():
        folders[script.parent].append(outcome)
    for script, outcome in outcomes.items():
        if not outcome.passed:
            line = outcome.message.split("\n", 1)[0].removeprefix(f"{script}:").split(":")[0]
            name = script.relative_to(root) if root.is_dir() else script
            print(f"{name}: line {line}: {outcome.reason}")
    print()
    for folder, inside in sorted(folders.items()):
        passed = sum(outcome.passed for outcome in inside)
        name = folder.relative_to(root) if root.is_dir() else folder
        print(f"{passed:4} of {len(inside):3}  {name}")


def tell_against(table: Path, column: str, outcomes: dict[Path, DrillOutcome]) -> None:
    """Where the other judge has another answer, and how often it has the same."""
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    judged = {row["script"]: row[column] for row in csv.DictReader(lines, delimiter="\t")}
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    print()
    for script, outcome in outcomes.items():
        word = next((word for name, word in judged.items() if str(script).endswith(f"/{name}")), "unknown")
        counts[word, outcome.passed] += 1
        if (word == "pass") != outcome.passed and word != "unknown":
            print(f"{script.name}: {word} there, {'passed' if outcome.passed else 'failed'} here")
    for (word, passed), number in sorted(counts.items()):
        print(f"{number:4} {word} there, {'passed' if passed else 'failed'} here")


if __name__ == "__main__":
    sys.exit(main())
