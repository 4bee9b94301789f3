"""What a program prints: each line goes out under its name, and all of it is kept."""

from __future__ import annotations

import io
from typing import TextIO


class _Lines(io.RawIOBase):
    """Passes whole lines on, each under a prefix."""

    def __init__(self, prefix: str, onward: TextIO | None, kept: bytearray) -> None:
        self._prefix, self._onward, self._kept = prefix, onward, kept
        self._line = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        octets = bytes(data)  # type: ignore[call-overload]
        self._kept += octets
        *whole, self._line = (self._line + octets).split(b"\n")
        for line in whole:
            self._pass(line)
        return len(octets)

    def _pass(self, line: bytes) -> None:
        if self._onward is not None:
            self._onward.write(f"{self._prefix}{line.decode(errors='replace')}\n")
            self._onward.flush()

    def finish(self) -> None:
        """Pass on a last line that has no end."""
        line, self._line = self._line, b""
        if line:
            self._pass(line)


class PrefixedOutput(io.TextIOWrapper):
    """A text stream for sys.stdout or sys.stderr of one program."""

    def __init__(self, prefix: str, onward: TextIO | None, kept: bytearray) -> None:
        self._lines = _Lines(prefix, onward, kept)
        super().__init__(io.BufferedWriter(self._lines), encoding="utf-8", line_buffering=True)

    def finish(self) -> None:
        """The program is over: all that it wrote goes out."""
        self.flush()
        self._lines.finish()
