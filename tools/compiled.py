"""Tests of the compiled core: what must answer as plain Python does, to the octet.

    python tools/compiled.py [--venv DIRECTORY] [--here] [PYTEST OPTION ...]

Makes an environment (`.venv-compiled`), builds and installs the package there with `TCPEMU_COMPILE=1`, and runs the
tests of the compiled rooms, every step trace and the golden captures against what was installed, from a
directory that has the tests and not the source. With `--here` nothing is installed: the interpreter that runs
this has it already, as when wheels are tested.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[1]
TESTS = (
    "tests/wire",
    "tests/stack",
    "tests/generations",
    "tests/network",
    "tests/scenario/traces",
    "tests/explain/capture",
    "tests/explain/facts",
    "tests/explain/ladder",
    "tests/test_goldens.py",
)
SAME_OCTETS = (
    "tests/test_goldens.py::test_tshark_finds_nothing_malformed",
    "tests/explain/capture/test_annotated_capture.py::test_every_built_in_scenario_is_clean_in_tshark",
)
"""What these ask of captures is answered once, with plain Python, as the compiled core makes the same octets."""
BESIDE = ("tests", "tools", "pcaps", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
"""What the tests read; not the package itself, which would hide the one that is installed."""
TOOLS = ("pytest>=8.3", "pytest-xdist>=3.6", "hypothesis>=6.120", "python-pcapng>=2.1")
SHOW = (
    "import tcpemu.stack.host, tcpemu.version as v; print(v.build(), tcpemu.stack.host.__file__, sep='\\n')"
)


def install(place: Path) -> Path:
    """A new environment with the compiled package; its interpreter."""
    venv.create(place, with_pip=True, clear=True)
    python = interpreter(place)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(ROOT), *TOOLS], env={**os.environ, "TCPEMU_COMPILE": "1"}, check=True)
    return python


def interpreter(place: Path) -> Path:
    """Of an environment that is there."""
    return place.resolve() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run_tests(python: Path, options: list[str]) -> int:
    """The tests against the package that this interpreter has; 0 when all pass."""
    with tempfile.TemporaryDirectory(prefix="tcpemu-compiled-") as name:
        place = Path(name)
        for one in BESIDE:
            source = ROOT / one
            if source.is_dir():
                shutil.copytree(source, place / one, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place / one)
        shown = subprocess.run([python, "-c", SHOW], cwd=place, capture_output=True, text=True, check=True)
        which, file = shown.stdout.split("\n")[:2]
        if which != "compiled" or file.endswith(".py"):
            print(f"what is installed is {which}: {file}", file=sys.stderr)
            return 1
        print(f"{which}: {file}", flush=True)
        left_out = [part for test in SAME_OCTETS for part in ("--deselect", test)]
        return subprocess.run(
            [python, "-m", "pytest", "-q", *left_out, *options, *TESTS], cwd=place, check=False
        ).returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-compiled", help="where to install it")
    parser.add_argument("--here", action="store_true", help="test what this interpreter has")
    chosen, options = parser.parse_known_args()
    begin = monotonic()
    python = Path(sys.executable) if chosen.here else install(chosen.venv.resolve())
    print(f"ready after {monotonic() - begin:.0f} s", flush=True)
    return run_tests(python, options)


if __name__ == "__main__":
    sys.exit(main())
