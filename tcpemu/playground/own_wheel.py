"""Our own wheel, out of the package as it is installed or checked out: plain Python, the same octets every time."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from tcpemu.version import __version__

WHEEL = f"tcpemu-{__version__}-py3-none-any.whl"
_INFO = f"tcpemu-{__version__}.dist-info"
_LEFT_OUT = ("__pycache__",)
_SUFFIXES = (".so", ".pyd", ".c", ".pyc")
"""What is made for another machine, or anew."""
_MOMENT = (1980, 1, 1, 0, 0, 0)


def own_wheel() -> bytes:
    """The wheel's octets."""
    files = dict(sorted(_files(resources.files("tcpemu"), "tcpemu")))
    files[f"{_INFO}/METADATA"] = f"Metadata-Version: 2.1\nName: tcpemu\nVersion: {__version__}\n".encode()
    tag = b"Wheel-Version: 1.0\nGenerator: tcpemu\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{_INFO}/WHEEL"] = tag
    record = "".join(f"{name},sha256={_digest(octets)},{len(octets)}\n" for name, octets in files.items())
    files[f"{_INFO}/RECORD"] = f"{record}{_INFO}/RECORD,,\n".encode()
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in files.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, octets)
    return wheel.getvalue()


def _files(folder: Traversable, place: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = f"{place}/{entry.name}"
        if entry.is_dir():
            if entry.name not in _LEFT_OUT:
                yield from _files(entry, name)
        elif not entry.name.endswith(_SUFFIXES):
            yield name, entry.read_bytes()


def _digest(octets: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).rstrip(b"=").decode("ascii")
