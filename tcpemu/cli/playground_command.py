"""`tcpemu playground`: the folder of a page in which the emulator runs."""

from pathlib import Path

from tcpemu.cli.printing import patience, show
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.lines.style import Role, line
from tcpemu.playground.write_playground import Written, write_playground


def write_folder(folder: Path, pyodide: Path | None) -> None:
    """Write it, and say how large it is and how it is looked at."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder, which is made if it is not there")
    with patience(f"writing {folder}"):
        written = write_playground(folder, pyodide)
    show(
        [
            line(f"Written: {folder}, {_megabytes(written.all_octets)}"),
            *(line(f"  {each}") for each in _parts(written)),
        ]
    )
    show([line(f"To look at it: python -m http.server -d {folder} -b 127.0.0.1 8000", Role.QUIET)])


def _parts(written: Written) -> list[str]:
    """How large the parts are."""
    python = sum(
        size
        for name, size in written.octets.items()
        if name.startswith("python/pyo") or name.endswith(".zip")
    )
    wheels = sum(size for name, size in written.octets.items() if name.endswith(".whl") and "/" in name)
    ours = written.all_octets - python - wheels
    parts = (("Python for browsers", python), ("packages", wheels), ("tcpemu and the page", ours))
    return [f"{name}: {_megabytes(size)}" for name, size in parts]


def _megabytes(octets: int) -> str:
    return f"{octets / 1e6:.1f} MB"
