"""A whole capture, read once: its connections, and what it lacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of


@dataclass(slots=True)
class Survey:
    """What a capture has in it."""

    path: Path
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    flows: list[FlowLife] = field(default_factory=list)
    not_kept: int = 0
    """Segments of connections beyond those that are kept."""


def survey(path: Path, begun: Callable[[CaptureFacts], None] = lambda _: None) -> Survey:
    """Read a capture. `begun` is given the facts before the first frame, so that others can see how far it has got.

    Raises CaptureError for a file that is no capture; OSError from the disk.
    """
    found = Survey(path)
    collection = FlowCollection()
    begun(found.facts)
    for seen in segments_of(path, found.facts):
        collection.add(seen)
    found.flows, found.not_kept = collection.flows, collection.not_kept
    return found
