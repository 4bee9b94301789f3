"""One timer for all requests of a listener, as kernels from 2.2 to 4.0 had it.

Each time it fires it looks at a slice of the table of requests, sends again what is due there and goes on from
the same place next time. So what is due waits until its slice's turn has come.
inet_connection_sock.c: inet_csk_reqsk_queue_prune (Linux 2.6.32, 3.10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from tcpemu.stack.host import Host
    from tcpemu.stack.request import Request

_LEAST_TABLE = 16


class SharedTimer:
    """The requests of one listener by the entries of its table."""

    __slots__ = ("_entries", "_hand", "_host", "_size", "armed", "waiting")

    def __init__(self, host: Host, table: int) -> None:
        self._host = host
        self._size = max(table, _LEAST_TABLE)
        self._entries: dict[int, dict[Request, int]] = {}
        self._hand = 0
        self.armed = 0
        self.waiting = 0

    def arm(self, request: Request, deadline: int) -> None:
        """Let a request be looked at from `deadline` on."""
        entry = self._entries.setdefault(self._place(request), {})
        if request not in entry:
            self.waiting += 1
        entry[request] = deadline
        if not self.armed:
            host = self._host
            host.timers.arm(self, host.now + host.generation.initial_rto, host.now)

    def cancel(self, request: Request) -> None:
        """Forget a request, if it is there."""
        if self._entries.get(self._place(request), {}).pop(request, None) is not None:
            self.waiting -= 1
            if not self.waiting:
                self._host.timers.cancel(self)

    def requests(self) -> Iterator[Request]:
        """Those that wait."""
        for entry in self._entries.values():
            yield from entry

    def fire(self) -> None:
        """Look at the next slice: twice what would cover the table in one initial time-out."""
        host = self._host
        synack = host.generation.synack
        share = max(self._size // max(host.generation.initial_rto // synack.interval, 1), 1)
        for _ in range(2 * share):
            for request, deadline in list(self._entries.get(self._hand, {}).items()):
                if deadline <= host.now:
                    request.fire()
            self._hand = (self._hand + 1) % self._size
        if self.waiting:
            host.timers.arm(self, host.now + synack.interval, host.now)

    def _place(self, request: Request) -> int:
        """tcp_ipv4.c: inet_synq_hash, by a checksum here."""
        remote, remote_port, _, _ = request.key
        return crc32(remote, remote_port) % self._size
