"""What getsockopt() gives: a number, or octets cut to the length that was asked for.

net/core/sock.c: sk_getsockopt; net/ipv4/tcp.c: do_tcp_getsockopt; net/ipv4/ip_sockglue.c: do_ip_getsockopt.
"""

from __future__ import annotations

import errno

from tcpemu.stack.base import socket_constants
from tcpemu.stack.base.errors import NotEmulatedError, SocketError
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.stack.connection.measures import ipv6_header
from tcpemu.stack.connection.measures.path_mtu import path_mtu
from tcpemu.stack.connection.sending import delayed_acks
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.stack.sockets.fixed_options import CONSTANTS, KEPT, OCTETS, READING_FAILS, c_int
from tcpemu.stack.sockets.option_names import NAMES, NUMBERS, OptionKey, check_age, unemulated_option
from tcpemu.stack.sockets.socket_state import SocketState
from tcpemu.stack.sockets.tcp_info import TcpInfo, of_connection, of_listener, of_nothing

_DATAGRAM, _STREAM = 2, 1
_UDP, _TCP = 17, 6
_AF_INET, _AF_INET6 = 2, 10
_FIELDS: dict[OptionKey, str] = {
    NUMBERS["SO_REUSEADDR"]: "reuseaddr",
    NUMBERS["SO_REUSEPORT"]: "reuseport",
    NUMBERS["SO_KEEPALIVE"]: "keepalive",
    NUMBERS["SO_OOBINLINE"]: "oobinline",
    NUMBERS["SO_RCVLOWAT"]: "rcvlowat",
    NUMBERS["SO_TXREHASH"]: "txrehash",
    NUMBERS["TCP_NODELAY"]: "nodelay",
    NUMBERS["TCP_SAVE_SYN"]: "save_syn",
    NUMBERS["TCP_CORK"]: "cork",
    NUMBERS["TCP_THIN_LINEAR_TIMEOUTS"]: "thin_linear_timeouts",
    NUMBERS["TCP_NOTSENT_LOWAT"]: "notsent_lowat",
    NUMBERS["TCP_USER_TIMEOUT"]: "user_timeout",
    NUMBERS["TCP_FASTOPEN"]: "fastopen",
    NUMBERS["TCP_FASTOPEN_CONNECT"]: "fastopen_connect",
    NUMBERS["TCP_FASTOPEN_NO_COOKIE"]: "fastopen_no_cookie",
    NUMBERS["IP_TOS"]: "tos",
    NUMBERS["IP_RECVERR"]: "recverr",
    NUMBERS["IP_MINTTL"]: "min_ttl",
    NUMBERS["TCP_RTO_MIN_US"]: "rto_min_us",
    NUMBERS["IPV6_MINHOPCOUNT"]: "min_hops",
    NUMBERS["IPV6_V6ONLY"]: "v6only",
    NUMBERS["IPV6_TCLASS"]: "tclass",
    NUMBERS["IPV6_RECVERR"]: "recverr6",
    NUMBERS["IPV6_MTU_DISCOVER"]: "mtu_discover6",
}
_BY_SYSCTL: dict[OptionKey, tuple[str, str]] = {
    NUMBERS["IP_TTL"]: ("ttl", "net.ipv4.ip_default_ttl"),
    NUMBERS["TCP_LINGER2"]: ("linger2", "net.ipv4.tcp_fin_timeout"),
    NUMBERS["TCP_KEEPIDLE"]: ("keepidle", "net.ipv4.tcp_keepalive_time"),
    NUMBERS["TCP_KEEPINTVL"]: ("keepintvl", "net.ipv4.tcp_keepalive_intvl"),
    NUMBERS["TCP_KEEPCNT"]: ("keepcnt", "net.ipv4.tcp_keepalive_probes"),
    NUMBERS["TCP_SYNCNT"]: ("syncnt", "net.ipv4.tcp_syn_retries"),
}
"""Options that a sysctl stands in for while nobody has set them."""


_MULTICAST_ALL = NUMBERS["IP_MULTICAST_ALL"]
_TCP_INFO = NUMBERS["TCP_INFO"]
_SAVED_SYN = NUMBERS["TCP_SAVED_SYN"]
_MAX_PACING_RATE = NUMBERS["SO_MAX_PACING_RATE"]
_MOST_TICKS = 2**63 - 1
_CONTROL_NAME_OCTETS = 16
"""include/net/tcp.h: TCP_CA_NAME_MAX."""


def defer_seconds(periods: int) -> int:
    """Time-outs as seconds (tcp.c: retrans_to_secs)."""
    return sum(min(1 << n, 120) for n in range(periods))


