"""What setsockopt() takes, and what setting an option does at once.

net/core/sock.c: sk_setsockopt; net/ipv4/tcp.c: do_tcp_setsockopt; net/ipv4/ip_sockglue.c: do_ip_setsockopt.
`option_answers.py` has getsockopt(), `fixed_options.py` what says nothing to TCP.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace

from tcpemu.stack.base import socket_constants
from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE
from tcpemu.stack.base.errors import NotEmulatedError, SocketError
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import LEAST_MSS
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.connection.lifetime import chosen_control, error_queue, keepalive
from tcpemu.stack.connection.measures import path_mtu, receive_window, send_buffer_space
from tcpemu.stack.connection.measures.first_window import LARGEST_SIGNED_WINDOW
from tcpemu.stack.connection.sending import data_out, delayed_acks
from tcpemu.stack.control.registry import CONTROLS, UNEMULATED_CONTROLS
from tcpemu.stack.records.connection import INITIAL_SCALING_RATIO, Connection
from tcpemu.stack.records.delayed_ack_bits import PUSHED, SCHEDULED
from tcpemu.stack.records.fast_open import CLIENT
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.socket_options import DELACK_MAX, RTO_MIN_US, SocketOptions
from tcpemu.stack.sockets.fixed_options import INT_MAX, KEPT, SETTING_FAILS, TAKEN, c_int
from tcpemu.stack.sockets.option_names import NAMES, NUMBERS, check_age, unemulated_option
from tcpemu.stack.sockets.socket_state import SocketState

_LEAST_RCVBUF = receive_window.LEAST_BUFFER
_LEAST_SNDBUF = 4608
"""include/net/sock.h: SOCK_MIN_SNDBUF, on a 64-bit machine."""


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


def _tclass(host: HostServices, value: int) -> int:
    """The same for IPv6, whose default is -1 (do_ipv6_setsockopt)."""
    return max(_bounded("IPV6_TCLASS", -1, 255)(host, value), 0) & 0xFC


def _truth(_host: HostServices, value: int) -> bool:
    return bool(value)


def _unsigned(_host: HostServices, value: int) -> int:
    """The kernel keeps it without sign."""
    return value & MASK


def _txrehash(_host: HostServices, value: int) -> int:
    """0 or 1, and -1 for the default, which is 1 (net.core.txrehash)."""
    return 1 if value == -1 else _bounded("SO_TXREHASH", 0, 1)(_host, value)


def _rto_max(host: HostServices, value: int) -> int:
    return host.in_ticks(_bounded("TCP_RTO_MAX_MS", 1000, 120000)(host, value) * MILLISECOND)


def _some_ticks(name: str, most: int) -> Callable[[HostServices, int], int]:
    """A setter of a time in microseconds, rounded up to ticks: two at least, and no more than `most` nanoseconds."""

    def check(host: HostServices, value: int) -> int:
        span = host.in_ticks((value & MASK) * MICROSECOND)
        if not 2 * host.jiffy <= span <= most:
            least = host.jiffy // MICROSECOND + 1
            raise SocketError(errno.EINVAL, f"{name} is {value}; it can be {least} to {most // MICROSECOND}")
        return span

    return check


def _rto_min(host: HostServices, value: int) -> int:
    return _some_ticks("TCP_RTO_MIN_US", RTO_MIN_US * MICROSECOND)(host, value) // MICROSECOND


def _least_ttl(name: str) -> Callable[[HostServices, int], int]:
    """A setter of the least TTL, or hop limit, of what may come in; the host looks at it from the first one on."""
    bounded = _bounded(name, 0, 255)

    def check(host: HostServices, value: int) -> int:
        least = bounded(host, value)
        if least:
            host.asks_for_ttl = True
        return least

    return check


def _linger2(_host: HostServices, value: int) -> int:
    return -1 if value < 0 else min(value, 120)


_SETTERS: dict[tuple[int, int], tuple[str, Callable[[HostServices, int], object]]] = {
    (socket_constants.SOL_SOCKET, socket_constants.SO_REUSEADDR): ("reuseaddr", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_REUSEPORT): ("reuseport", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_KEEPALIVE): ("keepalive", _truth),
    (socket_constants.SOL_SOCKET, socket_constants.SO_OOBINLINE): ("oobinline", _truth),
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
        _bounded("TCP_USER_TIMEOUT", 0, INT_MAX),
    ),
    (socket_constants.IPPROTO_TCP, socket_constants.TCP_QUICKACK): ("quickack", lambda _host, value: value),
    NUMBERS["TCP_THIN_LINEAR_TIMEOUTS"]: (
        "thin_linear_timeouts",
        _bounded("TCP_THIN_LINEAR_TIMEOUTS", 0, 1),
    ),
    NUMBERS["TCP_SAVE_SYN"]: ("save_syn", _bounded("TCP_SAVE_SYN", 0, 2)),
    NUMBERS["SO_TXREHASH"]: ("txrehash", _txrehash),
    NUMBERS["IP_RECVERR"]: ("recverr", _truth),
    NUMBERS["IPV6_V6ONLY"]: ("v6only", _truth),
    NUMBERS["IPV6_UNICAST_HOPS"]: ("hops", _bounded("IPV6_UNICAST_HOPS", -1, 255)),
    NUMBERS["IPV6_TCLASS"]: ("tclass", _tclass),
    NUMBERS["IPV6_RECVERR"]: ("recverr6", _truth),
    NUMBERS["IPV6_MTU_DISCOVER"]: ("mtu_discover6", _bounded("IPV6_MTU_DISCOVER", 0, 5)),
    NUMBERS["IPV6_AUTOFLOWLABEL"]: ("autoflowlabel", _truth),
    NUMBERS["IP_MTU_DISCOVER"]: ("mtu_discover", _bounded("IP_MTU_DISCOVER", 0, 5)),
    NUMBERS["TCP_RTO_MAX_MS"]: ("rto_max", _rto_max),
    NUMBERS["TCP_RTO_MIN_US"]: ("rto_min_us", _rto_min),
    NUMBERS["TCP_DELACK_MAX_US"]: ("delack_max", _some_ticks("TCP_DELACK_MAX_US", DELACK_MAX)),
    NUMBERS["IP_MINTTL"]: ("min_ttl", _least_ttl("IP_MINTTL")),
    NUMBERS["IPV6_MINHOPCOUNT"]: ("min_hops", _least_ttl("IPV6_MINHOPCOUNT")),
    NUMBERS["SO_SNDBUFFORCE"]: ("sndbuf", lambda _host, value: max(2 * max(value, 0), _LEAST_SNDBUF)),
    NUMBERS["SO_RCVBUFFORCE"]: ("rcvbuf", lambda _host, value: max(2 * max(value, 0), _LEAST_RCVBUF)),
}
_FASTOPEN = NUMBERS["TCP_FASTOPEN"]
_FASTOPEN_CONNECT = NUMBERS["TCP_FASTOPEN_CONNECT"]
_FASTOPEN_NO_COOKIE = NUMBERS["TCP_FASTOPEN_NO_COOKIE"]
_FASTOPEN_KEY = NUMBERS["TCP_FASTOPEN_KEY"]
_LOCKED = {"rcvbuf": "rcvbuf_locked", "sndbuf": "sndbuf_locked"}
_LINGER = NUMBERS["SO_LINGER"]
_SNDBUFFORCE = NUMBERS["SO_SNDBUFFORCE"][1]
_RCVBUFFORCE = NUMBERS["SO_RCVBUFFORCE"][1]
_BUF_LOCK = NUMBERS["SO_BUF_LOCK"]
_RCVLOWAT = NUMBERS["SO_RCVLOWAT"]
_QUEUE_SEQ = NUMBERS["TCP_QUEUE_SEQ"]
_WINDOW_CLAMP = NUMBERS["TCP_WINDOW_CLAMP"]
_CONGESTION = NUMBERS["TCP_CONGESTION"]
_MAX_PACING_RATE = NUMBERS["SO_MAX_PACING_RATE"]
_AUTOFLOWLABEL = NUMBERS["IPV6_AUTOFLOWLABEL"][1]
"""The one option of IPv6 that takes fewer octets than four, which stand for 0."""
_ROUTE_GOES = (NUMBERS["IP_TOS"], NUMBERS["IPV6_TCLASS"], NUMBERS["SO_MARK"])
_MINTTL = NUMBERS["IP_MINTTL"]
_RECVERR = (NUMBERS["IP_RECVERR"], NUMBERS["IPV6_RECVERR"])
_LONGEST_CONTROL_NAME = 15
"""include/net/tcp.h: TCP_CA_NAME_MAX, without the NUL."""


def changed_options(socket: SocketState, level: int, name: int, value: int | bytes) -> SocketOptions:
    """The options of a socket with one changed; `value` is a number, or octets as C has it.

    Raises SocketError EINVAL, and ENOPROTOOPT for what Linux does not know; NotEmulatedError for what it does.
    """
    host, options, state = socket.host, socket.options, socket.state
    key = level, name
    if level == socket_constants.IPPROTO_IPV6:
        _check_ipv6_option(socket, name, value)
    check_age(host, key)
    found, failure = _SETTERS.get(key), SETTING_FAILS.get(key)
    if failure is None and found is None and key not in KEPT and key not in TAKEN and key not in _OTHERS:
        if isinstance(value, bytes) and unemulated_option(level, name) is None:
            _number(level, value)
        raise _no_option(level, name)
    if key in _STRUCTURES:
        return _changed_structure(socket, key, value)
    if value == b"" and (key == _MINTTL or (key in KEPT and not KEPT[key].may_be_empty)):
        raise SocketError(errno.EINVAL, f"{NAMES[key]} takes an octet at least")
    number = _number(level, value)
    if failure is not None:
        raise SocketError(failure, f"{NAMES[key]} cannot be set")
    if key in _OTHERS:
        return _other_option(host, options, key, number, state)
    if key in KEPT:
        return _kept_option(options, level, name, number)
    if found is None:
        low, high = TAKEN[key]
        _bounded(NAMES[key], low, high)(host, number)
        return options
    if key == _WINDOW_CLAMP and not number and state is not State.CLOSE:
        raise SocketError(
            errno.EINVAL, "TCP_WINDOW_CLAMP can be taken away only before connect() and listen()"
        )
    field, convert = found
    return _changed_field(options, field, convert(host, number))


def _changed_field(options: SocketOptions, field: str, value: object) -> SocketOptions:
    changes: dict[str, object] = {field: value}
    if field in _LOCKED:
        changes[_LOCKED[field]] = True
    changed: SocketOptions = replace(options, **changes)  # type: ignore[arg-type]
    # The ECN bits are TCP's, and stay.
    return chosen_control.with_ecn_bits(changed, bool(options.tos & 3 or options.tclass & 3))


def _changed_structure(socket: SocketState, key: tuple[int, int], value: int | bytes) -> SocketOptions:
    options = socket.options
    if key == _FASTOPEN_KEY:
        _check_fast_open_is_there(socket.host, key)
    changed: SocketOptions = replace(options, **_STRUCTURES[key](options, value))  # type: ignore[arg-type]
    if key != _CONGESTION or socket.connection is not None:
        return changed
    control = CONTROLS[changed.congestion](socket.host.generation.initial_cwnd)
    return chosen_control.with_ecn_bits(changed, control.needs_ecn)


def _check_ipv6_option(socket: SocketState, name: int, value: int | bytes) -> None:
    """Only a socket of IPv6 has them, and they take four octets (do_ipv6_setsockopt)."""
    if not socket.options.ipv6:
        raise SocketError(errno.ENOPROTOOPT, "a socket of AF_INET has no options of IPv6")
    of_four = (socket_constants.IPPROTO_IPV6, name) in _SETTERS and name != _AUTOFLOWLABEL
    if of_four and isinstance(value, bytes) and len(value) < 4:
        raise SocketError(errno.EINVAL, f"{len(value)} octets given; an int has 4")
    begun = socket.bound is not None or socket.state is not State.CLOSE
    if name == socket_constants.IPV6_V6ONLY and begun:
        raise SocketError(errno.EINVAL, "IPV6_V6ONLY is set before bind()")


def _number(level: int, value: int | bytes) -> int:
    """The number in the octets that C gives: four; for IPPROTO_IP one will do, and none is 0."""
    if isinstance(value, int):
        return c_int(value)
    if len(value) >= 4:
        return int.from_bytes(value[:4], "little", signed=True)
    if level in (socket_constants.SOL_SOCKET, socket_constants.IPPROTO_TCP):
        raise SocketError(errno.EINVAL, f"{len(value)} octets given; an int has 4")
    return value[0] if value else 0


def _linger(_options: SocketOptions, value: int | bytes) -> dict[str, object]:
    """SO_LINGER: a structure of two ints, whether and how many seconds; a negative number is for ever."""
    if isinstance(value, int) or len(value) < 8:
        raise SocketError(errno.EINVAL, "SO_LINGER takes two ints in 8 octets: whether, and how many seconds")
    if not int.from_bytes(value[:4], "little"):
        return {"linger": None}
    seconds = int.from_bytes(value[4:8], "little", signed=True)
    return {"linger": seconds, "last_linger": seconds}


def _kept_option(options: SocketOptions, level: int, name: int, number: int) -> SocketOptions:
    """Remember an option that says nothing to TCP."""
    rule = KEPT[level, name]
    if not rule.low <= number <= rule.high:
        raise SocketError(
            errno.EINVAL, f"{NAMES[level, name]} is {number}; it can be {rule.low} to {rule.high}"
        )
    others = tuple(entry for entry in options.kept if entry[:2] != (level, name))
    return replace(options, kept=(*others, (level, name, int(bool(number)) if rule.truth else number)))


def _other_option(
    host: HostServices, options: SocketOptions, key: tuple[int, int], number: int, state: State
) -> SocketOptions:
    """An option that is more than one field."""
    if key == _RCVLOWAT:
        if state in (State.CLOSE, State.LISTEN):
            return _with_rcvlowat(host, options, number)
        return replace(options, rcvlowat=INT_MAX if number < 0 else number or 1)
    if key == _BUF_LOCK:
        _bounded("SO_BUF_LOCK", 0, 3)(host, number)
        return replace(options, sndbuf_locked=bool(number & 1), rcvbuf_locked=bool(number & 2))
    if key in _FAST_OPEN:
        return _fast_open_option(host, options, key, number, state)
    # TCP_QUEUE_SEQ, which only a socket in repair has a queue for.
    raise SocketError(errno.EINVAL if state is State.CLOSE else errno.EPERM, "TCP_QUEUE_SEQ is of TCP_REPAIR")


def _fast_open_option(
    host: HostServices, options: SocketOptions, key: tuple[int, int], number: int, state: State
) -> SocketOptions:
    """Fast Open is chosen before connect(), or on a listener (tcp.c: do_tcp_setsockopt)."""
    name = NAMES[key]
    _check_fast_open_is_there(host, key)
    if key != _FASTOPEN:
        _bounded(name, 0, 1)(host, number)
    elif number < 0:
        raise SocketError(errno.EINVAL, f"{name} is {number}; it can be 0 or more")
    if key == _FASTOPEN_CONNECT and not host.sysctls.tcp_fastopen & CLIENT:
        raise SocketError(errno.EOPNOTSUPP, "net.ipv4.tcp_fastopen does not have the bit 1, for clients")
    if state is not State.CLOSE and (state is not State.LISTEN or key == _FASTOPEN_CONNECT):
        raise SocketError(errno.EINVAL, f"{name} comes too late")
    if key == _FASTOPEN:
        return replace(options, fastopen=min(number, host.sysctls.somaxconn))
    return replace(options, **{_FAST_OPEN[key]: bool(number)})  # type: ignore[arg-type]


def _check_fast_open_is_there(host: HostServices, key: tuple[int, int]) -> None:
    """ENOPROTOOPT of a kernel that is older: TCP_FASTOPEN is as old as its sysctl, the others as that of 4.12."""
    sysctl = "net.ipv4.tcp_fastopen" if key == _FASTOPEN else "net.ipv4.tcp_fastopen_blackhole_timeout_sec"
    if sysctl in host.generation.missing:
        raise SocketError(errno.ENOPROTOOPT, f"{host.generation.name} has no {NAMES[key]}")


def _fast_open_key(_options: SocketOptions, value: int | bytes) -> dict[str, object]:
    """TCP_FASTOPEN_KEY: 16 octets, or 32 for two keys."""
    if not isinstance(value, bytes) or len(value) not in (16, 32):
        raise SocketError(errno.EINVAL, "TCP_FASTOPEN_KEY takes 16 octets, or 32 for two keys")
    return {"fastopen_keys": (value,) if len(value) == 16 else (value[:16], value[16:])}


def _control_name(_options: SocketOptions, value: int | bytes) -> dict[str, object]:
    """TCP_CONGESTION: a name, up to a NUL. ENOENT for a name that no kernel has (tcp_cong.c).

    NotEmulatedError for one that Linux has as a module.
    """
    octets = (value & MASK).to_bytes(4, "little") if isinstance(value, int) else value
    if not octets:
        raise SocketError(errno.EINVAL, "TCP_CONGESTION takes the name of a congestion control")
    name = octets[:_LONGEST_CONTROL_NAME].partition(b"\0")[0].decode("latin-1")
    if name in UNEMULATED_CONTROLS:
        known = ", ".join(CONTROLS)
        raise NotEmulatedError(
            f"TCP_CONGESTION: {name} is known to Linux, but not emulated; there are {known}"
        )
    if name not in CONTROLS:
        raise SocketError(errno.ENOENT, f"Linux has no congestion control {name!r}")
    return {"congestion": name}


def _max_pacing_rate(options: SocketOptions, value: int | bytes) -> dict[str, object]:
    """Octets per second, of four octets or eight; all bits set for no limit (net/core/sock.c: sk_setsockopt)."""
    if isinstance(value, bytes) and len(value) >= 8:
        rate = int.from_bytes(value[:8], "little")
    else:
        rate = _number(socket_constants.SOL_SOCKET, value) & MASK
        rate = UNLIMITED_RATE if rate == MASK else rate
    return {"max_pacing_rate": rate, "paced": options.paced or rate != UNLIMITED_RATE}


_STRUCTURES: dict[tuple[int, int], Callable[[SocketOptions, int | bytes], dict[str, object]]] = {
    _LINGER: _linger,
    _CONGESTION: _control_name,
    _FASTOPEN_KEY: _fast_open_key,
    _MAX_PACING_RATE: _max_pacing_rate,
}
"""Options that are more, or less, than an int."""
_FAST_OPEN = {
    _FASTOPEN: "fastopen",
    _FASTOPEN_CONNECT: "fastopen_connect",
    _FASTOPEN_NO_COOKIE: "fastopen_no_cookie",
}
_OTHERS = frozenset((_RCVLOWAT, _BUF_LOCK, _QUEUE_SEQ, *_FAST_OPEN, *_STRUCTURES))


def _with_rcvlowat(host: HostServices, options: SocketOptions, number: int) -> SocketOptions:
    """So much must fit into the buffer, which grows for it (tcp.c: tcp_set_rcvlowat).

    A negative number is as many as there can be.
    """
    most = options.rcvbuf >> 1 if options.rcvbuf_locked else host.sysctls.tcp_rmem[2] >> 1
    lowest = min(INT_MAX if number < 0 else number, most) or 1
    space = receive_window.space_for(INITIAL_SCALING_RATIO, lowest)
    if options.rcvbuf_locked or space <= options.rcvbuf:
        return replace(options, rcvlowat=lowest)
    clamp = max(options.window_clamp, lowest) if options.window_clamp else 0
    return replace(options, rcvlowat=lowest, rcvbuf=space, window_clamp=clamp)


def _no_option(level: int, name: int) -> SocketError | NotEmulatedError:
    """Never an errno where the kernel would give none."""
    words = unemulated_option(level, name)
    if words is not None:
        return NotEmulatedError(words)
    return SocketError(errno.ENOPROTOOPT, f"Linux has no option {name} at level {level}")


def option_took_effect(conn: Connection, before: SocketOptions, level: int, name: int) -> None:
    """What setting an option does at once to a connection, whose options were `before`."""
    if conn.options != before and (level, name) in _ROUTE_GOES:
        conn.no_route = True
    if level == socket_constants.SOL_SOCKET:
        _socket_option_took_effect(conn, before, name)
    elif (level, name) in _RECVERR and not getattr(conn.options, _SETTERS[level, name][0]):
        error_queue.clear(conn)
    elif (level, name) == NUMBERS["IP_MTU_DISCOVER"]:
        conn.snd.df = path_mtu.dont_fragment(conn)
    elif level == socket_constants.IPPROTO_TCP:
        _tcp_option_took_effect(conn, name)


def _socket_option_took_effect(conn: Connection, before: SocketOptions, name: int) -> None:
    if name == socket_constants.SO_KEEPALIVE:
        keepalive.switched(conn, before.keepalive)
    elif name in (socket_constants.SO_RCVBUF, _RCVBUFFORCE):
        conn.rcv.buffer = conn.options.rcvbuf
        if conn.host.generation.windows.buffer_moves_clamp:
            clamp = receive_window.from_space(conn.rcv.scaling_ratio, conn.rcv.buffer)
            receive_window.set_clamp(conn, clamp)
    elif name in (socket_constants.SO_SNDBUF, _SNDBUFFORCE):
        conn.snd.buffer = conn.options.sndbuf
        send_buffer_space.space_may_have_come(conn)
    elif name == socket_constants.SO_RCVLOWAT:
        _rcvlowat_took_effect(conn)
    elif name == _MAX_PACING_RATE[1]:
        chosen_control.limit_pace(conn)


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


def _tcp_option_took_effect(conn: Connection, name: int) -> None:
    options = conn.options
    if name == socket_constants.TCP_NODELAY and options.nodelay:
        # It pushes what waits even past a cork, this once (__tcp_sock_set_nodelay).
        conn.snd.nagle_push = True
        data_out.push_pending(conn)
    elif name == socket_constants.TCP_CORK and not options.cork:
        data_out.push_pending(conn)
    elif name == socket_constants.TCP_QUICKACK:
        _quickack(conn, options.quickack)
    elif name == socket_constants.TCP_WINDOW_CLAMP and options.window_clamp:
        receive_window.set_clamp(conn, conn.options.window_clamp)
    elif name == socket_constants.TCP_KEEPIDLE:
        keepalive.idle_time_changed(conn)
    elif name == socket_constants.TCP_NOTSENT_LOWAT:
        conn.host.wake(conn.socket)
    elif name == _CONGESTION[1]:
        chosen_control.switch(conn, options.congestion)


def _quickack(conn: Connection, value: int) -> None:
    """An odd number for good, an even one for the ACK that is owed now (tcp.c: __tcp_sock_set_quickack)."""
    if not value:
        conn.ack.pingpong = conn.host.sysctls.tcp_pingpong_thresh
        return
    conn.ack.pingpong = 0
    if conn.state in (State.ESTABLISHED, State.CLOSE_WAIT) and conn.ack.pending & SCHEDULED:
        conn.ack.pending |= PUSHED
        delayed_acks.after_read(conn, 1)
        if not value & 1:
            conn.ack.pingpong = conn.host.sysctls.tcp_pingpong_thresh
