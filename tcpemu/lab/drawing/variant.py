"""One student's variant: drawn until the run is like the others and each question has one right answer."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.lab.asking.fact_base import FactBase, NoOneAnswerError, QueryError, Value
from tcpemu.lab.drawing.answer_keys import MistakeInLabError, NotAlikeError, OneRun, answers_of
from tcpemu.lab.drawing.dice import Dice
from tcpemu.lab.drawing.drawn_values import Drawn, drawn
from tcpemu.lab.drawing.filled_texts import UnknownNameError, filled, number_text, value_text
from tcpemu.lab.drawing.key_file import KeyFile, StudentKey
from tcpemu.lab.format.class_list import Student
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import LAB_FILE, Lab
from tcpemu.lab.trying.bounded_work import bounded
from tcpemu.lab.trying.goals import Attempt
from tcpemu.lab.trying.lab_run import about_figures, facts_of, run_to_end
from tcpemu.lab.trying.program_run import ProgramTask, try_program
from tcpemu.scenario.format.load_scenario import from_document
from tcpemu.scenario.format.problems import Problem, ScenarioError
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.capture_file import Capture

MOST_ATTEMPTS = 60
"""So often a variant is drawn for one student; then the lab's conditions are too narrow."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A student's run, and its key."""

    key: StudentKey
    about: str
    """What the student reads before the questions."""
    result: Result
    seen_by: SeenBy

    def capture(self) -> Capture:
        """What the student gets: the packets, without a word of ours, and without the names of hosts."""
        whole = capture_of(self.result.record, self.seen_by, comments=False)
        used = 1 + max((packet.interface for packet in whole.packets), default=0)
        return Capture(whole.interfaces[:used], whole.packets, whole.application)

    @property
    def hosts(self) -> list[tuple[str, str]]:
        """Each host of the run with its addresses."""
        nodes = self.result.network.nodes.values()
        return [(node.name, ", ".join(node.addresses)) for node in nodes]


def draw_variant(lab: Lab, secret: bytes, student: Student) -> Variant:
    """The variant of a student. Raises LabError where the lab is wrong, or no attempt is like the others."""
    reasons: Counter[str] = Counter()
    for attempt in range(MOST_ATTEMPTS):
        try:
            return _attempt(lab, Dice(secret, lab.name, student.id, attempt), student, attempt)
        except NotAlikeError as error:
            reasons[str(error)] += 1
        except MistakeInLabError as error:
            raise LabError(f"{lab.name}/{LAB_FILE}", problems=[error.problem]) from None
    reason, times = reasons.most_common(1)[0]
    what = f"none of {MOST_ATTEMPTS} variants drawn for {student.id} will do; {times} times: {reason}"
    raise LabError(f"{lab.name}/{LAB_FILE}", what, "widen the draws, or what is alike")


def _attempt(lab: Lab, dice: Dice, student: Student, attempt: int) -> Variant:
    found = drawn(lab.file.draw, dice)
    result = _run(lab, found, dice)
    seen_by = SeenBy(lab.file.capture)
    facts = facts_of(result, seen_by)
    try:
        known, shown = _values(lab, facts, found)
        _check_alike(lab, facts, known)
        answers = answers_of(OneRun(lab, facts, known, shown, dice))
    finally:
        facts.close()
    key = StudentKey(
        id=student.id,
        name=student.name,
        email=student.email,
        seed=result.scenario.seed,
        attempt=attempt,
        known=known,
        shown=shown,
        answers=answers,
    )
    return Variant(key, _about(lab, shown), result, seen_by)


def _about(lab: Lab, shown: dict[str, str]) -> str:
    try:
        return filled(lab.file.about, shown)
    except UnknownNameError as error:
        raise MistakeInLabError(Problem("about", str(error), "")) from None


def _run(lab: Lab, found: Drawn, dice: Dice) -> Result:
    try:
        scenario = from_document(lab.scenario, "", {**found.settings, "seed": dice.seed()})
    except ScenarioError as error:
        first = error.problems[0]
        raise MistakeInLabError(Problem(f"draw: {first.place}", first.what, first.mend)) from None
    return run_to_end(scenario, figures=about_figures(_queries(lab)))


def _queries(lab: Lab) -> Iterator[str]:
    yield from lab.file.values.values()
    yield from (each.value for each in lab.file.alike)
    for question in lab.file.questions:
        yield from (question.answer or "", *(slip.answer for slip in question.wrong))


def _values(lab: Lab, facts: FactBase, found: Drawn) -> tuple[dict[str, Value], dict[str, str]]:
    """Draws and values, for queries and for texts; a value may ask for those before it."""
    known, shown = dict(found.known), dict(found.shown)
    for name, query in lab.file.values.items():
        try:
            known[name] = facts.one(query, known)
        except NoOneAnswerError as error:
            raise NotAlikeError(f"values.{name} {error}") from None
        except QueryError as error:
            raise MistakeInLabError(Problem(f"values.{name}", f"the query {error}", "")) from None
        shown[name] = value_text(known[name])
    return known, shown


def _check_alike(lab: Lab, facts: FactBase, known: dict[str, Value]) -> None:
    for number, each in enumerate(lab.file.alike):
        try:
            value = facts.number(each.value, known)
        except NoOneAnswerError as error:
            raise NotAlikeError(f"alike[{number}] {error}") from None
        except QueryError as error:
            raise MistakeInLabError(Problem(f"alike[{number}]", f"the query {error}", "")) from None
        if not each.holds(value):
            raise NotAlikeError(f"alike[{number}]: {number_text(value)}. {each.say}".rstrip(". "))


def program_solution(lab: Lab, question: Question, variant: Variant) -> Attempt:
    """What comes of the lab's own solution of a program that is to be written."""
    with tempfile.TemporaryDirectory(prefix="tcpemu-lab-") as place:
        folder = Path(place)
        for name, text in lab.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / str(question.file)).write_text(lab.files[str(question.solution)], encoding="utf-8")
        task = ProgramTask(question, variant.key.known, variant.key.seed % 2**32)
        return bounded(try_program, (task, folder), question.real / SECOND)


def key_of(lab: Lab, students: list[StudentKey]) -> KeyFile:
    """The key of a class."""
    programs = {peer.program.split()[0] for question in lab.file.questions for peer in question.peers}
    return KeyFile(
        version=1,
        lab=lab.name,
        title=lab.file.title,
        questions=lab.file.questions,
        files={name: lab.files[name] for name in sorted(programs)},
        students=tuple(students),
    )