def number(socket: SocketState, level: int, name: int) -> int:
    """An option as a number; of a structure its first four octets. Raises SocketError, or NotEmulatedError."""
    if (level, name) == _TCP_INFO:
        return int.from_bytes(info(socket).octets(4), "little", signed=True)
    if (level, name) == _SAVED_SYN:
        return int.from_bytes(_saved_syn(socket, 4), "little", signed=True)
    value = _value(socket, level, name)
    if isinstance(value, int):
        return c_int(min(value, MASK))
    return int.from_bytes(value[:4].ljust(4, b"\0"), "little", signed=True)


def octets(socket: SocketState, level: int, name: int, length: int) -> bytes:
    """An option as C has it, no more of it than `length` octets."""
    if length < 0:
        raise SocketError(errno.EINVAL, f"the length is {length}")
    if (level, name) == _TCP_INFO:
        return info(socket).octets(length)
    if (level, name) == _SAVED_SYN:
        return _saved_syn(socket, length)
    value = _value(socket, level, name)
    if isinstance(value, bytes):
        return value[:length]
    if (level, name) == _MAX_PACING_RATE:
        return value.to_bytes(8, "little") if length >= 8 else min(value, MASK).to_bytes(4, "little")[:length]
    if level == socket_constants.IPPROTO_IP and 0 < length < 4 and 0 <= value <= 255:
        return bytes((value,))
    return (value & MASK).to_bytes(4, "little")[:length]


def _saved_syn(socket: SocketState, length: int) -> bytes:
    """The headers of the SYN, which are given once; no octets without any (tcp.c: do_tcp_getsockopt).

    EINVAL where they are longer than that.
    """
    conn = socket.connection
    headers = b"" if conn is None else conn.saved_syn
    if length < len(headers):
        raise SocketError(
            errno.EINVAL, f"the saved SYN has {len(headers)} octets, and there is room for {length}"
        )
    if conn is not None:
        conn.saved_syn = b""
    return headers


def info(socket: SocketState) -> TcpInfo:
    """TCP_INFO of any socket."""
    if socket.listener is not None and socket.listening:
        return of_listener(socket.listener)
    if socket.connection is None:
        return of_nothing(socket.host, socket.options, socket.listener is not None)
    return of_connection(socket.connection)


def _value(socket: SocketState, level: int, name: int) -> int | bytes:
    key = level, name
    if level == socket_constants.IPPROTO_IPV6 and not socket.options.ipv6:
        raise SocketError(errno.EOPNOTSUPP, "a socket of AF_INET has no options of IPv6")
    if key in READING_FAILS:
        raise SocketError(READING_FAILS[key], f"{NAMES[key]} cannot be read")
    check_age(socket.host, key)
    options = socket.options
    if key in _FIELDS:
        return int(getattr(options, _FIELDS[key]))
    if key in _BY_SYSCTL:
        field, sysctl = _BY_SYSCTL[key]
        own: int = getattr(options, field)
        return own or int(socket.host.sysctls.get(sysctl))  # type: ignore[arg-type]
    if key in CONSTANTS:
        return CONSTANTS[key]
    if key in KEPT:
        return kept(options, level, name)
    if key in OCTETS:
        return OCTETS[key]
    return _worked_out(socket, key)


def kept(options: SocketOptions, level: int, name: int) -> int:
    """What was set of an option that is only remembered."""
    for entry in options.kept:
        if entry[0] == level and entry[1] == name:
            return entry[2]
    if options.ipv6 and (level, name) == _MULTICAST_ALL:
        return 0
    return KEPT[level, name].default


def _worked_out(socket: SocketState, key: OptionKey) -> int | bytes:
    """What is not simply a field."""
    level, number = key
    name = NAMES.get(key, "")
    if level == socket_constants.SOL_SOCKET:
        found = _of_socket(socket, name)
    elif level == socket_constants.IPPROTO_TCP:
        found = _of_tcp(socket, name)
    elif level == socket_constants.IPPROTO_IP:
        found = _of_ip(socket, name)
    elif level == socket_constants.IPPROTO_IPV6:
        found = _of_ipv6(socket, name)
    else:
        raise SocketError(errno.EOPNOTSUPP, f"TCP has no options at level {level}")
    if found is not None:
        return found
    words = unemulated_option(level, number)
    if words is not None:
        raise NotEmulatedError(words)
    raise SocketError(errno.ENOPROTOOPT, f"Linux has no option {number} at level {level}")


