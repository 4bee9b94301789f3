"""The verbs of a step trace that applications do: calls of the kernel's sockets."""

import errno
import fcntl
import select
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tcpemu.kernel.kernel_errors import StepError
from tcpemu.kernel.observe import sample
from tcpemu.wire.relative_numbers import ENDS, IPV4, LISTENER_PORT, TraceEnds

CallResult: TypeAlias = int | str | dict[str, Any]

_TCP = socket.IPPROTO_TCP
LISTEN_OPTIONS = {
    "rcvbuf": (socket.SOL_SOCKET, socket.SO_RCVBUF),
    "maxseg": (_TCP, socket.TCP_MAXSEG),
    "defer": (_TCP, socket.TCP_DEFER_ACCEPT),
    "syncnt": (_TCP, socket.TCP_SYNCNT),
    "fastopen": (_TCP, socket.TCP_FASTOPEN),
}
"""What `listen` and `connect` may be given, and the socket option that it sets."""
_SIOCATMARK = 0x8905
_ALL_OF_POLL = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x2000
_EXTENDED_ERROR = struct.Struct("IBBBBII")
"""struct sock_extended_err (include/uapi/linux/errqueue.h), which an address follows."""
_HAS_BEGUN = 0.001
"""Seconds after which a close() in a thread of its own has sent its FIN."""


