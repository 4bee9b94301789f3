"""One scenario several times, each time with one thing changed: the server's kernel, or a setting.

A choice is one value of what is varied. Where several things are varied, each choice of one goes with each of
the others, and every such combination is a column of the comparison.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from tcpemu.generations import GENERATIONS
from tcpemu.scenario.format.load_scenario import Run, from_document, given_words, to_document
from tcpemu.scenario.format.missing_sysctls import LeftOut, without_missing
from tcpemu.scenario.format.setting_paths import NAME_OF_SYSCTL, Document
from tcpemu.scenario.running import build
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.generation import Generation

KERNELS_COMPARED = (
    "linux-2.0",
    "linux-2.6.32",
    "linux-3.10",
    "linux-4.10",
    "linux-6.18",
    "bsd-4.4",
    "freebsd-14",
    "windows-2003",
)
"""Kernels that between them show most of what a listener may do."""
MOST_COLUMNS = 12


class ComparisonError(ValueError):
    """A comparison that cannot be made. Its text is what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of what is varied."""

    label: str
    settings: Mapping[str, object]
    """Settings of the scenario by their paths."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run of the comparison."""

    label: str
    run: Run

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the scenario sets and this kernel does not have."""
        return self.run.left_out

    @property
    def generation(self) -> Generation:
        """The server's kernel."""
        return GENERATIONS[self.run.scenario.server.generation]

    def result(self, until: int | None = None) -> Result:
        """Run it until that time, or until the scenario's end."""
        return build.run(self.run, until)


def kernels(names: Iterable[str]) -> list[Choice]:
    """A choice for each kernel of the server."""
    return [Choice(name, {"server.generation": name}) for name in dict.fromkeys(names)]


def values(shown: str, path: str, alternatives: Mapping[str, object]) -> list[Choice]:
    """A choice for each value of the setting, given as it was written and as what it means.

    `shown` is the path as its user wrote it; what is plainly the server's is shown by its last part.
    """
    ours = shown.startswith("server.") or NAME_OF_SYSCTL.match(shown)
    name = shown.rpartition(".")[2] if ours else shown
    return [Choice(f"{name}={written}", {path: value}) for written, value in alternatives.items()]


def combined(varied: Sequence[Sequence[Choice]]) -> list[Choice]:
    """Each choice of one with each of the others. Raises ComparisonError if they are too many."""
    number = 1
    for choices in varied:
        number *= len(choices)
    if number > MOST_COLUMNS:
        sizes = " x ".join(str(len(choices)) for choices in varied)
        raise ComparisonError(
            f"{sizes} values make {number} columns; there can be {MOST_COLUMNS} at most, so give fewer"
            if len(varied) > 1
            else f"{number} columns; there can be {MOST_COLUMNS} at most, so give fewer values"
        )
    return [_together(choices) for choices in product(*varied)]


def _together(choices: Sequence[Choice]) -> Choice:
    settings = {path: value for choice in choices for path, value in choice.settings.items()}
    return Choice(" ".join(choice.label for choice in choices), settings)


def columns(
    source: str, one: Run, choices: Iterable[Choice], settings: Mapping[str, object]
) -> list[ComparedRun]:
    """A column for each choice, with these settings in all of them.

    A sysctl that the scenario itself sets is left out where the server's kernel has none. One that `settings`
    or a choice sets is a mistake there. Raises ScenarioError; `source` names the scenario in it.
    """
    document, given = to_document(one.scenario), given_words(settings)
    return [
        _column(source, replace(one, given=given), document, choice, {**settings, **choice.settings})
        for choice in choices
    ]


def _column(
    source: str, one: Run, document: Document, choice: Choice, settings: Mapping[str, object]
) -> ComparedRun:
    fitted, left_out = without_missing(document, settings)
    run = Run(one.name, from_document(fitted, source, settings), left_out, given=one.given)
    return ComparedRun(choice.label, run)
