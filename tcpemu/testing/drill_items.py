"""packetdrill scripts as tests: each `.pkt` file is one, or one for each kernel of `--tcpemu-generation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tcpemu.drill.drill_reading import DrillSettings
from tcpemu.drill.drill_run import run_file
from tcpemu.generations import DEFAULT


class ScriptFailed(Exception):  # noqa: N818 (what a test found out)
    """A script did not pass; the message says all."""


class ScriptFile(pytest.File):
    """A file with one script."""

    def collect(self) -> Iterator[pytest.Item]:
        """The script, on each kernel that is asked for."""
        kernels = self.config.getoption("tcpemu_generation") or [DEFAULT]
        for kernel in kernels:
            name = self.path.stem if len(kernels) == 1 else f"{self.path.stem}[{kernel}]"
            yield ScriptItem.from_parent(self, name=name, kernel=kernel)


class ScriptItem(pytest.Item):
    """A script on one kernel."""

    def __init__(self, *, kernel: str, **others: Any) -> None:
        super().__init__(**others)
        self.kernel = kernel

    def runtest(self) -> None:
        """Run it on the emulated host."""
        outcome = run_file(self.path, DrillSettings(generation=self.kernel))
        if not outcome.passed:
            raise ScriptFailed(outcome.message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Where it failed, as `tcpemu drill` tells it."""
        if isinstance(excinfo.value, ScriptFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """The file."""
        return self.path, None, f"packetdrill: {self.name}"
