"""How a sender's windows stood once a packet had left or come: a sentence for its comment."""

from collections.abc import Iterator

from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.phases.transfer_phases import NO_THRESHOLD
from tcpemu.explain.tables.connection_info import recovery_word
from tcpemu.network.record import PacketSeen, Point, Record
from tcpemu.network.recorded.transfers import FiguresChanged, Transfers
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.sockets.tcp_info import FlowFigures

_LEAST_UNDER_WAY = 2
"""Who never has so many segments under way has no window worth a word."""


def figures_after(record: Record, transfers: Transfers) -> dict[int, tuple[str, str]]:
    """By the number of a packet: the host whose figures had changed once it had sent or received it, and how."""
    pending = sorted(_told(transfers), key=lambda one: one[0].place, reverse=True)
    last: dict[str, int] = {}
    found: dict[int, tuple[str, str]] = {}

    def settle(until: int) -> None:
        while pending and pending[-1][0].place <= until:
            change, node = pending.pop()
            if node in last:
                found[last[node]] = node, f"{node}: {figure_words(change.figures)}."

    for place, entry in enumerate(record):
        settle(place)
        if isinstance(entry, PacketSeen) and entry.point is not Point.LOST:
            last[entry.node] = entry.number
    settle(len(record))
    return found


def _told(transfers: Transfers) -> Iterator[tuple[FiguresChanged, str]]:
    """The changes of who sends data that a reader can see."""
    for node, _, changes in transfers:
        if max((change.figures.unacked for change in changes), default=0) < _LEAST_UNDER_WAY:
            continue
        before = ""
        for change in changes:
            words = figure_words(change.figures)
            if words != before and change.figures.srtt:
                yield change, node
            before = words


def figure_words(figures: FlowFigures) -> str:
    """`cwnd 19, ssthresh 13, in flight 12, srtt 40 ms, Recovery`."""
    threshold = f", ssthresh {figures.ssthresh}" if figures.ssthresh < NO_THRESHOLD else ""
    state = f", {recovery_word(figures.ca_state)}" if figures.ca_state else ""
    srtt = span_words(figures.srtt * MICROSECOND, 3)
    return f"cwnd {figures.cwnd}{threshold}, in flight {figures.in_flight}, srtt {srtt}{state}"
