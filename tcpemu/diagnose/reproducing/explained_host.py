"""The best explanation, run once more with all that its connections said: the emulated host in the server's place.

`listen_replay.py` finds the kernel, the settings and when accept() was called by handshakes alone. Here a host with
these is given every segment of the clients, and its programs send and close when those of the real one were seen to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.answering_host import AnsweringHost, Conversation
from tcpemu.diagnose.replay.listen_path import ListenPath
from tcpemu.diagnose.replay.listen_replay import LOST_BEHIND, Replayed, path_mtu
from tcpemu.diagnose.replay.program_conduct import Conduct, HostWitness, WitnessEntry
from tcpemu.diagnose.replay.supposed_settings import LARGE, Supposed, host_with
from tcpemu.stack import Host
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.capture_values import CaptureError
from tcpemu.wire.segment import Address

MOST_SEGMENTS = 20_000
"""Of one server, that are replayed whole."""
_LINGERS = 2 * SECOND
"""How long the host is watched after the last segment."""


@dataclass(slots=True)
class ExplainedRun:
    """What the emulated host heard, did and said."""

    address: Address
    port: int
    supposed: Supposed
    host: Host
    """As it stands at the end."""
    mtu: int
    base: int
    """Nanoseconds since the epoch at which the host's own time begins."""
    away: int
    """Nanoseconds from the capture to the server, one way."""
    conversations: list[Conversation] = field(default_factory=list)
    entries: list[WitnessEntry] = field(default_factory=list)
    accepts_at_once: bool = False
    """Nothing shows that anybody waited for accept()."""
    lost: frozenset[int] = frozenset()
    """Frames that did not come to its TCP."""
    midway: int = 0
    """Segments of connections that were there before the capture began."""

    def lives(self) -> Iterator[FlowLife]:
        """Its connections."""
        return (told.life for told in self.conversations)


def explained_run(diagnosis: Diagnosis, capture: Iterable[SeenSegment]) -> ExplainedRun:
    """Run the best explanation of one server of that capture.

    Raises CaptureError where there is none, or where the server said and heard more than is replayed.
    """
    path, found = diagnosis.path, diagnosis.found
    if path is None or found is None or not path.flows:
        raise CaptureError(
            f"{diagnosis.server}: no SYN to it is in the capture that it did not refuse, so that no listener is there "
            f"to explain"
        )
    away = path.away // 2
    segments = _as_the_server(diagnosis, capture, away)
    best = found.best
    host = host_with(best.supposed, diagnosis.address, path_mtu(path))
    witness = HostWitness()
    answering = AnsweringHost(diagnosis.address, host, _conduct(diagnosis, path, best), witness)
    for seen in segments:
        answering.add(seen)
    if segments:
        answering.runs_until(segments[-1].at + _LINGERS)
    answered = answering.finish()
    return ExplainedRun(
        diagnosis.address,
        diagnosis.port,
        best.supposed,
        host,
        path_mtu(path),
        answering.base,
        away,
        answered.conversations,
        witness.entries,
        _never_waits(best),
        _lost(best),
        answered.midway,
    )


def capture_segments(diagnosis: Diagnosis, capture: Iterable[SeenSegment]) -> Iterator[SeenSegment]:
    """Those to and from that server."""
    end = diagnosis.address, diagnosis.port
    return (
        seen
        for seen in capture
        if end in {(seen.segment.src, seen.segment.sport), (seen.segment.dst, seen.segment.dport)}
    )


def _as_the_server(diagnosis: Diagnosis, capture: Iterable[SeenSegment], away: int) -> list[SeenSegment]:
    """In the order and at the times in which the server saw them."""
    segments: list[SeenSegment] = []
    for seen in capture_segments(diagnosis, capture):
        if len(segments) >= MOST_SEGMENTS:
            raise CaptureError(
                f"{diagnosis.server} has more than {MOST_SEGMENTS:,} segments in the capture; cut out the time that "
                f"is asked about with 'editcap -A -B', or some of its clients with a filter of 'tcpdump -r'"
            )
        outbound = (seen.segment.src, seen.segment.sport) == (diagnosis.address, diagnosis.port)
        segments.append(seen._replace(at=seen.at + (-away if outbound else away)))
    return sorted(segments, key=lambda seen: seen.at) if away else segments


def _lost(best: Replayed) -> frozenset[int]:
    return frozenset(one.frame for one in best.unseen if one.what == LOST_BEHIND and one.frame)


def _never_waits(best: Replayed) -> bool:
    """Whether no queue matters, so that nothing says when programs accept: then it is at once."""
    return best.supposed.backlog == LARGE and not best.accept_was_full


def _conduct(diagnosis: Diagnosis, path: ListenPath, best: Replayed) -> Conduct:
    return Conduct(
        best.supposed,
        (diagnosis.port,),
        None if _never_waits(best) else tuple(best.accepted_at),
        _lost(best),
        {
            flow.life.key_of(flow.life.server): flow.life.server.first_zero_window.frame
            for flow in path.flows
            if flow.life.server.first_zero_window
        },
        frozenset(flow.life.key_of(flow.life.server) for flow in path.flows if _was_closed(flow.life)),
    )


def _was_closed(life: FlowLife) -> bool:
    """Whether data that came after the server's FIN met a RST: its program had called close()."""
    return life.reset_by is life.server and life.server.fin is not None
