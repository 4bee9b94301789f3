"""socket.socket on an emulated host: the class that the constructor gives there.

It derives from socket.socket, so that whatever the standard library does in Python over the calls of a socket
(makefile(), create_connection(), sendfile()) is unchanged; each call itself goes to the host's TCP. A blocking
call waits in virtual time. No call goes by way of another that a class of the program, or of TLS, may have of its
own, since those in C do not either. Errors are those that Python makes of the kernel's numbers.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeAlias, TypeVar

from tcpemu.network.application_sockets import WholeSend, connected, octets_or_end
from tcpemu.network.endpoint import EndpointSocket
from tcpemu.programs.calls import error_messages
from tcpemu.programs.calls.option_calls import set_stream_option, stream_option
from tcpemu.programs.calls.socket_addresses import FAMILIES, from_stack, not_emulated, to_stack
from tcpemu.programs.files.least_octets import LeastOctets
from tcpemu.programs.files.memory_pair import MemoryEnd
from tcpemu.programs.files.open_files import OpenFile, close_descriptor, file_of, open_descriptor
from tcpemu.programs.files.readiness import wait_for_change
from tcpemu.programs.files.tcp_stream import TcpStream
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.standing_still import at_once, finish, span, until_text
from tcpemu.programs.waiting.whereabouts import caller, here
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.ip_families import LOCALHOST, LOCALHOST6
from tcpemu.stack.records.connection import QueuedError
from tcpemu.stack.sockets.message_flags import MSG_ERRQUEUE, MSG_FASTOPEN
from tcpemu.wire.segment import endpoint_text

__tracebackhide__ = True  # in a failing test the program's own lines are shown, and none of these

T = TypeVar("T")
Buffer: TypeAlias = Any
"""Whatever gives its octets: bytes, bytearray, memoryview, array."""
_OOB = int(socket.MSG_OOB)
_DONTWAIT, _PEEK, _WAITALL = int(socket.MSG_DONTWAIT), int(socket.MSG_PEEK), int(socket.MSG_WAITALL)
_NONBLOCK = int(getattr(socket, "SOCK_NONBLOCK", 0))
_KIND_FLAGS = _NONBLOCK | int(getattr(socket, "SOCK_CLOEXEC", 0))
_CLOSED = -1
_REAL_SENDFILE: tuple[Callable[..., int], ...] = (os.sendfile,) if hasattr(os, "sendfile") else ()
_LARGEST_PIECE = 2**20
"""Octets that one os.sendfile() takes of a file."""
_TCP = 6


class EmulatedSocket(socket.socket):
    """A stream socket of the host that it was made on, or an end of a socketpair()."""

    _process: Process
    _file: OpenFile
    _number: int
    _seconds: float | None
    _protocol: int = 0

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        process = here()
        if process is None:
            raise RuntimeError("an emulated socket is made by code on a host")
        self._number = _CLOSED
        if fileno is not None:
            _check_descriptor(fileno)
            file = file_of(process, fileno)
            if file is None:
                os.fstat(fileno)  # EBADF
                raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
            self._take(process, file, fileno)
            self._protocol = proto if proto >= 0 else _TCP * isinstance(file, TcpStream)
        else:
            _refuse_others(family, type, proto)
            six = family == socket.AF_INET6
            stream = TcpStream(process, at_once(process, lambda: process.node.host.socket(ipv6=six)), six)
            self._take(process, stream, open_descriptor(stream))
            self._protocol = max(proto, 0)
            if type != -1 and type & _NONBLOCK:
                self._wait_for(0.0)

    def _take(self, process: Process, file: OpenFile, number: int) -> None:
        self._process, self._file, self._number = process, file, number
        self._io_refs, self._closed = 0, False
        self._seconds = socket.getdefaulttimeout()
        os.set_blocking(number, self._seconds is None)

    @classmethod
    def _over(cls, file: OpenFile) -> Self:
        """A socket for an open file that has none yet."""
        made = cls.__new__(cls)
        made._take(file.process, file, open_descriptor(file))
        return made

    # What it is.

    @property
    def family(self) -> socket.AddressFamily:
        if isinstance(self._file, MemoryEnd):
            return socket.AF_UNIX
        six = isinstance(self._file, TcpStream) and self._file.ipv6
        return socket.AF_INET6 if six else socket.AF_INET

    @property
    def type(self) -> socket.SocketKind:
        return socket.SOCK_STREAM

    @property
    def proto(self) -> int:
        return self._protocol

    def __del__(self) -> None:
        if getattr(self, "_number", _CLOSED) != _CLOSED:
            if isinstance(self._file, TcpStream):
                self._file.waits_at_end = False
            with contextlib.suppress(OSError, SystemExit):
                self._real_close()

    def fileno(self) -> int:
        return self._number

    # How long it waits.

    def settimeout(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._wait_for(None if value is None else float(value))

    def _wait_for(self, seconds: float | None) -> None:
        """The descriptor says so too, as a real one does with O_NONBLOCK. EBADF."""
        self._seconds = seconds
        os.set_blocking(self._number, seconds is None)

    def gettimeout(self) -> float | None:
        return self._seconds

    def setblocking(self, flag: bool) -> None:
        self._wait_for(None if flag else 0.0)

    def getblocking(self) -> bool:
        return self._seconds != 0.0

    @property
    def timeout(self) -> float | None:
        return self._seconds

    # Calls.

    def _open_file(self) -> OpenFile:
        if file_of(self._process, self._number) is not self._file:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._file

    def _stream(self, call: str) -> TcpStream:
        return _as_stream(self._open_file(), call)

    def _call(
        self,
        stream: TcpStream,
        text: str,
        attempt: Callable[[int], T],
        show: Callable[[T], str] = lambda _: "",
        *,
        wait: bool = True,
        again: int = errno.EAGAIN,
        gives: Callable[[T], EndpointSocket] | None = None,
        limit: int | None = None,
    ) -> T:
        """Make a call of the stack that may have to wait, as long as the socket's timeout has it.

        `limit` is that of SO_RCVTIMEO or SO_SNDTIMEO, which a socket with a timeout of Python's never comes to.
        """
        if self._seconds == 0.0 or not wait or (self._seconds is None and limit == 0):
            return at_once(self._process, lambda: stream.calls.call(stream.socket, text, attempt, show))
        timeout = limit if self._seconds is None else span(self._seconds)
        until = None if timeout is None else self._process.computers.now + timeout
        trying = stream.calls.complete(stream.socket, text, attempt, show, timeout, again, gives)
        why = f"waits in {text}{_of_whom(stream)}{until_text(until)}"
        try:
            return finish(self._process, trying, why, until)
        except BlockingIOError:
            if self._seconds is None:
                raise
            raise TimeoutError("timed out") from None

    def bind(self, address: Any) -> None:
        stream = self._stream("bind")
        octets, port = to_stack(self._process, "bind", address, stream.ipv6)
        at_once(
            self._process,
            lambda: stream.calls.call(
                stream.socket,
                f"bind({endpoint_text((octets, port))})",
                lambda _: stream.socket.bind(octets if any(octets) else None, port),
            ),
        )

    def listen(self, backlog: int = 128) -> None:
        stream = self._stream("listen")
        backlog = max(_c_int(backlog), 0)
        at_once(
            self._process,
            lambda: stream.calls.call(
                stream.socket, f"listen({backlog})", lambda now: stream.socket.listen(backlog, now)
            ),
        )

    def accept(self) -> tuple[socket.socket, Any]:
        stream = self._stream("accept")
        given = self._call(
            stream,
            "accept()",
            stream.socket.accept,
            lambda child: endpoint_text(child.remote) if child.remote else "",
            gives=lambda child: child,
            limit=stream.receive_limit,
        )
        child = TcpStream(self._process, given, stream.ipv6)
        child.receive_limit, child.send_limit = stream.receive_limit, stream.send_limit
        made = EmulatedSocket._over(child)
        made._protocol = self._protocol
        return made, made.getpeername()

    def connect(self, address: Any) -> None:
        stream = self._stream("connect")
        octets, port = to_stack(self._process, "connect", address, stream.ipv6)
        local = LOCALHOST6 if stream.ipv6 else LOCALHOST
        remote = octets if any(octets) else local, port

        def attempt(now: int) -> None:
            if stream.connecting and self._seconds != 0.0:
                connected(stream.socket)
                stream.connecting = False
                return
            try:
                stream.socket.connect(*remote, now)
            except SocketError as error:
                stream.connecting = error.errno in (errno.EINPROGRESS, errno.EALREADY)
                raise
            stream.connecting = False

        try:
            self._call(
                stream,
                f"connect({endpoint_text(remote)})",
                attempt,
                lambda _: "connected",
                again=errno.EINPROGRESS,
                limit=stream.send_limit,
            )
        except SocketError:
            raise
        except OSError as error:
            if error.errno not in (errno.EINPROGRESS, errno.EALREADY):
                stream.connecting = False
            raise

    def connect_ex(self, address: Any) -> int:
        try:
            EmulatedSocket.connect(self, address)
        except TimeoutError as error:
            return error.errno or errno.EAGAIN
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno is None:
                raise
            return error.errno
        return 0

    def send(self, data: Buffer, flags: int = 0) -> int:
        octets = bytes(data)
        file = self._open_file()
        if isinstance(file, MemoryEnd):
            return self._through(file, lambda: file.send(octets), flags)
        stream = _as_stream(file, "send")
        if self._seconds is None and not flags & _DONTWAIT:
            return self._send_all(octets, flags)
        return self._call(
            stream,
            f"send({len(octets)})",
            lambda now: stream.socket.send(octets, now, flags),
            str,
            wait=not flags & _DONTWAIT,
        )

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        octets = bytes(data)
        if isinstance(self._open_file(), MemoryEnd) or self._seconds == 0.0:
            while octets:
                octets = octets[EmulatedSocket.send(self, octets, flags) :]
            return
        sent = self._send_all(octets, flags)
        while sent < len(octets):
            sent += self._send_all(octets[sent:], flags)

    def _send_all(self, octets: bytes, flags: int) -> int:
        """Send all of it; less where SO_SNDTIMEO has it so."""
        stream = self._stream("send")
        whole = WholeSend(stream.socket, octets, flags)
        try:
            self._call(stream, f"send({len(octets)})", whole.attempt, limit=stream.send_limit)
        except BlockingIOError:
            if len(whole.rest) == len(octets):
                raise
        return len(octets) - len(whole.rest)

    def _fast_open(self, octets: bytes, flags: int, address: Any) -> int:
        """sendto() with MSG_FASTOPEN: connect() and send() in one, so that the SYN may carry data."""
        stream = self._stream("sendto")
        to = to_stack(self._process, "sendto", address, stream.ipv6)
        text = f"sendto({len(octets)}, MSG_FASTOPEN, {endpoint_text(to)})"
        if self._seconds is None and not flags & _DONTWAIT:
            whole = WholeSend(stream.socket, octets, flags, to)
            self._call(stream, text, whole.attempt, limit=stream.send_limit)
            return len(octets) - len(whole.rest)
        return self._call(
            stream, text, lambda now: stream.socket.sendto(octets, *to, now, flags), str, wait=False
        )

    def sendmsg(self, buffers: Iterable[Any], ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        if list(ancdata):
            raise not_emulated(errno.EOPNOTSUPP, "sendmsg() with ancillary data")
        octets = b"".join(memoryview(one).tobytes() for one in buffers)
        if address is not None and flags & MSG_FASTOPEN:
            return self._fast_open(octets, flags, address)
        if address is not None:
            raise OSError(errno.EISCONN, os.strerror(errno.EISCONN))
        return EmulatedSocket.send(self, octets, flags)

    def sendto(self, data: Buffer, *rest: Any) -> int:
        """On a stream the address is of no account (tcp_sendmsg), but with MSG_FASTOPEN."""
        if not 1 <= len(rest) <= 2:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({1 + len(rest)} given)")
        flags = rest[0] if len(rest) > 1 else 0
        if flags & MSG_FASTOPEN and isinstance(self._open_file(), TcpStream):
            return self._fast_open(bytes(data), flags, rest[-1])
        return EmulatedSocket.send(self, data, flags)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        if bufsize < 0:
            raise ValueError("negative buffersize in recv")
        if self._seconds is None and not flags & (_DONTWAIT | _OOB | MSG_ERRQUEUE) and bufsize > 1:
            least = self._least(bufsize, flags)
            if least > 1:
                return self._recv_least(bufsize, flags & ~_WAITALL, least)
        return self._recv_some(bufsize, flags & ~_WAITALL)

    def _least(self, bufsize: int, flags: int) -> int:
        """So many octets a call waits for: those of SO_RCVLOWAT, or all with MSG_WAITALL (sock_rcvlowat)."""
        file = self._open_file()
        if flags & _WAITALL or not isinstance(file, TcpStream):
            return bufsize if flags & _WAITALL else 1
        return min(file.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT), bufsize)

    def _recv_least(self, bufsize: int, flags: int, least: int) -> bytes:
        if isinstance(self._open_file(), MemoryEnd):
            return self._recv_all_in_memory(bufsize, flags)
        stream = self._stream("recv")
        limit = stream.receive_limit
        deadline = None if limit is None else self._process.computers.now + limit
        call = LeastOctets(stream.socket, bufsize, least, flags, deadline)
        return self._call(stream, f"recv({bufsize})", call.attempt, octets_or_end, limit=limit)

    def _recv_all_in_memory(self, bufsize: int, flags: int) -> bytes:
        if flags & _PEEK:
            raise not_emulated(errno.EOPNOTSUPP, "recv() with MSG_PEEK and MSG_WAITALL on a socketpair()")
        found = self._recv_some(bufsize, flags)
        while found and len(found) < bufsize and (more := self._recv_some(bufsize - len(found), flags)):
            found += more
        return found

    def _recv_some(self, bufsize: int, flags: int) -> bytes:
        file = self._open_file()
        if isinstance(file, MemoryEnd):
            return self._through(file, lambda: file.recv(bufsize, bool(flags & _PEEK)), flags)
        stream = _as_stream(file, "recv")
        return self._call(
            stream,
            f"recv({bufsize})",
            lambda now: stream.socket.recv(bufsize, now, flags),
            octets_or_end,
            wait=not flags & (_DONTWAIT | _OOB | MSG_ERRQUEUE),  # for urgent data or an error nobody waits
            limit=stream.receive_limit,
        )

    def recv_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        if nbytes < 0:
            raise ValueError("negative buffersize in recv_into")
        if nbytes > len(view):
            raise ValueError("buffer too small for requested bytes")
        data = EmulatedSocket.recv(self, nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        return EmulatedSocket.recv(self, bufsize, flags), None

    def recvfrom_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        return EmulatedSocket.recv_into(self, buffer, nbytes, flags), None

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0) -> tuple[bytes, list[Any], int, Any]:
        if bufsize < 0:
            raise ValueError("negative buffer size in recvmsg()")
        _check_ancillary(ancbufsize)
        if flags & MSG_ERRQUEUE:
            return self._recv_error(bufsize, ancbufsize)
        return EmulatedSocket.recv(self, bufsize, flags), [], 0, None

    def _recv_error(self, size: int, room: int) -> error_messages.Message:
        """The first entry of the error queue; for one nobody waits."""
        stream = self._stream("recvmsg")
        entry = self._call(stream, "recvmsg(MSG_ERRQUEUE)", stream.socket.recv_error, _errno_of, wait=False)
        return error_messages.message(entry, stream.ipv6, size, room)

    def recvmsg_into(
        self, buffers: Iterable[Buffer], ancbufsize: int = 0, flags: int = 0
    ) -> tuple[int, list[Any], int, Any]:
        _check_ancillary(ancbufsize)
        views = [memoryview(one).cast("B") for one in buffers]
        if any(view.readonly for view in views):
            raise TypeError("recvmsg_into() argument 1 must be an iterable of read-write bytes-like objects")
        room = sum(map(len, views))
        if flags & MSG_ERRQUEUE:
            data, ancillary, told, address = self._recv_error(room, ancbufsize)
        else:
            data, ancillary, told, address = EmulatedSocket.recv(self, room, flags), [], 0, None
        rest = memoryview(data)
        for view in views:
            part = rest[: len(view)]
            view[: len(part)] = part
            rest = rest[len(part) :]
        return len(data), ancillary, told, address

    def _through(self, end: MemoryEnd, attempt: Callable[[], T], flags: int) -> T:
        """A call on an end of a socketpair(), as long as the timeout has it."""
        wait = self._seconds != 0.0 and not flags & _DONTWAIT
        computers = self._process.computers
        deadline = None if self._seconds is None else computers.now + span(self._seconds)
        while True:
            try:
                return at_once(self._process, attempt)
            except BlockingIOError:
                if not wait:
                    raise
                if deadline is not None and computers.now >= deadline:
                    raise TimeoutError("timed out") from None
            wait_for_change(self._process, [end], deadline, "send() or recv()")

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        return self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined, no-any-return]

    def shutdown(self, how: int) -> None:
        _c_int(how)
        file = self._open_file()
        if isinstance(file, MemoryEnd):
            file.shutdown(how)
            return
        stream = self._stream("shutdown")
        try:
            at_once(
                self._process,
                lambda: stream.calls.call(
                    stream.socket, f"shutdown({how})", lambda now: stream.socket.shutdown(how, now)
                ),
            )
        finally:
            stream.calls.wake(stream.socket)

    # The end, and others that refer to the same file.

    def close(self) -> None:
        self._closed = True
        if self._io_refs <= 0:
            self._real_close()

    def _real_close(self, _ss: object = None) -> None:
        number, self._number = self._number, _CLOSED
        self._closed = True
        if number != _CLOSED and not (self._process.over and number not in self._process.files):
            close_descriptor(self._process, number)

    def detach(self) -> int:
        self._closed = True
        number, self._number = self._number, _CLOSED
        return number

    def dup(self) -> Self:
        made = type(self)._over(self._open_file())
        made._protocol = self._protocol
        made._wait_for(self._seconds)
        return made

    def dup_and_detach(self) -> int:
        """A number of its own for the same file; the socket lets go of its own number without closing it."""
        self._number = _CLOSED
        return open_descriptor(self._file)

    # Names and options.

    def getsockname(self) -> Any:
        file = self._open_file()
        return from_stack(file.socket.local) if isinstance(file, TcpStream) else ""

    def getpeername(self) -> Any:
        file = self._open_file()
        if not isinstance(file, TcpStream):
            return ""
        if file.socket.state.name in ("SYN_SENT", "CLOSE", "LISTEN"):
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return from_stack(file.socket.remote)

    def setsockopt(self, level: int, optname: int, value: Any, optlen: int = 0) -> None:
        stream = self._stream("setsockopt")
        octets = value if value is None or isinstance(value, int) else bytes(value)
        at_once(self._process, lambda: set_stream_option(stream, level, optname, octets))

    def getsockopt(self, level: int, optname: int, buflen: int = 0) -> Any:
        file = self._open_file()
        if isinstance(file, MemoryEnd) and (level, optname) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return int(socket.SOCK_STREAM)
        stream = self._stream("getsockopt")
        return at_once(self._process, lambda: stream_option(stream, level, optname, buflen))


def _c_int(value: int) -> int:
    """An int that a C function would take. OverflowError."""
    if not -(2**31) <= value < 2**31:
        raise OverflowError("Python int too large to convert to C int")
    return value


def _as_stream(file: OpenFile, call: str) -> TcpStream:
    if not isinstance(file, TcpStream):
        raise not_emulated(errno.EOPNOTSUPP, f"{call}() on a socketpair()")
    return file


def _errno_of(entry: QueuedError) -> str:
    """What stands in the record of it: the error, or that octets are no longer needed."""
    return errno.errorcode[entry.errno] if entry.errno else f"sends {entry.info} to {entry.data} are over"


def _of_whom(stream: TcpStream) -> str:
    """Whose octets a call waits for, for whoever asks why nothing goes on."""
    remote = stream.socket.remote
    return "" if remote is None or stream.connecting else f" of the connection with {endpoint_text(remote)}"


def _check_ancillary(size: int) -> None:
    if size < 0:
        raise ValueError("invalid ancillary data buffer length")


def _check_descriptor(number: object) -> None:
    if not isinstance(number, int):
        raise TypeError(f"integer argument expected, got {type(number).__name__}")
    if number < 0:
        raise ValueError("negative file descriptor")


def send_file(out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """os.sendfile() into a socket: what fits of a piece of a real file. EINVAL, EAGAIN, EPIPE."""
    process = caller()
    file = file_of(process, out_fd)
    if file is None:
        return int(_REAL_SENDFILE[0](out_fd, in_fd, offset, count))
    size = min(count, _LARGEST_PIECE)
    octets = os.read(in_fd, size) if offset is None else os.pread(in_fd, size, offset)
    carrier = EmulatedSocket.__new__(EmulatedSocket)
    carrier._process, carrier._file, carrier._number = process, file, out_fd
    carrier._seconds = None if os.get_blocking(out_fd) else 0.0
    try:
        sent = EmulatedSocket.send(carrier, octets) if octets else 0
    finally:
        carrier._number = _CLOSED
    if offset is None and sent < len(octets):
        os.lseek(in_fd, sent - len(octets), os.SEEK_CUR)
    return sent


def duplicate(number: int) -> int:
    """socket.dup(): another number for the same file."""
    return EmulatedSocket(fileno=number).dup_and_detach()


def close(number: int) -> None:
    """socket.close(). EBADF."""
    process = caller()
    close_descriptor(process, number)


def _refuse_others(family: int, type: int, proto: int) -> None:
    """Only streams of TCP are here; all else fails as on a kernel without it."""
    if family not in FAMILIES:
        name = getattr(family, "name", str(family))
        raise not_emulated(errno.EAFNOSUPPORT, f"the address family {name}")
    kind = socket.SOCK_STREAM if type in (-1, 0) else type & ~_KIND_FLAGS
    if kind != socket.SOCK_STREAM:
        raise not_emulated(errno.ESOCKTNOSUPPORT, f"a socket of the kind {getattr(type, 'name', type)}")
    if proto not in (-1, 0, 6):
        raise not_emulated(errno.EPROTONOSUPPORT, f"the protocol {proto}")


# As a program sees it, in a repr and a pickle, it is what it asked for.
EmulatedSocket.__module__, EmulatedSocket.__qualname__ = "socket", "socket"
