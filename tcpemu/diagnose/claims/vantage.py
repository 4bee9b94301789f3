"""Where a capture was taken: at the server, at the client, or between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from statistics import median

from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.explain.lines.time_words import span_words

_NEAR = 10
"""The other way takes so many times as long."""
_AT_ORIGIN = (32, 64, 128, 255)
"""Hop counts that hosts begin with."""


class At(Enum):
    """Where it was taken."""

    SERVER = "server"
    CLIENT = "client"
    MIDDLE = "middle"


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where, and how that is known."""

    at: At
    known: bool
    """It was said, or nothing else can be."""
    why: str


def vantage_of(flows: list[FlowLife], unfilled_by_server: bool, said: str | None) -> Vantage:
    """Where the capture was taken, by what was `said`, else by checksums, times and hop counts."""
    if said is not None:
        return Vantage(At(said), True, "as --at says")
    if unfilled_by_server:
        return Vantage(At.SERVER, True, "the server's checksums are not filled in yet")
    answers, acks = _gaps(flows)
    if answers and acks:
        to_server, to_client = int(median(answers)), int(median(acks))
        times = f"a SYN|ACK takes {span_words(to_server, 2)}, the ACK of it {span_words(to_client, 2)}"
        if to_client > _NEAR * to_server:
            return Vantage(At.SERVER, False, times)
        if to_server > _NEAR * to_client:
            return Vantage(At.CLIENT, False, times)
    hops = {flow.server.ttl for flow in flows if flow.server.frames}
    from_client = {flow.client.ttl for flow in flows if flow.client.frames}
    if hops and hops <= set(_AT_ORIGIN) and from_client and not from_client & set(_AT_ORIGIN):
        return Vantage(At.SERVER, False, "the server's hop counts are whole, those of clients are not")
    if from_client and from_client <= set(_AT_ORIGIN) and hops and not hops & set(_AT_ORIGIN):
        return Vantage(At.CLIENT, False, "the clients' hop counts are whole, those of the server are not")
    return Vantage(At.MIDDLE, False, "nothing tells which end is near")


def _gaps(flows: list[FlowLife]) -> tuple[list[int], list[int]]:
    """From SYN to SYN|ACK, and from that to the ACK, where each was sent once."""
    whole = [
        flow
        for flow in flows
        if flow.client.syn_count == 1 and flow.server.syn_count == 1 and flow.opened and flow.answered
    ]
    answers = [flow.answered.at - flow.begins.at for flow in whole if flow.answered]
    acks = [flow.opened.at - flow.answered.at for flow in whole if flow.opened and flow.answered]
    return answers, acks
