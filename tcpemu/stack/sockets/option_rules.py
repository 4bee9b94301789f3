"""What setsockopt() and getsockopt() take and give, and what setting an option does at once."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace

from tcpemu.stack.base import socket_constants
from tcpemu.stack.base.errors import NotEmulatedError, SocketError
from tcpemu.stack.base.not_emulated import unemulated_option
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, LEAST_MSS
from tcpemu.stack.connection.lifetime import keepalive
from tcpemu.stack.connection.measures import receive_window, send_buffer_space
from tcpemu.stack.connection.measures.first_window import LARGEST_SIGNED_WINDOW
from tcpemu.stack.connection.sending import data_out, delayed_acks
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import PUSHED, SCHEDULED
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.socket_options import SocketOptions

_LEAST_RCVBUF = 2304
_LEAST_SNDBUF = 4608
"""include/net/sock.h: SOCK_MIN_RCVBUF, SOCK_MIN_SNDBUF, on a 64-bit machine."""


def defer_periods(seconds: int) -> int:
    """TCP_DEFER_ACCEPT in seconds as SYN|ACK time-outs of 1, 2, 4 .. 120 s (tcp.c: secs_to_retrans)."""
    periods = 0
    if seconds > 0:
        timeout = period = 1
        periods = 1
        while seconds > period and periods < 255:
            periods += 1
            timeout = min(timeout << 1, 120)
            period += timeout
    return periods


def defer_seconds(periods: int) -> int:
    """Time-outs as seconds, for getsockopt() (tcp.c: retrans_to_secs)."""
    return sum(min(1 << n, 120) for n in range(periods))


def _bounded(name: str, low: int, high: int, allow_zero: bool = False) -> Callable[[HostServices, int], int]:
    """A setter that takes a number in these bounds. It raises SocketError EINVAL for any other."""

    def check(_host: HostServices, value: int) -> int:
        if not (low <= value <= high or (allow_zero and value == 0)):
            raise SocketError(errno.EINVAL, f"{name} is {value}; it can be {low} to {high}")
        return value

    return check


def _rcvbuf(host: HostServices, value: int) -> int:
    """Twice what was asked for, as the kernel's own records take memory too (sock.c: __sock_set_rcvbuf).

    A negative size counts as a huge one: the kernel compares without sign.
    """
    return max(2 * min(value & MASK, host.sysctls.rmem_max), _LEAST_RCVBUF)


def _sndbuf(host: HostServices, value: int) -> int:
    return max(2 * min(value & MASK, host.sysctls.wmem_max), _LEAST_SNDBUF)


def _tos(_host: HostServices, value: int) -> int:
    """One octet, without the two ECN bits, which are TCP's (ip_sockglue.c: __ip_sock_set_tos)."""
    return value & 0xFC


def _ttl(host: HostServices, value: int) -> int:
    """1 to 255; -1 for the default."""
    return 0 if value == -1 else _bounded("IP_TTL", 1, 255)(host, value)


def _truth(_host: HostServices, value: int) -> bool:
    return bool(value)


def _unsigned(_host: HostServices, value: int) -> int:
    """The kernel keeps it without sign."""
    return value & MASK


def _rcvlowat(_host: HostServices, value: int) -> int:
    """At least one octet; a negative number is as many as there can be (sock.c: sk_setsockopt)."""
    return 2**31 - 1 if value < 0 else value or 1


def _linger2(_host: HostServices, value: int) -> int:
    return -1 if value < 0 else min(value, 120)


_SETTERS: dict[tuple[int, int], tuple[str, Callable[[HostServices, int], object]]] = {
    (socket_constants.SOL_SOCKET, socket_constants.SO_REUSEADDR): ("reuseaddr", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_REUSEPORT): ("reuseport", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_KEEPALIVE): ("keepalive", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_OOBINLINE): ("oobinline", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_RCVLOWAT): ("rcvlowat", _rcvlowat),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_KEEPIDLE): (
        "keepidle",
        _bounded("TCP_KEEPIDLE", 1, 32767),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_KEEPINTVL): (
        "keepintvl",
        _bounded("TCP_KEEPINTVL", 1, 32767),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_KEEPCNT): (
        "keepcnt",
        _bounded("TCP_KEEPCNT", 1, 127),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_NOTSENT_LOWAT): ("notsent_lowat", _unsigned),
    (socket_constants.SOL_SOCKET, socket_constants.SO_RCVBUF): ("rcvbuf", _rcvbuf),
    (socket_constants.SOL_SOCKET, socket_constants.SO_SNDBUF): ("sndbuf", _sndbuf),
    (socket_constants.IPPROTO_IP, socket_constants.IP_TOS): ("tos", _tos),
    (socket_constants.IPPROTO_IP, socket_constants.IP_TTL): ("ttl", _ttl),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_NODELAY): ("nodelay", _truth),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_CORK): ("cork", _truth),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_MAXSEG): (
        "maxseg",
        _bounded("TCP_MAXSEG", LEAST_MSS, LARGEST_SIGNED_WINDOW, allow_zero=True),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_SYNCNT): ("syncnt", _bounded("TCP_SYNCNT", 1, 127)),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_LINGER2): ("linger2", _linger2),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_DEFER_ACCEPT): (
        "defer_periods",
        lambda _host, value: defer_periods(value),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_WINDOW_CLAMP): (
        "window_clamp",
        lambda _host, value: max(value, _LEAST_RCVBUF // 2) if value else 0,
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_USER_TIMEOUT): (
        "user_timeout",
        _bounded("TCP_USER_TIMEOUT", 0, 2**31 - 1),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_QUICKACK): ("", _truth),
}
_BY_SYSCTL = {
    "ttl": "net.ipv4.ip_default_ttl",
    "linger2": "net.ipv4.tcp_fin_timeout",
    "keepidle": "net.ipv4.tcp_keepalive_time",
    "keepintvl": "net.ipv4.tcp_keepalive_intvl",
    "keepcnt": "net.ipv4.tcp_keepalive_probes",
}
"""Options that a sysctl stands in for while nobody has set them."""
_LOCKED = {"rcvbuf": "rcvbuf_locked", "sndbuf": "sndbuf_locked"}


