"""The table of connections."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tcpemu.diagnose.flows.flow_fate import fate_of, fate_words, remarks
from tcpemu.diagnose.flows.flow_life import Fate, FlowLife
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.time_words import seconds, span_words
from tcpemu.explain.lines.wrapping import hanging

FLOWS_LISTED = 30
"""Connections that are all shown; of more, some of each fate."""
_SHOWN_OF_EACH = 4
_ROLES = {
    Fate.UNANSWERED: Role.LOST,
    Fate.REFUSED: Role.RESET,
    Fate.RESET: Role.RESET,
    Fate.HALF_OPEN: Role.AGAIN,
    Fate.CLOSED: Role.CLOSE,
}
_HEADER = ("flow", "client", "server", "begins", "opened in", "octets", "what became of it")


def chosen_flows(flows: Sequence[FlowLife], *, whole: bool) -> list[FlowLife]:
    """Those that are shown: all, or of very many the first of each fate."""
    if whole or len(flows) <= FLOWS_LISTED:
        return list(flows)
    seen: Counter[Fate] = Counter()
    chosen = []
    for flow in flows:
        fate = fate_of(flow)
        seen[fate] += 1
        if seen[fate] <= _SHOWN_OF_EACH:
            chosen.append(flow)
    return chosen


def flow_table(flows: Sequence[FlowLife], begins: int, width: int, *, whole: bool = False) -> Iterator[Line]:
    """A line for each connection, its remarks below it; and how many of which fate there are."""
    shown = chosen_flows(flows, whole=whole)
    rows = [_cells(flow, begins) for flow in shown]
    widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    yield line(_laid_out(_HEADER, widths), Role.QUIET)
    for flow, row in zip(shown, rows, strict=True):
        *cells, words = row
        yield (
            Span(_laid_out(cells, widths[:-1]) + "  "),
            Span(words, _ROLES.get(fate_of(flow), Role.PLAIN)),
        )
        for remark in remarks(flow):
            yield from hanging(" " * (widths[0] + 3) + "-", remark, widths[0] + 5, width, Role.QUIET)
    if len(shown) < len(flows):
        yield line(f"  and {len(flows) - len(shown):,} more (--all shows them)", Role.QUIET)
    yield ()
    yield line("  " + fates_in_words(flows))


def fates_in_words(flows: Sequence[FlowLife]) -> str:
    """How many of which fate."""
    fates = Counter(fate_of(flow).value for flow in flows)
    return f"{count(len(flows), 'connection')}: " + ", ".join(
        f"{n:,} {fate}" for fate, n in fates.most_common()
    )


def _cells(flow: FlowLife, begins: int) -> tuple[str, ...]:
    handshake = flow.handshake
    return (
        str(flow.number),
        str(flow.client),
        str(flow.server),
        seconds(flow.begins.at - begins, 3),
        "" if handshake is None else span_words(handshake, 3),
        f"{flow.client.octets:,}/{flow.server.octets:,}",
        fate_words(flow),
    )


def _laid_out(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    return f"  {first:>{widths[0]}}" + "".join(
        f"  {cell:<{size}}" for cell, size in zip(others, widths[1:], strict=True)
    )
