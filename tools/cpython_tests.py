"""Run CPython's own tests of sockets, servers and asyncio on the emulated kernel.

    python tools/cpython_tests.py [--python PATH] [--all] [--sample] [--least SHARE] [MODULE ...]

The tests are those of the package `test` that the interpreter brings; none of them is copied here. Each runs as a
program on a host that is alone, so that 127.0.0.1 is that host's own TCP, in virtual time. What it needs and the
emulator does not have by design (UDP, AF_UNIX, IPv6, fork, files of the real machine, hosts of the internet) makes it
not applicable, with the reason; so does what CPython itself leaves out here. The last line gives the share: of the
tests that have made a call of the emulated TCP, or have failed, those that passed. The exit status is 1 where that is
less than `--least`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "test_socket",
    "test_socketserver",
    "test_timeout",
    "test_select",
    "test_poll",
    "test_epoll",
    "test_selectors",
    "test_asyncio.test_streams",
    "test_asyncio.test_sock_lowlevel",
    "test_asyncio.test_server",
    "test_asyncio.test_sendfile",
    "test_asyncio.test_buffered_proto",
    "test_asyncio.test_events",
    "test_asyncio.test_ssl",
    "test_asyncio.test_sslproto",
    "test_httplib",
    "test_httpservers",
    "test_urllib2_localnet",
    "test_robotparser",
    "test_xmlrpc",
    "test_docxmlrpc",
    "test_wsgiref",
    "test_ftplib",
    "test_poplib",
    "test_imaplib",
    "test_smtplib",
    "test_smtpd",
    "test_nntplib",
    "test_telnetlib",
    "test_asyncore",
    "test_asynchat",
    "test_ssl",
)
SAMPLE = ("test_socketserver", "test_asyncio.test_streams", "test_urllib2_localnet", "test_poll")
"""A fast part of them."""
LEAST = 90
"""Per cent."""
BEGINS = "0.123456 s"
"""When each test begins: no program finds a clock that has just begun."""
PATIENCE = 90
"""Seconds of real time that a test may take."""
PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
NOT_EMULATED = {
    "UDP": r"SOCK_DGRAM is not emulated",
    "AF_UNIX": r"AF_UNIX is not emulated|requires AF_UNIX|No UNIX Sockets|Unix sockets|UNIX Sockets|unix socket",
    "IPv6": r"AF_INET6 is not emulated|IPv6|::1|Address family for hostname not supported",
    "another family or kind of socket": r"(the address family|a socket of the kind|the protocol) \S+ is not emulated"
    r"|AF_(VSOCK|CAN|ALG|QIPCRTR|PACKET|TIPC|HYPERV|RDS)|CAN_ISOTP|CAN_|SCTP|[Bb]lue[t]ooth|UDPLITE|VM Sockets|vsock",
    "fork() and other processes": r"fork\(\) is not emulated|subprocess|os\.fork|multiprocessing",
    "files of the real machine": r"is a file of the real machine|is not of an emulated socket",
    "ancillary data": r"ancillary data is not emulated",
    "hosts of the internet": r"Resource .* is not available|pythontest\.net|python\.org|TIPC|gaierror.*example",
}
"""What makes a test not applicable, by the words of what stopped it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one test."""

    name: str
    outcome: str
    why: str = ""
    """The class of what makes it not applicable; the reason of a failure."""
    calls: int = 0
    """Calls of the emulated TCP that it made."""
    seconds: float = 0.0


# ----------------------------------------------------------------------------------- in one interpreter, one module


def run_module(name: str, done: Sequence[str], out: Any) -> None:
    """Run each test of a module that is not done yet; a line of JSON for each."""
    from tcpemu.testing import World

    with World(1) as world:
        tests = world.until(world.run(world.host("alone"), [tests_of, name]))
    for number, test in enumerate(tests):
        label = f"{number} {test.id()}"
        if label not in done:
            print(json.dumps(["begins", label]), file=out, flush=True)
            print(json.dumps(["ends", label, *judged(test)]), file=out, flush=True)


def tests_of(name: str) -> list[unittest.TestCase]:
    """The tests of a module, which is loaded on the host: what it asks of sockets meanwhile is answered there."""
    support: Any = importlib.import_module("test.support")
    socket_helper: Any = importlib.import_module("test.support.socket_helper")
    support.use_resources = ["network", "cpu", "walltime"]
    support.verbose = 0
    socket_helper._bind_nix_socket_error = OSError("AF_UNIX is not emulated")
    module = importlib.import_module(f"test.{name}")
    return list(flat(unittest.defaultTestLoader.loadTestsFromModule(module)))


def flat(suite: Any) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def judged(test: unittest.TestCase) -> tuple[str, str, int, float]:
    """Outcome, why, calls of the emulated TCP, seconds of real time."""
    from tcpemu.testing import StuckError, World

    began, calls = time.perf_counter(), 0
    try:
        with World(1) as world:
            program = world.run(world.host("alone"), [results_of, test], at=BEGINS)
            try:
                result = world.until(program)
            finally:
                calls = len(world.record.calls())
            outcome, why = outcome_of(result, program.process.refused)
    except (Exception, StuckError, SystemExit) as error:
        refused = [words for each in world.programs for words in each.process.refused]
        outcome, why = failure(f"{type(error).__name__}: {error}", refused)
    return outcome, why, calls, round(time.perf_counter() - began, 3)


def results_of(test: unittest.TestCase) -> unittest.TestResult:
    """Run it, with the set-up of its class and its module."""
    result = unittest.TestResult()
    unittest.TestSuite([test])(result)
    return result


def outcome_of(result: Any, refused: Sequence[str]) -> tuple[str, str]:
    told = [text for _, text in result.errors + result.failures]
    if told:
        return failure("\n".join(told), refused)
    if result.skipped:
        reason = result.skipped[0][1]
        return NOT_APPLICABLE, class_of(reason) or f"CPython leaves it out: {reason}"
    if result.unexpectedSuccesses:
        return FAILED, "it passed, and CPython expects that it does not"
    return (PASSED, "") if result.testsRun else (NOT_APPLICABLE, "CPython leaves it out")


def failure(told: str, refused: Sequence[str]) -> tuple[str, str]:
    """A failure is a test that does not apply where what it needs was refused as not emulated, by design."""
    last = next((line for line in reversed(told.strip().splitlines()) if line.strip()), "")
    why = class_of("\n".join(refused)) or class_of(last)
    return (NOT_APPLICABLE, why) if why else (FAILED, last.strip()[:300])


def class_of(words: str) -> str:
    return next((name for name, pattern in NOT_EMULATED.items() if re.search(pattern, words)), "")


# ----------------------------------------------------------------------------------- all modules


def findings_of(python: str, name: str) -> list[Finding]:
    """All tests of a module, each in the interpreter of that path; one that kills it, or blocks, is a failure."""
    found: dict[str, Finding] = {}
    while True:
        begun = one_process(python, name, found)
        if begun is None:
            return list(found.values())
        found[begun] = Finding(begun, FAILED, f"it ended the interpreter, or took more than {PATIENCE} s")


def one_process(python: str, name: str, found: dict[str, Finding]) -> str | None:
    """Run what is left of a module; the test at which the process came to its end too early."""
    command = [python, str(Path(__file__).resolve()), "--worker", name]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=place,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(list(found)) + "\n")
        process.stdin.close()
        begun: str | None = None
        for line in read_with_patience(process):
            kind, label, *rest = json.loads(line)
            begun = label if kind == "begins" else None
            if kind == "ends":
                found[label] = Finding(label, *rest)
        process.kill()
    return begun


def read_with_patience(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines that it prints; no more once it has been silent for too long."""
    import select

    assert process.stdout is not None
    number, rest = process.stdout.fileno(), b""
    while select.select([number], [], [], PATIENCE)[0]:
        octets = os.read(number, 65536)
        if not octets:
            return
        *lines, rest = (rest + octets).split(b"\n")
        yield from (line.decode() for line in lines)


