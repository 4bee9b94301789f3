"""What goes wrong by a user's doing. Nothing that comes from the wire raises any of these."""

from __future__ import annotations

import errno
import os


class SocketError(OSError):
    """A socket call failed, with the errno that the kernel gives; `name` is `EAGAIN` and the like."""

    def __init__(self, number: int, detail: str = "") -> None:
        super().__init__(number, detail or os.strerror(number))
        self.detail = detail
        """What stood in the way, where the errno alone does not say it."""

    @property
    def name(self) -> str:
        """Linux has one number for ENOTSUP and EOPNOTSUPP, and its manuals the latter name."""
        number = self.errno or 0
        return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode[number]


class ConfigurationError(ValueError):
    """A setting that cannot be: the message names it, its value and what would be right."""
