"""What lab.toml says: which scenario, what differs from student to student, what is asked.

Answers stand nowhere in it. Where a number is wanted there is a query in SQL over what happened in the run: see
`asking/fact_rows.py` for its tables. In texts `{name}` stands for a draw or a value, in queries `:name`, in a scenario
that is to be mended `@name@`.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from tcpemu.scenario.format.links.link_tables import Link
from tcpemu.scenario.format.problems import Problem, did_you_mean, hold
from tcpemu.scenario.format.scenario_file import FaultTable
from tcpemu.scenario.format.strict_table import Table
from tcpemu.scenario.format.written_values import Duration, Name, Words, parse_duration
from tcpemu.stack.base.units import MILLISECOND, SECOND

KINDS = ("number", "choice", "frame", "scenario", "program")
"""Of questions."""


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("a number")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise ValueError("a number") from None


Number: TypeAlias = Annotated[Decimal, BeforeValidator(_number), PlainSerializer(str, return_type=str)]


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise ValueError("letters, digits and _: it stands in queries as :name")
    return name


Identifier: TypeAlias = Annotated[str, AfterValidator(_identifier)]
Query: TypeAlias = Annotated[str, Field(min_length=1)]
"""SQL that gives one row with one column."""
Texts: TypeAlias = Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_listed)]


class Draw(Table):
    """Something that differs from student to student: a whole number, a time, or one of a list."""

    begin: Annotated[int | str | None, Field(alias="from")] = None
    """The smallest: a whole number, or a time such as "5 ms"."""
    to: int | str | None = None
    """The largest."""
    step: int | str | None = None
    """From one possible value to the next: 1, or "1 ms", if not given."""
    one_of: Annotated[tuple[int | str, ...], Field(strict=False, min_length=1)] | None = None
    """The possible values, in place of `from` and `to`."""
    above: Identifier | None = None
    """The name of another draw, given before this one; what it drew is added."""
    set: Texts = ()
    """The settings of the scenario that get the value: "server.backlog", "clients.late.start"; a sysctl of the server
    by its full name. None for a draw that stands only in texts or in what is to be mended."""

    @property
    def is_time(self) -> bool:
        """Whether it draws times."""
        return isinstance(self.begin, str)

    @property
    def values(self) -> range:
        """Of a range, the possible values: whole numbers, or nanoseconds."""
        if self.is_time:
            first, last = parse_duration(self.begin), parse_duration(self.to)
            return range(first, last + 1, parse_duration(self.step or "1 ms"))
        assert isinstance(self.begin, int)
        assert isinstance(self.to, int)
        return range(self.begin, self.to + 1, int(self.step or 1))

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        if self.one_of is not None:
            for key in sorted(self.model_fields_set & {"begin", "to", "step", "above"}):
                yield Problem("from" if key == "begin" else key, "beside one_of", "keep one of the two")
            return
        if self.begin is None or self.to is None:
            yield Problem("", "nothing to draw from", "give from and to, or one_of")
            return
        given = [each for each in (self.begin, self.to, self.step) if each is not None]
        if len({type(each) for each in given}) > 1:
            yield Problem("to", "numbers beside times", 'either numbers or times such as "5 ms" throughout')
            return
        try:
            possible = len(self.values)
        except ValueError as mend:
            yield Problem("from", f"found {given}", f"must be {mend}")
            return
        if not possible:
            yield Problem("to", f"found {self.to}", f"not below from = {self.begin}")


class Measured(Table):
    """A number of a run, and between which bounds it must be."""

    value: Query
    """The query."""
    at_least: Number | None = None
    """It is this or more."""
    at_most: Number | None = None
    """It is this or less."""
    say: Words = ""
    """What is said where it is not."""

    @model_validator(mode="after")
    def _a_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            hold([Problem("", "no bound", "give at_least, at_most or both")])
        return self

    def holds(self, number: Decimal) -> bool:
        """Whether the number is within the bounds."""
        low = number if self.at_least is None else self.at_least
        high = number if self.at_most is None else self.at_most
        return low <= number <= high


class Slip(Table):
    """A usual wrong answer."""

    answer: Query
    """The query that gives it."""
    say: Words
    """What is said to whoever gives it."""
    share: Annotated[Number, Field(ge=0, lt=1)] = Decimal(0)
    """The part of the points that it still gets."""


class Option(Table):
    """One answer of a choice."""

    name: Identifier
    """What the query of the right answer calls it."""
    text: Words
    """What the student reads."""
    say: Words = ""
    """What is said to whoever chooses it wrongly."""


class Peer(Table):
    """A program of the lab that runs beside a student's."""

    host: Name
    """The host that it runs on; with `count` the hosts have numbers behind this name."""
    count: Annotated[int, Field(ge=1, le=500)] = 1
    """So many hosts, each with this program."""
    program: Annotated[str, Field(min_length=1)]
    """The file in the lab's folder, with its arguments: "client.py server"."""
    begin: Annotated[Duration, Field(alias="from")] = 0
    """When the first begins."""
    every: Duration = 0
    """The time from one to the next."""


