"""What the page offers: experiments with a question, the built-in scenarios, and the lessons of the labs."""

import tomllib
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from tcpemu.lab.format.load_lab import BUILT_IN_LABS, Lab, load_lab
from tcpemu.lab.pages.markdown_text import html_of
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS, from_document, from_text, text_of
from tcpemu.scenario.format.scenario_text import toml_of


@dataclass(frozen=True, slots=True)
class Experiment:
    """One of them, as the page has it."""

    name: str
    title: str
    kind: str
    """`question`, `scenario` or `lesson`."""
    text: str
    """The scenario's."""
    question: str = ""
    measure: str = ""
    """The field of a run's summary that answers the question; empty where there is nothing to count."""
    because: str = ""
    """Why it is so: shown after the answer."""
    tries: tuple[str, ...] = ()
    look_at: str = ""
    lesson: str = ""
    """HTML."""


def experiments() -> list[dict[str, Any]]:
    """All of them, in the order in which they are offered."""
    found = [*_questions(), *map(_scenario, BUILT_IN_SCENARIOS), *map(_lesson, map(load_lab, BUILT_IN_LABS))]
    return [{key: value for key, value in asdict(each).items() if value} for each in found]


def _questions() -> list[Experiment]:
    text = resources.files(__package__).joinpath("experiments.toml").read_text("utf-8")
    return [_question(table) for table in tomllib.loads(text)["experiments"]]


def _question(table: dict[str, Any]) -> Experiment:
    own = table.get("text", "").lstrip("\n")
    return Experiment(
        table["name"],
        table["title"],
        "question",
        own or text_of(table["scenario"]),
        table["question"],
        table["measure"],
        table["because"],
        tuple(table["try"]),
    )


def _scenario(name: str) -> Experiment:
    text = text_of(name)
    scenario = from_text(text, name)
    return Experiment(name, scenario.title, "scenario", text, look_at=scenario.look_at)


def _lesson(lab: Lab) -> Experiment:
    scenario = from_document(lab.scenario, lab.name)
    return Experiment(
        f"lesson-{lab.name}",
        lab.file.title,
        "lesson",
        toml_of(lab.scenario),
        look_at=scenario.look_at,
        lesson=html_of(lab.lesson),
    )
