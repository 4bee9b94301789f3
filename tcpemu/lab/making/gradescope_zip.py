"""The autograder for Gradescope: an archive with setup.sh, run_autograder, the key, and the program itself.

Gradescope unpacks it into /autograder/source, runs setup.sh once when it builds the image, and run_autograder for each
submission; what that writes into /autograder/results/results.json is shown. Libraries come from PyPI at the build,
tcpemu from the archive: the version that made the lab marks it.
"""

import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import tcpemu
from tcpemu.lab.drawing.key_file import KEY_FILE, KeyFile

GRADESCOPE_FILE = "gradescope.zip"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_LIBRARIES = ("scapy>=2.6", "typer>=0.15.4", "rich>=13.9", "pydantic>=2.11.10")
"""Where tcpemu was never installed, as in a checkout on PYTHONPATH."""

SETUP = """\
#!/usr/bin/env bash
# Run once, by Gradescope, when the image is built.
set -eu
python=python3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  apt-get update
  apt-get install -y python3.11 python3.11-venv
  python=python3.11
fi
if ! "$python" -m venv /autograder/venv; then
  apt-get update
  apt-get install -y python3-venv
  "$python" -m venv /autograder/venv
fi
/autograder/venv/bin/python -m pip install --quiet {libraries}
"""
RUN = """\
#!/usr/bin/env bash
# Run by Gradescope for each submission.
root="${AUTOGRADER_ROOT:-/autograder}"
mkdir -p "$root/results"
cd "$root/source"
exec "$root/venv/bin/python" -m tcpemu lab grade "$root/submission" --key key.json \\
  --metadata "$root/submission_metadata.json" --results "$root/results/results.json"
"""


def archive(key: KeyFile) -> bytes:
    """The archive; of the same key the same octets."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content, mode in _entries(key):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            entry.create_system = 3  # Unix, so that the modes count
            zipped.writestr(entry, content)
    return octets.getvalue()


def _entries(key: KeyFile) -> Iterator[tuple[str, bytes, int]]:
    libraries = " ".join(f"'{each}'" for each in _libraries())
    yield "setup.sh", SETUP.format(libraries=libraries).encode(), 0o755
    yield "run_autograder", RUN.encode(), 0o755
    yield KEY_FILE, key.as_text().encode(), 0o644
    house = Path(tcpemu.__file__).parent
    for path in sorted(house.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".so", ".pyd", ".c"):
            yield f"tcpemu/{path.relative_to(house).as_posix()}", path.read_bytes(), 0o644


def _libraries() -> list[str]:
    """What tcpemu needs, as its own package says it."""
    try:
        wanted = requires("tcpemu")
    except PackageNotFoundError:
        return list(_LIBRARIES)
    return [each for each in wanted or _LIBRARIES if "extra ==" not in each]
