"""A capture file as a stream of octets, unpacked where gzip or zstd has packed it."""

import importlib
import zlib
from pathlib import Path
from typing import IO, Any, Protocol

from tcpemu.wire.capture_values import CaptureError

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHERS = {
    b"\x04\x22\x4d\x18": ("lz4", "lz4 -d"),
    b"\xfd7zX": ("xz", "xz -d"),
    b"BZh": ("bzip2", "bunzip2"),
    b"PK\x03\x04": ("zip", "unzip"),
}
_ZSTD_MODULES = ("compression.zstd", "backports.zstd", "zstandard")
"""In Python itself from 3.14 on; the others have to be installed."""
PIECE = 1 << 16


class _Source(Protocol):
    """Something that octets are read from."""

    def read(self, size: int, /) -> bytes: ...


class _Gunzipped:
    """What gzip has packed, member after member. Unlike the library's, it gives all that stands before a broken end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packed = b""
        self._inflate = zlib.decompressobj(31)

    def read(self, size: int, /) -> bytes:
        while True:
            self._packed = self._packed or self._file.read(PIECE)
            if self._inflate.eof:
                if not self._packed.strip(b"\0"):
                    return b""
                self._inflate = zlib.decompressobj(31)
            octets = self._inflate.decompress(self._packed, size)
            if not octets and not self._packed:
                raise EOFError("it was cut off")
            self._packed = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if octets:
                return octets


class OctetStream:
    """Octets of a file, read once from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        """Opens the file. Raises CaptureError for one that is empty or packed so that it cannot be read; OSError."""
        self._file = path.open("rb")
        self._broken: tuple[type[BaseException], ...] = (EOFError, OSError, zlib.error)
        self.at = 0
        """Octets read so far, unpacked."""
        self.packed = ""
        """How the file is packed: `gzip`, `zstd`; empty for a file that is not."""
        self.spoilt = ""
        """What was wrong with a packed file; it ends there."""
        try:
            self._source = self._unpacking(self._file.read(4))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "OctetStream":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """The next octets: as many as these, or what is left. Asks for no memory that the file does not fill."""
        pieces: list[bytes] = []
        left = size
        while left > 0:
            piece = self._piece(min(left, PIECE))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        octets = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.at += len(octets)
        return octets

    @property
    def place(self) -> int:
        """How far the file itself has been read, packed as it lies there."""
        return self._file.tell()

    def _piece(self, size: int) -> bytes:
        if not self.packed:
            return self._source.read(size)
        try:
            return self._source.read(size)
        except self._broken as error:
            self.spoilt = f"its {self.packed} packing is broken ({str(error) or type(error).__name__})"
            self._source = _Nothing()
            return b""

    def _unpacking(self, magic: bytes) -> _Source:
        self._file.seek(0)
        if not magic:
            raise CaptureError("the file is empty; capture again")
        if magic[:2] == _GZIP:
            self.packed = "gzip"
            return _Gunzipped(self._file)
        if magic == _ZSTD:
            self.packed = "zstd"
            return self._zstd()
        for begin, (name, command) in _OTHERS.items():
            if magic.startswith(begin):
                raise CaptureError(f"the file is packed with {name}; unpack it with '{command}'")
        return self._file

    def _zstd(self) -> _Source:
        for name in _ZSTD_MODULES:
            try:
                module: Any = importlib.import_module(name)
            except ImportError:
                continue
            self._broken = (*self._broken, module.ZstdError)
            if hasattr(module, "ZstdFile"):
                zstd_file: _Source = module.ZstdFile(self._file)
                return zstd_file
            reader: _Source = module.ZstdDecompressor().stream_reader(self._file, read_across_frames=True)
            return reader
        raise CaptureError(
            "the file is packed with zstd, which this Python cannot read; unpack it with 'zstd -d', or "
            "pip install zstandard"
        )


class _Nothing:
    """A source that has come to its end."""

    def read(self, _size: int) -> bytes:
        return b""
