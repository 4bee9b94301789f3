"""What a command costs from end to end: a packet of a long run, in each way of telling it; and its start.

    python tools/_bench_end_to_end.py COUNT

prints the microseconds of CPU for a packet of COUNT connections, and the octets that a packet takes, as JSON. The
garbage collector rests, as it does for a command.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TypeVar

from tcpemu.cli import run_command
from tcpemu.explain.as_json import json_text
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.report.report_data import run_data
from tcpemu.explain.report.report_page import Page, page_of
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.explain.run_overview import overview_lines
from tcpemu.explain.told_run import heading_of
from tcpemu.scenario.format.load_scenario import Run, from_document, runs
from tcpemu.scenario.running import build
from tcpemu.scenario.running.result import Result
from tcpemu.version import build as which_build

T = TypeVar("T")

CROWD = """title = "A crowd: each reads the time and closes"
duration = "{milliseconds} ms"

[server]
backlog = 1000
answer = "time"
then = "close"

[[clients]]
name = "crowd"
count = {count}
start = {{ every = "1 ms" }}
do = ["connect", "read_to_end", "close"]
"""
"""The scenario of docs/a-long-run.md."""

RUN, LADDER, CAPTURE, PLAIN, JSON, REPORT = "run", "ladder", "capture", "plain capture", "JSON", "report"
MEMORY = "memory"
_REPORTED = 2000
"""Connections of the run of which a page is made: it holds every packet, and is for people."""


def scenario(count: int) -> Run:
    """So many clients, a millisecond apart; each reads the time and closes."""
    document = tomllib.loads(CROWD.format(milliseconds=count + 2000, count=count))
    (one,) = runs(from_document(document))
    return one


def costs(count: int) -> dict[str, float]:
    """Microseconds of CPU for a packet in each way of telling it; the run itself first."""
    gc.disable()
    try:
        build.run(scenario(20))  # what is met first costs more
        one = scenario(count)
        seconds, result = _timed(lambda: build.run(one))
        packets = result.record.packets_sent
        found = {RUN: seconds / packets}
        for name, tell in _tellings(result).items():
            found[name] = _timed(tell)[0] / packets
        found[REPORT] = _report(scenario(min(count, _REPORTED)))
    finally:
        gc.enable()
    return {name: each * 1e6 for name, each in found.items()}


def _tellings(result: Result) -> dict[str, Callable[[], object]]:
    return {
        LADDER: lambda: lines_text(overview_lines(run_command._run("crowd", result), 100)),
        CAPTURE: lambda: _capture(result, comments=True),
        PLAIN: lambda: _capture(result, comments=False),
        JSON: lambda: sum(map(len, json_text("crowd", [result]))),
    }


def _capture(result: Result, *, comments: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "crowd.pcapng"
        run_command.write_captures([path], [result], "crowd", SeenBy.SERVER, comments=comments)


def _report(one: Run) -> float:
    """Seconds for a packet of a page, all that is on it worked out."""
    watches: list[SocketWatch] = []
    result = build.run(one, watch=lambda network, _: watches.append(SocketWatch(network)))

    def page() -> str:
        data = run_data(result, watches[0].changes)
        return page_of("crowd", [Page(heading_of("crowd", result), "", data)])

    return _timed(page)[0] / result.record.packets_sent


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    begin = process_time()
    done = work()
    return process_time() - begin, done


def octets_of_a_packet(count: int) -> float:
    """What each packet of a run leaves behind in memory, by tracemalloc, with all that is told of it."""
    one = scenario(count)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = build.run(one)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
        return kept / result.record.packets_sent
    finally:
        tracemalloc.stop()


@dataclass(frozen=True, slots=True)
class Command:
    """What a command took from its start to its end."""

    seconds: float
    """Of CPU."""
    memory: float
    """Most that it had, in megabytes."""


def run_command_of(python: Path, count: int, output: str | None = None) -> Command:
    """`tcpemu run` of so many connections, a millisecond apart, with a capture where a name for it is given."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "crowd.toml"
        file.write_text(CROWD.format(milliseconds=count + 2000, count=count), encoding="utf-8")
        options = [] if output is None else ["-o", str(Path(place) / output)]
        command = [str(python), "-m", "tcpemu", "run", str(file), *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
        return Command(used.ru_utime + used.ru_stime, kilobytes / 1000)


def start_up(python: Path, rounds: int) -> float:
    """Milliseconds of CPU that `tcpemu --help` takes, the least of some rounds."""
    return min(_start(python) for _ in range(rounds))


def _start(python: Path) -> float:
    before = os.times()
    subprocess.run([str(python), "-m", "tcpemu", "--help"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used * 1000


if __name__ == "__main__":
    number = int(sys.argv[1])
    print(json.dumps({"build": which_build(), "costs": costs(number) | {MEMORY: octets_of_a_packet(number)}}))
