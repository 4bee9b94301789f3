"""On which side each host stands, and by what name: who listens stands on the right, who calls on the left."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from tcpemu.explain.facts.rows import CallRow, PacketRow, Row
from tcpemu.wire.segment import Address, FlowKey, address_text

LONGEST_HOST_LABEL = 20

_Way: TypeAlias = tuple[str, int, str | None, int]
"""Sender and its port, receiver and its port."""


class HostSides:
    """The hosts of a run and the sides on which they stand."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._listening: set[str] = set()
        self._first: set[str] | None = None
        self._ways: dict[_Way, None] = {}
        self._addresses: dict[str, dict[Address, None]] = {}
        for row in rows:
            self.note(row)
        self.settle()

    def note(self, row: Row) -> None:
        """One more row; `settle` when there are no more."""
        if row.queues:
            self._listening.add(row.queues.node)
        if isinstance(row, PacketRow):
            if self._first is None:
                self._first = {row.receiver} if row.receiver else set()
            self._ways[row.sender, row.segment.sport, row.receiver, row.segment.dport] = None
            self._note_address(row.sender, row.segment.src)
            if row.receiver and row.arrived is not None:
                self._note_address(row.receiver, row.segment.dst)
        elif isinstance(row, CallRow) and row.text.startswith("listen("):
            self._listening.add(row.node)

    def _note_address(self, node: str, address: Address) -> None:
        addresses = self._addresses.get(node)
        if addresses is None:
            addresses = self._addresses[node] = {}
        addresses[address] = None

    def settle(self) -> None:
        """All rows are noted: find out the sides."""
        self.right = self._listening or self._first or set()
        nodes = dict.fromkeys(node for way in self._ways for node in (way[0], way[2]) if node)
        self.left = [node for node in nodes if node not in self.right]
        self._owners = {address: node for node, addresses in self._addresses.items() for address in addresses}
        self._ports_right = {self._right_end(*way) for way in self._ways}
        self._ports_left = Counter(node for node, _ in {self._left_end(*way) for way in self._ways})
        self._ways = {}

    def points_right(self, row: PacketRow) -> bool:
        """Whether its arrow points to the right: to who listens, or away from who called."""
        return self._points_right(row.sender, row.receiver)

    def _points_right(self, sender: str, receiver: str | None) -> bool:
        return receiver in self.right or sender not in self.right

    def left_end(self, row: PacketRow) -> tuple[str, int]:
        """Host and port at the left end of its arrow."""
        return self._left_end(row.sender, row.segment.sport, row.receiver, row.segment.dport)

    def _left_end(self, sender: str, sport: int, receiver: str | None, dport: int) -> tuple[str, int]:
        return (sender, sport) if self._points_right(sender, receiver) else (receiver or "", dport)

    def right_end(self, row: PacketRow) -> tuple[str, int]:
        """Host and port at the right end of its arrow."""
        return self._right_end(row.sender, row.segment.sport, row.receiver, row.segment.dport)

    def _right_end(self, sender: str, sport: int, receiver: str | None, dport: int) -> tuple[str, int]:
        return (receiver or "", dport) if self._points_right(sender, receiver) else (sender, sport)

    def left_label(self, node: str, port: int) -> str:
        """The port; where there are several hosts, the host and, if it has several, the port."""
        if len(self.left) < 2 and node not in self.right:
            return f":{port}"
        return node if self._ports_left[node] == 1 else f"{node}:{port}"

    def label_of_flow(self, node: str, flow: FlowKey) -> str:
        """What a flow of that host is called: by the label at its left end."""
        remote, remote_port, _, local_port = flow
        if node not in self.right:
            return self.left_label(node, local_port)
        return self.left_label(self._owners.get(remote, ""), remote_port)

    def right_label(self, node: str, port: int) -> str:
        """Empty where only one port of one host is spoken to: the head of the ladder names it."""
        if len(self._ports_right) < 2:
            return ""
        return f":{port}" if len(self.right) < 2 and node in self.right else f"{node}:{port}"

    def titles(self, room: int) -> tuple[str, str]:
        """The hosts on the left and on the right, with their addresses; as much as the room allows."""
        right = self._right_title()
        room -= len(right) + 2
        long = ", ".join(map(self._titled, self.left))
        short = ", ".join(self.left)
        left = next((text for text in (long, short) if len(text) <= room), f"{len(self.left)} hosts")
        return left, right

    def _right_title(self) -> str:
        """Each host with its address; with the port, where there is only one."""
        ports = {port for _, port in self._ports_right}
        port = f":{ports.pop()}" if len(self._ports_right) == 1 else ""
        return ", ".join(self._titled(node) + port for node in sorted(self.right))

    def _titled(self, node: str) -> str:
        addresses = self._addresses.get(node, {})
        if len(addresses) == 1:
            return f"{node} {address_text(next(iter(addresses)))}"
        return f"{node} ({len(addresses):,} addresses)" if addresses else node
