"""Where a record puts what it has packed: in memory, or in a file on disk that nobody else sees."""

import os
import tempfile
from contextlib import suppress
from typing import IO


class PackedStore:
    """Octets in pieces, each to be had by its number. Pieces are only ever added."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        """Those in memory; the ones on disk come before them."""
        self._ends: list[int] = [0]
        """Where each piece on disk ends, behind a 0."""
        self._file: IO[bytes] | None = None
        self._wants_disk = False

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1 + len(self._pieces)

    def add(self, octets: bytes) -> None:
        """One more. Raises OSError from a disk that has no room for it."""
        if self._wants_disk and self._file is None:
            self._open()
        if self._file is None:
            self._pieces.append(octets)
            return
        self._file.seek(self._ends[-1])
        self._file.write(octets)
        self._ends.append(self._ends[-1] + len(octets))

    def piece(self, number: int) -> bytes:
        """That piece, counted from 0."""
        if self._file is None:
            return self._pieces[number]
        begin = self._ends[number]
        self._file.seek(begin)
        return self._file.read(self._ends[number + 1] - begin)

    def to_disk(self) -> None:
        """Keep all pieces, from the next one on, in a file without a name: it is gone when this is.

        It stands in TMPDIR; where that is not set in /var/tmp, since /tmp is often memory. Where no file can be made
        they stay in memory.
        """
        self._wants_disk = True

    def _open(self) -> None:
        self._wants_disk = False
        with suppress(OSError):
            self._file = tempfile.TemporaryFile(dir=_place())  # noqa: SIM115, it is closed by __del__
        if self._file is not None:
            pieces, self._pieces = self._pieces, []
            for octets in pieces:
                self.add(octets)

    def all(self) -> list[bytes]:
        """Every piece, in memory."""
        return [self.piece(number) for number in range(len(self))]


def _place() -> str | None:
    """Where the file is made; None leaves that to Python."""
    if not os.environ.get("TMPDIR") and os.access("/var/tmp", os.W_OK):
        return "/var/tmp"
    return None
