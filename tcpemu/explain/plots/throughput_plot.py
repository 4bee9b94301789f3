"""How many bits a second each connection carries: data that arrives for the first time, its goodput.

It counts when it arrives, and not when the receiver's program gets it: what waits behind a hole has come through the
link too, and would else seem to come all at once, faster than the link is, when the hole is filled.
Of a run with one connection, what it sends is drawn beside it, repeats too: what lies between the two was sent in vain
or is still on its way. Of several, their sum is.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from tcpemu.explain.plots.picture import (
    Curve,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
)
from tcpemu.explain.plots.sequence_plot import flows_of
from tcpemu.explain.plots.transfer_view import MOST_RUNS, TransferView, view_of
from tcpemu.scenario.running.result import Result

MOST_CONNECTIONS = 12
"""That are drawn each by itself."""
_PARTS = 40
"""Of the time, in each of which the rate is a mean."""
_UNITS = ((1e6, "Mbit/s"), (1e3, "kbit/s"))


def throughput_picture(title: str, note: str, results: Sequence[Result], client: str | None) -> Picture:
    """A block for each run. Raises NothingToDrawError."""
    if len(results) > MOST_RUNS:
        raise NothingToDrawError(f"{len(results)} runs are too many for one picture; choose one with --run")
    blocks = (throughput_block(result.name, list(_views(result, client))) for result in results)
    return Picture(title, note, tuple(blocks))


def throughput_block(heading: str, views: Sequence[TransferView]) -> PanelBlock:
    """The rates of these connections, and of all together. Raises NothingToDrawError."""
    if not views:
        raise NothingToDrawError("no data is sent before the run ends; try a later --until")
    begin, end = min(view.span[0] for view in views), max(view.end for view in views)
    begin = max(begin, 0)
    width = max((end - begin) / _PARTS, 1)
    scale, unit = _unit([view.way.octets for view in views], end - begin)
    curves = [
        Curve(Meaning.ONE_OF_SEVERAL, _words(view), _rates(_delivered(view), begin, width, scale))
        for view in views
    ]
    if len(views) == 1:
        sent = _rates(_sent(views[0]), begin, width, scale)
        curves.insert(0, Curve(Meaning.IN_FLIGHT, "sent, repeats too", sent))
    else:
        all_of_it = sorted(step for view in views for step in _delivered(view))
        curves.append(Curve(Meaning.LIMIT, "all together", _rates(all_of_it, begin, width, scale)))
    each = f"each a mean of {width / 1e6:.3g} ms"
    panel = Panel(f"{unit}\n({each})", tuple(curves), height=2.0, whole=False)
    return PanelBlock(heading, (panel,), (begin, end))


def _views(result: Result, client: str | None) -> Iterator[TransferView]:
    flows = flows_of(result.record)
    if client is not None and client not in flows:
        known = ", ".join(list(flows)[:20]) or "none"
        raise NothingToDrawError(
            f"--client {client!r} has no connection in this run; those that have: {known}"
        )
    wanted = flows if client is None else [client]
    if len(wanted) > MOST_CONNECTIONS:
        raise NothingToDrawError(
            f"{len(wanted)} connections are too many for one picture; choose one with --client"
        )
    for name in wanted:
        try:
            yield view_of(result, name, flows[name])
        except NothingToDrawError:
            continue


def _words(view: TransferView) -> str:
    octets = max((number for _, number in view.way.acked), default=1) - 1
    began = view.way.sent[0][0]
    mean = octets * 8e9 / max(view.end - began, 1)
    scale, unit = next((each for each in _UNITS if mean >= each[0]), _UNITS[-1])
    return f"{view.client}: goodput, {mean / scale:.3g} {unit} over all"


def _delivered(view: TransferView) -> list[tuple[int, int]]:
    """When how many octets arrived that had not before."""
    had: list[tuple[int, int]] = []
    steps = []
    for at, first, end in view.way.arrived:
        new = _take_in(had, first, end)
        if new:
            steps.append((at, new))
    return steps


def _take_in(had: list[tuple[int, int]], first: int, end: int) -> int:
    """Put a piece among those that are there, in order and joined; how much of it is new."""
    place = bisect_left(had, first, key=lambda piece: piece[1])
    over = place
    begin, until, known = first, end, 0
    while over < len(had) and had[over][0] <= end:
        known += max(min(had[over][1], end) - max(had[over][0], first), 0)
        begin, until = min(begin, had[over][0]), max(until, had[over][1])
        over += 1
    had[place:over] = [(begin, until)]
    return end - first - known


def _sent(view: TransferView) -> list[tuple[int, int]]:
    return sorted((at, end - first) for at, first, end in (*view.way.sent, *view.way.again))


def _rates(
    steps: Sequence[tuple[int, int]], begin: int, width: float, scale: float
) -> tuple[tuple[float, float], ...]:
    """The rate in each part of the time."""
    sums = [0] * (_PARTS + 1)
    for at, octets in steps:
        sums[min(int((at - begin) / width), _PARTS)] += octets
    sums[_PARTS - 1] += sums.pop()
    rates = [octets * 8e9 / width / scale for octets in sums]
    return (
        *((begin + number * width, rate) for number, rate in enumerate(rates)),
        (begin + _PARTS * width, rates[-1]),
    )


def _unit(octets: Sequence[int], time: int) -> tuple[float, str]:
    mean = sum(octets) * 8e9 / max(time, 1)
    return next((each for each in _UNITS if mean >= each[0]), _UNITS[-1])
