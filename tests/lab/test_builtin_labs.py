"""Each lab that comes with the program: right, wrong, half right and empty submissions get what they deserve."""

import re
from xml.etree import ElementTree as ET

import pytest

from tcpemu.lab import BUILT_IN_LABS, Student, load_lab, mark_class, submissions
from tests.documented import run_page
from tests.lab.helpers import class_of, form, hand_in_right, right_answers
from tests.lab.moodle_import import faults, name_of

RIGHT, WRONG, EMPTY, SLIPPED, BROKEN = (
    Student(name) for name in ("right", "wrong", "empty", "slipped", "broken")
)
EVERYBODY = (RIGHT, WRONG, EMPTY, SLIPPED, BROKEN)
NEVER_ENDS = "while True:\n    pass\n"


def wrong_answers(student):
    """No number that is right or a usual mistake, and a wrong letter."""
    found = {}
    for each in student.answers:
        if each.options:
            found[each.name] = f'"{next(one.letter for one in each.options if not one.right)}"'
        elif each.right:
            found[each.name] = "-987654321"
    return found


def slipped_answers(student):
    """The first usual mistake of each question, where there is one."""
    return {each.name: each.slips[0].answer for each in student.answers if each.slips}


@pytest.fixture(scope="module", params=BUILT_IN_LABS)
def marked(request, tmp_path_factory):
    """The lab, the key, and the marks by student."""
    lab = load_lab(request.param)
    folder = tmp_path_factory.mktemp(request.param) / "class"
    key = class_of(folder, lab, EVERYBODY)
    students = {each.id: each for each in key.students}
    hand_in_right(folder / "students" / "right", lab, students["right"])
    for name, answers in (("wrong", wrong_answers), ("slipped", slipped_answers)):
        text = form(name, lab, answers(students[name]))
        (folder / "students" / name / "answers.toml").write_text(text)
    (folder / "students" / "broken" / "answers.toml").write_text("[answers\nx = 1")
    for question in lab.file.questions:
        if question.handed_in:
            broken = NEVER_ENDS if question.kind == "program" else "this is no TOML"
            (folder / "students" / "broken" / question.file).write_text(broken)
            (folder / "students" / "wrong" / question.file).write_text(
                "raise SystemExit(3)" if question.kind == "program" else 'title = "another one"'
            )
    found = mark_class(key, submissions(folder, key), everybody=True, jobs=2)
    moodle = (folder / "teacher" / "moodle.xml").read_text("utf-8")
    return lab, students, {each.id: each for each in found}, moodle


def test_a_right_submission_gets_all_points(marked):
    lab, _, by_student, _ = marked
    right = by_student["right"]
    assert [(mark.name, mark.said) for mark in right.marks if not mark.right] == []
    assert float(right.points) == lab.points
    assert right.problems == []


def test_a_wrong_submission_gets_nothing_and_is_told_why(marked):
    _, _, by_student, _ = marked
    wrong = by_student["wrong"]
    assert [mark.name for mark in wrong.marks if mark.points] == []
    assert all(mark.said for mark in wrong.marks)


def test_an_empty_submission_gets_nothing(marked):
    _, _, by_student, _ = marked
    empty = by_student["empty"]
    assert empty.points == 0
    assert {mark.said.partition(":")[0] for mark in empty.marks} == {"not answered"}


def test_a_usual_mistake_gets_its_sentence_and_its_share(marked):
    lab, students, by_student, _ = marked
    questions = {question.name: question for question in lab.file.questions}
    slips = {each.name: each.slips[0] for each in students["slipped"].answers if each.slips}
    assert len(slips) >= 3
    for mark in by_student["slipped"].marks:
        if mark.name in slips:
            assert mark.said == slips[mark.name].say
            assert mark.points == questions[mark.name].points * slips[mark.name].share


def test_what_is_broken_is_told_and_stops_nobody(marked):
    _, _, by_student, _ = marked
    broken = by_student["broken"]
    assert broken.points == 0
    assert "line 1" in " ".join(broken.problems)
    assert by_student["right"].points > 0


def test_moodle_would_take_the_questions(marked):
    lab, students, _, moodle = marked
    assert faults(moodle) == []
    root = ET.fromstring(moodle)
    names = [name_of(each) for each in root if each.get("type") != "category"]
    assert len(set(names)) == len(names) == len(students) * (1 + len(lab.file.questions))
    for student, category in zip(students, root.findall("question[@type='category']"), strict=True):
        assert category.findtext("category/text") == f"$course$/top/{lab.name}/{student}"


def test_every_kind_of_difficulty_is_alike(marked):
    _, students, _, _ = marked
    for key in students.values():
        assert all(answer.text and answer.because for answer in key.answers)
        assert not any(re.search(r"\{\w+\}", answer.text + answer.because) for answer in key.answers)
    assert students["right"].seed != students["wrong"].seed


def test_right_answers_of_one_student_are_not_those_of_all_others(marked):
    _, students, _, _ = marked
    texts = {str(right_answers(key)) for key in students.values()}
    assert len(texts) == len(students)


@pytest.mark.parametrize("name", BUILT_IN_LABS)
def test_what_a_lesson_shows_is_what_happens(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lesson = load_lab(name).lesson
    assert run_page(lesson, tmp_path)
    for heading in ("## Predict first", "## Experiments", "## What one sees", "## What it means", "## Words"):
        assert heading in lesson
    assert "> Answer: " in lesson
