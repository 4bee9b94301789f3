"""Brings Pyodide by the user's npm and the wheels by the user's pip, from wherever these are set up to look.

What was brought is kept in $TCPEMU_PLAYGROUND, or tcpemu-playground in the user's cache, and looked at by its hash each
time. A folder with Pyodide's files, or the archive that npm gives, can be given in its place.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tcpemu.playground.pinned_packages import (
    PLATFORM,
    PYODIDE,
    PYODIDE_FILES,
    PYODIDE_SHA512,
    PYTHON,
    WHEELS,
    PinnedWheel,
)
from tcpemu.playground.playground_error import PlaygroundError
from tcpemu.wire.atomic_write import kept_folder, write_whole

_PATIENCE = 600
"""Seconds that npm or pip may take."""
_ARCHIVE = f"pyodide-{PYODIDE}.tgz"


def pyodide_files(own: Path | None = None) -> dict[str, bytes]:
    """Pyodide's files that the page loads, by name: out of `own`, a folder or an archive, or brought by npm.

    Raises PlaygroundError where they cannot be had, or are not those of the version that is needed.
    """
    if own is not None and own.is_dir():
        return _of_folder(own)
    if own is not None:
        _check_archive(own)
    archive = own or _kept(_ARCHIVE, "sha512", PYODIDE_SHA512) or _packed_by_npm()
    with tarfile.open(archive) as opened:
        return {name: _member(opened, f"package/{name}") for name in PYODIDE_FILES}


def wheels() -> dict[str, bytes]:
    """The wheels by their file names. Raises PlaygroundError."""
    missing = [each for each in WHEELS if _kept(each.file, "sha256", each.sha256) is None]
    if missing:
        _brought_by_pip(missing)
    return {each.file: (store() / each.file).read_bytes() for each in WHEELS}


def store() -> Path:
    """The folder of what was brought, made if it is not there."""
    return kept_folder("TCPEMU_PLAYGROUND", "tcpemu-playground")


def _kept(file: str, kind: str, wanted: str) -> Path | None:
    """Its place in the store, if it is there and whole."""
    place = store() / file
    return place if place.is_file() and _hash_of(place, kind) == wanted else None


def _hash_of(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _of_folder(folder: Path) -> dict[str, bytes]:
    missing = [name for name in PYODIDE_FILES if not (folder / name).is_file()]
    if missing:
        raise PlaygroundError(f"--pyodide {folder}: there is no {', '.join(missing)} in it")
    found = {name: (folder / name).read_bytes() for name in PYODIDE_FILES}
    if f'"{PYODIDE}"'.encode() not in found["pyodide.mjs"]:
        raise PlaygroundError(f"--pyodide {folder}: this is not Pyodide {PYODIDE}, which the wheels are for")
    return found


def _check_archive(archive: Path) -> None:
    if not archive.is_file():
        raise PlaygroundError(f"--pyodide {archive}: there is no such folder, and no such archive")
    if _hash_of(archive, "sha512") != PYODIDE_SHA512:
        raise PlaygroundError(f"{archive} is not the archive of Pyodide {PYODIDE} (its SHA-512 is another)")


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None  # its hash is known
    return file.read()


# The clients.


def _packed_by_npm() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise PlaygroundError(
            f"npm is not there, which brings Pyodide: install it, or give a folder with the files of the npm package "
            f"pyodide {PYODIDE}: --pyodide DIR"
        )
    with tempfile.TemporaryDirectory(prefix="tcpemu-npm-") as place:
        _run([npm, "pack", f"pyodide@{PYODIDE}", "--silent"], place, f"npm cannot bring pyodide {PYODIDE}")
        return _put_away(Path(place) / _ARCHIVE, "sha512", PYODIDE_SHA512)


def _brought_by_pip(missing: Sequence[PinnedWheel]) -> None:
    with tempfile.TemporaryDirectory(prefix="tcpemu-pip-") as place:
        wanted = Path(place) / "wanted.txt"
        lines = (f"{each.package}=={each.version} --hash=sha256:{each.sha256}\n" for each in missing)
        wanted.write_text("".join(lines), encoding="ascii")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--platform", PLATFORM, "--python-version", PYTHON]
        command += ["--implementation", "cp", "--disable-pip-version-check", "-r", str(wanted), "-d", place]
        _run(
            command,
            place,
            "pip cannot bring " + ", ".join(f"{each.package} {each.version}" for each in missing),
        )
        for each in missing:
            _put_away(Path(place) / each.file, "sha256", each.sha256)


def _run(command: Sequence[str], place: str, failed: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise PlaygroundError(f"{failed}: no answer in {_PATIENCE} s; is there a network?") from None
    except OSError as error:
        raise PlaygroundError(f"{failed}: {error.strerror}") from None
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise PlaygroundError(f"{failed}; is there a network? It says: " + " ".join(said[-3:])[:600])


def _put_away(file: Path, kind: str, wanted: str) -> Path:
    """Into the store, if it is what was asked for."""
    if not file.is_file() or _hash_of(file, kind) != wanted:
        raise PlaygroundError(f"{file.name}: what was brought is not this file (its {kind} is another)")
    target = store() / file.name
    write_whole(target, file.read_bytes())
    return target
