"""Accepted connections a second against the queue's length over the round-trip time: what the formula says."""

from collections.abc import Sequence

from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.plots.picture import Curve, Meaning, NothingToDrawError, Panel, PanelBlock, Picture, Spots
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running.result import Result
from tcpemu.scenario.running.summary import accept_rate_limit, summarize

_ACROSS = "places in the SYN queue / round-trip time (1/s)"
_UPWARDS = "accepted connections\n(1/s)"


def rate_picture(title: str, note: str, results: Sequence[Result]) -> Picture:
    """A point for each run, beside the line on which they can be at most. Raises NothingToDrawError."""
    spots = tuple(spot for spot in map(_spot, results) if spot is not None)
    if len(spots) < 2:
        raise NothingToDrawError(
            "--kind rate needs two runs or more in which clients come at a rate (start.rate), with "
            "net.ipv4.tcp_syncookies = 0 and a link.delay, as the scenario accept-rate has them"
        )
    most = max(across for spot in spots for across, _ in spot.points)
    line = Curve(Meaning.FORMULA, "formula: places / round-trip time", ((0, 0), (most, most)), steps=False)
    panel = Panel(_UPWARDS, (line,), spots=spots)
    return Picture(title, note, (PanelBlock("", (panel,), (0, most * 1.08), _ACROSS),))


def _spot(result: Result) -> Spots | None:
    measured, across = summarize(result).accept_rate, queue_rate(result.scenario)
    if measured is None or across is None:
        return None
    busy = result.scenario.server.accept.every
    label = result.name or "the only run"
    if busy:
        label += f" ({span_words(busy)} for each)"
    return Spots(Meaning.MEASURED, f"{label}: {measured:.1f}", ((across, measured),))


def queue_rate(scenario: Scenario) -> float | None:
    """What the queue alone lets in a second, were the server never busy."""
    accept = scenario.server.accept.model_copy(update={"every": 0, "slow": None})
    server = scenario.server.model_copy(update={"accept": accept})
    return accept_rate_limit(scenario.model_copy(update={"server": server}))
