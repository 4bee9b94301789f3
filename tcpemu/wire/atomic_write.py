"""Files that are whole or not there: captures, and all else that is written; and the folder for what is kept.

It stands here for the captures' sake.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write the file beside its place, then move it there. An older file stays until then, and its mode after that.

    A path that is no plain file, such as /dev/stdout or a pipe, is written to directly. Raises OSError from the
    disk, with the name of the file that was asked for, and UnicodeEncodeError for a text that is none.
    """
    write_pieces(path, [content.encode("utf-8") if isinstance(content, str) else content])


def write_pieces(path: str | os.PathLike[str], pieces: Iterable[bytes]) -> None:
    """The same of what comes piece by piece; where making one fails, or is interrupted, there is no new file."""
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        try:
            with place.open("wb") as file:
                file.writelines(pieces)
        except OSError as error:
            raise _named(error, path) from None
        return
    draft = place.with_name(f".{os.urandom(8).hex()}.partial")
    try:
        _write_new(draft, pieces)
        if place.exists():
            draft.chmod(stat.S_IMODE(place.stat().st_mode))
        draft.replace(place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _named(error, path) from None
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _named(error: OSError, path: str | os.PathLike[str]) -> OSError:
    """The error of the file that was asked for, whatever the disk calls it."""
    return type(error)(error.errno, error.strerror, os.fspath(path))


def kept_folder(variable: str, name: str) -> Path:
    """The folder that this variable of the environment names, or that one in the user's cache; made if not there.

    What was brought from elsewhere is kept in it from one run of the program to the next. Raises OSError.
    """
    own = os.environ.get(variable)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(own) if own else Path(cache) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_new(path: Path, pieces: Iterable[bytes]) -> None:
    """On the disk when it returns: a name that is moved before its content could outlive it."""
    with path.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
