"""One timer for all requests of a listener, as kernels from 2.2 to 4.0 had it.

Each time it fires it looks at a slice of the table of requests, sends again what is due there and goes on from
the same place next time (`request_timer.py`). So what is due waits until its slice's turn has come.
inet_connection_sock.c: inet_csk_reqsk_queue_prune (Linux 2.6.32, 3.10).
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from tcpemu.stack.records.host_services import Flow, HostServices
from tcpemu.stack.records.listener import SharedTimer
from tcpemu.stack.records.request import Request

_LEAST_TABLE = 16


def new_shared_timer(host: HostServices, table: int) -> SharedTimer:
    """The timer of a listener whose table has so many entries."""
    return SharedTimer(host, max(table, _LEAST_TABLE))


def arm(timer: SharedTimer, request: Request, deadline: int) -> None:
    """Put a request into its entry: it is due from `deadline` on."""
    entry = timer.entries.setdefault(_place(timer, request), {})
    if request not in entry:
        timer.waiting += 1
    entry[request] = deadline
    if not timer.armed:
        host = timer.host
        host.timers.arm(timer, host.now + host.generation.initial_rto, host.now)


def cancel(timer: SharedTimer, request: Request) -> None:
    """Forget a request, if it is there."""
    place = _place(timer, request)
    entry = timer.entries.get(place, {})
    if entry.pop(request, None) is not None:
        if not entry:
            del timer.entries[place]
        timer.waiting -= 1
        if not timer.waiting:
            timer.host.timers.cancel(timer)


def next_places(timer: SharedTimer, length: int) -> list[int]:
    """The places of the next slice, of so many, in order; without the empty ones where the table has few others."""
    if length <= len(timer.entries):
        return [(timer.hand + ahead) % timer.size for ahead in range(length)]
    ahead = sorted((place - timer.hand) % timer.size for place in timer.entries)
    return [(timer.hand + each) % timer.size for each in ahead if each < length]


def requests(timer: SharedTimer) -> Iterator[Flow]:
    """Those that wait."""
    for entry in timer.entries.values():
        yield from entry


def _place(timer: SharedTimer, request: Request) -> int:
    """The entry of the table that a request is in (tcp_ipv4.c: inet_synq_hash, by a checksum here)."""
    remote, remote_port, _, _ = request.key
    return crc32(remote, remote_port) % timer.size
