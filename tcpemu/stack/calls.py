"""What the system calls do to a connection (tcp.c: tcp_sendmsg_locked, tcp_recvmsg_locked, __tcp_close)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tcpemu.stack import acks, output, sockopt, usage, window
from tcpemu.stack.congestion import INITIAL_WINDOW
from tcpemu.stack.errors import SocketError
from tcpemu.stack.incoming import fin_time
from tcpemu.stack.options import DEFAULT_MSS, LEAST_MSS
from tcpemu.stack.seq import MASK, add
from tcpemu.stack.states import State
from tcpemu.stack.window import LARGEST_SIGNED_WINDOW

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection
    from tcpemu.stack.host import Host
    from tcpemu.stack.socket import SocketOptions

_LEAST_RCVBUF = 2304
_LEAST_SNDBUF = 4608
_SEGMENT_OVERHEAD = 4096 + 256
_AFTER_CLOSE = {
    State.ESTABLISHED: State.FIN_WAIT1,
    State.SYN_RECV: State.FIN_WAIT1,
    State.CLOSE_WAIT: State.LAST_ACK,
}


# --- data -----------------------------------------------------------------------------------------


def send_space(conn: Connection) -> int:
    """Octets that send() would take now; the kernel counts memory, which comes near to this."""
    limit = conn.options.sndbuf
    if not conn.options.sndbuf_locked:
        limit = max(limit, 2 * max(conn.congestion.window, INITIAL_WINDOW) * _SEGMENT_OVERHEAD)
        limit = min(limit, conn.host.sysctls.tcp_wmem[2])
    return limit - conn.send_q


def send(conn: Connection, data: bytes) -> int:
    """Queue data and push it; how many octets were taken."""
    if conn.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
        _raise_error(conn)
        if conn.state in (State.SYN_SENT, State.SYN_RECV):
            raise SocketError(errno.EAGAIN)
        raise SocketError(errno.EPIPE)
    if conn.error or conn.shutdown & 2:
        _raise_error(conn)
        raise SocketError(errno.EPIPE)
    space = send_space(conn)
    if space <= 0 and data:
        raise SocketError(errno.EAGAIN)
    taken = data[: _whole_chunks(conn, len(data), space)]
    if taken and not conn.unsent:
        usage.after_idle(conn)
    conn.unsent += taken
    conn.write_seq = add(conn.write_seq, len(taken))
    output.push_pending(conn)
    return len(taken)


def _whole_chunks(conn: Connection, wanted: int, space: int) -> int:
    """The kernel takes data in buffers of up to half the peer's window, each whole once it has begun."""
    mss = conn.mss_cache
    goal = max(min(65535, conn.max_window >> 1 or DEFAULT_MSS) // mss * mss, mss)
    return min(wanted, -(-space // goal) * goal)


def recv(conn: Connection, size: int) -> bytes:
    """Take up to `size` octets out of the receive queue."""
    if not conn.rcv_queue:
        return _nothing_to_read(conn, size)
    chunks, wanted = [], size
    while wanted and conn.rcv_queue:
        chunk = conn.rcv_queue[0]
        payload = chunk.payload
        if len(payload) > wanted:
            chunk.payload = payload[wanted:]
            payload = payload[:wanted]
        else:
            conn.rcv_queue.popleft()
            conn.rmem -= chunk.memory
        chunks.append(payload)
        wanted -= len(payload)
    data = b"".join(chunks)
    conn.copied_seq = add(conn.copied_seq, len(data))
    if wanted and not conn.rcv_queue:
        _read_fin(conn)
    acks.after_read(conn, len(data))
    return data


def _read_fin(conn: Connection) -> None:
    if conn.peer_done and conn.copied_seq != conn.rcv_nxt:
        conn.copied_seq = add(conn.copied_seq, 1)


def _nothing_to_read(conn: Connection, size: int) -> bytes:
    if not size:
        return b""
    if conn.peer_done:
        _read_fin(conn)
        acks.after_read(conn, 0)
        return b""
    _raise_error(conn)
    if conn.shutdown & 1:
        return b""
    if conn.state is State.CLOSE:
        raise SocketError(errno.ENOTCONN)
    raise SocketError(errno.EAGAIN)


def _raise_error(conn: Connection) -> None:
    """The pending error, once (sock_error)."""
    if conn.error:
        number, conn.error = conn.error, 0
        raise SocketError(number)


# --- the end --------------------------------------------------------------------------------------


def shutdown(conn: Connection, how: int) -> None:
    """shutdown() with the kernel's bits: 1 for receiving, 2 for sending (af_inet.c: inet_shutdown)."""
    if conn.state is State.CLOSE:
        conn.shutdown |= how
        conn.wake()
        raise SocketError(errno.ENOTCONN)
    if conn.state is State.SYN_SENT:
        conn.disconnect()
        conn.wake()
        return
    conn.shutdown |= how
    if how & 2 and conn.state in (State.ESTABLISHED, State.CLOSE_WAIT):
        conn.set_state(_AFTER_CLOSE[conn.state], "shutdown()")
        output.send_fin(conn)
    conn.wake()


def close(conn: Connection) -> None:
    """close(): an orphan says goodbye by itself (__tcp_close)."""
    conn.shutdown = 3
    unread = bool(conn.rcv_queue)
    conn.rmem -= sum(chunk.memory for chunk in conn.rcv_queue or ())
    conn.rcv_queue = None
    if conn.state is not State.CLOSE:
        _part(conn, unread)
    conn.orphan = True
    conn.socket = None
    if conn.state is State.FIN_WAIT2:
        _leave_fin_wait2(conn)
    if conn.state is State.CLOSE:
        conn.stop_timers()
        conn.purge()


def _part(conn: Connection, unread: bool) -> None:
    if unread:
        conn.host.count("TCPAbortOnClose")
        conn.set_state(State.CLOSE, "close() with data unread")
        output.send_active_reset(conn)
    elif conn.options.linger == 0:
        conn.disconnect()
        conn.host.count("TCPAbortOnData")
    elif conn.state is State.SYN_SENT:
        conn.set_state(State.CLOSE, "close()")
    elif conn.state in _AFTER_CLOSE:
        conn.set_state(_AFTER_CLOSE[conn.state], "close()")
        output.send_fin(conn)


def _leave_fin_wait2(conn: Connection) -> None:
    if conn.options.linger2 < 0:
        conn.set_state(State.CLOSE, "TCP_LINGER2 is negative")
        output.send_active_reset(conn)
        conn.host.count("TCPAbortOnLinger")
    else:
        conn.host.time_wait(conn, State.FIN_WAIT2, fin_time(conn))


# --- options --------------------------------------------------------------------------------------


def defer_periods(seconds: int, generation_rto: int = 1, largest: int = 120) -> int:
    """TCP_DEFER_ACCEPT in seconds as SYN|ACK time-outs of 1, 2, 4 .. 120 s (tcp.c: secs_to_retrans)."""
    periods = 0
    if seconds > 0:
        timeout = period = generation_rto
        periods = 1
        while seconds > period and periods < 255:
            periods += 1
            timeout = min(timeout << 1, largest)
            period += timeout
    return periods


def defer_seconds(periods: int) -> int:
    """The other way round (tcp.c: retrans_to_secs)."""
    return sum(min(1 << n, 120) for n in range(periods))


def _bounded(name: str, low: int, high: int, allow_zero: bool = False) -> Callable[[Host, int], int]:
    def check(_host: Host, value: int) -> int:
        if not (low <= value <= high or (allow_zero and value == 0)):
            raise SocketError(errno.EINVAL, f"{name} is {value}; it can be {low} to {high}")
        return value

    return check


def _rcvbuf(host: Host, value: int) -> int:
    """A negative size counts as a huge one: the kernel compares without sign."""
    return max(2 * min(value & MASK, host.sysctls.rmem_max), _LEAST_RCVBUF)


def _sndbuf(host: Host, value: int) -> int:
    return max(2 * min(value & MASK, host.sysctls.wmem_max), _LEAST_SNDBUF)


def _tos(_host: Host, value: int) -> int:
    """One octet, without the two ECN bits, which are TCP's (ip_sockglue.c: __ip_sock_set_tos)."""
    return value & 0xFC


def _ttl(host: Host, value: int) -> int:
    """1 to 255; -1 for the default."""
    return 0 if value == -1 else _bounded("IP_TTL", 1, 255)(host, value)


def _truth(_host: Host, value: int) -> bool:
    return bool(value)


def _linger2(_host: Host, value: int) -> int:
    return -1 if value < 0 else min(value, 120)


_SETTERS: dict[tuple[int, int], tuple[str, Callable[[Host, int], int]]] = {
    (sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR): ("reuseaddr", _truth),
    (sockopt.SOL_SOCKET, sockopt.SO_REUSEPORT): ("reuseport", _truth),
    (sockopt.SOL_SOCKET, sockopt.SO_KEEPALIVE): ("keepalive", _truth),
    (sockopt.SOL_SOCKET, sockopt.SO_RCVBUF): ("rcvbuf", _rcvbuf),
    (sockopt.SOL_SOCKET, sockopt.SO_SNDBUF): ("sndbuf", _sndbuf),
    (sockopt.IPPROTO_IP, sockopt.IP_TOS): ("tos", _tos),
    (sockopt.IPPROTO_IP, sockopt.IP_TTL): ("ttl", _ttl),
    (sockopt.IPPROTO_TCP, sockopt.TCP_NODELAY): ("nodelay", _truth),
    (sockopt.IPPROTO_TCP, sockopt.TCP_CORK): ("cork", _truth),
    (sockopt.IPPROTO_TCP, sockopt.TCP_MAXSEG): (
        "maxseg",
        _bounded("TCP_MAXSEG", LEAST_MSS, LARGEST_SIGNED_WINDOW, allow_zero=True),
    ),
    (sockopt.IPPROTO_TCP, sockopt.TCP_SYNCNT): ("syncnt", _bounded("TCP_SYNCNT", 1, 127)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2): ("linger2", _linger2),
    (sockopt.IPPROTO_TCP, sockopt.TCP_DEFER_ACCEPT): (
        "defer_periods",
        lambda _host, value: defer_periods(value),
    ),
    (sockopt.IPPROTO_TCP, sockopt.TCP_WINDOW_CLAMP): (
        "window_clamp",
        lambda _host, value: max(value, _LEAST_RCVBUF // 2) if value else 0,
    ),
    (sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT): (
        "user_timeout",
        _bounded("TCP_USER_TIMEOUT", 0, 2**31 - 1),
    ),
    (sockopt.IPPROTO_TCP, sockopt.TCP_QUICKACK): ("", _truth),
}
_LOCKED = {"rcvbuf": "rcvbuf_locked", "sndbuf": "sndbuf_locked"}


def changed_options(host: Host, options: SocketOptions, level: int, name: int, value: int) -> SocketOptions:
    """The options with one changed. Raises SocketError EINVAL or ENOPROTOOPT."""
    found = _SETTERS.get((level, name))
    if found is None:
        raise SocketError(errno.ENOPROTOOPT, f"no option {name} at level {level} here")
    field, convert = found
    if not field:
        return options
    changes: dict[str, int] = {field: convert(host, value)}
    if field in _LOCKED:
        changes[_LOCKED[field]] = True
    return replace(options, **changes)  # type: ignore[arg-type]


def option_value(host: Host, options: SocketOptions, level: int, name: int) -> int:
    """What getsockopt() gives for an option that can be set."""
    found = _SETTERS.get((level, name))
    if found is None or not found[0]:
        raise SocketError(errno.ENOPROTOOPT, f"no option {name} at level {level} here")
    value = getattr(options, found[0])
    if found[0] == "defer_periods":
        return defer_seconds(value)
    if found[0] == "ttl":
        return value or host.sysctls.ip_default_ttl
    if found[0] == "linger2":
        return value or host.sysctls.tcp_fin_timeout
    if found[0] == "maxseg":
        return value or DEFAULT_MSS
    return int(value)


def option_took_effect(conn: Connection, name: int, value: int) -> None:
    """What setting an option does at once to a connection."""
    if (name == sockopt.TCP_NODELAY and value) or (name == sockopt.TCP_CORK and not value):
        output.push_pending(conn)
    elif name == sockopt.TCP_QUICKACK:
        _quickack(conn, value)
    elif name == sockopt.TCP_WINDOW_CLAMP and value:
        window.set_clamp(conn, conn.options.window_clamp)


def _quickack(conn: Connection, value: int) -> None:
    """tcp.c: __tcp_sock_set_quickack."""
    if not value & 1:
        conn.pingpong = 1
        return
    conn.pingpong = 0
    if conn.state in (State.ESTABLISHED, State.CLOSE_WAIT) and conn.ack_pending & acks.SCHEDULED:
        conn.ack_pending |= acks.PUSHED
        acks.after_read(conn, 1)
