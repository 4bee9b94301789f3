"""What has to be remembered of each flow to tell how long something waited: data written, an ACK owed, data unread."""

import re
from collections.abc import Collection

from tcpemu.explain.facts.flow_numbers import Relative
from tcpemu.explain.facts.record_steps import HostStep
from tcpemu.network.record import Call
from tcpemu.stack.base.events import Outcome, Sent
from tcpemu.wire.segment import ACK, FIN, RST, SYN, FlowKey, Segment

_OCTETS = re.compile(r"([0-9]+) octets?$")
FlowEnd = tuple[str, FlowKey]
"""A node and a flow as it calls it: remote address, remote port, local address, local port."""
DELAYED, HELD = "DELAYED_ACK", "HELD_DATA_SENT"
"""The reasons of an ACK that waited, and of data that Nagle's algorithm held back."""


def octets_received(call: Call) -> int | None:
    """How many octets a recv() gave; None for another call, or one that failed or waits."""
    octets = _OCTETS.match(call.result) if call.text.startswith("recv(") else None
    return int(octets[1]) if octets else None


class FlowMemory:
    """Follows steps and packets in the order in which they happened."""

    def __init__(self, sent_again: Collection[FlowEnd]) -> None:
        self._sent_again = sent_again
        """Who sends something more than once on which flow, as its receiver calls it."""
        self._sent: dict[tuple[str, FlowKey, str, int], int] = {}
        """When a piece that begins, or ends, at this sequence number was sent last."""
        self._owed: dict[FlowEnd, int] = {}
        """Since when data that arrived is not acknowledged."""
        self._written: dict[FlowEnd, int] = {}
        """When the application wrote what was sent last or waits yet."""
        self._read: dict[FlowEnd, int] = {}
        """Octets that recv() has given."""

    def step(self, step: HostStep) -> None:
        """A host has done something."""
        arrived, call = step.arrived, step.call
        if arrived is not None:
            self._arrived(step, arrived)
        elif call is not None and call.flow is not None:
            self._called(step, call, call.flow)

    def _arrived(self, step: HostStep, arrived: Segment) -> None:
        if arrived.payload and step.verdict and step.verdict.outcome is Outcome.ACCEPTED:
            self._owed.setdefault((step.node, arrived[:4]), step.at)
        if arrived.flags & SYN:
            self._read.pop((step.node, arrived[:4]), None)

    def _called(self, step: HostStep, call: Call, flow: FlowKey) -> None:
        here = step.node, flow
        if call.text.startswith("send("):
            self._written.setdefault(here, step.at)
        elif (octets := octets_received(call)) is not None:
            self._read[here] = self._read.get(here, 0) + octets

    def since_last(self, node: str, segment: Segment, at: int) -> int | None:
        """How long ago the same piece of the sequence was sent, whatever its flags; None if it never was."""
        if not self._sent_again:
            return None
        flow: FlowKey = segment[:4]
        if (node, flow) not in self._sent_again or not segment.length:
            return None
        begins = node, flow, "from", segment.seq
        ends = node, flow, "to", segment.seq + segment.length & 0xFFFFFFFF
        last = self._sent.get(begins, self._sent.get(ends))
        self._sent[begins] = self._sent[ends] = at
        return None if last is None else at - last

    def waited(self, node: str, segment: Segment, at: int, why: Sent | None) -> int | None:
        """How long the ACK was delayed, or the data held, that this segment is."""
        if not self._owed and not segment.payload:
            return None
        here = node, segment.sender_flow
        since = None
        name = why.reason.name if why else ""
        if segment.flags & ACK:
            owed = self._owed.pop(here, None)
            since = owed if name == DELAYED else None
        if segment.payload:
            written = self._written.get(here)
            since = written if name == HELD else since
            if written is not None and written < at:
                del self._written[here]
        return None if since is None else at - since

    def unread(self, node: str, segment: Segment, relative: Relative) -> int | None:
        """Octets that wait for recv(), where the segment offers a window of 0."""
        if relative.window or relative.ack is None or segment.flags & (SYN | RST | FIN):
            return None
        here = node, segment.sender_flow
        return max(relative.ack - 1 - self._read.get(here, 0), 0)
