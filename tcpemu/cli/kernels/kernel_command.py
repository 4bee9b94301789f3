"""Real kernels: which there are, one brought, and step traces answered by one."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tcpemu.cli.playing.trace_command import Job, Tally, jobs_with_places, read_trace, status, text_of
from tcpemu.cli.printing import show
from tcpemu.cli.user_mistakes import UsageError, complain, mistake_in
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.scenario.traces.judge import earliest_difference
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.relative_numbers import Trace

THIS_MACHINE = "this"
"""The kernel that runs here, where a kernel is asked for."""
MOST_SECONDS = 3600
"""Of a trace that a real kernel is asked, whose time this machine may have to wait."""
_ANSWERS = ("log", "kernel", "emulator")
"""What an answered trace has besides the question."""


def _row(release: str, here: str, ticks: str, package: str) -> Line:
    return line(f"{release:10}{here:5}{ticks:8}{package}".rstrip())


_LEGEND = [
    line("Real kernels that tcpemu kernel run and trace --kernel boot, the oldest first.", Role.TITLE),
    line(
        "here: brought by tcpemu kernel get, and ready to run; HZ: ticks of its clock a second;", Role.QUIET
    ),
    line("the rest is the package of Debian that has it. 6.12 stands for the newest 6.12.", Role.QUIET),
    (),
]


def show_bootable() -> None:
    """Print the real kernels that are here, and those that could be brought."""
    from tcpemu.kernel.debian_packages import available
    from tcpemu.kernel.kernel_errors import KernelError
    from tcpemu.kernel.kernel_store import in_order, stored, ticks_a_second

    here = stored()
    try:
        packages = available()
    except KernelError as error:
        complain(f"only those that are here: {error}")
        packages = {}
    if here or packages:
        show(_LEGEND)
    for release in sorted({*here, *packages}, key=in_order):
        ticks = ticks_a_second(release) if release in here else None
        package = packages.get(release)
        show(
            [
                _row(
                    release,
                    "here" if release in here else "",
                    f"HZ {ticks}" if ticks else "",
                    f"{package.name} {package.version}" if package else "",
                )
            ]
        )
    if not here and not packages:
        complain("there is none: bring one by tcpemu kernel get, on a Debian machine")


def get_kernels(kernels: list[str]) -> None:
    """Bring real kernels, each unless it is here."""
    from tcpemu.kernel.debian_packages import get
    from tcpemu.kernel.kernel_errors import KernelError

    for kernel in kernels:
        try:
            release = get(kernel)
        except KernelError as error:
            raise UsageError(str(error)) from error
        show([line(f"{release} is here")])


def run_on_kernel(sources: Sequence[Path], output: Path | None, kernel: str, *, check: bool = False) -> int:
    """Let a real kernel answer the traces: `this` machine's, or one that is booted; the exit status as above."""
    jobs = jobs_with_places(sources, output, check)
    asked, tally = {}, Tally()
    for job in jobs:
        try:
            asked[job] = _playable(read_trace(job.source))
        except (OSError, UsageError) as error:
            _tell_failure(job, mistake_in(error) or str(error), tally)
    answers = _ask(kernel, {job.source: trace for job, trace in asked.items()}) if asked else {}
    for job, trace in asked.items():
        _take(job, trace, answers[job.source], tally, check)
    return status(tally, check)


def _take(job: Job, trace: Trace, found: Trace | str, tally: Tally, check: bool) -> None:
    """Put the kernel's answer where it is wanted, or say why there is none."""
    if isinstance(found, str):
        _tell_failure(job, found, tally)
        return
    if job.target is not None:
        write_whole(job.target, text_of(found))
    if check:
        _compare_real(job, trace, found, tally)
    elif job.target is None:
        sys.stdout.write(text_of(found))
        sys.stdout.flush()


def _tell_failure(job: Job, message: str, tally: Tally) -> None:
    complain(message if str(job.source) in message else f"{job.source}: {message}")
    tally.failed += 1


def _playable(trace: Trace) -> Trace:
    """The trace, if a kernel can be asked it; what else is wrong with its steps the kernel's side says."""
    steps, until = trace.get("steps"), trace.get("until")
    if not isinstance(steps, list):
        raise UsageError("a trace is a JSON object with a list named steps")
    if not isinstance(until, int | float) or isinstance(until, bool) or not 0 <= until <= MOST_SECONDS:
        raise UsageError(f"until is {until!r}; it is a number of seconds, 0 to {MOST_SECONDS}")
    for index, step in enumerate(steps):
        if not isinstance(step, list) or len(step) < 2 or not isinstance(step[0], int | float):
            raise UsageError(f"steps[{index}] is {step!r}; a step is [seconds, verb, ...]")
    if not isinstance(trace.get("sysctl", {}), dict):
        raise UsageError(f"sysctl is {trace['sysctl']!r}; it is an object of full names and values")
    return trace


def _ask(kernel: str, traces: Mapping[Path, Trace]) -> Mapping[Path, Trace | str]:
    """The answers, or why there is none. Raises UsageError where the kernel cannot be asked at all."""
    from tcpemu.kernel import KernelError, StepError, run, run_booted

    questions = {
        path: {key: value for key, value in trace.items() if key not in _ANSWERS}
        for path, trace in traces.items()
    }
    try:
        if kernel != THIS_MACHINE:
            booted = run_booted(kernel, {str(path): trace for path, trace in questions.items()})
            return {
                path: booted.answered.get(str(path), booted.mistakes.get(str(path), "")) for path in questions
            }
        answers: dict[Path, Trace | str] = {}
        for path, trace in questions.items():
            try:
                answers[path] = run(trace)
            except StepError as error:
                answers[path] = str(error)
    except KernelError as error:
        raise UsageError(str(error)) from error
    return answers


def _compare_real(job: Job, truth: Trace, answered: Trace, tally: Tally) -> None:
    """Lay the kernel's answer beside the log of the file, which another kernel gave."""
    if "log" not in truth:
        _tell_failure(job, "it has no log to compare with; leave out --check", tally)
        return
    try:
        found = earliest_difference(truth, answered)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        _tell_failure(job, f"its log cannot be compared: {error}", tally)
        return
    if found is None:
        tally.same += 1
        return
    tally.different += 1
    sys.stdout.write(f"{job.source}: different: {found}\n")
    sys.stdout.flush()
