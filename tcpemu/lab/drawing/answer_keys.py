"""The right answers of one run, and the usual wrong ones: found by queries, and checked to be one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from tcpemu.lab.asking.fact_base import FactBase, NoOneAnswerError, QueryError, Value
from tcpemu.lab.drawing.dice import Dice
from tcpemu.lab.drawing.filled_texts import UnknownNameError, filled, filled_scenario, number_text
from tcpemu.lab.drawing.key_file import AnswerKey, OptionKey, SlipKey
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.trying.mended_run import MendingTask, try_mended
from tcpemu.scenario.format.problems import Problem, did_you_mean


class NotAlikeError(Exception):
    """A run that will not do for this student. Its text says why."""


class MistakeInLabError(Exception):
    """No run will do: the lab is wrong."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class OneRun:
    """What questions are asked of."""

    lab: Lab
    facts: FactBase
    known: Mapping[str, Value]
    shown: Mapping[str, str]
    dice: Dice


def answers_of(run: OneRun) -> tuple[AnswerKey, ...]:
    """The key of each question. Raises NotAlikeError, MistakeInLabError."""
    found = []
    for number, question in enumerate(run.lab.file.questions):
        try:
            found.append(_MAKERS[question.kind](run, question))
        except UnknownNameError as error:
            raise MistakeInLabError(Problem(f"questions[{number}]", str(error), "")) from None
        except NoOneAnswerError as error:
            raise NotAlikeError(f"questions[{number}] ({question.name}): the answer {error}") from None
        except QueryError as error:
            raise MistakeInLabError(Problem(f"questions[{number}]", f"the query {error}", "")) from None
        except MistakeInLabError as error:
            place = f"questions[{number}].{error.problem.place}"
            raise MistakeInLabError(replace(error.problem, place=place)) from None
        except NotAlikeError as error:
            raise NotAlikeError(f"questions[{number}] ({question.name}): {error}") from None
    return tuple(found)


def _number(run: OneRun, question: Question) -> AnswerKey:
    right = run.facts.number(str(question.answer), run.known)
    return AnswerKey(
        name=question.name,
        text=filled(question.text, run.shown),
        right=number_text(right),
        because=_because(run, question, number_text(right)),
        slips=_slips(run, question, right),
    )


def _frame(run: OneRun, question: Question) -> AnswerKey:
    right = run.facts.number(str(question.answer), run.known)
    last = run.facts.number("select count(*) from frames", {})
    if right != int(right) or not 1 <= right <= last:
        raise NotAlikeError(f"{right} is no frame of the capture, which has {last}")
    return _number(run, question)


def _slips(run: OneRun, question: Question, right: Decimal) -> tuple[SlipKey, ...]:
    """The usual wrong answers that there are in this run; none of them may count as right."""
    found = []
    for slip in question.wrong:
        try:
            answer = run.facts.number(slip.answer, run.known)
        except NoOneAnswerError:  # this mistake cannot be made here
            continue
        if abs(answer - right) <= question.tolerance:
            raise NotAlikeError(f"the usual wrong answer {number_text(answer)} would be right: {slip.say}")
        say = filled(slip.say, {**run.shown, "answer": number_text(right)})
        found.append(SlipKey(answer=answer, say=say, share=slip.share))
    return tuple(found)


def _choice(run: OneRun, question: Question) -> AnswerKey:
    names = [option.name for option in question.options]
    right = str(run.facts.one(str(question.answer), run.known))
    if right not in names:
        raise MistakeInLabError(Problem("answer", f"gives {right!r}", did_you_mean(right, names)))
    letters = "abcdefghijklmnopqrstuvwxyz"
    options = tuple(
        OptionKey(
            letter=letter,
            text=filled(question.options[at].text, run.shown),
            right=names[at] == right,
            say=filled(question.options[at].say, run.shown),
        )
        for letter, at in zip(letters, run.dice.order(len(names), question.name), strict=False)
    )
    return AnswerKey(
        name=question.name,
        text=filled(question.text, run.shown),
        right=next(option.letter for option in options if option.right),
        because=_because(run, question, next(option.text for option in options if option.right)),
        options=options,
    )


def _scenario(run: OneRun, question: Question) -> AnswerKey:
    """The scenario as it is given out; its solution must solve it, and as it stands it must not be solved."""
    files = run.lab.files
    start = filled_scenario(files[str(question.file)], run.shown)
    solution = filled_scenario(files[str(question.solution)], run.shown)
    task = MendingTask(start, question.may_change, question.holds, run.known)
    mended = try_mended(task, solution, str(question.solution))
    if mended.share != 1:
        raise NotAlikeError(f"the solution does not solve it: {' '.join(mended.said)}")
    untouched = try_mended(task, start, str(question.file))
    if not untouched.held:
        raise MistakeInLabError(Problem("file", " ".join(untouched.said), "it has to run as it is given out"))
    if untouched.share == 1:
        raise NotAlikeError(f"{question.file} needs no mending")
    return AnswerKey(
        name=question.name,
        text=filled(question.text, run.shown),
        right="",
        because=_because(run, question, str(question.solution)),
        start=start,
    )


def _program(run: OneRun, question: Question) -> AnswerKey:
    """A program's run does not depend on the student's; `lab check` tries the solution."""
    because = _because(run, question, str(question.solution))
    return AnswerKey(name=question.name, text=filled(question.text, run.shown), right="", because=because)


def _because(run: OneRun, question: Question, right: str) -> str:
    return filled(question.because, {**run.shown, "answer": right})


_MAKERS = {
    "number": _number,
    "frame": _frame,
    "choice": _choice,
    "scenario": _scenario,
    "program": _program,
}
