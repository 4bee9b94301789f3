"""What the kernel says of itself: socket table and counters."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NOT_SAMPLED = frozenset(
    (
        *("CurrEstab", "InSegs", "OutSegs", "TCPHPAcks", "TCPPureAcks", "TCPHPHits"),
        *("TCPAutoCorking", "TCPOrigDataSent", "TCPDelivered"),
    )
)
"""Counters that say how, and not what: they move with chance, or with every segment."""
_FILES = ("/proc/self/net/netstat", "/proc/self/net/snmp")
_GROUPS = ("TcpExt:", "Tcp:")


def counters() -> dict[str, int]:
    """Every Tcp and TcpExt counter of the namespace."""
    return {name: value for file in _FILES for name, value in _counters_in(Path(file).read_text())}


def _counters_in(text: str) -> Iterator[tuple[str, int]]:
    """Lines come in pairs, a group's names above its values."""
    lines = text.splitlines()
    for heads, values in zip(lines[::2], lines[1::2], strict=True):
        group, *names = heads.split()
        if group in _GROUPS:
            yield from zip(names, map(int, values.split()[1:]), strict=True)


def sample(before: Mapping[str, int]) -> dict[str, Any]:
    """The socket table, and the counters that moved since `before`."""
    table = socket_table()
    moved = {name: value - before.get(name, 0) for name, value in counters().items()}
    return {"ss": table, "mib": {name: by for name, by in moved.items() if by and name not in NOT_SAMPLED}}


def socket_table() -> list[list[Any]]:
    """Sorted rows of state, Recv-Q, Send-Q, local port, peer port."""
    text = subprocess.run(["ss", "-Htan"], check=True, capture_output=True, text=True).stdout
    return sorted(_row(line) for line in text.splitlines())


def _row(line: str) -> list[Any]:
    state, received, unsent, local, remote, *_ = line.split()
    return [state, int(received), int(unsent), _port(local), _port(remote)]


def _port(name: str) -> str:
    return name.rpartition(":")[2]
