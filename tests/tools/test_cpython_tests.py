"""CPython's own tests on the emulated kernel: a fast part of them, where the interpreter brings them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "cpython_tests.py"
BROUGHT = importlib.util.find_spec("test.test_socketserver") is not None


def run(*arguments):
    return subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not BROUGHT, reason="this Python has come without its tests")
def test_a_fast_part_of_them_passes():
    done = run("--sample")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert lines[-1].startswith("of the ")
    assert lines[-1].endswith(" %")
    assert float(lines[-1].split()[-2]) >= 90
    assert any(line.split()[1:] == ["UDP"] for line in lines), "why the others do not apply is said"


@pytest.mark.skipif(not BROUGHT, reason="this Python has come without its tests")
def test_a_share_that_is_too_small_is_an_exit_status():
    assert run("test_urllib2_localnet", "--least", "101").returncode == 1


def test_an_interpreter_without_them_is_told_of():
    done = run("test_that_is_not_there")
    assert done.returncode == 2
    assert "test_that_is_not_there" in done.stdout
    assert "brings none of these tests" in done.stdout
