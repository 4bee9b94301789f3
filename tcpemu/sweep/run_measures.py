"""What is measured of a run, by name; or by a function of one's own.

A measure is a number. Where there was nothing to measure it is None; a time that never came is infinite, so that a
quantile over clients tells the truth about those that did not get in.
"""

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import ceil, inf
from pathlib import Path
from typing import Any, TypeAlias

from tcpemu.explain.facts.counter_meanings import MEANING
from tcpemu.network import Call, Node, PacketSeen
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.problems import did_you_mean
from tcpemu.scenario.format.written_values import duration_text, parse_duration
from tcpemu.scenario.running.result import ClientOutcome, Result
from tcpemu.stack.base.events import QueueChanged, Verdict
from tcpemu.stack.base.reasons import REASONS
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep.run_tally import RunTally

Value: TypeAlias = float | int | None
"""A number; None where there was nothing to measure; infinite where it never came."""
Compute: TypeAlias = Callable[[Result, RunTally], Value]

USUAL = ("connected", "refused", "timed_out", "reset", "connect_time.p50", "connect_time.p99")
"""What is measured where nothing else is asked for."""
NEVER_WORDS = "never: so many clients never got that far that the quantile is one of theirs"
MOST_SAMPLES = 1000
"""Of one queue, in one run."""


class MeasureError(ValueError):
    """A measure that there is not, or that cannot be taken. Its text is what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a run."""

    name: str
    compute: Compute
    at: int | None = None
    """For a sample of a queue: when, in nanoseconds."""
    own: bool = False
    """Whether it is a function of the user's, which is given the whole record."""


# Clients.


def _clients(wanted: Callable[[ClientOutcome], bool]) -> Compute:
    return lambda result, _: sum(map(wanted, result.clients))


def _with_error(*names: str) -> Compute:
    return _clients(lambda client: client.error in names)


_COUNTS: dict[str, tuple[Compute, str]] = {
    "clients": (_clients(lambda _: True), "clients that start in the run; bare SYNs are none"),
    "connected": (
        _clients(lambda client: client.connected is not None),
        "clients whose connect() succeeded: the server may see it otherwise",
    ),
    "served": (_clients(lambda client: client.first_octet is not None), "clients that read something"),
    "refused": (_with_error("ECONNREFUSED"), "clients that got ECONNREFUSED"),
    "timed_out": (_with_error("ETIMEDOUT"), "clients that got ETIMEDOUT"),
    "reset": (_with_error("ECONNRESET", "EPIPE"), "clients that got ECONNRESET or EPIPE"),
    "gave_up": (_with_error("EINPROGRESS", "EAGAIN"), "clients whose own patience was over"),
    "failed": (_clients(lambda client: bool(client.error)), "clients that ended with any error"),
    "unfinished": (
        _clients(lambda client: client.ended is None),
        "clients that were still at it when the run ended",
    ),
    "accepted": (lambda result, _: len(result.accepted), "connections that accept() gave to the server"),
}
_TIMES: dict[str, tuple[Callable[[ClientOutcome], int | None], str]] = {
    "connect_time": (
        lambda client: client.connected,
        "seconds from a client's start until connect() succeeds",
    ),
    "first_octet_time": (
        lambda client: client.first_octet,
        "seconds from a client's start to the first octet read",
    ),
}
_WHOLE: dict[str, tuple[Compute, str]] = {
    "drops": (
        lambda _, tally: tally.drops.total(),
        "segments that the server dropped; drops.REASON those of one reason",
    ),
    "retransmissions": (
        lambda result, _: sum(_counter(result, node, "RetransSegs") for node in _hosts(result)),
        "segments sent again by any host, SYNs and SYN|ACKs among them (RetransSegs)",
    ),
    "packets": (lambda _, tally: tally.packets, "IP packets sent by anybody"),
    "accept_rate": (
        lambda result, _: _accept_rate(result),
        "connections that accept() gave a second, from the first to the last",
    ),
    "throughput": (
        lambda result, tally: tally.octets * 8 * SECOND / result.ended if result.ended else None,
        "bits a second that all hosts sent, headers and all, over the whole run",
    ),
    "goodput": (
        lambda result, tally: _goodput(result, tally),  # noqa: PLW0108 - it stands below
        "bits a second that programs read, from the first client's start to the last read",
    ),
    "fairness": (
        lambda _, tally: _fairness(tally.read.values()),
        "Jain's index of the octets read of each connection that had any: 1 where all got the same",
    ),
}
_STATISTICS = ("mean", "min", "max")
_QUEUES = ("accept_queue", "syn_queue")
_WANTS: dict[str, type[Any]] = {
    "drops": Verdict,
    "packets": PacketSeen,
    "throughput": PacketSeen,
    "goodput": Call,
    "fairness": Call,
    "accept_queue": QueueChanged,
    "syn_queue": QueueChanged,
}
"""By how a measure's name begins, what it needs of a run's record; the others need clients and counters alone."""
_QUANTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?)")


