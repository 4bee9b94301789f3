"""`tcpemu trace`: step traces answered by the emulator, file by file."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpemu.cli.printing import check_not_read, check_place, show
from tcpemu.cli.user_mistakes import WRONG_USE, UsageError, complain, mistake_in
from tcpemu.explain.lines.style import line
from tcpemu.generations import DEFAULT
from tcpemu.scenario.traces import phases, step_trace
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.capture_file import is_capture
from tcpemu.wire.relative_numbers import Trace

MOST_OCTETS = 2**26
"""Of a step trace."""
DIFFERENT = 1
"""The exit status when a trace differs from its log."""


@dataclass(frozen=True, slots=True)
class Job:
    """One trace to answer, and where the answer goes: None for standard output, or nowhere when checking."""

    source: Path
    target: Path | None


@dataclass(frozen=True, slots=True)
class AnsweringKernel:
    """What answers. None stands for the default generation, and for timers at their exact deadlines."""

    generation: str | None = None
    hz: int | None = None

    def answer(self, trace: Trace, why: list[str] | None = None) -> Trace:
        return step_trace.run(trace, generation_name=self.generation or DEFAULT, hz=self.hz, why=why)

    def compare(self, truth: Trace, answered: Trace) -> phases.Judgement:
        return phases.compare(truth, answered, generation_name=self.generation or DEFAULT, hz=self.hz)

    def remarks(self, trace: Trace) -> list[str]:
        return step_trace.remarks(trace, self.generation or DEFAULT)


@dataclass(slots=True)
class Tally:
    """How it went."""

    same: int = 0
    at_a_phase: int = 0
    """Of these the ones that are the same only at some phase of the kernel's clock."""
    different: int = 0
    failed: int = 0


def run_traces(
    sources: Sequence[Path], output: Path | None, kernel: AnsweringKernel, *, check: bool, why: bool = False
) -> int:
    """Answer the traces; gives the exit status: 1 if one differs from its log, 2 if one has no answer."""
    jobs = jobs_with_places(sources, output, check or why)
    return status(answer_all(jobs, kernel, check=check, why=why), check)


def jobs_with_places(sources: Sequence[Path], output: Path | None, placeless: bool) -> list[Job]:
    """The jobs, each with a place for its answer, unless answers need none. Raises UsageError."""
    jobs = jobs_of(sources, output)
    if len(jobs) > 1 and output is None and not placeless:
        raise UsageError("several traces: name a directory for the answers with -o, or compare with --check")
    for job in jobs:
        if job.target is not None:
            check_not_read(job.target, [each.source for each in jobs])
    return jobs


def status(tally: Tally, check: bool) -> int:
    """The exit status, after a word on how the comparisons went."""
    if check:
        phases = f" ({tally.at_a_phase} of them at a phase of the kernel's clock)" if tally.at_a_phase else ""
        complain(
            f"{tally.same} the same{phases}, {tally.different} different, {tally.failed} without an answer"
        )
    if tally.failed:
        return WRONG_USE
    return DIFFERENT if tally.different else 0


def jobs_of(sources: Sequence[Path], output: Path | None) -> list[Job]:
    """One job for each file, and for each .json file in a directory. Raises UsageError."""
    files = [file for source in sources for file in _files(source)]
    if output is None:
        return [Job(file, None) for file in files]
    single = len(sources) == 1 and not sources[0].is_dir() and not output.is_dir()
    if single:
        check_place(output)
        return [Job(files[0], output)]
    return _into_directory(files, output)


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    found = sorted(source.glob("*.json"))
    if not found:
        raise UsageError(f"{source}: no .json file in this directory")
    return found


def _into_directory(files: Iterable[Path], output: Path) -> list[Job]:
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file; several traces need a directory")
    jobs: dict[str, Job] = {}
    for file in files:
        if file.name in jobs:
            raise UsageError(f"{jobs[file.name].source} and {file} would both become {output / file.name}")
        jobs[file.name] = Job(file, output / file.name)
    output.mkdir(parents=True, exist_ok=True)
    return list(jobs.values())


def answer_all(jobs: Sequence[Job], kernel: AnsweringKernel, *, check: bool, why: bool = False) -> Tally:
    """Answer every trace. One that cannot be answered is told, and the others go on."""
    tally = Tally()
    for job in _with_progress(jobs):
        try:
            _answer(job, kernel, tally, check=check, why=why)
        except (OSError, ValueError) as error:
            message = mistake_in(error)
            if message is None or isinstance(error, BrokenPipeError):
                raise
            complain(message if str(job.source) in message else f"{job.source}: {message}")
            tally.failed += 1
    return tally


def _answer(job: Job, kernel: AnsweringKernel, tally: Tally, *, check: bool, why: bool) -> None:
    trace = read_trace(job.source)
    for words in kernel.remarks(trace):
        complain(f"{job.source}: {words}")
    reasons: list[str] = []
    answered = kernel.answer(trace, reasons if why else None)
    text = text_of(answered)
    if why:
        show(line(f"{job.source}: {words}") for words in reasons)
    if job.target is not None:
        write_whole(job.target, text)
    if check:
        _compare(job, trace, answered, kernel, tally)
    elif job.target is None and not why:
        sys.stdout.write(text)
        sys.stdout.flush()


def text_of(trace: Trace) -> str:
    """As one line. What UTF-8 cannot hold, JSON has an escape for."""
    text = json.dumps(trace, separators=(",", ":"), ensure_ascii=False) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(trace, separators=(",", ":")) + "\n"
    return text


def read_trace(path: Path) -> Trace:
    """The JSON object in the file; everything else about it is for the runner to judge."""
    octets = _octets(path)
    try:
        trace = json.loads(octets.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: octet {error.start} is not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from None
    except ValueError as error:  # NaN, or a number of thousands of digits
        raise UsageError(f"{path}: {error}") from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply to be a step trace") from None
    if not isinstance(trace, dict):
        raise UsageError(f"{path}: a step trace is a JSON object, not {type(trace).__name__}")
    return trace


def _octets(path: Path) -> bytes:
    with path.open("rb") as file:
        octets = file.read(MOST_OCTETS + 1)
    if is_capture(octets):
        raise UsageError(
            f"{path}: this is a capture, not a step trace; a step trace is JSON, as README.md shows"
        )
    if len(octets) > MOST_OCTETS:
        raise UsageError(f"{path}: more than {MOST_OCTETS} octets; a step trace of that size is not read")
    return octets


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _compare(job: Job, truth: Trace, answered: Trace, kernel: AnsweringKernel, tally: Tally) -> None:
    if "log" not in truth:
        raise UsageError(f"{job.source}: it has no log to compare with; leave out --check")
    try:
        found = kernel.compare(truth, answered)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{job.source}: its log cannot be compared: {error}") from None
    if found.same:
        tally.same += 1
        if found.phase is None:
            return
        tally.at_a_phase += 1
    else:
        tally.different += 1
    sys.stdout.write(f"{job.source}: {found}\n")
    sys.stdout.flush()


def _with_progress(jobs: Sequence[Job]) -> Iterator[Job]:
    """The jobs; on a terminal with a bar on standard error while there are several."""
    if len(jobs) < 2 or not sys.stderr.isatty():
        yield from jobs
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(jobs, "traces", console=Console(stderr=True), transient=True)
