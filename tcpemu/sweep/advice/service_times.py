"""How long the server is busy with a connection before it calls accept() again, as people say it.

1000/s                  so many a second: 1 ms each
2 ms                    2 ms each
exponential 2 ms        by chance, 2 ms in the mean
2 ms, 1 % 50 ms         2 ms each, and of a hundred one takes 50 ms
"""

import re
from dataclasses import dataclass
from typing import Any

from tcpemu.explain.lines.time_words import span_words
from tcpemu.scenario.format.written_values import duration_text, parse_duration, parse_share
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep.advice.clients_coming import QuestionError

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) */ *s")
_SLOW = re.compile(r"(.+?), *([0-9.]+ *%) *(.+)")
_PAUSE = re.compile(r"(.+?)(?: +every +(.+))?")


@dataclass(frozen=True, slots=True)
class Service:
    """The pace of a server."""

    words: str
    accept: dict[str, Any]
    """The table `server.accept` of a scenario, without pauses."""
    mean: float
    """Nanoseconds for each connection, in the mean; 0 for no time at all."""

    @property
    def rate(self) -> float:
        """Connections a second that it can take."""
        return SECOND / self.mean if self.mean else float("inf")


def service_of(text: str) -> Service:
    """The pace that the text says. Raises QuestionError."""
    match = _SLOW.fullmatch(text.strip())
    if match is None:
        return _usual(text.strip(), text)
    usual, share, slow = _usual(match[1].strip(), text), _share(match[2], text), _time(match[3], text)
    accept = {**usual.accept, "slow": {"share": share, "every": duration_text(slow)}}
    words = f"{usual.words}, {span_words(slow)} for {match[2]} of them"
    return Service(words, accept, usual.mean * (1 - share) + slow * share)


def _usual(text: str, whole: str) -> Service:
    if match := _RATE.fullmatch(text):
        if not float(match[1]):
            raise QuestionError(
                f"--accept {whole!r}: a server that never accepts needs no advice; give a rate above 0"
            )
        every = round(SECOND / float(match[1]))
        return Service(f"{span_words(every)} for each", {"every": duration_text(every)}, every)
    name, _, rest = text.partition(" ")
    if name == "exponential":
        mean = _time(rest, whole)
        words = f"{span_words(mean)} for each in the mean, by chance (exponential)"
        return Service(words, {"every": duration_text(mean), "by_chance": True}, mean)
    every = _time(text, whole)
    return Service(f"{span_words(every)} for each", {"every": duration_text(every)}, every)


def pause_of(text: str) -> tuple[str, dict[str, Any], float]:
    """Of `200 ms every 2 s` the words, the table of a pause, and the share of time it takes. Raises QuestionError."""
    match = _PAUSE.fullmatch(text.strip())
    if match is None:
        raise QuestionError(f"--pause {text!r}: such as '200 ms every 2 s', or '1 s' for a single one")
    lasts = _time(match[1], text, "--pause")
    table: dict[str, Any] = {"lasts": duration_text(lasts)}
    if match[2] is None:
        return f"a pause of {span_words(lasts)} at the beginning", table, 0.0
    every = _time(match[2], text, "--pause")
    if every <= lasts:
        raise QuestionError(f"--pause {text!r}: each pause must be over before the next")
    table["every"] = duration_text(every)
    return f"a pause of {span_words(lasts)} each {span_words(every)}", table, lasts / every


def _time(text: str, whole: str, option: str = "--accept") -> int:
    try:
        time = parse_duration(text)
    except ValueError as error:
        raise QuestionError(
            f"{option} {whole!r}: {text!r} must be {error}" + _FORMS * (option == "--accept")
        ) from None
    if not time:
        raise QuestionError(f"{option} {whole!r}: a time above 0")
    return time


_FORMS = "; other forms: 1000/s, exponential 2 ms, '2 ms, 1 % 50 ms'"


def _share(text: str, whole: str) -> float:
    try:
        return parse_share(text)
    except ValueError as error:
        raise QuestionError(f"--accept {whole!r}: {text!r} must be {error}") from None
