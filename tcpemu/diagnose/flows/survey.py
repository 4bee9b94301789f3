"""A whole capture, read once: its connections, and what it lacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.flows.flow_life import FlowLife, IcmpNote
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.wire.segment import Address


@dataclass(slots=True)
class Survey:
    """What a capture has in it."""

    path: Path
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    flows: list[FlowLife] = field(default_factory=list)
    not_kept: int = 0
    """Segments of connections beyond those that are kept."""


_About: TypeAlias = tuple[Address, int, Address, int]


def _file_icmp(found: Survey) -> None:
    """Give each ICMP error to the connection that it is about: the last one with these ports that had begun."""
    flows: dict[_About, list[FlowLife]] = {}
    for flow in found.flows if found.facts.icmp else ():
        ends = (flow.client.address, flow.client.port, flow.server.address, flow.server.port)
        flows.setdefault(ends, []).append(flow)
    for frame, at, error in found.facts.icmp:
        target, to_port, source, from_port = error.flow
        for by_client, ends in (
            (True, (source, from_port, target, to_port)),
            (False, (target, to_port, source, from_port)),
        ):
            begun = [flow for flow in flows.get(ends, ()) if flow.begins.at <= at]
            if begun:
                begun[-1].icmp.append(IcmpNote(frame, at, by_client, error.src, error.says, error.too_large))
                break
        else:
            why = "is an ICMP error about a connection that is not here"
            found.facts.left_out[why] += 1
            found.facts.first_left_out.setdefault(why, frame)


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
    _file_icmp(found)
    return found
