"""The segments of some connections: the capture is read once more for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.wire.segment import Address


def segments_of_flows(path: Path, flows: Iterable[FlowLife]) -> Iterator[tuple[FlowLife, SeenSegment]]:
    """Each segment of these connections of a survey, in the order of the file. Raises what `segments_of` raises."""
    wanted: dict[frozenset[tuple[Address, int]], list[FlowLife]] = {}
    for flow in flows:
        ends = ((flow.client.address, flow.client.port), (flow.server.address, flow.server.port))
        wanted.setdefault(frozenset(ends), []).append(flow)
    for seen in segments_of(path, CaptureFacts()) if wanted else ():
        segment = seen.segment
        ends = ((segment.src, segment.sport), (segment.dst, segment.dport))
        for flow in wanted.get(frozenset(ends), ()):
            if flow.begins.frame <= seen.frame <= flow.ends.frame:
                yield flow, seen
