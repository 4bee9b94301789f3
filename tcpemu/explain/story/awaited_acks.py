"""ACKs that wait, where that holds somebody up: the sender sends on in the moment in which such an ACK arrives."""

from collections.abc import Iterator, Mapping, Sequence

from tcpemu.explain.facts.flow_memory import DELAYED, FlowEnd
from tcpemu.explain.facts.rows import PacketRow, Row
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.explain.story.settings_advice import SettingsCase, settings_advice
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.network.endpoint import KnownHost

DELAYED_ACK = "DELAYED_ACK"
"""Stands for the reason of the turning point."""


def awaited_ack_points(rows: Sequence[Row], hosts: Mapping[str, KnownHost]) -> Iterator[TurningPoint]:
    """A paragraph for each host whose ACKs wait while the peer waits for them."""
    acks: dict[tuple[FlowEnd, int], PacketRow] = {}
    found: dict[str, list[tuple[PacketRow, PacketRow]]] = {}
    for row in rows:
        if not isinstance(row, PacketRow):
            continue
        if (
            row.sent is not None
            and row.sent.reason.name == DELAYED
            and row.waited
            and row.arrived is not None
        ):
            acks[(row.receiver or "", row.segment[:4]), row.arrived] = row
        elif row.segment.payload:
            ack = acks.pop(((row.sender, row.segment.sender_flow), row.at), None)
            if ack is not None:
                found.setdefault(ack.sender, []).append((ack, row))
    for node, some in found.items():
        yield _point(node, some, hosts.get(node))


def _point(
    node: str,
    some: Sequence[tuple[PacketRow, PacketRow]],
    host: KnownHost | None,
) -> TurningPoint:
    ack, data = some[0]
    waited = sum(each.waited or 0 for each, _ in some)
    text = (
        f"{node} does not acknowledge data at once: for up to {span_words(ack.waited or 0)} it waits for more, or for "
        f"an answer of its own that would carry the ACK. {data.sender}, which sends on when the ACK arrives at "
        f"{moment(data.at)}, waits as long."
    )
    if len(some) > 1:
        times = "twice" if len(some) == 2 else count(len(some), "time")
        text += f" That happens {times}, {span_words(waited)} in all."
    case = SettingsCase(DELAYED_ACK, host, node, None)
    text += " [tcp_timer.c: tcp_delack_timer_handler]"
    return TurningPoint(
        ack.at,
        DELAYED_ACK,
        "A delayed ACK holds the sender up",
        text,
        settings_advice(case),
        len(some),
        ack.number,
    )