def _of_socket(socket: SocketState, name: str) -> int | bytes | None:
    options, conn = socket.options, socket.connection
    if name == "SO_ERROR":
        if conn is None:
            return 0
        pending, conn.error = conn.error, 0
        if not pending:
            # What ICMP said and did not end it is told too (sock.c: SO_ERROR).
            pending, conn.rtx.soft_error = conn.rtx.soft_error, 0
        return pending
    if name == "SO_ACCEPTCONN":
        return int(socket.listening)
    if name == "SO_RCVBUF":
        return options.rcvbuf if conn is None else conn.rcv.buffer
    if name == "SO_SNDBUF":
        return options.sndbuf if conn is None else conn.snd.buffer
    if name == "SO_LINGER":
        on, seconds = options.linger is not None, options.last_linger
        if seconds < 0:
            # For ever is as many ticks as fit into a long (sock.c: MAX_SCHEDULE_TIMEOUT).
            seconds = _MOST_TICKS * socket.host.jiffy // SECOND
        return int(on).to_bytes(4, "little") + (seconds & MASK).to_bytes(4, "little")
    if name == "SO_MAX_PACING_RATE":
        return options.max_pacing_rate
    if name == "SO_BUF_LOCK":
        return options.sndbuf_locked | options.rcvbuf_locked << 1
    return _kind(socket, name)


def _kind(socket: SocketState, name: str) -> int | None:
    """What socket() was called with."""
    if name == "SO_DOMAIN":
        return _AF_INET6 if socket.options.ipv6 else _AF_INET
    if name == "SO_TYPE":
        return _DATAGRAM if socket.datagram else _STREAM
    if name == "SO_PROTOCOL":
        return _UDP if socket.datagram else _TCP
    return None


def _of_tcp(socket: SocketState, name: str) -> int | bytes | None:
    options, conn = socket.options, socket.connection
    if name == "TCP_QUICKACK":
        return int(bool(options.quickack) if conn is None else not delayed_acks.interactive(conn))
    if name == "TCP_MAXSEG":
        return _maxseg(socket)
    if name == "TCP_DEFER_ACCEPT":
        return defer_seconds(options.defer_periods)
    if name == "TCP_WINDOW_CLAMP":
        return options.window_clamp if conn is None else conn.rcv.window_clamp
    if name == "TCP_RTO_MAX_MS":
        return options.rto_max // MILLISECOND
    if name == "TCP_DELACK_MAX_US":
        return options.delack_max // MICROSECOND
    if name == "TCP_CONGESTION":
        return _control_name(socket).encode("ascii").ljust(_CONTROL_NAME_OCTETS, b"\0")
    if name == "TCP_FASTOPEN_KEY":
        return b"".join(options.fastopen_keys)
    if name == "TCP_TIMESTAMP":
        # The clock of timestamps with what this connection adds (tcp.c: do_tcp_getsockopt).
        return socket.host.tsval(0 if conn is None else conn.ts.offset)
    return None


def _control_name(socket: SocketState) -> str:
    """Of a socket without a connection what it has chosen, or what the host begins with.

    Differs: that is what the sysctl says now; the kernel's socket has what it said when the socket was made.
    """
    conn = socket.connection
    if conn is not None:
        return conn.congestion.name
    return socket.options.congestion or socket.host.first_congestion.name


def _maxseg(socket: SocketState) -> int:
    """The MSS in use; of a socket without a connection what was set, or 536."""
    conn = socket.connection
    if conn is None or conn.state is State.CLOSE:
        user = socket.options.maxseg
        return user or (DEFAULT_MSS if conn is None else conn.snd.mss_cache)
    return conn.snd.mss_cache


def _of_ip(socket: SocketState, name: str) -> int | bytes | None:
    if name == "IP_MTU_DISCOVER":
        own = socket.options.mtu_discover
        return int(not socket.host.sysctls.ip_no_pmtu_disc) if own is None else own
    if name == "IP_MTU":
        return _mtu_of_path(socket)
    if name == "IP_PROTOCOL":
        # Of a TCP socket that is its port (ip_sockglue.c reads inet_num).
        return socket.connection.key[3] if socket.connection is not None else (socket.bound or (None, 0))[1]
    return None


def _mtu_of_path(socket: SocketState) -> int:
    """IP_MTU, IPV6_MTU: ENOTCONN without a peer, and while no route is known."""
    conn = socket.connection
    if conn is None or conn.no_route:
        raise SocketError(errno.ENOTCONN)
    return path_mtu(socket.host, conn.key[0])


def _of_ipv6(socket: SocketState, name: str) -> int | None:
    if name == "IPV6_UNICAST_HOPS":
        return ipv6_header.hop_limit(socket.host, socket.options)
    if name == "IPV6_MTU":
        return _mtu_of_path(socket)
    if name == "IPV6_AUTOFLOWLABEL":
        wanted, setting = socket.options.autoflowlabel, socket.host.sysctls.ipv6_auto_flowlabels
        return setting & 1 if wanted is None else int(wanted)
    return None