def changed_options(
    host: HostServices, options: SocketOptions, level: int, name: int, value: int
) -> SocketOptions:
    """The options with one changed.

    Raises SocketError EINVAL, and ENOPROTOOPT for what Linux does not know; NotEmulatedError for what it does.
    """
    found = _SETTERS.get((level, name))
    if found is None:
        raise _no_option(level, name)
    field, convert = found
    if not field:
        return options
    changes: dict[str, object] = {field: convert(host, value)}
    if field in _LOCKED:
        changes[_LOCKED[field]] = True
    return replace(options, **changes)  # type: ignore[arg-type]


def option_value(host: HostServices, options: SocketOptions, level: int, name: int) -> int:
    """What getsockopt() gives for an option. Raises SocketError ENOPROTOOPT, or NotEmulatedError."""
    found = _SETTERS.get((level, name))
    if found is None:
        raise _no_option(level, name)
    value = getattr(options, found[0])
    if found[0] in _BY_SYSCTL:
        return value or host.sysctls.get(_BY_SYSCTL[found[0]])  # type: ignore[return-value]
    if found[0] == "defer_periods":
        return defer_seconds(value)
    if found[0] == "maxseg":
        return value or DEFAULT_MSS
    return int(value)


def _no_option(level: int, name: int) -> SocketError | NotEmulatedError:
    """Never an errno where the kernel would give none."""
    words = unemulated_option(level, name)
    if words is not None:
        return NotEmulatedError(words)
    return SocketError(errno.ENOPROTOOPT, f"Linux has no option {name} at level {level}")


def option_took_effect(conn: Connection, before: SocketOptions, level: int, name: int, value: int) -> None:
    """What setting an option does at once to a connection, whose options were `before`."""
    if level == socket_constants.SOL_SOCKET:
        _socket_option_took_effect(conn, before, name)
    elif level == socket_constants.IPPROTO_TCP:
        _tcp_option_took_effect(conn, name, value)


def _socket_option_took_effect(conn: Connection, before: SocketOptions, name: int) -> None:
    if name == socket_constants.SO_KEEPALIVE:
        keepalive.switched(conn, before.keepalive)
    elif name == socket_constants.SO_RCVBUF:
        conn.rcv.buffer = conn.options.rcvbuf
    elif name == socket_constants.SO_SNDBUF:
        conn.snd.buffer = conn.options.sndbuf
        send_buffer_space.space_may_have_come(conn)
    elif name == socket_constants.SO_RCVLOWAT:
        _rcvlowat_took_effect(conn)


def _rcvlowat_took_effect(conn: Connection) -> None:
    """So much must fit into the buffer and the window (tcp.c: tcp_set_rcvlowat)."""
    rcv, options = conn.rcv, conn.options
    most = conn.host.sysctls.tcp_rmem[2] >> 1
    if options.rcvbuf_locked:
        most = rcv.buffer >> 1
    lowest = min(options.rcvlowat, most)
    conn.options = replace(options, rcvlowat=lowest or 1)
    if options.rcvbuf_locked:
        return
    space = receive_window.space_for(rcv.scaling_ratio, lowest)
    if space > rcv.buffer:
        rcv.buffer = space
        rcv.window_clamp = max(rcv.window_clamp, lowest)
    if conn.options.rcvlowat > 1:
        conn.host.wake(conn.socket)


def _tcp_option_took_effect(conn: Connection, name: int, value: int) -> None:
    if name == socket_constants.TCP_NODELAY and value:
        # It pushes what waits even past a cork, this once (__tcp_sock_set_nodelay).
        conn.snd.nagle_push = True
        data_out.push_pending(conn)
    elif name == socket_constants.TCP_CORK and not value:
        data_out.push_pending(conn)
    elif name == socket_constants.TCP_QUICKACK:
        _quickack(conn, value)
    elif name == socket_constants.TCP_WINDOW_CLAMP and value:
        receive_window.set_clamp(conn, conn.options.window_clamp)
    elif name == socket_constants.TCP_KEEPIDLE:
        keepalive.idle_time_changed(conn)
    elif name == socket_constants.TCP_NOTSENT_LOWAT:
        conn.host.wake(conn.socket)


def _quickack(conn: Connection, value: int) -> None:
    """tcp.c: __tcp_sock_set_quickack."""
    if not value & 1:
        conn.ack.pingpong = 1
        return
    conn.ack.pingpong = 0
    if conn.state in (State.ESTABLISHED, State.CLOSE_WAIT) and conn.ack.pending & SCHEDULED:
        conn.ack.pending |= PUSHED
        delayed_acks.after_read(conn, 1)
