"""One frame of a capture that is not ours: what it is, what is claimed of it. Comments in it are not ours either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis, diagnose_server
from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.flows.flow_fate import fate_words, remarks
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.flows.survey import Survey
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.reading.seen_segment import SeenSegment, Sum
from tcpemu.diagnose.telling.claim_lines import claim_lines
from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.lines.wrapping import hanging
from tcpemu.wire.segment import ACK, RST, SYN, endpoint_text

_LABEL = 11
_SUMS = {
    Sum.UNFILLED: "not filled in yet: the network card does that",
    Sum.BAD: "wrong: a host drops such a packet without a word (TcpInCsumErrors)",
    Sum.UNKNOWN: "cannot be checked: the packet was snapped",
}


@dataclass(slots=True)
class FoundFrame:
    """A frame, with the connection that it belongs to."""

    number: int
    seen: SeenSegment | None
    flow: FlowLife | None
    left_out: str
    """Why it is no segment that is followed; empty for one that is."""
    begins: int


def find_frame(survey: Survey, number: int) -> FoundFrame:
    """The frame that Wireshark gives that number, in a capture that was surveyed."""
    facts = CaptureFacts(asked=number)
    flows = FlowCollection()
    found: SeenSegment | None = None
    place = 0
    for seen in segments_of(survey.path, facts):
        flow = flows.add(seen)
        if seen.frame == number:
            found, place = seen, flow.number if flow else 0
        if seen.frame >= number:
            break
    flow_there = survey.flows[place - 1] if place else None
    why = facts.asked_why if found is None else ""
    return FoundFrame(number, found, flow_there, why, survey.facts.begins)


def foreign_frame_lines(survey: Survey, number: int, width: int, at: str | None = None) -> Iterator[Line]:
    """All that is known of that frame."""
    found = find_frame(survey, number)
    yield line(f"frame {number} of {survey.facts.file.frames}", Role.TITLE)
    if found.seen is None or found.flow is None:
        why = found.left_out or "belongs to no connection that is kept"
        yield from hanging("  packet", f"none that is followed: a frame that {why}", _LABEL, width)
        return
    for label, text in _facts(found.seen, found.flow, found.begins):
        yield from hanging(f"  {label}", text, _LABEL, width)
    server = found.flow.server
    diagnosis = diagnose_server(survey, server.address, server.port, at=at)
    yield from _meaning(diagnosis, number, width)


def _facts(seen: SeenSegment, flow: FlowLife, begins: int) -> Iterator[tuple[str, str]]:
    segment = seen.segment
    yield "time", moment(seen.at - begins)
    yield "from", endpoint_text((segment.src, segment.sport))
    yield "to", endpoint_text((segment.dst, segment.dport))
    yield "packet", _words(seen, flow)
    if seen.sum in _SUMS:
        yield "checksum", _SUMS[seen.sum]
    if len(segment.payload) < seen.length:
        yield "snapped", f"{len(segment.payload)} of {seen.length} octets of its data are in the file"
    yield "flow", f"{flow.number}: {fate_words(flow)}"
    told = remarks(flow)
    if told:
        yield "", "; ".join(told)


def _words(seen: SeenSegment, flow: FlowLife) -> str:
    """The segment, with numbers that count from the SYNs where these are in the capture."""
    segment = seen.segment
    own_side = flow.side_of(segment)
    own, other = own_side.isn, flow.other(own_side).isn
    words = [flag_words(segment.flags), f"seq {(segment.seq - (own or 0)) & 0xFFFFFFFF}"]
    words += [f"ack {(segment.ack - (other or 0)) & 0xFFFFFFFF}"] if segment.flags & ACK else []
    words += [f"len {seen.length}"] if seen.length else []
    words += [] if segment.flags & RST else [f"win {segment.window}"]
    options = option_words(segment) if segment.flags & SYN else ""
    return " ".join(words) + (f" ({options})" if options else "")


def _meaning(diagnosis: Diagnosis, number: int, width: int) -> Iterator[Line]:
    claims = [claim for claim in diagnosis.claims if number in claim.frames]
    judged = (
        [one for one in diagnosis.found.best.judged if one.step.seen.frame == number]
        if diagnosis.found
        else []
    )
    yield ()
    for claim in claims:
        yield from claim_lines(claim, width)
    if claims:
        return
    if judged:
        sure = (
            "as it should be"
            if not (diagnosis.found and diagnosis.found.best.cost)
            else "in the best explanation"
        )
        text = f"{sure}: {judged[-1].reason.text} [{judged[-1].reason.source}]"
        yield from hanging("  meaning", text, _LABEL, width)
        return
    yield from hanging(
        "  meaning", "nothing is claimed of it: data transfer is only described", _LABEL, width
    )
