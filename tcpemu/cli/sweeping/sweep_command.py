"""`tcpemu sweep`: many runs of one scenario, measured; a table, a file, a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpemu.cli import run_command
from tcpemu.cli.printing import check_not_read, check_place, patience, show, width
from tcpemu.cli.progress import Progress
from tcpemu.cli.sweeping.sweep_progress import SweepProgress
from tcpemu.cli.user_mistakes import UsageError, complain
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import line
from tcpemu.explain.plots.draw import PICTURE_SUFFIXES, MissingLibraryError, drawn, require_library
from tcpemu.explain.plots.picture import NothingToDrawError
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.setting_paths import Document, path_in
from tcpemu.scenario.format.time_settings import check_unit
from tcpemu.scenario.running.worker_process import usual_jobs
from tcpemu.sweep import outputs, run_measures
from tcpemu.sweep.axes import Axis, grid_of, parse_axis
from tcpemu.sweep.chunks import EngineError
from tcpemu.sweep.engines import Engine, dask, spread
from tcpemu.sweep.journal import Journal, journal_path
from tcpemu.sweep.measured_run import RunError
from tcpemu.sweep.plan import Plan, plan_of
from tcpemu.sweep.sweep_picture import KINDS, sweep_picture
from tcpemu.sweep.sweep_table import sweep_lines
from tcpemu.sweep.swept import Swept, do_plan
from tcpemu.wire.atomic_write import write_whole

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended: 128 + SIGINT."""


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What the command line asks for."""

    name: str
    vary: Sequence[str]
    settings: dict[str, object]
    only: str | None
    seeds: int
    measured: Sequence[str]
    until: int | None
    output: Path | None
    picture: Path | None
    kind: str | None


def check_files(request: SweepRequest) -> None:
    """Find out before the runs what would be wrong after them. Raises UsageError, OutputError."""
    if request.output is not None:
        check_place(request.output, outputs.SUFFIXES)
        check_not_read(request.output, [request.name])
        outputs.require_writer(request.output)
    if request.picture is None:
        if request.kind is not None:
            raise UsageError("--kind says what --plot draws: name the picture too, as --plot x.svg")
        return
    check_place(request.picture, PICTURE_SUFFIXES)
    if request.kind is not None and request.kind not in KINDS:
        raise UsageError(f"--kind {request.kind!r}: it must be {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    try:
        require_library()
    except MissingLibraryError as error:
        raise UsageError(str(error)) from None


def plan_for(request: SweepRequest) -> Plan:
    """The plan, with all mistakes told. Raises ScenarioError, SettingError, MeasureError, UsageError."""
    if request.seeds < 1:
        raise UsageError(f"--seeds {request.seeds}: one at least")
    scenario = load_scenario.load(request.name)
    one = run_command.chosen(request.name, load_scenario.runs(scenario), request.only)[0]
    document = load_scenario.to_document(one.scenario)
    settings = {path_in(document, path): value for path, value in request.settings.items()}
    grid = grid_of([_axis(text, document) for text in request.vary])
    base = load_scenario.from_document(document, request.name, settings)
    with patience("checking all combinations"):
        return plan_of(
            load_scenario.Run(one.name, base),
            request.name,
            settings,
            grid,
            request.seeds,
            request.measured or run_measures.USUAL,
            request.until,
        )


def _axis(text: str, document: Document) -> Axis:
    axis = parse_axis(text)
    path = path_in(document, run_command.path_of(axis.path))
    for value in axis.values:
        check_unit(path, value)
    return Axis(path, axis.labels, axis.values)


def engine_for(jobs: int | None, address: str | None, runs: int) -> Engine:
    """Who does the runs. Raises UsageError."""
    if address is not None:
        if jobs is not None:
            raise UsageError("--jobs is for this machine; the workers of --dask are as many as they are")
        return dask(address)
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs {jobs}: one at least")
    return spread(min(jobs or usual_jobs(), runs))


def swept_of(plan: Plan, engine: Engine, output: Path | None) -> Swept:
    """Do the runs, with progress. Raises UsageError; what was done stays in the journal, if there is an output."""
    progress = SweepProgress(len(plan))
    try:
        with Progress().of(progress.standing):
            return do_plan(plan, engine, output, progress.begin)
    except KeyboardInterrupt:
        _tell_what_is_left(plan, output)
        raise SystemExit(INTERRUPTED) from None
    except (EngineError, RunError) as error:
        _tell_what_is_left(plan, output)
        raise UsageError(str(error)) from error


def _tell_what_is_left(plan: Plan, output: Path | None) -> None:
    if output is None:
        complain("what was done is lost; with -o FILE the same command would go on where it stopped")
        return
    with Journal(plan, journal_path(output)) as journal:
        done = journal.done
    complain(
        f"{done:,} of {count(len(plan), 'run')} are in {journal_path(output)}; the same command goes on from there"
    )


def show_sweep(request: SweepRequest, swept: Swept) -> None:
    """Print the table, draw the picture, and say what was written."""
    title = f"{request.name}: {swept.plan.document['title']}"
    show(sweep_lines(swept, title, width()))
    if request.output is not None:
        kept = "" if swept.journal.found < len(swept.plan) else "; every run had been done before"
        show([(), line(f"Written: {request.output} ({count(len(swept.plan), 'row')}{kept})")])
    if request.picture is not None:
        _draw(request.picture, title, request, swept)
        show([line(f"Written: {request.picture}")])


def _draw(path: Path, title: str, request: SweepRequest, swept: Swept) -> None:
    with patience(f"drawing {path}"):
        try:
            picture = sweep_picture(swept, title, request.kind)
            write_whole(path, drawn(picture, path.suffix.lower().lstrip(".")))
        except NothingToDrawError as error:
            raise UsageError(f"--plot {path}: {error}") from None


def show_measures() -> None:
    """Print what can be measured."""
    named = list(run_measures.names())
    size = max(len(name) for name, _ in named)
    show(line(f"  {name:<{size}}  {about}") for name, about in named)