class Question(Table):
    """A question, and how its answer is found and marked."""

    name: Identifier
    """What it is called in the file of answers."""
    kind: Literal["number", "choice", "frame", "scenario", "program"]
    """"number"; "choice" of `options`; "frame", the number of a packet in the capture; "scenario", one to be mended;
    "program", one to be written."""
    text: Annotated[str, Field(min_length=1)]
    """What is asked, in Markdown."""
    points: Annotated[Number, Field(gt=0)] = Decimal(1)
    """For a right answer."""
    answer: Query | None = None
    """The query that gives the right answer: a number, the name of an option, or the number of a frame."""
    because: str = ""
    """Why it is so; `{answer}` stands for the right answer."""
    unit: Words = ""
    """Of a number."""
    tolerance: Annotated[Number, Field(ge=0)] = Decimal(0)
    """A number may be so far off, in its unit."""
    wrong: Annotated[tuple[Slip, ...], Field(strict=False)] = ()
    """Usual wrong answers to a number or a frame; the first that is met is said."""
    options: Annotated[tuple[Option, ...], Field(strict=False)] = ()
    """Of a choice."""
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.(toml|py)$")] | None = None
    """Of a scenario or a program: the file that the student hands in. Of a scenario it stands in the lab's folder too,
    as it is to be mended."""
    solution: str | None = None
    """Of these: a file of the lab's folder that solves it. It is never given to students; `lab check` tries it."""
    may_change: Texts = ()
    """Of a scenario: the settings that may be changed, such as "server.backlog", or "server.*" for all of a table."""
    holds: Annotated[tuple[Measured, ...], Field(strict=False)] = ()
    """What must be true of the run of a scenario or a program; each is worth the same part of the points, and
    counts only where all before it are true."""
    host: Name = "server"
    """The host that the student's program runs on."""
    peers: Annotated[tuple[Peer, ...], Field(strict=False)] = ()
    """The programs beside it."""
    link: Link = Link()
    """The way between any two hosts of a program's run; it is the same in both directions."""
    faults: Annotated[tuple[FaultTable, ...], Field(strict=False)] = ()
    """What goes wrong in a program's run."""
    virtual: Duration = 60 * SECOND
    """Virtual time after which a program's run is over."""
    real: Annotated[Duration, Field(ge=100 * MILLISECOND, le=600 * SECOND)] = 10 * SECOND
    """Processor time after which the run of a scenario or a program is ended; real time may be three times that."""

    @property
    def handed_in(self) -> bool:
        """Whether a file is handed in."""
        return self.kind in ("scenario", "program")

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        needs = _NEEDS[self.kind]
        given = {key for key in self.model_fields_set if getattr(self, key) not in (None, ())}
        for key in sorted(needs - given):
            yield Problem(key, "missing", f"a question of kind {self.kind!r} has it")
        for key in sorted(given - needs - _TAKES[self.kind] - _ALL):
            yield Problem(key, f"{key} in a question of kind {self.kind!r}", "leave it out")
        names = [option.name for option in self.options]
        if self.options and (len(set(names)) < len(names) or len(names) < 2):
            yield Problem("options", f"found {', '.join(names)}", "two at least, each with its own name")
        for key in sorted(self.link.model_fields_set & {"to_server", "to_client", "drop", "shared"}):
            yield Problem(
                f"link.{key}", f"{key} in the link of a program", "leave it out; faults can lose packets"
            )
        if len(names) > 26:
            yield Problem("options", f"{len(names)} of them", "26 at most: each has a letter")


_ALL = {"name", "kind", "text", "points", "because"}
_NEEDS: dict[str, set[str]] = {
    "number": {"answer"},
    "choice": {"answer", "options"},
    "frame": {"answer"},
    "scenario": {"file", "solution", "holds", "may_change"},
    "program": {"file", "solution", "holds"},
}
_TAKES: dict[str, set[str]] = {
    "number": {"unit", "tolerance", "wrong"},
    "choice": set(),
    "frame": {"wrong"},
    "scenario": {"real"},
    "program": {"host", "peers", "link", "faults", "virtual", "real"},
}


class LabFile(Table):
    """A lab."""

    title: Words
    """What it is about, in a line."""
    about: str
    """What the student reads before the questions, in Markdown."""
    minutes: Annotated[int, Field(ge=1)] = 60
    """How long it takes, about."""
    scenario: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = "scenario.toml"
    """The scenario: a file of the lab's folder, or the name of one that comes with the program."""
    capture: Literal["server", "client"] = "server"
    """Whose capture the student gets."""
    draw: dict[Identifier, Draw] = Field(default={})
    """What differs from student to student, by name."""
    values: dict[Identifier, Query] = Field(default={})
    """Queries whose answers stand in texts and in other queries, by name."""
    alike: Annotated[tuple[Measured, ...], Field(strict=False)] = ()
    """What must be true of every student's run, so that all are as difficult; a run of which it is not is drawn again.
    """
    questions: Annotated[tuple[Question, ...], Field(strict=False, min_length=1)]
    """In order."""

    @model_validator(mode="after")
    def _rules(self) -> Self:
        hold(self._broken())
        return self

    def _broken(self) -> Iterator[Problem]:
        before: list[str] = []
        for name, draw in self.draw.items():
            if draw.above is not None and draw.above not in before:
                mend = f"a draw given before this one; {did_you_mean(draw.above, before)}"
                yield Problem(f"draw.{name}.above", f"found {draw.above!r}", mend)
            elif draw.above is not None and self.draw[draw.above].is_time != draw.is_time:
                yield Problem(f"draw.{name}.above", "a time beside a number", "add alike things")
            before.append(name)
        for name in self.values:
            if name in self.draw:
                yield Problem(f"values.{name}", "a draw has this name", "give another name")
        yield from _twice("name", [question.name for question in self.questions])
        yield from _twice("file", [question.file for question in self.questions if question.file])


def _twice(key: str, names: list[Any]) -> Iterator[Problem]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Problem(f"questions[{number}].{key}", f"found {name!r} again", "give each its own")