class KernelSockets:
    """The sockets of the run: listeners by their port, connections by their peer's."""

    def __init__(self, counters: Mapping[str, int], ends: TraceEnds = ENDS[IPV4]) -> None:
        """The counters are those before the first step; `ends` says where the host and its peer live."""
        self._counters = counters
        self._ends = ends
        self._listeners: dict[int, socket.socket] = {}
        self._connections: dict[int, socket.socket] = {}
        self._closing: dict[int, threading.Thread] = {}
        """The last close() of each connection, where it has a thread of its own to wait in (SO_LINGER)."""
        self._verbs: dict[str, Callable[..., CallResult]] = {
            "listen": self._listen,
            "accept": self._accept,
            "connect": self._connect,
            "sendto": self._send_to,
            "send": lambda port, count, flags=0: self._of(port).send(b"y" * count, flags),
            "recv": lambda port, count, flags=0: len(self._of(port).recv(count, flags)),
            "shutdown": self._shutdown,
            "close": self._close,
            "closed": self._has_returned,
            "rst_close": self._reset,
            "setopt": self._set_option,
            "setlinger": self._set_linger,
            "getopt": self._get_option,
            "atmark": self._at_mark,
            "poll": self._poll,
            "recverr": self._queued_error,
            "soerror": self._pending_error,
            "close_listener": self._close_listener,
            "shutdown_listener": self._shutdown_listener,
            "sample": lambda: sample(self._counters),
        }

    def call(self, verb: str, *arguments: Any) -> CallResult:
        """Do it, and give its result or the name of its errno. StepError for what cannot be done at all."""
        if verb not in self._verbs:
            raise StepError(f"unknown verb {verb!r}; the verbs are in, {', '.join(self._verbs)}")
        try:
            return self._verbs[verb](*arguments)
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, str(error))
        except TypeError as error:
            raise StepError(f"{verb} cannot take {list(arguments)}: {error}") from None

    # ------------------------------------------------------------------ listeners

    def _listen(self, backlog: int, options: Mapping[str, Any] | None = None) -> int:
        options = options or {}
        port = options.get("port", LISTENER_PORT)
        if port not in self._listeners:
            self._listeners[port] = _bound(self._any(), port, reuse=True)
        _set_options(self._listeners[port], options, besides=("port",))
        self._listeners[port].listen(backlog)
        return 0

    def _any(self) -> str:
        return "::" if self._ends.ipv6 else "0.0.0.0"

    def _accept(self, port: int = LISTENER_PORT) -> int:
        connection, (_, peer_port, *_) = self._listener(port).accept()
        connection.setblocking(False)
        self._connections[peer_port] = connection
        return int(peer_port)

    def _close_listener(self, port: int = LISTENER_PORT) -> int:
        self._listener(port).close()
        del self._listeners[port]
        return 0

    def _shutdown_listener(self, how: int = socket.SHUT_RDWR) -> int:
        self._listener(LISTENER_PORT).shutdown(how)
        return 0

    def _listener(self, port: int) -> socket.socket:
        if port not in self._listeners:
            raise StepError(f"nobody listens on port {port} here; listen first")
        return self._listeners[port]

    # ------------------------------------------------------------------ connections

    def _connect(self, port: int, peer_port: int, options: Mapping[str, Any] | None = None) -> CallResult:
        connection = _bound(self._ends.host, port)
        _set_options(connection, options or {})
        self._connections[peer_port] = connection
        code = connection.connect_ex((self._ends.peer, peer_port))
        return errno.errorcode[code] if code else 0

    def _send_to(
        self, port: int, peer_port: int, count: int, flags: int, options: Mapping[str, Any] | None = None
    ) -> CallResult:
        connection = _bound(self._ends.host, port)
        _set_options(connection, options or {})
        self._connections[peer_port] = connection
        return connection.sendto(b"y" * count, flags, (self._ends.peer, peer_port))

    def _shutdown(self, peer_port: int, how: int) -> int:
        self._of(peer_port).shutdown(how)
        return 0

    def _set_option(self, peer_port: int, level: int, name: int, value: int | str) -> int:
        _set_one(self._of(peer_port), level, name, value)
        return 0

    def _get_option(self, peer_port: int, level: int, name: int, length: int = 0) -> int | str:
        if length:
            return self._of(peer_port).getsockopt(level, name, length).hex()
        return self._of(peer_port).getsockopt(level, name)

    def _set_linger(self, peer_port: int, on: int, seconds: int) -> int:
        self._of(peer_port).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", on, seconds))
        return 0

    def _at_mark(self, peer_port: int) -> int:
        answer = fcntl.ioctl(self._of(peer_port), _SIOCATMARK, struct.pack("i", 0))
        return int(struct.unpack("i", answer)[0])

    def _poll(self, peer_port: int) -> int:
        look = select.poll()
        look.register(self._of(peer_port), _ALL_OF_POLL)
        return look.poll(0)[0][1] if look.poll(0) else 0

    def _queued_error(self, peer_port: int) -> CallResult:
        data, ancillary, _, name = self._of(peer_port).recvmsg(65536, 512, socket.MSG_ERRQUEUE)
        octets = next(value for _, _, value in ancillary if len(value) >= _EXTENDED_ERROR.size)
        return error_entry(octets, len(data), name)

    def _close(self, peer_port: int) -> int:
        closing = self._of(peer_port)
        del self._connections[peer_port]
        on, seconds = struct.unpack("ii", closing.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        self._closing.pop(peer_port, None)
        if on and seconds:
            thread = self._closing[peer_port] = threading.Thread(target=closing.close, daemon=True)
            thread.start()
            thread.join(_HAS_BEGUN)
        else:
            closing.close()
        return 0

    def _has_returned(self, peer_port: int) -> int:
        thread = self._closing.get(peer_port)
        return int(thread is None or not thread.is_alive())

    def _reset(self, peer_port: int) -> int:
        self._set_linger(peer_port, 1, 0)
        return self._close(peer_port)

    def _pending_error(self, peer_port: int) -> CallResult:
        code = self._of(peer_port).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return errno.errorcode[code] if code else 0

    def _of(self, peer_port: int) -> socket.socket:
        if peer_port not in self._connections:
            raise StepError(f"no open connection with the peer's port {peer_port}; accept or connect first")
        return self._connections[peer_port]


def error_entry(octets: bytes, size: int, name: Any) -> dict[str, Any]:
    """What a step `recverr` gives: an entry of the error queue, with so many octets of data beside it."""
    number, origin, kind, code, _, info, data = _EXTENDED_ERROR.unpack_from(octets)
    by = octets[_EXTENDED_ERROR.size :]
    family = int.from_bytes(by[:2], sys.byteorder)
    offender = None
    if family == socket.AF_INET:
        offender = socket.inet_ntop(family, by[4:8])
    elif family == socket.AF_INET6:
        offender = socket.inet_ntop(family, by[8:24])
    return {
        "errno": errno.errorcode[number] if number else 0,
        "origin": origin,
        "type": kind,
        "code": code,
        "info": info,
        "data": data,
        "by": offender,
        "to": list(name[:2]) if name else None,
        "len": size,
    }


def _bound(address: str, port: int, *, reuse: bool = False) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.setblocking(False)
    if reuse:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def _set_options(target: socket.socket, options: Mapping[str, Any], besides: tuple[str, ...] = ()) -> None:
    """Set them in the order of LISTEN_OPTIONS, whatever the trace's order; then those that `opts` has by numbers."""
    known = {*LISTEN_OPTIONS, *besides, "opts"}
    if unknown := sorted(options.keys() - known):
        raise StepError(f"unknown socket options {unknown}; known: {sorted(known)}")
    for name, (level, number) in LISTEN_OPTIONS.items():
        if name in options:
            target.setsockopt(level, number, options[name])
    for level, name, value in options.get("opts", []):
        _set_one(target, level, name, value)


def _set_one(target: socket.socket, level: int, name: int, value: int | str) -> None:
    """An option that is a number, or the octets of a text."""
    target.setsockopt(level, name, value.encode() if isinstance(value, str) else value)
