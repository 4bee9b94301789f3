"""Run a suite of packetdrill scripts on the emulator, and say what passes by folder.

    python tools/packetdrill_suite.py PATH [-D NAME=VALUE ...] [-O NAME=VALUE ...] [--generation KERNEL] [--ipv6]

Each script that fails is listed with its line and why; the last line is `N passed, N failed`. Definitions that the
runners of the well-known suites make for IPv4 are made here too. Scripts whose name ends in `v6` are for IPv6 alone,
and run only with --ipv6, where those that end in `v4` do not.
"""

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from tcpemu.drill import DrillOutcome, DrillSettings, run_file, scripts_in
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
    outcomes = {script: run_file(script, settings) for script in scripts}
    tell(arguments.path, outcomes)
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


if __name__ == "__main__":
    sys.exit(main())
