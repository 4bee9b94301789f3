"""What is wanted of a backlog: `p99 answer < 1 s`, `failed < 0.1 %`, or any measure beside a number."""

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tcpemu.scenario.format.written_values import parse_duration, parse_share
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep.advice.clients_coming import QuestionError
from tcpemu.sweep.run_measures import MeasureError, Value, measures_of

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORM = re.compile(r"(.+?)\s*(<=|>=|<|>)\s*(.+)")
_TIMES = {"connect": "connect_time", "answer": "first_octet_time", "first octet": "first_octet_time"}
_SHARES = {"failed", "served", "connected", "refused", "timed_out", "reset", "gave_up", "unfinished"}
_STATISTIC = re.compile(r"(p[0-9.]+|mean|max|min) +(.+)")
USUAL_TARGET = "p99 answer < 1 s"
"""The SYN that is lost comes again after a second: whoever is answered sooner was never turned away."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is wanted."""

    text: str
    measure: str
    """The name of what is measured."""
    sign: str
    limit: float

    def met(self, value: Value) -> bool:
        """Whether that value will do. What could not be measured does not."""
        return value is not None and _SIGNS[self.sign](value, self.limit)


def target_of(text: str, measured: Collection[str] = ()) -> Target:
    """The target that the text says; a name that is among what is measured means that. Raises QuestionError."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise QuestionError(
            f"--target {text!r}: write WHAT < HOW MUCH, such as '{USUAL_TARGET}' or 'failed < 0.1 %'"
        )
    what, sign, limit = match.groups()
    measure = what.strip() if what.strip() in measured else _measure(what.strip(), text)
    return Target(" ".join(text.split()), measure, sign, _limit(measure, limit, text))


def _measure(what: str, text: str) -> str:
    if (match := _STATISTIC.fullmatch(what)) and match[2] in _TIMES:
        name = f"{_TIMES[match[2]]}.{match[1]}"
    elif what in _SHARES:
        name = f"{what}.share"
    else:
        name = what
    try:
        measures_of([name], SECOND)
    except MeasureError as error:
        raise QuestionError(f"--target {text!r}: {error}; or 'p99 connect', 'p99 answer', 'failed'") from None
    return name


def _limit(measure: str, written: str, text: str) -> float:
    try:
        if measure.endswith(".share"):
            return parse_share(written if "%" in written else float(written))
        if measure.partition(".")[0] in set(_TIMES.values()):
            return parse_duration(written) / SECOND
        return float(written)
    except ValueError as error:
        raise QuestionError(f"--target {text!r}: {written!r} is not {error}") from None
