"""`tcpemu run`: from a scenario to what is printed and written of it."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from tcpemu.cli.printing import check_not_read, check_place, free_name, patience, show, width
from tcpemu.cli.progress import run_and_tell
from tcpemu.cli.user_mistakes import UsageError, complain
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.compare.number_table import runs_side_by_side
from tcpemu.explain.ladder.fold import WHOLE
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.run_overview import FinishedRun, overview_lines
from tcpemu.explain.told_run import capture_in_pieces, heading_of
from tcpemu.generations import GENERATIONS
from tcpemu.network import Network, Node
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import NAME_OF_SYSCTL, parse_assignment
from tcpemu.scenario.format.time_settings import check_unit, time_of
from tcpemu.scenario.running import summary
from tcpemu.scenario.running.build import Watch
from tcpemu.scenario.running.reckoned_size import has_few_transfers
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.host_arguments import why_no_ticks
from tcpemu.wire.capture_file import write_packets
from tcpemu.wire.visible_text import visible


class Written(NamedTuple):
    """A capture that was written."""

    path: Path
    left_out: int
    """Packets that are not in it, since they were lost on the way."""


EVERYTHING = 2**62
"""More rows than any ladder has: nothing is folded."""
SHOWN_WHOLE = 2
"""Runs of one scenario that are shown whole; of more, only the first is."""


def settings_of(
    assignments: Sequence[str] | None, seed: int | None, generation: str | None
) -> dict[str, object]:
    """What the options say, as settings of the scenario by their paths in its file."""
    settings = dict(map(_assignment, assignments or ()))
    if seed is not None:
        settings["seed"] = seed
    if generation is not None:
        settings["server.generation"] = generation
        # What it is about and what there is to look at is what the scenario's own kernel does.
        settings["about"] = settings["look_at"] = ""
    return settings


def _assignment(text: str) -> tuple[str, object]:
    """`KEY=VALUE`, or `HOST:KEY=VALUE` for a setting of another host than the server."""
    path, value = parse_assignment(text)
    check_unit(path_of(path), value)
    return path_of(path), value


def path_of(written: str) -> str:
    """The path in the scenario's file of `KEY` or `HOST:KEY`."""
    host, colon, key = written.partition(":")
    if not colon:
        return written
    table = "server" if host == "server" else f"clients.{host}"
    return f"{table}.{'sysctls.' if NAME_OF_SYSCTL.match(key) else ''}{key}"


def check_request(
    output: Path | None, seen_by: SeenBy, *, plain: bool, json: bool, with_lost: bool = False
) -> None:
    """Find out before the run what would be wrong after it. Raises UsageError."""
    if output is not None:
        if output.suffix.lower() == ".json":
            raise UsageError(
                f"{output}: -o is for packets (*.pcapng or *.pcap); for JSON: tcpemu run ... --json > {output}"
            )
        check_place(output, (".pcapng", ".pcap"))
    elif plain or with_lost or seen_by is not SeenBy.SERVER:
        why = ", and JSON has every packet from both ends, with its comment" if json else ""
        raise UsageError(
            f"--plain, --with-lost and --seen-by say how a capture is taken{why}: leave them out, or write a capture "
            "as well, with -o x.pcapng"
        )


def check_since(since: int, results: Sequence[Result]) -> None:
    """Raises UsageError where nothing can be shown from that time on."""
    ended = max(result.ended for result in results)
    if since and since >= ended:
        over = f"the run is over after {span_words(ended)}"
        raise UsageError(f"--since {span_words(since)}: {over}; give an earlier time")


def until_of(text: str | None) -> int | None:
    """Nanoseconds of `--until`; None where it is not given."""
    return None if text is None else time_of(text)


def results_of(
    name: str,
    settings: Mapping[str, object],
    only: str | None,
    until: int | None,
    watch: Watch | None = None,
) -> list[Result]:
    """Load the scenario and run it: all of its runs, or only the one of that name; `watch` sees each begin."""
    return results_of_runs(name, chosen_runs(name, settings, only), until, watch)


