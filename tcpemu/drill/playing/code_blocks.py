"""`%{ code }%`: Python that looks at TCP_INFO, run at its time with `tcpi_...` and the names of states set.

Names that a block sets are there for the blocks after it. A block runs in a thread of its own, so that one that never
ends can be given up.
"""

from __future__ import annotations

import ctypes
import threading
import traceback
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from tcpemu.drill.language.drill_script import Code
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.stack import State
from tcpemu.stack.sockets.tcp_info import ECN, ECN_SEEN, SACK, SYN_DATA, TIMESTAMPS, WSCALE, TcpInfo

PATIENCE = 5.0
"""Seconds of real time that a block may take."""
_INTERRUPTS = 20
"""How often a block that takes longer is interrupted before it is left alone; one that catches all goes on for ever."""

_NAMES: dict[str, Any] = {
    **{f"TCP_{state.name}": int(state) for state in State},
    "TCP_FIN_WAIT1": int(State.FIN_WAIT1),
    "TCP_FIN_WAIT2": int(State.FIN_WAIT2),
    "TCP_CA_Open": 0,
    "TCP_CA_Disorder": 1,
    "TCP_CA_CWR": 2,
    "TCP_CA_Recovery": 3,
    "TCP_CA_Loss": 4,
    "TCPI_OPT_TIMESTAMPS": TIMESTAMPS,
    "TCPI_OPT_SACK": SACK,
    "TCPI_OPT_WSCALE": WSCALE,
    "TCPI_OPT_ECN": ECN,
    "TCPI_OPT_ECN_SEEN": ECN_SEEN,
    "TCPI_OPT_SYN_DATA": SYN_DATA,
}


class CodeBlocks:
    """What the code of one script knows."""

    __slots__ = ("names",)

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(_NAMES)

    def run(self, code: Code, info: Mapping[str, Any]) -> None:
        """Run one block, with these values of TCP_INFO. DrillFailure where an assert fails, or anything is raised."""
        self.names.update(info)
        error = _Block(code.text, self.names).run()
        if error is not None:
            line = _line_of(error)
            where = code.place._replace(line=code.place.line + max(line - 1, 0))
            if line > 1:
                where = where._replace(column=1, width=200)
            raise DrillFailure(where, _words(error, self.names), _seen(code.text, self.names)) from None


class _NeverEndsError(BaseException):
    """Interrupts a block that takes too long."""


class _Block:
    """One run of a block, in a thread of its own."""

    __slots__ = ("error", "names", "text")

    def __init__(self, text: str, names: dict[str, Any]) -> None:
        self.text = text
        self.names = names
        self.error: BaseException | None = None

    def run(self) -> BaseException | None:
        """Run it; what it raised."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        for _ in range(_INTERRUPTS):
            if not thread.is_alive():
                return self.error
            self._interrupt(thread)
            thread.join(0.05)
        return self.error or _NeverEndsError()

    def _run(self) -> None:
        try:
            exec(compile(_dedented(self.text), "code", "exec"), self.names)
        except BaseException as error:
            self.error = error

    def _interrupt(self, thread: threading.Thread) -> None:
        ident = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_NeverEndsError))


def values_of(info: TcpInfo) -> dict[str, Any]:
    """TCP_INFO as code sees it: `tcpi_rto` and the like."""
    values = {f"tcpi_{field.name}": getattr(info, field.name) for field in fields(info)}
    values["tcpi_snd_wscale"], values["tcpi_rcv_wscale"] = info.wscales & 15, info.wscales >> 4
    return values


def _dedented(text: str) -> str:
    """Without blanks before its first line, which stands behind the opening mark."""
    return text.strip(" \t") + "\n\n"


def _line_of(error: BaseException) -> int:
    """The line of the block in which it was raised, from 1."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "code"]
    return (frames[-1].lineno or 1) if frames else 1


def _words(error: BaseException, names: dict[str, Any]) -> str:
    if isinstance(error, _NeverEndsError):
        return f"the code has not ended after {PATIENCE:g} s"
    if isinstance(error, AssertionError):
        return f"the code's assert fails: {error}" if str(error) else "the code's assert fails"
    near = get_close_matches(error.name or "", names, 1) if isinstance(error, NameError) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"the code raises {type(error).__name__}: {error}{hint}"


def _seen(text: str, names: dict[str, Any]) -> tuple[str, ...]:
    """What the names of TCP_INFO in the code were."""
    seen = [name for name in names if name.startswith("tcpi_") and name in text]
    return tuple(f"{name} is {names[name]}" for name in sorted(seen))
