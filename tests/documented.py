"""Runs what a page of the documentation shows, and holds what it says comes of it.

A page is run from its top in a folder of its own, block by block:

    ```toml, ```json        with `name.toml` behind the language, or `# name.toml` as the first line: such a file is
                            written
    ```python               without a name: runs, together with those before it on the page; with one, as above
    ```console              each line that begins with `$ ` runs in bash, with `tcpemu` and `python` on the path; what
                            stands below it is what it prints
    ```text                 behind a Python block: what that prints

What is shown of an output is an excerpt: its lines stand in the output in that order, with others between them. `…`
stands for any text within a line, and as a whole line for nothing. How many blanks there are does not matter. A command
ends with 0, unless `# exit status 1` stands behind it.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.warm_tcpemu import folder as folder_of_tcpemu

BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# ([\w-]+\.\w+)\n")
COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
STATUS = re.compile(r" +# exit status (\d+)$")
ENOUGH_SECONDS = 120
_PLUGIN = "tcpemu.testing.pytest_plugin"
PLUGIN = (
    {}
    if any(point.value == _PLUGIN for point in entry_points(group="pytest11"))
    else {"PYTEST_PLUGINS": _PLUGIN}
)
"""For an environment that was made before there was such a plugin."""


@dataclass(frozen=True)
class Block:
    language: str
    name: str
    text: str


def blocks_of(page):
    """The blocks of a page, each with the file name that is given to it."""
    for language, name, text in BLOCK.findall(page):
        named = NAMED.match(text)
        yield Block(language, name or (named[1] if named else ""), text)


def line_pattern(shown):
    parts = [r"\s+".join(map(re.escape, part.split())) for part in shown.split("…")]
    return re.compile(r"\s*" + r".*".join(parts) + r"\s*$")


def not_printed(shown, printed):
    """The first line of an excerpt that is not in what was printed, behind those before it; None if all are."""
    rest = iter(printed.splitlines())
    for line in shown.splitlines():
        if line.strip() in ("", "…"):
            continue
        pattern = line_pattern(line)
        if not any(pattern.match(one) for one in rest):
            return line
    return None


def hold(shown, printed, what):
    missing = not_printed(shown, printed)
    assert missing is None, f"{what}\n  does not print, where the page shows it:\n    {missing}\n\n{printed}"


def run_console(text, folder):
    for command, shown in COMMAND.findall(text):
        if "tshark" in command and shutil.which("tshark") is None:
            pytest.skip("tshark is not installed")
        wanted = int(found[1]) if (found := STATUS.search(command)) else 0
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=os.environ
            | {
                "PATH": f"{folder_of_tcpemu()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "COLUMNS": "100",
            }
            | PLUGIN,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ENOUGH_SECONDS,
            check=False,
        )
        assert done.returncode == wanted, f"$ {command}: exit status {done.returncode}\n{done.stdout}"
        hold(shown, done.stdout, f"$ {command}")


def run_page(page, folder):
    """Run all blocks of a page, in a folder that is the present one. How many commands and programs it ran."""
    names, printed, ran = {"__name__": "page"}, "", 0
    for block in blocks_of(page):
        if block.name:
            (folder / block.name).write_text(block.text)
        elif block.language == "console":
            run_console(block.text, folder)
            ran += 1
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block.text, "page", "exec"), names)
            printed = out.getvalue()
            ran += 1
        elif block.language == "text":
            hold(block.text, printed, block.text)
        else:
            raise AssertionError(f"a block of {block.language!r} has no name, and nothing runs it")
    return ran