def chosen_runs(name: str, settings: Mapping[str, object], only: str | None) -> list[load_scenario.Run]:
    """The runs of a scenario with these settings: all, or only the one of that name."""
    return chosen(name, found(name, settings), only)


def results_of_runs(
    name: str, runs: Sequence[load_scenario.Run], until: int | None, watch: Watch | None = None
) -> list[Result]:
    """Run them, and say what happened otherwise than its author may think."""
    results = run_and_tell(labelled(name, runs), until, watch)
    tell_of_idle_rules(name, [(result.name, result) for result in results])
    return results


def follow_transfers(network: Network, _: int) -> None:
    """Keep the inner life of its connections, for whoever is going to show it."""
    network.watch_transfers()


def follow_if_few(runs: Sequence[load_scenario.Run]) -> Watch | None:
    """The same for a ladder: only where few clients send as much as makes a transfer, as it takes time and memory."""
    return follow_transfers if all(has_few_transfers(run.scenario) for run in runs) else None


def tell_of_idle_rules(name: str, results: Sequence[tuple[str, Result]]) -> None:
    """Which rules of the scenario have dropped nothing and which faults have met nothing, in each run by its name."""
    for label, result in results:
        where = f"{label!r}: " if label else ""
        for words in result.network.idle_rules():
            complain(f"{name}: {where}a rule to drop packets, {words}")
        for fault in result.network.unmet_faults:
            complain(f"{name}: {where}{fault.unmet_words}")


def found(name: str, settings: Mapping[str, object]) -> tuple[load_scenario.Run, ...]:
    """The runs of a scenario. What it sets and the kernel asked for does not have is left out, with a word."""
    runs = load_scenario.load_runs(name, settings)
    for words in _left_out(name, runs):
        complain(words)
    return runs


def _left_out(name: str, runs: Sequence[load_scenario.Run]) -> Iterator[str]:
    """What was left out for each kernel, and which runs are one without it."""
    whys: dict[str, dict[str, str]] = {}
    for each in (each for run in runs for each in run.left_out):
        whys.setdefault(each.kernel, {})[each.sysctl] = each.why
    for kernel, sysctls in whys.items():
        parts = ", ".join(f"{sysctl} ({why})" for sysctl, why in sysctls.items())
        yield f"{kernel} does not have what {name} sets, so it is left out: {parts}"
    for run in runs:
        if run.variants:
            names = " and ".join(repr(each) for each in run.variants)
            yield f"without that the runs {names} are the same, so there is one"


def labelled(name: str, runs: Sequence[load_scenario.Run]) -> list[tuple[str, load_scenario.Run]]:
    """The runs, each with what is to be said of it while it lasts."""
    return [(visible(f"running {name}{f', {each.name}' if each.name else ''}"), each) for each in runs]


def chosen(name: str, found: Sequence[load_scenario.Run], only: str | None) -> list[load_scenario.Run]:
    """All of a scenario's runs, or only the one of that name. Raises UsageError."""
    runs = [each for each in found if only in {None, each.name, *each.variants}]
    if not runs:
        names = ", ".join(repr(name) for each in found for name in each.variants or [each.name] if name)
        raise UsageError(
            f"{name} has no run {only!r}; " + (f"it has {names}" if names else "it has only one")
        )
    return runs


def paths_of(output: Path, runs: Sequence[str], source: str) -> list[Path]:
    """Where the capture of each run goes: the first to `output`, others beside it with the name of their run.

    Raises UsageError where one cannot be written, or would take the place of the scenario's own file.
    """
    paths = [output]
    for run in runs[1:]:
        slug = re.sub(r"[\W_]+", "-", run.lower()).strip("-")
        paths.append(free_name(output.parent, f"{output.stem}-{slug}".rstrip("-"), output.suffix, paths))
    for path in paths:
        check_place(path)
        check_not_read(path, [source])
    return paths


