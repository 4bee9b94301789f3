"""Options of sockets as a scenario writes them, to those that a socket takes."""

from tcpemu.network import OptionValues
from tcpemu.scenario.format.scenario_file import SocketOptionsTable
from tcpemu.stack.base.socket_constants import (
    IPPROTO_TCP,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_PACING_RATE,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_SNDBUF,
    SOL_SOCKET,
    TCP_CONGESTION,
    TCP_CORK,
    TCP_DEFER_ACCEPT,
    TCP_FASTOPEN,
    TCP_FASTOPEN_CONNECT,
    TCP_FASTOPEN_NO_COOKIE,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_SYNCNT,
    TCP_USER_TIMEOUT,
)
from tcpemu.stack.base.units import MILLISECOND

_OPTIONS = {
    "defer_accept": (IPPROTO_TCP, TCP_DEFER_ACCEPT),
    "syncnt": (IPPROTO_TCP, TCP_SYNCNT),
    "reuseaddr": (SOL_SOCKET, SO_REUSEADDR),
    "rcvbuf": (SOL_SOCKET, SO_RCVBUF),
    "sndbuf": (SOL_SOCKET, SO_SNDBUF),
    "maxseg": (IPPROTO_TCP, TCP_MAXSEG),
    "nodelay": (IPPROTO_TCP, TCP_NODELAY),
    "cork": (IPPROTO_TCP, TCP_CORK),
    "user_timeout": (IPPROTO_TCP, TCP_USER_TIMEOUT),
    "keepalive": (SOL_SOCKET, SO_KEEPALIVE),
    "keepidle": (IPPROTO_TCP, TCP_KEEPIDLE),
    "keepintvl": (IPPROTO_TCP, TCP_KEEPINTVL),
    "keepcnt": (IPPROTO_TCP, TCP_KEEPCNT),
    "fastopen": (IPPROTO_TCP, TCP_FASTOPEN),
    "fastopen_connect": (IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    "fastopen_no_cookie": (IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE),
    "linger": (SOL_SOCKET, SO_LINGER),
    "congestion": (IPPROTO_TCP, TCP_CONGESTION),
    "max_pacing_rate": (SOL_SOCKET, SO_MAX_PACING_RATE),
}
_UNITS = {"user_timeout": MILLISECOND}
"""Nanoseconds of one, where the kernel counts in another unit."""


def option_values(table: SocketOptionsTable) -> OptionValues:
    """The options that the table gives, by level and name."""
    given: dict[str, int | str] = {name: getattr(table, name) for name in type(table).model_fields}
    return {
        _OPTIONS[name]: _octets_or_number(name, value) for name, value in given.items() if value is not None
    }


def _octets_or_number(name: str, value: int | str) -> int | bytes:
    if isinstance(value, str):
        return value.encode("ascii")
    if name == "max_pacing_rate":
        return value.to_bytes(8, "little")
    return int(value) // _UNITS.get(name, 1)
