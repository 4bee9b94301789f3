"""What goes wrong by a user's doing. Nothing that comes from the wire raises any of these."""

from __future__ import annotations

import errno
import os


class SocketError(OSError):
    """A socket call failed, with the errno that the kernel gives; `name` is `EAGAIN` and the like.

    As with Python's own sockets each errno that has a kind of OSError is one of these too, so that
    `except ConnectionResetError` catches ECONNRESET, and `except BlockingIOError` EAGAIN and EINPROGRESS.
    """

    def __new__(cls, number: int, detail: str = "") -> SocketError:
        kind = _KINDS.get(number, cls) if cls is SocketError else cls
        return OSError.__new__(kind, number, detail or os.strerror(number))

    def __init__(self, number: int, detail: str = "") -> None:  # noqa: ARG002
        # An OSError with a `__new__` of its own has taken its fields there.
        self.detail = detail
        """What stood in the way, where the errno alone does not say it."""

    @property
    def name(self) -> str:
        """Linux has one number for ENOTSUP and EOPNOTSUPP, and its manuals the latter name."""
        number = self.errno or 0
        return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode[number]


class BlockingSocketError(SocketError, BlockingIOError):
    """EAGAIN, EALREADY, EINPROGRESS: not yet."""


class BrokenPipeSocketError(SocketError, BrokenPipeError):
    """EPIPE, ESHUTDOWN: this side may not send any more."""


class ConnectionAbortedSocketError(SocketError, ConnectionAbortedError):
    """ECONNABORTED."""


class ConnectionRefusedSocketError(SocketError, ConnectionRefusedError):
    """ECONNREFUSED: a RST was the answer to the SYN."""


class ConnectionResetSocketError(SocketError, ConnectionResetError):
    """ECONNRESET: a RST came."""


class TimeoutSocketError(SocketError, TimeoutError):
    """ETIMEDOUT: it was tried often or long enough."""


class PermissionSocketError(SocketError, PermissionError):
    """EACCES, EPERM."""


_KINDS: dict[int, type[SocketError]] = {
    **dict.fromkeys((errno.EAGAIN, errno.EALREADY, errno.EINPROGRESS), BlockingSocketError),
    **dict.fromkeys((errno.EPIPE, errno.ESHUTDOWN), BrokenPipeSocketError),
    **dict.fromkeys((errno.EACCES, errno.EPERM), PermissionSocketError),
    errno.ECONNABORTED: ConnectionAbortedSocketError,
    errno.ECONNREFUSED: ConnectionRefusedSocketError,
    errno.ECONNRESET: ConnectionResetSocketError,
    errno.ETIMEDOUT: TimeoutSocketError,
}
"""The kinds of OSError that Python makes of these (PEP 3151)."""


class ConfigurationError(ValueError):
    """A setting that cannot be: the message names it, its value and what would be right."""


class NotEmulatedError(ConfigurationError, NotImplementedError):
    """Linux has what was asked for, and the emulator has not: the message names it, and what is so instead."""
