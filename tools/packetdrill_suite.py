"""Run a suite of packetdrill scripts on the emulator, or on this machine's kernel, and say what passes by folder.

    python tools/packetdrill_suite.py PATH [-D NAME=VALUE ...] [-O NAME=VALUE ...] [--generation KERNEL] [--hz HZ]
        [--ipv6 | --mapped] [--kernel] [-j N] [--against TABLE]

On the emulator scripts are judged as packetdrill judges them: a packet may be 4 ms early or late, or an eighth of the
time since the event before, and an event takes a microsecond. Each is run with no tolerance too, and what passes by
tolerance alone is listed with what differs. With -O the options are those, and nothing is run twice.

Each script that fails is listed with its line and why; the last line is `N passed, N failed`. Definitions that the
runners of the well-known suites make are made here too. Scripts whose name ends in `v6` are for IPv6 alone, and run
only with --ipv6, where those that end in `v4` do not.

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
from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import ConfigurationError
from tcpemu.stack.base.timer_queue import WHEEL_RATES

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
MAPPED = IPV4 | {"CMSG_LEVEL_IP": "SOL_IPV6", "CMSG_TYPE_RECVERR": "IPV6_RECVERR"}
MAPPED_OPTIONS = (("ip_version", "ipv4-mapped-ipv6"),)
ACCURATE_ECN = "net.ipv4.tcp_ecn is '"
"""What is said of tcp_ecn where a script sets it to 3 or more."""
AS_PACKETDRILL = (("tolerance_usecs", "4000"), ("tolerance_percent", "12.5"), ("event_usecs", "1"))
EXACT = (("tolerance_usecs", "0"), ("tolerance_percent", "0"))
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
    outcomes = run_all(scripts, arguments, () if arguments.kernel else AS_PACKETDRILL)
    tell(arguments.path, outcomes)
    if not arguments.options and not arguments.kernel:
        tell_tolerated(arguments.path, outcomes, run_all(scripts, arguments, EXACT))
    if arguments.against is not None:
        tell_against(arguments.against, "ipv6" if arguments.ipv6 else "ipv4", outcomes)
    passed = sum(outcome.passed for outcome in outcomes.values())
    print(f"in {time.perf_counter() - began:.1f} s")
    print(f"{passed} passed, {len(outcomes) - passed} failed")
    return 0 if passed == len(outcomes) else 1


def run_all(
    scripts: list[Path], arguments: argparse.Namespace, tolerance: tuple[tuple[str, str], ...]
) -> dict[Path, DrillOutcome]:
    settings = settings_of(arguments, tolerance)
    run = partial(run_file, settings=settings, run=run_text_on_kernel if arguments.kernel else run_text)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        return dict(zip(scripts, pool.map(run, scripts), strict=True))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, help="a folder of .pkt files, or one of them")
    parser.add_argument("-D", dest="defines", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("-O", dest="options", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--generation", default=DEFAULT, metavar="KERNEL")
    parser.add_argument("--kernel", action="store_true", help="run on this machine's kernel; needs root")
    parser.add_argument("-j", dest="jobs", type=int, default=1, metavar="N", help="so many at a time")
    parser.add_argument("--against", type=Path, metavar="TABLE", help="another judge's answers")
    parser.add_argument(
        "--hz", type=int, choices=WHEEL_RATES, help="timers as late as with so many ticks a second"
    )
    family = parser.add_mutually_exclusive_group()
    family.add_argument("--ipv6", action="store_true", help="run over IPv6")
    family.add_argument("--mapped", action="store_true", help="run over IPv4 with sockets of IPv6")
    arguments = parser.parse_args()
    for option in (*arguments.defines, *arguments.options):
        if "=" not in option:
            parser.error(f"{option!r} has no value; write NAME=VALUE")
    try:
        generation(arguments.generation)
    except ConfigurationError as error:
        parser.error(str(error))
    return arguments


def settings_of(arguments: argparse.Namespace, tolerance: tuple[tuple[str, str], ...]) -> DrillSettings:
    defines = dict(IPV6 if arguments.ipv6 else MAPPED if arguments.mapped else IPV4)
    defines |= dict(define.split("=", 1) for define in arguments.defines)
    options = [tuple(option.split("=", 1)) for option in arguments.options] or tolerance
    family = IPV6_OPTIONS if arguments.ipv6 else MAPPED_OPTIONS if arguments.mapped else ()
    return DrillSettings(arguments.generation, defines, (*family, *options), arguments.hz)


def tell(root: Path, outcomes: dict[Path, DrillOutcome]) -> None:
    folders: dict[Path, list[DrillOutcome]] = defaultdict(list)
    for script, outcome in outcomes.items():
        folders[script.parent].append(outcome)
    for script, outcome in outcomes.items():
        if not outcome.passed:
            tell_failure(root, script, outcome)
    print()
    for folder, inside in sorted(folders.items()):
        passed = sum(outcome.passed for outcome in inside)
        name = folder.relative_to(root) if root.is_dir() else folder
        print(f"{passed:4} of {len(inside):3}  {name}")


def tell_failure(root: Path, script: Path, outcome: DrillOutcome) -> None:
    line = outcome.message.split("\n", 1)[0].removeprefix(f"{script}:").split(":")[0]
    name = script.relative_to(root) if root.is_dir() else script
    accurate = any(ACCURATE_ECN in remark for remark in outcome.remarks)
    print(
        f"{name}: line {line}: {outcome.reason}"
        + (" (it asks for Accurate ECN, which is not emulated)" if accurate else "")
    )


def tell_tolerated(root: Path, outcomes: dict[Path, DrillOutcome], exact: dict[Path, DrillOutcome]) -> None:
    """What passes by tolerance alone."""
    print(
        f"\nwith no tolerance {sum(outcome.passed for outcome in exact.values())} pass; by tolerance alone:"
    )
    for script, outcome in exact.items():
        if not outcome.passed and outcomes[script].passed:
            tell_failure(root, script, outcome)
    print()


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
