"""The question as people ask it, in words: on the command line and in Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tcpemu.scenario.format.setting_paths import SettingError
from tcpemu.scenario.format.time_settings import time_with_unit
from tcpemu.sweep.advice.advice_target import USUAL_TARGET, target_of
from tcpemu.sweep.advice.backlog_question import BacklogQuestion
from tcpemu.sweep.advice.backlog_search import Advice, answer
from tcpemu.sweep.advice.clients_coming import (
    Arrivals,
    QuestionError,
    arrivals_at,
    arrivals_of,
    arrivals_without_rate,
    times_in,
)
from tcpemu.sweep.advice.service_times import pause_of, service_of
from tcpemu.sweep.engines import Engine, spread

USUAL_CLIENTS = 400
MOST_CLIENTS = 20_000
MOST_A_SECOND = 1e9


def advise(
    rate: str | float | None = None,
    arrivals: str | Path | Sequence[int] | None = None,
    *,
    accept: str = "1000/s",
    rtt: str = "40 ms",
    patience: str | None = None,
    target: str | Sequence[str] = USUAL_TARGET,
    pause: str | Sequence[str] = (),
    somaxconn: int | None = None,
    generation: str | None = None,
    cookies: bool = True,
    clients: int | None = None,
    seeds: int = 10,
    jobs: int = 1,
    engine: Engine | None = None,
) -> Advice:
    """The smallest backlog that meets a target, by many runs; the words are those of `tcpemu advise`.

    `rate` is clients a second, `arrivals` a pattern (`poisson`, `bursts of 50`), a file of times, or times in
    nanoseconds, with which there is no rate. Other times are texts with a unit. `jobs` are processes of this machine.
    Raises QuestionError, ScenarioError.
    """
    asked = question(
        coming(rate, arrivals, clients),
        accept=accept,
        rtt=rtt,
        patience=patience,
        target=target,
        pause=pause,
        somaxconn=somaxconn,
        generation=generation,
        cookies=cookies,
        seeds=seeds,
    )
    return answer(asked, engine or spread(jobs))


def coming(
    rate: str | float | None,
    arrivals: str | Path | Sequence[int] | None,
    clients: int | None,
    source: str = "the times given",
) -> Arrivals:
    """How clients come, from a rate and a pattern, or from times. Raises QuestionError, OSError."""
    given = _times(arrivals, source)
    if given is not None:
        times, where = given
        if rate is not None or clients is not None:
            raise QuestionError(f"{where} has the times in it; leave out --rate and --clients")
        return arrivals_at(times, where)
    if (alone := arrivals_without_rate(str(arrivals))) is not None:
        if rate is not None or clients is not None:
            raise QuestionError(f"{arrivals!s} says how many come, and when; leave out --rate and --clients")
        return alone
    if rate is None:
        raise QuestionError("say how clients come: --rate 800/s, --arrivals FILE, or --capture x.pcap")
    number = USUAL_CLIENTS if clients is None else clients
    if not 1 <= number <= MOST_CLIENTS:
        raise QuestionError(f"--clients {number}: 1 to {MOST_CLIENTS:,}")
    return arrivals_of("poisson" if arrivals is None else str(arrivals), _a_second(rate), number)


def _times(arrivals: str | Path | Sequence[int] | None, source: str) -> tuple[list[int], str] | None:
    """The times that a file or a list has, and what that is called; None for a pattern."""
    if arrivals is None:
        return None
    if not isinstance(arrivals, str | Path):
        return list(arrivals), source
    path = Path(arrivals)
    return (times_in(path), str(path)) if path.is_file() else None


def _a_second(given: str | float) -> float:
    text = str(given).strip()
    try:
        rate = float(text.removesuffix("s").rstrip().removesuffix("/").strip())
    except ValueError:
        rate = 0.0
    if not 0 < rate < MOST_A_SECOND:
        raise QuestionError(f"--rate {text!r}: clients a second, such as 800/s")
    return rate


def question(
    arrivals: Arrivals,
    *,
    accept: str,
    rtt: str,
    patience: str | None,
    target: str | Sequence[str],
    pause: str | Sequence[str],
    somaxconn: int | None,
    generation: str | None,
    cookies: bool,
    seeds: int,
) -> BacklogQuestion:
    """The question that these words ask. Raises QuestionError."""
    kernel: dict[str, Any] = {} if generation is None else {"kernel": generation}
    return BacklogQuestion(
        arrivals,
        service_of(accept),
        _time(rtt, "--rtt"),
        None if patience is None else _time(patience, "--patience"),
        tuple(map(target_of, _each(target))),
        tuple(map(pause_of, _each(pause))),
        somaxconn,
        cookies=cookies,
        seeds=seeds,
        **kernel,
    )


def _each(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def _time(text: str, option: str) -> int:
    try:
        return time_with_unit(text, option)
    except SettingError as error:
        raise QuestionError(str(error)) from None
