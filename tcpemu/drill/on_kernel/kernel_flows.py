"""The connections of a script on the kernel: whether one is over."""

from __future__ import annotations

from pathlib import Path

from tcpemu.drill.playing.drill_flow import Ports
from tcpemu.drill.playing.flow_table import FlowTable

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_TIME_WAIT = 0x06


class KernelFlows(FlowTable):
    """Connections of the kernel; each knows the descriptor of its socket."""

    __slots__ = ()

    def is_over(self, ports: Ports) -> bool:
        """Whether the host has no such connection, or one in TIME_WAIT, so that a SYN begins another."""
        states = [state for peer, own, state in _rows() if (peer, own) == ports]
        return all(state == _TIME_WAIT for state in states)


def socket_lines() -> list[str]:
    """The kernel's table, both IPs."""
    return [line for table in _TABLES if Path(table).exists() for line in _text(table).splitlines()[1:]]


def _rows() -> list[tuple[int, int, int]]:
    """Peer's port, own port, state."""
    rows = []
    for line in socket_lines():
        _, local, remote, state, *_ = line.split()
        rows.append((int(remote.rpartition(":")[2], 16), int(local.rpartition(":")[2], 16), int(state, 16)))
    return rows


def _text(table: str) -> str:
    return Path(table).read_text(encoding="ascii")
