"""Writes the folder of the page: static files that any web server serves, and that ask nobody else for anything."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tcpemu.playground.brought_packages import pyodide_files, wheels
from tcpemu.playground.own_files import own_files
from tcpemu.playground.own_wheel import WHEEL
from tcpemu.playground.pinned_packages import PYODIDE, PYTHON
from tcpemu.playground.playground_error import PlaygroundError
from tcpemu.version import __version__
from tcpemu.wire.atomic_write import write_whole

MANIFEST = "playground.json"
"""What the page loads, how large it is, and a digest of all: a browser keeps what has the same."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    folder: Path
    octets: dict[str, int]
    """Of each file."""

    @property
    def all_octets(self) -> int:
        """Of the whole folder."""
        return sum(self.octets.values())


def write_playground(folder: Path, pyodide: Path | None = None) -> Written:
    """Write all of it; Pyodide out of that folder or archive, or brought by npm. Raises PlaygroundError, OSError."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise PlaygroundError(f"{folder} has other files in it; name a new folder, or one of a playground")
    python, wheel_files = pyodide_files(pyodide), wheels()
    files = {
        **own_files(),
        **{f"python/{name}": octets for name, octets in {**python, **wheel_files}.items()},
    }
    files[MANIFEST] = _manifest(files, [WHEEL, *(f"python/{name}" for name in wheel_files)])
    for name, octets in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, octets)
    return Written(folder, {name: len(octets) for name, octets in files.items()})


def _manifest(files: dict[str, bytes], packages: list[str]) -> bytes:
    loaded = {
        name: len(octets) for name, octets in files.items() if name in packages or name.startswith("python/")
    }
    digest = hashlib.sha256()
    for name in loaded:
        digest.update(name.encode() + hashlib.sha256(files[name]).digest())
    told = {
        "tcpemu": __version__,
        "pyodide": PYODIDE,
        "python": PYTHON,
        "digest": digest.hexdigest()[:16],
        "packages": packages,
        "files": loaded,
    }
    return json.dumps(told, indent=1).encode()
