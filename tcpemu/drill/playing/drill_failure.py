"""Why a script does not pass: its place, what was expected and what came."""

from __future__ import annotations

from tcpemu.drill.language.script_mistake import Place


class DrillFailure(Exception):  # noqa: N818 (it is no error of the program, but what a script found out)
    """What the host did is not what the script says."""

    def __init__(self, place: Place, words: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.place = place
        self.words = words
        self.details = details
        """Lines that follow: fields, reasons."""


class WouldWait(Exception):  # noqa: N818 (a call that goes on)
    """A call cannot return yet."""
