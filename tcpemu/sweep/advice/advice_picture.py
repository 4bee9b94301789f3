"""Advice as a picture: what is wanted over the backlog, with the target as a line and the answer marked."""

from math import isinf

from tcpemu.explain.plots.picture import Curve, Meaning, Panel, PanelBlock, Picture, Spots
from tcpemu.sweep.advice.backlog_search import Advice

_PANELS = (
    ("served.share", "clients answered (%)"),
    ("ListenOverflows", "dropped as the\naccept queue was full"),
    ("accept_queue.max", "longest\naccept queue"),
)
_TIMES = {"first_octet_time": "answer", "connect_time": "connect"}


def advice_picture(advice: Advice) -> Picture:
    """The picture; of backlogs far above the answer nothing is drawn."""
    best = advice.best
    answer = "no backlog meets it" if best is None else f"a backlog of {best.backlog} meets it"
    targets = " and ".join(each.text for each in advice.question.targets)
    wanted = [(each.measure, _words(each.measure), each.limit) for each in advice.question.targets]
    others = [
        (measure, words, None) for measure, words in _PANELS if measure not in {one for one, *_ in wanted}
    ]
    most = advice.tried[-1].backlog if advice.backlog is None else max(3 * advice.backlog, 8)
    panels = tuple(
        panel
        for measure, words, limit in (*wanted, *others)
        if (panel := _panel(advice, measure, words, limit, most))
    )
    shown = max((curve.points[-1][0] for panel in panels for curve in panel.curves[:1]), default=most)
    note = "; ".join(advice.question.words)
    return Picture(f"{targets}: {answer}", note, (PanelBlock("", panels, (0, max(shown, 1)), "backlog"),))


def _words(measure: str) -> str:
    head, _, rest = measure.partition(".")
    if rest == "share":
        return f"{head.replace('_', ' ')} (% of clients)"
    return f"{rest} {_TIMES[head]} (s)" if head in _TIMES else measure


def _panel(advice: Advice, measure: str, words: str, limit: float | None, most: int) -> Panel | None:
    found = [
        (each, estimate)
        for each in advice.tried
        if each.backlog <= most
        and (estimate := each.estimate(measure)) is not None
        and not isinf(estimate.mean)
    ]
    if not found:
        return None
    unit = 100 if measure.endswith(".share") else 1
    points = tuple((float(each.backlog), unit * estimate.mean) for each, estimate in found)
    between = tuple(
        (float(each.backlog), unit * estimate.lowest, unit * estimate.highest) for each, estimate in found
    )
    curves = [
        Curve(
            Meaning.ONE_OF_SEVERAL,
            "mean of all runs, and where they are",
            points,
            False,
            dots=True,
            between=between,
        )
    ]
    if limit is not None:
        curves.append(
            Curve(Meaning.LIMIT, "target", ((0.0, unit * limit), (float(most), unit * limit)), steps=False)
        )
    spots = tuple(
        Spots(Meaning.MEASURED, f"backlog {each.backlog}", ((float(each.backlog), unit * estimate.mean),))
        for each, estimate in found
        if each.backlog == advice.backlog and limit is not None
    )
    peak = unit * max(estimate.highest for _, estimate in found)
    return Panel(words, tuple(curves), spots=spots, legend=limit is not None, whole=peak >= 10)