def names() -> Iterator[tuple[str, str]]:
    """Every measure's name, or form of a name, and what it is."""
    yield from ((name, about) for name, (_, about) in _COUNTS.items())
    yield "COUNT.share", "one of those above as a share of all clients, 0 to 1: connected.share"
    for name, (_, about) in _TIMES.items():
        yield (
            f"{name}.p99",
            f"{about}: the quantile over all clients, infinite where so many never did; any pN, min, max",
        )
        yield f"{name}.mean", f"{about}: the mean of those that did"
    yield from ((name, about) for name, (_, about) in _WHOLE.items())
    for name in _QUEUES:
        yield f"{name}.max", "the longest that the server's queue was; also .mean, over time"
        yield f"{name}.at.TIME", f"how long it was then: {name}.at.500ms"
        yield f"{name}.every.TIME", f"a sample each so often: {name}.every.100ms"
    yield "COUNTER", "a counter of the server, as ListenOverflows; HOST:COUNTER one of another host"
    yield (
        "FILE.py:FUNCTION",
        "a function of your own, or MODULE:FUNCTION: takes the Result, gives a number",
    )


def measures_of(texts: Iterable[str], duration: int) -> tuple[Measure, ...]:
    """The measures of these names, each once; a series of samples has one for each time up to `duration`, in ns.

    Raises MeasureError.
    """
    found: dict[str, Measure] = {}
    for text in texts:
        for measure in _measures(text.strip(), duration):
            found.setdefault(measure.name, measure)
    return tuple(found.values())


def _measures(name: str, duration: int) -> Iterator[Measure]:
    head, _, rest = name.partition(".")
    if head in _QUEUES and rest.startswith("every."):
        every = _time(name, rest.removeprefix("every."))
        if not every or duration // every > MOST_SAMPLES:
            raise MeasureError(f"{name}: that is more than {MOST_SAMPLES} samples; take a longer time")
        for at in range(0, duration + 1, every):
            yield _sample(head, at)
    elif head in _QUEUES and rest.startswith("at."):
        yield _sample(head, _time(name, rest.removeprefix("at.")))
    else:
        yield _measure(name, head, rest)


def _measure(name: str, head: str, rest: str) -> Measure:
    if name in _COUNTS:
        return Measure(name, _COUNTS[name][0])
    if name in _WHOLE:
        return Measure(name, _WHOLE[name][0])
    if head in _COUNTS and rest == "share":
        return Measure(name, _share(_COUNTS[head][0]))
    if head == "drops" and rest:
        if rest not in REASONS:
            raise MeasureError(f"{name}: there is no reason {rest}; {did_you_mean(rest, list(REASONS))}")
        return Measure(name, lambda _, tally: tally.drops[rest])
    if head in _TIMES:
        return Measure(name, _of_times(_TIMES[head][0], name, rest))
    if head in _QUEUES and rest in ("max", "mean"):
        return Measure(name, _of_queue(head, rest))
    if ":" in name:
        return _with_place(name)
    if _looks_like_counter(name):
        return _counted(name, SERVER, name)
    raise _unknown(name)


def _unknown(name: str) -> MeasureError:
    known = [each for each, _ in names() if each.islower()]
    return MeasureError(f"there is no measure {name!r}; {did_you_mean(name, known)}")


def _time(name: str, text: str) -> int:
    match = re.fullmatch(r"([0-9.]+) ?([a-zµ]+)", text)
    try:
        return parse_duration(f"{match[1]} {match[2]}" if match else text)
    except ValueError as error:
        raise MeasureError(f"{name}: it must be {error}") from None


# Times and queues.


def quantile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed. Raises IndexError for none."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered) - 1e-9), 1) - 1]


def _of_times(moment: Callable[[ClientOutcome], int | None], name: str, statistic: str) -> Compute:
    match = _QUANTILE.fullmatch(statistic)
    if match is None and statistic not in _STATISTICS:
        raise MeasureError(f"{name}: say which of them, as {name.partition('.')[0]}.p99, or mean, min, max")

    def compute(result: Result, _: RunTally) -> Value:
        times = [
            _waited(client, moment(client)) for client in result.clients if client.started <= result.ended
        ]
        if statistic == "mean":
            times = [time for time in times if time != inf]
        if not times:
            return None
        if statistic == "mean":
            return sum(times) / len(times)
        share = float(match[1]) / 100 if match else {"min": 0.0, "max": 1.0}[statistic]
        return quantile(times, share)

    return compute


