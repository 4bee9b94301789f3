"""Socket tables, laid out as `ss -tan` lays them out."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.stack.base.states import State
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.wire.segment import Address, address_text

Cells: TypeAlias = tuple[str, ...]

_HEADER: Cells = ("State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port")
SOCKETS_LISTED = 12
"""Sockets of one host that are all shown."""
FIRST_OF_MANY = 5
"""Where there are more, so many are shown and the others counted."""


def socket_lines(rows: Iterable[SocketRow], waiting: Collection[SocketRow] = ()) -> list[Line]:
    """The header and a line for each socket, listeners first; of very many the rest are counted by state.

    Those that are `waiting` for accept() are marked, which ss cannot do.
    """
    return _laid_out({"": _ordered(rows)}, ("", *_HEADER), waiting)


def socket_lines_of_hosts(tables: Mapping[str, Iterable[SocketRow]]) -> list[Line]:
    """The same for several hosts, with the host's name before each socket."""
    return _laid_out({host: _ordered(rows) for host, rows in tables.items()}, ("Host", *_HEADER))


def _ordered(rows: Iterable[SocketRow]) -> list[SocketRow]:
    return sorted(rows, key=lambda row: (row.state is not State.LISTEN, row.local, row.remote or (b"", 0)))


def _laid_out(
    tables: Mapping[str, Sequence[SocketRow]], header: Cells, waiting: Collection[SocketRow] = ()
) -> list[Line]:
    shown: list[Cells] = []
    marks: list[str] = []
    rest: list[Line] = []
    for host, rows in tables.items():
        most = len(rows) if len(rows) <= SOCKETS_LISTED else FIRST_OF_MANY
        shown += [(host, *_cells(row)) for row in rows[:most]]
        marks += ["  waits for accept()" if row in waiting else "" for row in rows[:most]]
        rest += _rest_line(host, rows[most:])
    widths = [max(map(len, column)) for column in zip(header, *shown, strict=True)]
    return [
        line(_row(header, widths), Role.QUIET),
        *(line(_row(cells, widths) + mark) for cells, mark in zip(shown, marks, strict=True)),
        *rest,
    ]


def _cells(row: SocketRow) -> Cells:
    (local, port), end = row.shown
    remote = (_shown(end[0]), str(end[1])) if end else (_any(row), "*")
    own = "*" if _takes_both(row) else _shown(local)
    return row.state.ss_name, str(row.recv_q), str(row.send_q), own, str(port), *remote


def _takes_both(row: SocketRow) -> bool:
    """Whether it listens for IPv4 and IPv6: `ss` has a `*` for that."""
    return row.remote is None and row.ipv6 and not row.v6only and not row.local[0]


def _shown(address: Address) -> str:
    """IPv6 stands in brackets, so that the port can be told; no address stands for every one."""
    text = address_text(address) if address else "0.0.0.0"
    return f"[{text}]" if ":" in text else text


def _any(row: SocketRow) -> str:
    if _takes_both(row):
        return "*"
    return "[::]" if row.ipv6 else "0.0.0.0"


def _row(cells: Cells, widths: Sequence[int]) -> str:
    """Addresses stand against the colon before their port, all else to the left."""
    host, state, recv_q, send_q, local, port, remote, remote_port = (
        f"{text:>{width}}" if i in {4, 6} else f"{text:<{width}}"
        for i, (text, width) in enumerate(zip(cells, widths, strict=True))
    )
    head = f"  {host}" if host else ""
    return f"{head}  {state}  {recv_q}  {send_q}  {local}:{port}  {remote}:{remote_port}"


def _rest_line(host: str, rows: Sequence[SocketRow]) -> list[Line]:
    if not rows:
        return []
    states = Counter(row.state.ss_name for row in rows)
    words = ", ".join(f"{number:,} {state}" for state, number in states.most_common())
    of = f" of {host}" if host else ""
    return [line(f"  … and {len(rows):,} more{of}: {words}", Role.QUIET)]
