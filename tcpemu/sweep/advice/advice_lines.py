"""Advice for people: the answer, what was measured around it, a run to look at, and what stands beside it."""

from collections.abc import Iterator, Sequence
from math import inf

from tcpemu.explain.compare.number_table import number_table
from tcpemu.explain.lines.heading import section
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.wrapping import wrapped
from tcpemu.sweep.advice.backlog_search import BESIDE, Advice, Tried
from tcpemu.sweep.advice.rules_of_thumb import rules_beside
from tcpemu.sweep.sweep_table import cell, number

_LABELS = {
    "first_octet_time.p99": "p99 answer (s), mean",
    "connect_time.p99": "p99 connect (s), mean",
    "served.share": "clients answered",
    "failed.share": "clients with an error",
    "ListenOverflows": "dropped, the queue was full",
    "accept_queue.max": "longest accept queue",
    "syn_queue.max": "longest SYN queue",
    "accept_rate": "accepted a second",
}
MOST_COLUMNS = 7


def advice_lines(advice: Advice, scenario: str | None, width: int) -> Iterator[Line]:
    """Everything that `tcpemu advise` prints; `scenario` is the file that the runs can be had again from."""
    yield from wrapped(_answer(advice), width, Role.TITLE)
    for words in advice.question.words:
        yield from wrapped(f"  {words}", width, Role.QUIET)
    yield ()
    yield from _table(advice, width)
    if any(len(each.met) < advice.question.seeds for each in advice.tried):
        words = "where fewer runs are shown they were enough to know that it fails"
        yield from wrapped(f"  {words}", width, Role.QUIET)
    yield from _runs_to_look_at(advice, scenario, width)
    beside: list[Line] = []
    for words in rules_beside(advice):
        beside += _bullet(list(wrapped(f"{words[0].upper()}{words[1:]}.", width - 4)))
    yield from section("Beside it", beside)


def _bullet(lines: Sequence[Line]) -> Iterator[Line]:
    for place, each in enumerate(lines):
        yield (Span("  - " if not place else "    "), *each)


def _answer(advice: Advice) -> str:
    target = " and ".join(each.text for each in advice.question.targets)
    seeds = advice.question.seeds
    best = advice.best
    if advice.question.hopeless:
        short = any(each.good for each in advice.tried)
        return (
            f"No backlog is enough for {target} in the long run: clients come faster than the server takes them, so "
            "every queue is full in the end"
            + "; the runs below are too short to show it." * short
            + "." * (not short)
        )
    if best is None:
        last = advice.below
        most = f"{sum(last.met)} of {seeds} runs with a backlog of {last.backlog:,}" if last else "no run"
        return f"No backlog meets it: {target}, in {most}."
    return f"A backlog of {best.backlog:,} meets it: {target}, in {sum(best.met)} of {seeds} runs."


def _table(advice: Advice, width: int) -> list[Line]:
    shown = _columns(advice)
    wanted = [each.measure for each in advice.question.targets if each.measure not in BESIDE]
    rows = [("meets it, of the runs", [f"{sum(each.met)} of {len(each.met)}" for each in shown])]
    rows += [
        (_LABELS.get(measure, measure), [_cell(each, measure) for each in shown])
        for measure in [*wanted, *BESIDE]
    ]
    return [
        line("  by backlog", Role.QUIET),
        *number_table([f"{each.backlog:,}" for each in shown], rows, width),
    ]


def _cell(tried: Tried, measure: str) -> str:
    found = tried.estimate(measure)
    if found is None or found.mean == inf:
        return cell(found)
    return f"{found.mean:.2%}".replace("%", " %") if measure.endswith(".share") else number(found.mean)


def _columns(advice: Advice) -> list[Tried]:
    """What is around the answer, and some of what is far from it."""
    tried = list(advice.tried)
    if len(tried) <= MOST_COLUMNS:
        return tried
    at = next((place for place, each in enumerate(tried) if each.backlog == advice.backlog), len(tried) - 1)
    near = {at - 1, at, at + 1, 0, len(tried) - 1}
    far = sorted(set(range(len(tried))) - near, key=lambda place: abs(place - at / 2))
    chosen = {place for place in near if 0 <= place < len(tried)}
    return [tried[place] for place in sorted({*chosen, *far[: MOST_COLUMNS - len(chosen)]})]


def _runs_to_look_at(advice: Advice, scenario: str | None, width: int) -> Iterator[Line]:
    below = advice.below
    lines: list[Line] = []
    if below is not None and (seed := below.failing_seed) is not None:
        lines += wrapped(f"  {_command(scenario, below.backlog, seed)}", width)
    harmful = advice.harmful
    if harmful is not None and (seed := harmful.failing_seed) is not None:
        lines += wrapped(
            f"  {_command(scenario, harmful.backlog, seed)}   (too large: it fails again)", width
        )
    if lines and scenario is None:
        lines += wrapped("  with -o question.toml the scenario is written there", width, Role.QUIET)
    yield from section("A run in which it fails", lines)


def _command(scenario: str | None, backlog: int, seed: int) -> str:
    return f"tcpemu explain {scenario or 'question.toml'} --set server.backlog={backlog} --seed {seed}"
