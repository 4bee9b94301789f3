"""`tcpemu advise`: the smallest backlog that meets a target."""

import json
from pathlib import Path

from tcpemu.cli.printing import check_place, patience, show, width
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.sweeping.sweep_command import engine_for
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose import survey
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import line
from tcpemu.explain.plots.draw import PICTURE_SUFFIXES, MissingLibraryError, drawn, require_library
from tcpemu.scenario.format.scenario_text import toml_of
from tcpemu.sweep.advice.advice_lines import advice_lines
from tcpemu.sweep.advice.advice_picture import advice_picture
from tcpemu.sweep.advice.backlog_question import BacklogQuestion
from tcpemu.sweep.advice.backlog_search import Advice, answer
from tcpemu.sweep.chunks import EngineError
from tcpemu.sweep.journal import Journal
from tcpemu.sweep.measured_run import RunError
from tcpemu.wire.atomic_write import write_whole

_STEPS_AHEAD = 2
"""How many steps there may be to come, for the bar: nobody knows before."""


def starts_in(path: Path) -> list[int]:
    """When connections were opened in a capture: the first SYN of each, in nanoseconds."""
    with patience(f"reading {path}"):
        return [flow.client.syns[0].at for flow in survey(path).flows if flow.client.syns]


def check_files(output: Path | None, picture: Path | None) -> None:
    """Find out before the runs what would be wrong after them. Raises UsageError."""
    if output is not None:
        check_place(output, (".toml",))
    if picture is not None:
        check_place(picture, PICTURE_SUFFIXES)
        try:
            require_library()
        except MissingLibraryError as error:
            raise UsageError(str(error)) from None


def advice_for(question: BacklogQuestion, jobs: int | None) -> Advice:
    """The answer, with progress. Raises UsageError."""
    steps: list[tuple[str, int, Journal]] = []
    share = 0.0  # a bar never goes back, although nobody knows how many steps there will be

    def step(words: str, runs: int, journal: Journal) -> None:
        steps.append((words, runs, journal))

    def standing() -> ProgressOfRun:
        nonlocal share
        if not steps:
            return ProgressOfRun("trying", 0.0, "about to begin")
        words, runs, journal = steps[-1]
        share = max(share, (len(steps) - 1 + journal.done / runs) / (len(steps) + _STEPS_AHEAD))
        return ProgressOfRun("trying", share, f"{words}: {journal.done} of {count(runs, 'run')}")

    try:
        with Progress().of(standing):
            return answer(question, engine_for(jobs, None, 1000), step)
    except (EngineError, RunError) as error:
        raise UsageError(str(error)) from error


def show_advice(advice: Advice, output: Path | None, picture: Path | None, *, as_json: bool) -> None:
    """Print the answer, and write the scenario and the picture."""
    if output is not None:
        best = advice.best or advice.below
        write_whole(output, toml_of(advice.question.with_backlog(best.backlog if best else 0)))
    if picture is not None:
        with patience(f"drawing {picture}"):
            write_whole(picture, drawn(advice_picture(advice), picture.suffix.lower().lstrip(".")))
    if as_json:
        print(json.dumps(advice.data(), ensure_ascii=False))
        return
    show(advice_lines(advice, None if output is None else str(output), width()))
    for written in (output, picture):
        if written is not None:
            show([line(f"Written: {written}")])
