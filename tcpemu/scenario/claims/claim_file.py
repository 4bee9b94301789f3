"""What the file of a claim says."""

import errno
import string
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tcpemu.generations import GENERATIONS
from tcpemu.scenario.claims.measure import ANSWERED, MEASURES, NO_ERROR
from tcpemu.scenario.format.problems import Problem, did_you_mean, hold
from tcpemu.scenario.format.scenario_file import Times, Variant
from tcpemu.scenario.format.strict_table import Table
from tcpemu.scenario.format.written_values import Duration, Name, Share, flat
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.sysctls import SYSCTLS
from tcpemu.stack.base.units import MILLISECOND

COMPARED: tuple[str, ...] = tuple(name for name in MEASURES if name not in {"name", "asked", "round_trip"})
"""Measures that runs of one claim can be compared by."""


class Range(Table):
    """A number that is not too small and not too large."""

    at_least: int | None = None
    """It is this or more."""
    at_most: int | None = None
    """It is this or less."""

    @model_validator(mode="after")
    def _a_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a table with at_least, at_most or both")
        return self

    def holds(self, number: int) -> bool:
        low = number if self.at_least is None else self.at_least
        high = number if self.at_most is None else self.at_most
        return low <= number <= high


def _range(value: object) -> object:
    if isinstance(value, dict | Range):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Range(at_least=value, at_most=value)
    raise ValueError("a whole number, or a table such as { at_least = 1 }")


Count: TypeAlias = Annotated[Range, BeforeValidator(_range)]


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _answered(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value not in ANSWERED:
            raise ValueError(f"made of {', '.join(ANSWERED)}; {did_you_mean(value, ANSWERED)}")
    return values


def _errno(value: str) -> str:
    """Two names may stand for one number, as EOPNOTSUPP and ENOTSUP: the one that calls report is kept."""
    known = [NO_ERROR, *(name for name in vars(errno) if name.startswith("E"))]
    if value not in known:
        hint = did_you_mean(value, known)
        example = "" if hint.startswith("known") else f"; {hint}"
        raise ValueError(f'"{NO_ERROR}" or the name of an errno such as "ECONNREFUSED"{example}')
    return SocketError(getattr(errno, value)).name if value != NO_ERROR else value


def _compared(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in COMPARED:
            raise ValueError(f"names of measures; {did_you_mean(name, COMPARED)}")
    return names


Errno: TypeAlias = Annotated[str, AfterValidator(_errno)]
Ordinals: TypeAlias = Annotated[tuple[int, ...], Field(strict=False)]
ComparedMeasures: TypeAlias = Annotated[
    tuple[str, ...], Field(strict=False), BeforeValidator(_listed), AfterValidator(_compared)
]


class RateCheck(Table):
    """How many connections were accepted a second, beside a formula."""

    queue: Literal["backlog", "places"]
    """The queue's length in the formula: the "backlog" that listen() was given, or its "places", the most
    half-open connections at once. The formula is this length over the round-trip time."""
    within: Share = 0.1
    """How far the measured rate may be from the formula, as a part of it."""


NO_MEASURE = frozenset({"run", "within", "same", "differs"})
"""Keys that say how to check, and are no check of one run themselves."""
_OTHER_NAMES = {"queued_as_asked": "queued", "rate": "accept_rate"}
"""Checks that are about a measure with another name."""


class Checks(Table):
    """What must be true of a run: all of it. `the client` is the one that the claim looks at."""

    run: str | None = None
    """Only for the run of this name; for every run if not given."""
    limit: Count | None = None
    """The backlog in force after listen()."""
    queued: Count | None = None
    """Connections that wait for accept() at the end."""
    queued_as_asked: bool | None = None
    """Whether exactly as many wait for accept() at the end as the backlog says."""
    half_open: Count | None = None
    """The most half-open connections at once."""
    held: Count | None = None
    """The most connections in the queues at once, half-open or complete."""
    accepted: Count | None = None
    """Connections that accept() gave."""
    connected: Count | None = None
    """Clients that believe to be connected."""
    syn_dropped: Ordinals | None = None
    """Which SYNs got no answer, counted from 1 as they arrived: [6]."""
    first_dropped: int | None = None
    """Which SYN was the first without an answer; 0 for none."""
    syns_dropped: Count | None = None
    """SYNs without an answer. A SYN that is sent again does not count again."""
    syn_reset: Ordinals | None = None
    """Which SYNs were answered with a RST."""
    syns_reset: Count | None = None
    """SYNs that were answered with a RST."""
    turned_away: Count | None = None
    """SYNs that got no SYN|ACK: those without an answer, and those answered with a RST."""
    acks_ignored: Count | None = None
    """Connections whose final ACK was ignored, for the accept queue was full."""
    acks_reset: Count | None = None
    """Connections whose final ACK was answered with a RST for that reason."""
    cookies: Count | None = None
    """SYN cookies sent."""
    repeats: Count | None = None
    """How often the client's SYN|ACK was sent again."""
    repeats_at: Times | None = None
    """When the client's SYN|ACK was sent again, counted from its SYN: ["1 s", "3 s"]."""
    given_up_after: Duration | None = None
    """How long after its SYN the half-open connection of the client was given up."""
    within: Duration = 50 * MILLISECOND
    """How far from these times it may be."""
    rst_answers: (
        Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_listed), AfterValidator(_answered)]
        | None
    ) = None
    """What the first RST to the client answers: "SYN", "ACK", "data", "FIN", or "nothing" if nobody asked for
    it. Several words: any of them. An empty list: the client gets no RST."""
    client_sees: Errno | None = None
    """The errno that the client meets, such as "ECONNREFUSED", or "no error"."""
    client_connected: bool | None = None
    """Whether the client believes to be connected, or did."""
    client_accepted: bool | None = None
    """Whether accept() gave the client's connection."""
    errno: Errno | None = None
    """What listen() fails with, or "no error"."""
    rate: RateCheck | None = None
    """How many connections were accepted a second."""
    same: ComparedMeasures | None = None
    """Measures that are the same in every run."""
    differs: ComparedMeasures | None = None
    """Measures that are not the same in every run."""

    @property
    def measures(self) -> set[str]:
        """The measures that are checked."""
        names = {_OTHER_NAMES.get(name, name) for name in self.model_fields_set - NO_MEASURE}
        return names | {*(self.same or ()), *(self.differs or ())}

    @model_validator(mode="after")
    def _something(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        given = self.model_fields_set
        if not given - {"run", "within"}:
            yield Problem("", "nothing to check", "give a check, such as queued = 5")
        if "within" in given and not given & {"repeats_at", "given_up_after"}:
            yield Problem("within", "within without a time", "it goes with repeats_at or given_up_after")
        if self.run is not None:
            for key in sorted(given & {"same", "differs"}):
                yield Problem(key, f"{key} beside run", "it compares all runs; leave run out")


def _tables(value: object) -> object:
    return [value] if isinstance(value, dict | Checks) else value


AllChecks: TypeAlias = Annotated[tuple[Checks, ...], Field(strict=False), BeforeValidator(_tables)]
"""A table, or a list of them."""


def _template(text: str) -> str:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        raise ValueError("a text whose braces come in pairs, as in {queued}") from None
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"a text with measures in braces; {did_you_mean(name, MEASURES)}")
    return text


