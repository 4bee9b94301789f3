"""A fast sample of `tools/many_runs.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_every_way_to_do_runs_gives_the_same():
    pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "many_runs.py", "--quick"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("the same") == 4
    assert "200 runs, each once" in done.stdout
