"""`tcpemu drill`: scripts one by one, each with a line, and the sum of them."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tcpemu.cli.printing import check_not_read, check_place, free_name, show
from tcpemu.cli.user_mistakes import WRONG_USE, UsageError, complain
from tcpemu.drill.drill_on_both import run_text_on_both
from tcpemu.drill.drill_on_kernel import run_text_on_kernel
from tcpemu.drill.drill_outcome import DrillOutcome
from tcpemu.drill.drill_reading import DrillSettings
from tcpemu.drill.drill_run import Runner, run_file, run_text
from tcpemu.drill.drill_suite import SUFFIX, capture_of_outcome, junit_xml, scripts_in
from tcpemu.drill.setup.drill_flags import DrillFlags, with_flag
from tcpemu.explain.lines.style import line
from tcpemu.generations import DEFAULT
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.capture_file import write_capture

FAILED = 1
"""The exit status where a script did not pass."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where files go."""

    captures: Path | None
    """A file for one script, a folder for several; None for no captures of those that pass."""
    failures: Path
    """The folder for captures of those that fail, where there is no other place."""
    junit: Path | None


@dataclass(frozen=True, slots=True)
class Manner:
    """On what scripts run, and how they are told."""

    on_kernel: bool = False
    """On this machine's kernel."""
    on_both: bool = False
    """On the emulator too, beside the kernel."""
    jobs: int = 1
    quiet: bool = False

    def check(self, generation: str | None, hz: int | None) -> None:
        """UsageError where the emulator is told what to be though it does not run, or the kernel cannot be asked."""
        if not (self.on_kernel or self.on_both):
            return
        from tcpemu.kernel import whats_missing

        for name, value in (("--generation", generation), ("--hz", hz)):
            if value is not None and not self.on_both:
                raise UsageError(f"{name} is for the emulator; --kernel asks this machine's kernel as it is")
        if missing := whats_missing():
            raise UsageError(f"{'--both' if self.on_both else '--kernel'}: {missing}")

    @property
    def runner(self) -> Runner:
        """What runs a script."""
        if self.on_both:
            return run_text_on_both
        return run_text_on_kernel if self.on_kernel else run_text


def settings_of(
    defines: Sequence[str],
    options: Sequence[str],
    generation: str | None,
    hz: int | None,
    run_shell: bool = False,
) -> DrillSettings:
    """What is asked for beside the scripts. UsageError."""
    flags: list[tuple[str, str | None]] = []
    for option in options:
        name, equals, value = option.removeprefix("--").partition("=")
        flags.append((name, value if equals else None))
        try:
            with_flag(DrillFlags(), *flags[-1])
        except ValueError as error:
            raise UsageError(str(error)) from None
    return DrillSettings(
        generation or DEFAULT, dict(map(_definition, defines)), tuple(flags), hz, run_shell=run_shell
    )


def _definition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.replace("_", "").isalnum():
        raise UsageError(f"-D {text}: a definition is NAME=VALUE, as -D PORT=8080")
    return name, value


def run_scripts(places: Sequence[Path], settings: DrillSettings, files: Places, manner: Manner) -> int:
    """Run them all; gives the exit status: 0, 1 where one fails, 2 where one cannot be read."""
    scripts = scripts_in(places)
    if not scripts:
        raise UsageError(f"{', '.join(map(str, places))}: no {SUFFIX} file there")
    targets = _targets(scripts, files.captures)
    for place in (files.junit, *targets.values()):
        if place is not None:
            check_not_read(place, scripts)
    if files.junit is not None:
        check_place(files.junit)
    outcomes: list[DrillOutcome] = []
    left: list[Path] = []
    run = partial(_run, settings=settings, runner=manner.runner)
    for script, outcome in _with_progress(scripts, _outcomes(scripts, run, manner.jobs)):
        outcomes.append(outcome)
        _tell(outcome, manner.quiet)
        _keep(outcome, script, targets, files.failures, left)
    if files.junit is not None:
        write_whole(files.junit, junit_xml(outcomes))
    return _sum(outcomes)


def _outcomes(
    scripts: Sequence[Path], run: Callable[[Path], DrillOutcome], jobs: int
) -> Iterator[DrillOutcome]:
    """Of each script, in order; each process of several runs one script at a time."""
    if jobs == 1 or len(scripts) == 1:
        yield from map(run, scripts)
        return
    with ProcessPoolExecutor(min(jobs, len(scripts))) as pool:
        yield from pool.map(run, scripts)


def _run(script: Path, settings: DrillSettings, runner: Runner) -> DrillOutcome:
    try:
        return run_file(script, settings, runner)
    except OSError as error:
        words = f"{script}: {error.strerror}"
        return DrillOutcome(str(script), False, words, words, mistake=True)


def _targets(scripts: Sequence[Path], output: Path | None) -> dict[Path, Path]:
    """Where the capture of each script goes."""
    if output is None:
        return {}
    if len(scripts) == 1 and not output.is_dir():
        check_place(output, (".pcap", ".pcapng"))
        return {scripts[0]: output}
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file; captures of several scripts need a folder")
    output.mkdir(parents=True, exist_ok=True)
    targets: dict[Path, Path] = {}
    for script in scripts:
        targets[script] = free_name(output, script.stem, ".pcapng", targets.values())
    return targets


def _tell(outcome: DrillOutcome, quiet: bool) -> None:
    if not outcome.passed:
        show(line(words) for words in outcome.message.split("\n"))
    elif not quiet:
        time = f"on Linux {outcome.kernel}" if outcome.kernel else "of virtual time"
        if len(outcome.interfaces) > 1:
            time = f"of virtual time, and the same on Linux {outcome.kernel}"
        show([line(f"passed  {outcome.name}  ({outcome.virtual / 1e9:.3f} s {time})")])


def _keep(
    outcome: DrillOutcome, script: Path, targets: dict[Path, Path], folder: Path, left: list[Path]
) -> None:
    """Write the capture, where one is asked for or the script has failed."""
    target = targets.get(script)
    if target is None and not outcome.passed and outcome.packets:
        folder.mkdir(parents=True, exist_ok=True)
        target = free_name(folder, script.stem, ".pcapng", left)
        left.append(target)
    if target is not None and (outcome.packets or outcome.passed):
        write_capture(target, capture_of_outcome(outcome))
        if not outcome.passed:
            show([line(f"        its packets: {target}")])


def _sum(outcomes: Sequence[DrillOutcome]) -> int:
    remarks = Counter(remark for outcome in outcomes for remark in outcome.remarks)
    for remark, scripts in sorted(remarks.items()):
        complain(f"set, and without effect, in {scripts} of the scripts: {remark}")
    passed = sum(1 for outcome in outcomes if outcome.passed)
    show([line(f"{passed} passed, {len(outcomes) - passed} failed")])
    if any(outcome.mistake for outcome in outcomes):
        return WRONG_USE
    return 0 if passed == len(outcomes) else FAILED


def _with_progress(
    scripts: Sequence[Path], outcomes: Iterator[DrillOutcome]
) -> Iterator[tuple[Path, DrillOutcome]]:
    """Each script with what became of it; on a terminal with a bar on standard error while there are several."""
    pairs = zip(scripts, outcomes, strict=True)
    if len(scripts) < 2 or not sys.stderr.isatty():
        yield from pairs
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(pairs, "scripts", len(scripts), console=Console(stderr=True), transient=True)