def told(name: str, findings: Sequence[Finding], args: argparse.Namespace) -> None:
    """What is printed of a module."""
    counts = Counter(one.outcome for one in findings)
    took = sum(one.seconds for one in findings)
    print(
        f"{name:34}{counts[PASSED]:5} passed {counts[FAILED]:4} failed {counts[NOT_APPLICABLE]:4} not applicable"
        f"{took:8.1f} s"
    )
    for one in findings:
        if one.outcome == FAILED or (args.all and one.outcome == NOT_APPLICABLE):
            print(f"    {one.outcome}: {one.name.partition(' ')[2].removeprefix('test.')}: {one.why}")
    sys.stdout.flush()


def summary(findings: Sequence[Finding], python: str) -> float:
    """The classes of what is not applicable, and the share."""
    classes = Counter(one.why.partition(":")[0] for one in findings if one.outcome == NOT_APPLICABLE)
    print("\nnot applicable:")
    for name, number in classes.most_common():
        print(f"{number:6}  {name}")
    passed = [one for one in findings if one.outcome == PASSED]
    apply = [one for one in passed if one.calls]
    failed = [one for one in findings if one.outcome == FAILED]
    judged = len(apply) + len(failed)
    share = 100 * len(apply) / judged if judged else 0.0
    print(
        f"\n{len(findings)} tests of Python {version_of(python)}: {len(passed)} passed, {len(failed)} failed, "
        f"{len(findings) - len(passed) - len(failed)} not applicable"
    )
    print(f"of the {judged} that called the emulated TCP, or failed, {len(apply)} passed: {share:.1f} %")
    return share


