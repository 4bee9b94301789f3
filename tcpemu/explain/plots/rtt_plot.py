"""The round-trip times of a transfer: of each segment, smoothed by the sender, and the time-out that it makes of them.

A sample here is the time from a segment to the first acknowledgment that has it, be it by its number or by SACK. What
was sent twice gives none, since nobody can tell which of the two was acknowledged.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tcpemu.explain.plots.cwnd_plot import curve_of
from tcpemu.explain.plots.picture import (
    Curve,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    Spots,
    thinned,
)
from tcpemu.explain.plots.sequence_plot import FlowDirection
from tcpemu.explain.plots.transfer_view import TransferView, events_of, viewed_runs
from tcpemu.scenario.running.result import Result

_MS = 1_000_000
_WHOLE = 10
"""From so many milliseconds on whole ones are enough."""
_FAR = 4
"""So many times the longest round trip is too far for one axis."""


def rtt_picture(title: str, note: str, results: Sequence[Result], client: str | None) -> Picture:
    """A block for each run. Raises NothingToDrawError."""
    return Picture(title, note, tuple(map(_block, viewed_runs(results, client))))


def rtt_samples(way: FlowDirection) -> Iterator[tuple[int, int]]:
    """When an acknowledgment came, and the round-trip time of the segment that it was for; both in nanoseconds."""
    again = {(first, end) for _, first, end in way.again}
    ats, acked = [at for at, _ in way.acked], [number for _, number in way.acked]
    for at, first, end in way.sent:
        if any(low < end and first < high for low, high in again):
            continue
        place = bisect_right(acked, end - 1)
        heard = [ats[place]] if place < len(ats) else []
        heard += [when for when, left, right in way.sacked if left <= first and end <= right and when >= at][
            :1
        ]
        if heard:
            yield min(heard), min(heard) - at


def _block(view: TransferView) -> PanelBlock:
    if not view.changes:
        raise NothingToDrawError(f"the round-trip times of {view.way.sender} were not followed in this run")
    begin, end = view.span
    samples = sorted(rtt_samples(view.way))
    changes = [change for change in view.changes if change.at <= end and change.figures.srtt]
    points = thinned([(float(at), rtt / _MS) for at, rtt in samples])
    spots = (Spots(Meaning.RTT_SAMPLE, f"of a segment: {len(samples):,}", points),) if points else ()
    if not changes:
        raise NothingToDrawError(f"{view.client!r} has measured no round-trip time before the run ends")
    srtt = Curve(Meaning.SRTT, "smoothed (srtt)", curve_of(changes, end, lambda one: one.srtt / 1000))
    rto = Curve(Meaning.RTO, "time-out (RTO)", curve_of(changes, end, lambda one: one.rto / 1000))
    longest = max([value for _, value in points] + [value for _, value in srtt.points])
    far = max(value for _, value in rto.points) > _FAR * longest
    near = (srtt,) if far else (srtt, rto)
    marks = tuple(events_of(view))
    main = Panel("round-trip time\n(ms)", near, marks, spots, height=1.6, whole=longest >= _WHOLE)
    above = Panel("time-out\n(ms)", (rto,), height=0.8)
    return PanelBlock(view.heading, (above, main) if far else (main,), (begin, end))
