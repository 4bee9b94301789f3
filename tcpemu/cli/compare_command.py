"""`tcpemu compare`: one scenario on several kernels, or with several values of a setting, side by side."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tcpemu.cli import run_command
from tcpemu.cli.printing import check_not_read, free_name, patience, show, width
from tcpemu.cli.progress import run_and_tell
from tcpemu.cli.user_mistakes import UsageError, complain
from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.catalogue.rule_history import differing_rows
from tcpemu.explain.compare.comparison_lines import ComparedRun, KernelRules, comparison_lines
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import line
from tcpemu.explain.told_run import facts_of
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import parse_alternatives
from tcpemu.scenario.format.time_settings import check_unit
from tcpemu.scenario.running import summary, variations
from tcpemu.scenario.running.build import Watch
from tcpemu.scenario.running.result import Result
from tcpemu.wire.capture_file import write_capture

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._=-]+")


def choices_of(generations: str | None, vary: Sequence[str]) -> list[variations.Choice]:
    """What the options want compared; a telling handful of kernels if they say nothing."""
    if generations is None and not vary:
        return variations.kernels(variations.KERNELS_COMPARED)
    varied = [variations.kernels(_names(generations))] if generations is not None else []
    return variations.combined([*varied, *map(_values, vary)])


def _names(generations: str) -> list[str]:
    names = [name.strip() for name in generations.split(",")]
    if not all(names):
        raise UsageError(f"--generation {generations!r}: name kernels with commas between them")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        complain(f"--generation {generations!r}: {twice} is there twice; it is one column")
    return names


def tell_of_one_column(columns: Sequence[object]) -> None:
    """Say so where there is nothing to compare with."""
    if len(columns) < 2:
        complain(
            "there is one column, so nothing to compare it with: give several kernels, as "
            "--generation linux-4.10,linux-6.18, or values, as --vary server.backlog=1,5; "
            "or see the one alone, with tcpemu run"
        )


def _values(text: str) -> list[variations.Choice]:
    shown = text.partition("=")[0].strip()
    alternatives = {written: value for written, (_, value) in parse_alternatives(text).items()}
    for value in alternatives.values():
        check_unit(run_command.path_of(shown), value)
    return variations.values(shown, run_command.path_of(shown), alternatives)


def columns_of(
    name: str, only: str | None, choices: Iterable[variations.Choice], settings: dict[str, object]
) -> list[variations.ComparedRun]:
    """The columns, ready to run; all mistakes come up here."""
    scenario, chosen = load_scenario.load(name), list(choices)
    one = run_command.chosen(name, load_scenario.runs(scenario), only)[0]
    if _set_anew(scenario, one.name, chosen, settings):
        one = replace(one, name="")
    return variations.columns(name, one, chosen, settings)


def _set_anew(
    scenario: Scenario, run: str, choices: Sequence[variations.Choice], settings: Mapping[str, object]
) -> bool:
    """Whether the columns set all that the run sets, so that it is no longer the run of that name."""
    own = [set(variant.set) for variant in scenario.variants if variant.name == run]
    return bool(own) and all(own[0] <= {*settings, *choice.settings} for choice in choices)


def checked_paths(directory: Path, name: str, columns: Sequence[variations.ComparedRun]) -> list[Path]:
    """Where the capture of each column goes; none may take the place of the scenario's file."""
    paths: list[Path] = []
    for column in columns:
        paths.append(free_name(directory, _NOT_IN_A_NAME.sub("-", column.label), ".pcapng", paths))
    for path in paths:
        check_not_read(path, [name])
    return paths


def results_of_columns(
    name: str, columns: Iterable[variations.ComparedRun], until: int | None, watch: Watch | None = None
) -> list[Result]:
    """Run each column, and say of each which rules have dropped nothing; `watch` sees each begin."""
    columns = list(columns)
    results = run_and_tell([(f"running {column.label}", column.run) for column in columns], until, watch)
    labels = (column.label for column in columns)
    run_command.tell_of_idle_rules(name, list(zip(labels, results, strict=True)))
    return results


def check_directory(path: Path) -> None:
    """Find out before the work that no directory can be there."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; name a directory, which is made if it is not there")


def write_captures_of_columns(
    paths: Sequence[Path], name: str, columns: Sequence[variations.ComparedRun], results: Sequence[Result]
) -> None:
    """Write a capture of each column, all into one directory, which is made if it is not there."""
    for path, column, result in zip(paths, columns, results, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = [f"scenario {name}", column.label, *facts_of(result), result.scenario.title]
        with patience(f"writing {path}"):
            write_capture(path, capture_of(result.record, facts=list(dict.fromkeys(facts))))


def show_comparison(name: str, columns: Sequence[variations.ComparedRun], results: Sequence[Result]) -> None:
    """Print the table and where the columns part."""
    shown = [
        ComparedRun(column.label, result.record, kernel.name, kernel.about, kernel.unverified)
        for column, result in zip(columns, results, strict=True)
        for kernel in (column.generation,)
    ]
    numbers = summary.rows_of_numbers([summary.summarize(result) for result in results])
    heading = Heading(_title(name, results[0]), facts=_facts(results))
    notes = [*_other_runs(name, results[0].name), *_left_out(columns)]
    show(comparison_lines(shown, SERVER, numbers, notes, heading, width(), _other_rules(columns)))


def _title(name: str, result: Result) -> str:
    return f"{name}: {result.scenario.title}" + (f" — {result.name}" if result.name else "")


def _facts(results: Sequence[Result]) -> tuple[str, ...]:
    """What all columns have in common."""
    all_facts = [facts_of(result) for result in results]
    common = [fact for fact in all_facts[0] if all(fact in facts for facts in all_facts)]
    clients = dict.fromkeys(group.generation for group in results[0].scenario.clients)
    return (*common, f"clients {', '.join(clients)}") if clients else tuple(common)


def _other_runs(name: str, shown: str) -> Iterator[str]:
    """What else there is to compare, where one of the scenario's runs is shown."""
    if not shown:
        return
    others = [variant.name for variant in load_scenario.load(name).variants if variant.name != shown]
    if others:
        yield f"this is the run {shown!r} of {name}; for another one: --run {others[0]!r}"


def _other_rules(columns: Sequence[variations.ComparedRun]) -> KernelRules | None:
    """In which rules the kernels differ, where all of them were asked."""
    kernels = list({column.generation.name: column.generation for column in columns}.values())
    if len(kernels) < 2 or not all(kernel.release for kernel in kernels):
        return None
    return KernelRules([kernel.name for kernel in kernels], differing_rows(kernels))


def _left_out(columns: Sequence[variations.ComparedRun]) -> Iterator[str]:
    """Which sysctls of the scenario were left out, where and why."""
    where: dict[tuple[str, object], dict[str, list[str]]] = {}
    for column in columns:
        for each in column.left_out:
            where.setdefault((each.sysctl, each.value), {}).setdefault(each.why, []).append(column.label)
    for (sysctl, value), whys in where.items():
        parts = (f"{', '.join(labels)} ({why})" for why, labels in whys.items())
        yield f"the scenario sets {sysctl} = {value}; left out for {' and '.join(parts)}"


def show_written_columns(paths: Sequence[Path], columns: Sequence[variations.ComparedRun]) -> None:
    """Say which capture is of which column."""
    show([()])
    for path, column in zip(paths, columns, strict=True):
        show([line(f"Written: {path} ({column.label})")])
    show(run_command.timers_hint([column.run.scenario for column in columns]))