Template: TypeAlias = Annotated[str, AfterValidator(_template)]
"""A text that may have measures in braces: "{queued} wait"."""


class Saying(Table):
    """A sentence, and when it is the right one."""

    say: Template
    """The sentence. Names of measures in braces stand for what was measured: "{queued} wait"."""
    when: AllChecks = ()
    """Only if all of this is true of the run."""


def _sayings(value: object) -> object:
    if isinstance(value, str):
        return [{"say": value}]
    if isinstance(value, list | tuple):
        return [{"say": each} if isinstance(each, str) else each for each in value]
    return value


Sayings: TypeAlias = Annotated[tuple[Saying, ...], Field(strict=False), BeforeValidator(_sayings)]
"""A text, or a list: the first whose `when` is true is said."""


def _some_kernel(pattern: str) -> str:
    if any(fnmatch(name, pattern) for name in GENERATIONS):
        return pattern
    raise ValueError(f"a kernel, or a pattern such as linux-*; {did_you_mean(pattern, GENERATIONS)}")


def _known_need(name: str) -> str:
    if name in SYSCTLS:
        return name
    raise ValueError(f"a sysctl; {did_you_mean(name, SYSCTLS)}")


KernelPatterns: TypeAlias = Annotated[str, AfterValidator(_some_kernel)]
Need: TypeAlias = Annotated[str, AfterValidator(_known_need)]


def _scenario(value: object) -> object:
    if isinstance(value, str | dict):
        return value
    raise ValueError("the name of a scenario, or its tables")


class ClaimTable(Table):
    """A claim: what a text says, and the run that decides whether it is so."""

    name: Name
    """What the claim is called: a word or several with hyphens."""
    claim: Annotated[str, Field(min_length=1)]
    """What the text says, in a sentence."""
    source: Annotated[str, Field(min_length=1)]
    """Who says so: the text and its section."""
    scenario: Annotated[Any, AfterValidator(_scenario)]
    """The name of a built-in scenario or of one of the file's [scenarios.NAME], or the tables of a scenario."""
    settings: Annotated[dict[str, Any], BeforeValidator(flat)] = Field(default={})
    """Settings that differ from the scenario's: { server.backlog = 5 }."""
    variants: Annotated[tuple[Variant, ...], Field(strict=False)] = ()
    """Several runs of the scenario, each with settings of its own, in place of the scenario's own variants."""
    client: str = ""
    """The group whose first client is looked at; the last group if not given."""
    about: Annotated[tuple[KernelPatterns, ...], Field(strict=False)] = ()
    """The kernels that the claim is about, such as ["linux-*"]; all of them if not given."""
    needs: Annotated[tuple[Need, ...], Field(strict=False)] = ()
    """Sysctls without which nothing can be said. Others that a kernel does not have are left out."""
    given: AllChecks = ()
    """What must come about so that the claim says anything; else it is unspecified."""
    holds_when: AllChecks
    """What must be true of the run so that the claim holds."""
    holds: Sayings = ()
    """What is said where it holds."""
    fails: Sayings = ()
    """What is said where it fails: what happens instead."""
    unspecified: Sayings = ()
    """What is said where `given` does not come about."""

    @model_validator(mode="after")
    def _some_check(self) -> Self:
        if not self.holds_when:
            hold([Problem("holds_when", "nothing to check", "give a check, such as { queued = 5 }")])
        return self
