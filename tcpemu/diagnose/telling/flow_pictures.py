"""One connection of a capture, drawn: its time-sequence graph, round-trip times, or bits a second.

All times are those of the place where the capture was taken: a segment is drawn when it passed there, so that a
round-trip time is that from there to the receiver and back.
"""

from __future__ import annotations

from tcpemu.diagnose.flows.flow_fate import fate_words
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.flows.flow_segments import segments_of_flows
from tcpemu.diagnose.flows.survey import Survey
from tcpemu.explain.facts.flow_numbers import InitialNumbers
from tcpemu.explain.plots.picture import (
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    Spots,
    thinned,
)
from tcpemu.explain.plots.rtt_plot import rtt_samples
from tcpemu.explain.plots.sequence_plot import FlowDirection, note_heard, note_sent, sequence_graphs
from tcpemu.explain.plots.throughput_plot import throughput_block
from tcpemu.explain.plots.transfer_view import TransferView

_MS = 1_000_000
_WHOLE = 10
"""From so many milliseconds on whole ones are enough."""
_LISTED = 5


def flow_picture(found: Survey, kind: str, wanted: str | None) -> Picture:
    """The picture of a connection: that of this number or client's end, else the one with most data.

    `kind` is `sequence`, `rtt` or `throughput`. Raises NothingToDrawError.
    """
    flow = chosen_flow(found.flows, wanted)
    ways = _directions(found, flow)
    title = f"{found.path.name}: flow {flow.number}, {flow.client} to {flow.server}"
    note = f"{fate_words(flow)} · times are those where the capture was taken"
    if kind == "sequence":
        return sequence_graphs(title, note, "Time-sequence graph", ways)
    way = max(ways, key=lambda each: each.octets)
    if not way.octets:
        raise NothingToDrawError(f"flow {flow.number} carries no data; choose another one with --client")
    if kind == "rtt":
        return Picture(title, note, (_rtt_block(way),))
    view = TransferView(f"flow {flow.number}", "", way, (), found.facts.lasts)
    return Picture(title, note, (throughput_block("", [view]),))


def chosen_flow(flows: list[FlowLife], wanted: str | None) -> FlowLife:
    """By its number in the table of `tcpemu diagnose`, or its client's end. Raises NothingToDrawError."""
    if not flows:
        raise NothingToDrawError("there is no TCP connection in it")
    if wanted is None:
        return max(flows, key=lambda flow: flow.client.octets + flow.server.octets)
    for flow in flows:
        if wanted in (str(flow.number), str(flow.client)):
            return flow
    there = ", ".join(f"{flow.number} ({flow.client})" for flow in flows[:_LISTED])
    raise NothingToDrawError(
        f"--client {wanted!r}: give the number of a connection, or its client's address and port: {there}"
        + (
            f" and {len(flows) - _LISTED} more; tcpemu diagnose --all lists them"
            if len(flows) > _LISTED
            else ""
        )
    )


def _directions(found: Survey, flow: FlowLife) -> tuple[FlowDirection, FlowDirection]:
    """What each end sent, first the client; times count from the beginning of the capture."""
    there, back = (
        FlowDirection(str(flow.client), str(flow.server)),
        FlowDirection(str(flow.server), str(flow.client)),
    )
    numbers = InitialNumbers()
    for _, seen in segments_of_flows(found.path, [flow]):
        segment = seen.whole
        relative = numbers.relative(segment)
        at = seen.at - found.facts.begins
        own, other = (there, back) if flow.side_of(segment) is flow.client else (back, there)
        note_sent(own, at, segment, relative, Meaning.SENT_AGAIN)
        note_heard(own, other, at, segment, relative)
    return there, back


def _rtt_block(way: FlowDirection) -> PanelBlock:
    samples = sorted(rtt_samples(way))
    if not samples:
        raise NothingToDrawError(
            "none of its data was acknowledged in the capture, so that no round trip is there"
        )
    points = thinned([(float(at), rtt / _MS) for at, rtt in samples])
    spots = (Spots(Meaning.RTT_SAMPLE, f"of a segment: {len(samples):,}", points),)
    longest = max(value for _, value in points)
    main = Panel("round-trip time\n(ms)", spots=spots, whole=longest >= _WHOLE)
    room = max((samples[-1][0] - samples[0][0]) // 25, 1)
    heading = f"From the capture to {way.receiver} and back"
    return PanelBlock(heading, (main,), (samples[0][0] - room, samples[-1][0] + room))
