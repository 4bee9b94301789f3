"""The Python console: lines that are typed, done one by one as Python's own console does them."""

import code
import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Typed:
    """What came of a line."""

    shown: str
    more: bool
    """It is not a whole statement yet: more lines belong to it."""


class Console:
    """One console with its names."""

    def __init__(self) -> None:
        self._console = code.InteractiveConsole({"__name__": "__main__"})

    def typed(self, line: str) -> Typed:
        """Take one line, or several, and do what is whole."""
        out = io.StringIO()
        more = False
        with redirect_stdout(out), redirect_stderr(out):
            try:
                for each in line.split("\n"):
                    more = self._console.push(each)
            except SystemExit:
                self._console.resetbuffer()
                print("(the console stays)")
        return Typed(out.getvalue(), more)
