"""One listener of a capture: where the capture was taken, the cheapest explanation, and all that is claimed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.diagnose.claims.ending_claims import ending_claims
from tcpemu.diagnose.claims.listener_claims import listener_claims
from tcpemu.diagnose.claims.speaking_claims import speaking_claims
from tcpemu.diagnose.claims.sureness import Claim
from tcpemu.diagnose.claims.vantage import At, Vantage, vantage_of
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.flows.survey import Survey
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.replay.explanation_search import Explanation, explain_listener
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.diagnose.replay.listen_path import ListenPath, listen_path
from tcpemu.wire.segment import Address, endpoint_text


@dataclass(slots=True)
class Diagnosis:
    """What is claimed of one server."""

    address: Address
    port: int
    flows: list[FlowLife]
    vantage: Vantage
    doubts: list[str] = field(default_factory=list)
    """What speaks against certainty."""
    path: ListenPath | None = None
    found: Explanation | None = None
    """None where there is no handshake to explain."""
    claims: list[Claim] = field(default_factory=list)

    @property
    def server(self) -> str:
        """`10.0.0.1:80`."""
        return endpoint_text((self.address, self.port))


def servers_of(survey: Survey) -> list[tuple[Address, int]]:
    """Who was asked for connections, most often asked first; where nobody was, all servers of connections."""
    asked: dict[tuple[Address, int], int] = {}
    for flow in survey.flows:
        end = (flow.server.address, flow.server.port)
        asked[end] = asked.get(end, 0) + (1_000_000 if flow.client.syn_count else 1)
    return sorted(asked, key=lambda end: -asked[end])


def diagnose_server(
    survey: Survey,
    address: Address,
    port: int,
    *,
    at: str | None = None,
    known: Known | None = None,
    kernel: str | None = None,
) -> Diagnosis:
    """All claims about one server of a capture that was surveyed: it is read once more for that.

    `at` is where it was taken: `server`, `client` or `middle`; None finds out. `kernel` is the only one that is tried.
    """
    known = known or Known()
    flows = [flow for flow in survey.flows if (flow.server.address, flow.server.port) == (address, port)]
    asked = [flow for flow in flows if flow.client.syn_count]
    path = _path(survey.path, address, port, at_server=at == At.SERVER.value)
    vantage = vantage_of(asked, path.unfilled, at)
    if vantage.at is At.SERVER and path.away:
        path = _path(survey.path, address, port, at_server=True)
    _number_alike(path, flows)
    diagnosis = Diagnosis(address, port, flows, vantage, path=path)
    if any(
        flow.answered for flow in asked
    ):  # one that answers nobody is no listener, as far as anybody can tell
        diagnosis.found = explain_listener(path, known, kernel)
        diagnosis.doubts = list(_doubts(survey.facts, flows, path, diagnosis.found, vantage))
        diagnosis.claims += listener_claims(path, diagnosis.found, known, diagnosis.doubts)
    else:
        diagnosis.doubts = list(_doubts(survey.facts, flows, path, None, vantage))
    diagnosis.claims += ending_claims(flows, vantage, known, diagnosis.doubts)
    diagnosis.claims += speaking_claims(survey.path, flows, survey.facts.ends, kernel)
    return diagnosis


def _number_alike(path: ListenPath, flows: list[FlowLife]) -> None:
    """Give the connections of one server the numbers that they have among all of the capture."""
    numbers = {flow.begins.frame: flow.number for flow in flows}
    for flow in path.flows:
        flow.life.number = numbers.get(flow.life.begins.frame, flow.life.number)


def _path(path: Path, address: Address, port: int, *, at_server: bool) -> ListenPath:
    return listen_path(segments_of(path, CaptureFacts()), address, port, at_server=at_server)


def _doubts(
    facts: CaptureFacts, flows: list[FlowLife], path: ListenPath, found: Explanation | None, vantage: Vantage
) -> list[str]:
    lacks = {
        "the capture was not taken on the server": vantage.at is not At.SERVER,
        "that it was taken on the server is a guess (--at server says so)": vantage.at is At.SERVER
        and not vantage.known,
        "not every combination was tried": found is not None and not found.complete,
        "only the first handshakes were looked at": path.cut,
        "the file was not read to its end": bool(facts.file.ended or facts.file.damaged_blocks),
        "its clock stepped": bool(facts.clock_steps),
        "frames stand out of order": bool(facts.out_of_order),
        "handshakes are snapped or damaged": bool(path.unsure),
        "fragments are missing": bool(facts.fragments_missing),
        "connections were there before it began": bool(path.midway),
        "it lacks packets that were acknowledged": any(
            flow.client.unseen or flow.server.unseen or flow.client.holes for flow in flows
        ),
    }
    return [doubt for doubt, holds in lacks.items() if holds]