def write_captures(
    paths: Sequence[Path],
    results: Sequence[Result],
    name: str,
    seen_by: SeenBy,
    *,
    comments: bool,
    with_lost: bool = False,
) -> Sequence[Written]:
    """Write the capture of each run to its path; nothing where there are none."""
    written = []
    for path, result in zip(paths, results, strict=bool(paths)):
        with patience(f"writing {path}"):
            made = capture_in_pieces(name, result, path, seen_by, comments=comments, with_lost=with_lost)
            write_packets(path, made.head, made.packets())
        written.append(Written(path, made.left_out))
    return written


def show_runs(name: str, results: Sequence[Result], *, fold: bool, since: int = 0) -> None:
    """Print all that is shown of the runs; ladders from a time on. Raises UsageError where all are over by then."""
    check_since(since, results)
    runs = [_run(name, result) for result in results]
    whole = WHOLE if fold else EVERYTHING
    shown = runs[:1] if fold and len(runs) > SHOWN_WHOLE else runs
    for number, run in enumerate(shown):
        if number:
            show([(), ()])
        show(overview_lines(run, width(), whole, since))
    if len(runs) > 1:
        numbers = summary.rows_of_numbers([summary.summarize(result) for result in results])
        show(runs_side_by_side([run.name for run in runs], numbers, width()))
    if len(shown) < len(runs):
        show(_hint(name, runs))


def _hint(name: str, runs: Sequence[FinishedRun]) -> list[Line]:
    above = f"Above is the run {runs[0].name!r}. To see another one, or all of them:"
    return [
        (),
        line(above, Role.QUIET),
        line(f"  tcpemu run {name} --run '{runs[1].name}'", Role.QUIET),
        line(f"  tcpemu run {name} --all", Role.QUIET),
    ]


def others_hint(command: str, shown: str, names: Sequence[str]) -> list[Line]:
    """Which run stands above, and how to see another one; nothing where there is only one."""
    others = [name for name in names if name != shown]
    if not others:
        return []
    rest = ", ".join(f"'{name}'" for name in others)
    return [(), line(f"Above is the run '{shown}'. Others, with {command} --run: {rest}", Role.QUIET)]


def _run(name: str, result: Result) -> FinishedRun:
    network = result.network
    hosts = {node.name: node for node in network.nodes.values() if isinstance(node, Node)}
    return FinishedRun(
        name=result.name,
        heading=heading_of(name, result),
        record=result.record,
        ended=result.ended,
        tables={host: network.table(node) for host, node in hosts.items()},
        counters={host: network.counters(node) for host, node in hosts.items()},
        starts=result.starts,
        hosts=result.hosts,
        transfers=network.transfers,
    )


def show_json(name: str, results: Sequence[Result]) -> None:
    """Print the runs for programs."""
    from tcpemu.explain.as_json import json_text

    sys.stdout.writelines(json_text(visible(name), results))
    sys.stdout.flush()


def timers_hint(scenarios: Sequence[Scenario]) -> list[Line]:
    """How to have timers as a kernel's, for whoever lays the capture beside a real one; nothing where they are so, or
    cannot be.
    """
    if any(scenario.server.hz for scenario in scenarios):
        return []
    if any(why_no_ticks(GENERATIONS[scenario.server.generation]) for scenario in scenarios):
        return []
    hint = "Its timers are exact; to compare it with a kernel's capture: --set server.hz=250"
    return [line(hint, Role.QUIET)]


def show_written(paths: Sequence[Written], results: Sequence[Result], stream: TextIO | None = None) -> None:
    """Say which capture is of which run, on standard output if on no other stream, and what is in no capture."""
    for (path, left_out), result in zip(paths, results, strict=False):
        show([line(f"Written: {path}" + (f" ({result.name})" if result.name else ""))], stream)
        if left_out:
            lost = "1 packet that was" if left_out == 1 else f"{left_out:,} packets that were"
            words = f"Without the {lost} lost on the way, as any capture is (--with-lost adds them)."
            show([line(words, Role.QUIET)], stream)
    if paths and stream is None:
        show(timers_hint([result.scenario for result in results]))