def version_of(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


BROUGHT = """
import importlib.util, sys
for name in sys.argv[1:]:
    try:
        if importlib.util.find_spec("test." + name):
            print(name, file=sys.__stdout__)
    except Exception:
        pass  # of a package that is not there, or does not load
"""


def brought_by(python: str, names: Sequence[str]) -> list[str]:
    """Which of these modules of its tests the interpreter brings."""
    done = subprocess.run([python, "-c", BROUGHT, *names], capture_output=True, text=True, check=False)
    there = done.stdout.split()
    return [name for name in names if name in there]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help="as test_socket or test_asyncio.test_streams; all"
    )
    parser.add_argument(
        "--python", default=sys.executable, metavar="PATH", help="the interpreter, with its tests"
    )
    parser.add_argument("--sample", action="store_true", help=f"only {', '.join(SAMPLE)}")
    parser.add_argument("--all", action="store_true", help="name each test that is not applicable, too")
    parser.add_argument("--least", type=float, default=LEAST, metavar="SHARE", help=f"in per cent; {LEAST}")
    parser.add_argument("--worker", metavar="MODULE", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.worker:
        return work(args.worker)
    wanted = args.modules or (SAMPLE if args.sample else MODULES)
    there = brought_by(args.python, wanted)
    for name in wanted:
        if name not in there:
            print(f"{name:34}is not in this Python")
    if not there:
        print(f"{args.python} brings none of these tests; name an interpreter that does by --python")
        return 2
    findings: list[Finding] = []
    for name in there:
        found = findings_of(args.python, name)
        told(name, found, args)
        findings += found
    return 0 if summary(findings, args.python) >= args.least else 1


def work(name: str) -> int:
    """In the process of one module: what it prints goes nowhere, but for the findings."""
    done = json.loads(sys.stdin.readline())
    with os.fdopen(os.dup(1), "w") as out:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 0)
        run_module(name, done, out)
        out.flush()
        os._exit(0)  # whatever a test has left behind is not waited for


if __name__ == "__main__":
    sys.exit(main())
