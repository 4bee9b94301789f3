"""`tcpemu exec`: programs on emulated hosts, or the same on the loopback of this machine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from tcpemu.cli.exec_request import Placed, faults_of, link_conditions, placed, sysctl_settings
from tcpemu.cli.printing import check_place, show, width
from tcpemu.cli.report_command import PAGE_SUFFIXES
from tcpemu.cli.user_mistakes import UsageError, complain
from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.report.report_data import RunToShow, network_data
from tcpemu.explain.report.report_page import Page, page_of
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.generations import DEFAULT
from tcpemu.network import SECOND, Conditions, Fault, seconds_text
from tcpemu.programs import Program, StuckError
from tcpemu.scenario.format.time_settings import time_of, time_with_unit
from tcpemu.testing import World
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.visible_text import visible

STUCK = 1
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """What is asked for."""

    programs: Sequence[Placed]
    link: Conditions
    faults: Sequence[Fault]
    sysctls: Mapping[str | None, Mapping[str, object]]
    """Of each host that has its own; under None those of all."""
    generation: str
    seed: int
    until: int | None
    output: Path | None
    report: Path | None
    ladder: bool


def check_named(words: Sequence[str]) -> None:
    """Programs stand behind --host. Raises UsageError for one that stands by itself, with how to write it."""
    if words:
        program = " ".join(shlex.quote(word) for word in words if word not in {"python", "python3"})
        quote = "" if " " not in program and "'" not in program else "'"
        raise UsageError(
            f"{words[0]!r} is on no host; give each program one: --host {quote}server={program}{quote}"
        )


def request_of(
    hosts: Sequence[str],
    link: str | None,
    faults: Mapping[str, Sequence[str]],
    settings: Sequence[str],
    every: str | None,
    generation: str | None,
    seed: int | None,
    until: str | None,
    output: Path | None,
    report: Path | None,
    *,
    ladder: bool,
) -> ExecRequest:
    """The request that the options make; `faults` by the names of their options. Raises UsageError, SettingError."""
    if report is not None:
        check_place(report, PAGE_SUFFIXES)
    if output is not None:
        check_place(output, (".pcap", ".pcapng"))
    if not hosts:
        raise UsageError("there is nothing to run; name a host and its program: --host server=server.py")
    programs = placed(hosts, time_with_unit(every, "--every") if every else 0)
    names = [each.host for each in programs]
    return ExecRequest(
        programs,
        link_conditions(link) if link else Conditions(),
        faults_of(faults, names),
        sysctl_settings(settings, names),
        generation or DEFAULT,
        seed or 0,
        None if until is None else time_of(until, "--until"),
        output,
        report,
        ladder,
    )


def run_emulated(request: ExecRequest) -> int:
    """Run the programs in virtual time; the exit status of the first that failed."""
    world = World(request.seed, generation=request.generation, sysctls=request.sysctls.get(None), echo=True)
    stuck: StuckError | None = None
    watch = SocketWatch(world.network) if request.report is not None else None
    with world:
        world.every_link(request.link)
        for each in request.programs:
            host = world.host(each.host, sysctls=request.sysctls.get(each.host))
            world.run(host, each.program, at=each.at / SECOND)
        world.fault(*request.faults)
        try:
            world.until(None if request.until is None else request.until / SECOND)
        except StuckError as error:
            stuck = error
        except KeyboardInterrupt:
            _leave(world, request, watch)
            return INTERRUPTED
        status = _leave(world, request, watch, stuck)
        for program in world.programs:
            program.disregard_failure()
    return status or (STUCK if stuck is not None else 0)


def _leave(
    world: World, request: ExecRequest, watch: SocketWatch | None, stuck: StuckError | None = None
) -> int:
    """Say how it ended, and write what is to be written; the exit status."""
    if request.report is not None and watch is not None:
        _write_report(world, request.report, watch)
    if request.output is not None:
        world.save(request.output)
    if request.ladder:
        show(ladder_lines(world.record, width=width()))
    if stuck is not None:
        complain(str(stuck))
    else:
        _say_how_it_ended(world)
    for fault in world.unmet_faults:
        complain(fault.unmet_words)
    for path in (request.output, request.report):
        if path is not None:
            complain(f"written: {path}")
    return exit_status(world.programs)


def _write_report(world: World, path: Path, watch: SocketWatch) -> None:
    titles = dict.fromkeys(program.title for program in world.programs)
    heading = Heading("", "", (f"seed {world.network.seed}",))
    run = RunToShow(world.network, server=_server(world))
    page = Page(heading, "", network_data(run, watch.changes))
    write_whole(path, page_of(visible(" · ".join(titles)), [page]))


def _server(world: World) -> str:
    """The first host that has listened; where none has, the first."""
    listened = (call.node for call in world.record.calls() if call.text.startswith("listen("))
    return next(listened, world.programs[0].process.node.name)


def _say_how_it_ended(world: World) -> None:
    left = [program for program in world.programs if not program.done]
    parts = [f"{program.name} {program.waits_for or 'had not begun'}" for program in left]
    stopped = f"; stopped: {', '.join(parts)}" if parts else ""
    complain(f"{seconds_text(world.network.now)} of virtual time{stopped}")


def exit_status(programs: Sequence[Program]) -> int:
    """That of the program which failed first; 0 where none did."""
    failed = [program for program in programs if program.status]
    first = min(failed, key=lambda program: program.ended_at or 0, default=None)
    return (first.status or 0) if first is not None else 0


def run_real(request: ExecRequest) -> int:
    """Run the programs on this machine's loopback, in real time."""
    from tcpemu.kernel.loopback_run import RealProgram, run_on_loopback

    if request.link != Conditions() or request.faults:
        complain("--real: the loopback has neither --link nor faults, so they are left out")
    if request.sysctls:
        raise UsageError("--real changes no setting of this machine's kernel; leave --set out")
    if request.output is not None:
        raise UsageError("--real writes no capture; leave -o out")
    if request.report is not None:
        raise UsageError("--real writes no report: nobody saw its packets; leave --report out")
    programs = [RealProgram(each.host, each.program, each.at / SECOND) for each in request.programs]
    sys.stdout.flush()
    try:
        return run_on_loopback(programs, None if request.until is None else request.until / SECOND)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
