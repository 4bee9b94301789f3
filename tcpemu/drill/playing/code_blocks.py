"""`%{ code }%`: Python that looks at TCP_INFO, run at its time with `tcpi_...` and the names of states set.

Names that a block sets are there for the blocks after it.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from tcpemu.drill.language.drill_script import Code
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.stack import State
from tcpemu.stack.sockets.tcp_info import ECN, ECN_SEEN, SACK, SYN_DATA, TIMESTAMPS, WSCALE, TcpInfo

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
        try:
            compiled = compile(_dedented(code.text), "code", "exec")
            exec(compiled, self.names)
        except Exception as error:
            line = _line_of(error)
            where = code.place._replace(line=code.place.line + max(line - 1, 0))
            if line > 1:
                where = where._replace(column=1, width=200)
            raise DrillFailure(where, _words(error, self.names), _seen(code.text, self.names)) from None


def values_of(info: TcpInfo) -> dict[str, Any]:
    """TCP_INFO as code sees it: `tcpi_rto` and the like, but for what is not counted."""
    values = {f"tcpi_{field.name}": getattr(info, field.name) for field in fields(info)}
    values["tcpi_snd_wscale"], values["tcpi_rcv_wscale"] = info.wscales & 15, info.wscales >> 4
    return {name: value for name, value in values.items() if value is not None}


def _dedented(text: str) -> str:
    """Without blanks before its first line, which stands behind the opening mark."""
    return text.strip(" \t") + "\n\n"


def _line_of(error: Exception) -> int:
    """The line of the block in which it was raised, from 1."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "code"]
    return (frames[-1].lineno or 1) if frames else 1


def _words(error: Exception, names: dict[str, Any]) -> str:
    if isinstance(error, AssertionError):
        return f"the code's assert fails: {error}" if str(error) else "the code's assert fails"
    near = get_close_matches(error.name or "", names, 1) if isinstance(error, NameError) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"the code raises {type(error).__name__}: {error}{hint}"


def _seen(text: str, names: dict[str, Any]) -> tuple[str, ...]:
    """What the names of TCP_INFO in the code were."""
    seen = [name for name in names if name.startswith("tcpi_") and name in text]
    return tuple(f"{name} is {names[name]}" for name in sorted(seen))
