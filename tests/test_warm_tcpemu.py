"""The program that stands for `tcpemu` on the pages does what that does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm_tcpemu import folder

COLD = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        "tcpemu run listen-0 --summary | head -n 3",
        "tcpemu run nowhere.toml",
        "echo $WHO; tcpemu list nothing >&2",
    ],
)
def test_as_the_program_itself(command, tmp_path):
    told = [
        subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{place}:{os.environ['PATH']}", "COLUMNS": "60", "WHO": "me"},
            capture_output=True,
            text=True,
            check=False,
        )
        for place in (COLD, folder())
    ]
    cold, warm = [(done.returncode, done.stdout, done.stderr) for done in told]
    assert warm == cold
