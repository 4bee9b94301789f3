"""One end of one connection, emulated: how often it asks and repeats, and when its window closes.

The emulated host is given what the other end sent, at its times; its programs connect and send when those of the real
one were seen to. What is sent again, and for how long, is then up to its timers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tcpemu.diagnose.flows.flow_life import FlowLife, FlowSide
from tcpemu.diagnose.flows.flow_segments import segments_of_flows
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.answering_host import AnsweringHost, Conversation, host_in_its_place
from tcpemu.diagnose.replay.program_conduct import Conduct
from tcpemu.generations import generation
from tcpemu.stack import ConfigurationError, Host
from tcpemu.wire.segment import SYN

MOST_SEGMENTS = 3000
"""Of one connection. A longer one is not replayed."""
SYN_RETRIES, RETRIES2 = "net.ipv4.tcp_syn_retries", "net.ipv4.tcp_retries2"
LINEAR = "net.ipv4.tcp_syn_linear_timeouts"


def segments_to_replay(path: Path, flows: Iterable[FlowLife]) -> dict[int, list[SeenSegment]]:
    """The segments of these connections, by their numbers; without those that have more than MOST_SEGMENTS."""
    wanted = [flow for flow in flows if flow.frames <= MOST_SEGMENTS]
    found: dict[int, list[SeenSegment]] = {flow.number: [] for flow in wanted}
    for flow, seen in segments_of_flows(path, wanted):
        found[flow.number].append(seen)
    return found


def syn_times(first: SeenSegment, kernel: str, retries: int, *, linear: bool) -> tuple[int, ...]:
    """When connect() of that kernel sends its SYNs with so many tcp_syn_retries, in nanoseconds from the first on.

    Empty where it has not the setting that is asked for.
    """
    settings: dict[str, object] = {SYN_RETRIES: retries}
    if not linear:
        settings[LINEAR] = 0
    try:
        host = Host([first.segment.src], generation(kernel), sysctls=settings, seed=1)
    except ConfigurationError:
        return ()
    speaker = AnsweringHost(first.segment.src, host)
    speaker.add(first)
    speaker.runs_until(first.at + (1 << min(retries + 3, 12)) * 1_000_000_000)
    said = (one for told in speaker.answered.conversations for one in told.answers)
    return tuple(one.at - first.at for one in said if one.segment.flags & SYN)


def replayed_end(
    segments: list[SeenSegment],
    side: FlowSide,
    kernel: str,
    sysctls: Mapping[str, object],
    until: int,
    conduct: Conduct | None = None,
) -> Conversation | None:
    """What that end would have said in this connection, until that time; None where it begins in the middle."""
    host = host_in_its_place(side.address, kernel, sysctls, side.mss)
    speaker = AnsweringHost(side.address, host, conduct)
    for seen in segments:
        speaker.add(seen)
    speaker.runs_until(until)
    told = speaker.finish().conversations
    return told[0] if len(told) == 1 else None