def _waited(client: ClientOutcome, moment: int | None) -> float:
    return inf if moment is None else (moment - client.started) / SECOND


def _of_queue(queue: str, statistic: str) -> Compute:
    def compute(result: Result, tally: RunTally) -> Value:
        one = tally.accept_queue if queue == "accept_queue" else tally.syn_queue
        if statistic == "max":
            return one.most
        return one.filled / result.ended if result.ended else None

    return compute


def _sample(queue: str, at: int) -> Measure:
    def compute(_: Result, tally: RunTally) -> Value:
        one = tally.accept_queue if queue == "accept_queue" else tally.syn_queue
        place = tally.times.index(at)
        return one.sampled[place] if place < len(one.sampled) else None

    return Measure(f"{queue}.at.{duration_text(at).replace(' ', '')}", compute, at)


def _share(count: Compute) -> Compute:
    def compute(result: Result, tally: RunTally) -> Value:
        number = count(result, tally)
        return None if number is None or not result.clients else number / len(result.clients)

    return compute


# Hosts and octets.


def _hosts(result: Result) -> Iterator[str]:
    return (name for name, node in result.network.nodes.items() if isinstance(node, Node))


def _counter(result: Result, host: str, name: str) -> int:
    node = result.network.nodes.get(host)
    if not isinstance(node, Node):
        raise MeasureError(f"{host}:{name}: the scenario has no host {host} with counters")
    return result.network.counters(node).get(name, 0)


def _looks_like_counter(name: str) -> bool:
    return re.fullmatch(r"[A-Z]\w*", name) is not None


def _counted(name: str, host: str, counter: str) -> Measure:
    if counter not in MEANING:
        raise MeasureError(f"{name}: there is no counter {counter}; {did_you_mean(counter, list(MEANING))}")
    return Measure(name, lambda result, _: _counter(result, host, counter))


def _accept_rate(result: Result) -> Value:
    times = [each.at for each in result.accepted]
    return (
        (len(times) - 1) * SECOND / (times[-1] - times[0])
        if len(times) > 1 and times[-1] > times[0]
        else None
    )


def _goodput(result: Result, tally: RunTally) -> Value:
    if not tally.read:
        return None
    begin = min((client.started for client in result.clients), default=0)
    return tally.read.total() * 8 * SECOND / max(tally.last_read - begin, 1)


def _fairness(octets: Iterable[int]) -> Value:
    shares = list(octets)
    return sum(shares) ** 2 / (len(shares) * sum(each * each for each in shares)) if shares else None


# What a user brings.


def _with_place(name: str) -> Measure:
    """`HOST:Counter`, `MODULE:FUNCTION` or `FILE.py:FUNCTION`."""
    place, _, function = name.rpartition(":")
    if _looks_like_counter(function) and not place.endswith(".py"):
        return _counted(name, place, function)
    own = getattr(_module(name, place), function, None)
    if not callable(own):
        raise MeasureError(f"{name}: {place} has no function {function}")

    def compute(result: Result, _: RunTally) -> Value:
        value = own(result)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise MeasureError(f"{name} gave {value!r}; a measure gives a number, or None")
        return value

    return Measure(name, compute, own=True)


def _module(name: str, place: str) -> object:
    path = Path(place)
    if path.suffix == ".py" and not path.is_file():
        raise MeasureError(f"{name}: there is no file {place}")
    try:
        return _of_file(path) if path.suffix == ".py" else import_module(place)
    except Exception as error:  # whatever the user's module raises
        raise MeasureError(f"{name}: {place} cannot be loaded: {type(error).__name__}: {error}") from error


def _of_file(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(f"_measures_of_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def times_of(measures: Iterable[Measure]) -> tuple[int, ...]:
    """When the queues are to be sampled."""
    return tuple(sorted({each.at for each in measures if each.at is not None}))


def wanted_by(measures: Iterable[Measure]) -> frozenset[type[Any]] | None:
    """The kinds of entries and events that these measures need of a run; None for all of them, as they came."""
    found: set[type[Any]] = set()
    for each in measures:
        if each.own:
            return None
        if (kind := _WANTS.get(each.name.partition(".")[0])) is not None:
            found.add(kind)
    return frozenset(found)
