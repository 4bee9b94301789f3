"""`tcpemu trace`: step traces answered by the emulator, file by file."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpemu.cli.printing import check_place
from tcpemu.cli.user_mistakes import WRONG_USE, UsageError, complain, mistake_in
from tcpemu.generations import DEFAULT
from tcpemu.scenario.traces import judge, step_trace
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.relative_numbers import Trace

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

    def answer(self, trace: Trace) -> Trace:
        return step_trace.run(trace, generation_name=self.generation or DEFAULT, hz=self.hz)


@dataclass(slots=True)
class Tally:
    """How it went."""

    same: int = 0
    different: int = 0
    failed: int = 0


def run_traces(sources: Sequence[Path], output: Path | None, kernel: AnsweringKernel, *, check: bool) -> int:
    """Answer the traces; gives the exit status: 1 if one differs from its log, 2 if one has no answer."""
    jobs = jobs_of(sources, output)
    if len(jobs) > 1 and output is None and not check:
        raise UsageError("several traces: name a directory for the answers with -o, or compare with --check")
    tally = answer_all(jobs, kernel, check=check)
    if check:
        complain(f"{tally.same} the same, {tally.different} different, {tally.failed} without an answer")
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


def answer_all(jobs: Sequence[Job], kernel: AnsweringKernel, *, check: bool) -> Tally:
    """Answer every trace. One that cannot be answered is told, and the others go on."""
    tally = Tally()
    for job in _with_progress(jobs):
        try:
            _answer(job, kernel, tally, check=check)
        except (OSError, ValueError) as error:
            message = mistake_in(error)
            if message is None or isinstance(error, BrokenPipeError):
                raise
            complain(message if str(job.source) in message else f"{job.source}: {message}")
            tally.failed += 1
    return tally


def _answer(job: Job, kernel: AnsweringKernel, tally: Tally, *, check: bool) -> None:
    trace = _read(job.source)
    answered = kernel.answer(trace)
    text = json.dumps(answered, separators=(",", ":"), ensure_ascii=False) + "\n"
    if job.target is not None:
        write_whole(job.target, text)
    if check:
        _compare(job, trace, answered, tally)
    elif job.target is None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _read(path: Path) -> Trace:
    """The JSON object in the file; everything else about it is for the runner to judge."""
    try:
        trace = json.loads(path.read_text("utf-8"), parse_constant=_refuse)
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


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _compare(job: Job, truth: Trace, answered: Trace, tally: Tally) -> None:
    if "log" not in truth:
        raise UsageError(f"{job.source}: it has no log to compare with; leave out --check")
    try:
        found = judge.difference(truth, answered)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{job.source}: its log cannot be compared: {error}") from None
    if found is None:
        tally.same += 1
        return
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
