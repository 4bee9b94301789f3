"""The folder of a class: what is in it, the same each time; and archives as other systems read them."""

import base64
import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from tcpemu.lab import LabError, load_lab, make_class
from tcpemu.lab.making.moodle_xml import nearest_grade
from tcpemu.lab.making.notebook_text import can_make_notebooks
from tcpemu.lab.making.rubric_text import rubric_text
from tcpemu.wire.capture_file import read_capture
from tests.lab.helpers import ADA, BEN, SECRET, class_of, form, hand_in_right, lab_of, right_answers
from tests.lab.moodle_import import faults

LAB = "listen-queues"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "class"
    lab = load_lab(LAB)
    return lab, folder, class_of(folder, lab, notebooks=can_make_notebooks())


def octets_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_class_is_the_same_octet_by_octet_whoever_makes_it(made, tmp_path):
    """The one was made by this process, the other one by two of its own."""
    lab, folder, _ = made
    class_of(tmp_path / "again", lab, notebooks=can_make_notebooks(), jobs=2)
    assert octets_of(tmp_path / "again") == octets_of(folder)


def test_each_student_has_a_capture_of_his_own_without_comments(made):
    _, folder, key = made
    captures = [(folder / "students" / each.id / "capture.pcapng").read_bytes() for each in key.students]
    assert len(set(captures)) == len(captures)
    for each in key.students:
        capture = read_capture(folder / "students" / each.id / "capture.pcapng")
        assert not capture.comments
        assert not any(packet.comments for packet in capture.packets)


def test_no_student_gets_an_answer(made):
    lab, folder, key = made
    solutions = [lab.files[question.solution] for question in lab.file.questions if question.solution]
    for student in key.students:
        for path in (folder / "students" / student.id).iterdir():
            text = path.read_bytes()
            assert not any(answer.because and answer.because.encode() in text for answer in student.answers)
            assert not any(solution.encode() in text for solution in solutions)


def test_the_table_has_everybodys_answers(made):
    _, folder, key = made
    rows = list(csv.DictReader((folder / "teacher" / "key.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == ["ada", "ben"]
    for row, student in zip(rows, key.students, strict=True):
        assert row == {**row, **{each.name: each.right for each in student.answers if each.right}}
        assert int(row["seed"]) == student.seed


def test_pages_stand_by_themselves_and_lead_to_each_other(made):
    _, folder, key = made
    for page in folder.rglob("*.html"):
        text = page.read_text()
        assert "http://" not in text
        assert "https://" not in text
        for link in re.findall(r'href="([^"#]+)"', text):
            assert (page.parent / link).is_file(), (page, link)
    told = (folder / "teacher" / "keys" / "ada.html").read_text()
    assert "tcp_input.c: tcp_conn_request" in told
    for answer in key.students[0].answers:
        assert answer.right in told


def test_what_is_there_already_is_never_overwritten(made, tmp_path):
    lab, folder, _ = made
    with pytest.raises(LabError, match="there is something already"):
        class_of(folder, lab)
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="there is something already"):
        class_of(tmp_path / "file", lab)
    (tmp_path / "empty").mkdir()
    assert class_of(tmp_path / "empty", lab_of(tmp_path / "own"), [ADA]).students[0].id == "ada"
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o755


def test_what_cannot_be_finished_leaves_nothing(made, tmp_path, monkeypatch):
    lab, _, _ = made

    def cut_short(number):
        raise KeyboardInterrupt(number)

    with pytest.raises(KeyboardInterrupt):
        make_class(lab, [ADA, BEN], SECRET, tmp_path / "class", notebooks=False, done=cut_short)
    assert list(tmp_path.iterdir()) == []


def test_the_rubric_has_each_question_and_its_points(made):
    lab, folder, _ = made
    text = (folder / "teacher" / "rubric.md").read_text()
    for question in lab.file.questions:
        assert f"`{question.name}`" in text
        assert all(slip.say in text for slip in question.wrong)


def test_the_rubric_says_what_stands_for_each_name():
    text = rubric_text(load_lab("closing"))
    for name in set(re.findall(r"\{(\w+)\}", text)):
        assert f"`{{{name}}}` is " in text
    assert "`{first}` is what `select port from clients where name like 'short%' order" in text
    assert "`{answer}` is the right answer" in text


# Moodle.


def test_moodle_gets_a_category_for_each_student_with_the_capture(made):
    lab, folder, key = made
    quiz = ET.fromstring((folder / "teacher" / "moodle.xml").read_text())
    assert quiz.tag == "quiz"
    questions = [(each.get("type"), each) for each in quiz]
    kinds = [kind for kind, _ in questions]
    assert kinds.count("category") == len(key.students)
    assert kinds.count("description") == len(key.students)
    own = {"number": "numerical", "frame": "numerical", "choice": "multichoice"}
    wanted = [own.get(question.kind, "essay") for question in lab.file.questions]
    assert kinds == ["category", "description", *wanted] * len(key.students)
    file = questions[1][1].find("questiontext/file")
    assert file.get("name") == "capture.pcapng"
    octets = (folder / "students" / "ada" / "capture.pcapng").read_bytes()
    assert base64.b64decode(file.text) == octets
    assert "@@PLUGINFILE@@/capture.pcapng" in questions[1][1].findtext("questiontext/text")


def test_moodle_has_the_right_answers_and_the_usual_mistakes(made):
    _, folder, key = made
    quiz = ET.fromstring((folder / "teacher" / "moodle.xml").read_text())
    asked = [each for each in quiz if each.get("type") not in ("category", "description")]
    for element, answer in zip(asked, key.students[0].answers, strict=False):
        by_fraction = {}
        for each in element.findall("answer"):
            by_fraction.setdefault(each.get("fraction"), []).append(each)
        if answer.options:
            assert len(by_fraction["100"]) == 1
            assert element.findtext("single") == "true"
        elif answer.right:
            assert [each.findtext("text") for each in by_fraction["100"]] == [answer.right]
            assert all(float(each.findtext("tolerance")) >= 0 for each in element.findall("answer"))
            said = {each.findtext("feedback/text") for each in element.findall("answer")}
            assert {slip.say for slip in answer.slips} <= said


# Gradescope.


@pytest.fixture(scope="module")
def autograder(made, tmp_path_factory):
    """The archive, unpacked as Gradescope does it, with this Python in place of the one that setup.sh makes."""
    _, folder, _ = made
    root = tmp_path_factory.mktemp("autograder")
    with zipfile.ZipFile(folder / "teacher" / "gradescope.zip") as zipped:
        zipped.extractall(root / "source")
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in zipped.infolist()}
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    (root / "venv" / "bin").mkdir(parents=True)
    # The tcpemu of the archive is used, not the one that is installed here: it stands first on the path.
    launcher = root / "venv" / "bin" / "python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    return root


def run_autograder(root, files, email="ada@example.org"):
    submission = root / "submission"
    submission.mkdir(exist_ok=True)
    for path in submission.iterdir():
        path.unlink()
    for name, text in files.items():
        (submission / name).write_text(text)
    users = [{"email": email, "id": 7, "name": "Ada"}]
    (root / "submission_metadata.json").write_text(json.dumps({"id": 1, "users": users}))
    (root / "run_autograder").write_bytes((root / "source" / "run_autograder").read_bytes())
    environment = {**os.environ, "AUTOGRADER_ROOT": str(root)}
    run = subprocess.run(
        ["bash", root / "run_autograder"],
        check=False,
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr
    return json.loads((root / "results" / "results.json").read_text())


KEYS = {
    "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
    "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
TEST_KEYS = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags", "visibility",
    "extra_data",
}  # fmt: skip
VISIBLE = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}


def hold_results(data):
    """results.json has what Gradescope's specification allows, and what it wants."""
    assert data.keys() <= KEYS
    assert "score" in data or data["tests"]
    assert data.get("visibility", "visible") in VISIBLE
    assert data.get("stdout_visibility", "visible") in VISIBLE
    assert isinstance(data.get("output", ""), str)
    assert data.get("output_format", "text") in FORMATS
    for test in data["tests"]:
        assert test.keys() <= TEST_KEYS
        assert isinstance(test["score"], int | float)
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] in {"passed", "failed"}
        assert (test["status"] == "passed") == (test["score"] == test["max_score"])
        assert test["visibility"] in VISIBLE
        assert test["output_format"] in FORMATS
        assert all(isinstance(test[name], str) for name in ("name", "number", "output"))


def test_the_autograder_marks_a_right_submission(made, autograder, tmp_path):
    lab, _, key = made
    hand_in_right(tmp_path, lab, key.students[0])
    files = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    data = run_autograder(autograder, files)
    hold_results(data)
    assert sum(test["score"] for test in data["tests"]) == lab.points
    assert [test["name"] for test in data["tests"]] == [question.name for question in lab.file.questions]


def test_the_autograder_marks_what_is_broken_or_somebody_elses(made, autograder):
    lab, _, key = made
    broken = run_autograder(autograder, {"answers.toml": "[answers\nx = 1"})
    hold_results(broken)
    assert sum(test["score"] for test in broken["tests"]) == 0
    assert "line 1" in broken["output"]
    of_ben = form("ben", lab, right_answers(key.students[1]))
    copied = run_autograder(autograder, {"answers.toml": of_ben})
    hold_results(copied)
    assert copied["score"] == 0
    assert "answers of ben, handed in by ada" in copied["output"]


def test_setup_installs_what_tcpemu_needs(autograder):
    text = (autograder / "source" / "setup.sh").read_text()
    for library in ("scapy", "typer", "rich", "pydantic"):
        assert f"'{library}" in text
    subprocess.run(["bash", "-n", autograder / "source" / "setup.sh"], check=True)
    subprocess.run(["bash", "-n", autograder / "source" / "run_autograder"], check=True)


# Notebooks.


@pytest.mark.skipif(not can_make_notebooks(), reason="nbformat is not there")
def test_a_notebook_runs_and_writes_the_answers(made, tmp_path):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    import nbformat

    _, folder, key = made
    student = folder / "students" / "ada"
    notebook = nbformat.read(student / "handout.ipynb", as_version=4)
    (tmp_path / "capture.pcapng").write_bytes((student / "capture.pcapng").read_bytes())
    rights = right_answers(key.students[0])
    for cell in notebook.cells:
        for name, value in rights.items():
            cell.source = cell.source.replace(f'answers["{name}"] = ""', f'answers["{name}"] = {value}')
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = notebook.cells[1].outputs[-1]["data"]["text/plain"]
    assert "'flags': 'S'" in shown
    written = (tmp_path / "answers.toml").read_text()
    assert 'student = "ada"' in written
    assert all(f"{name} = {value}" in written for name, value in rights.items())


def test_a_form_can_be_filled_in_and_is_read_again(made, tmp_path):
    import tomllib

    _, folder, key = made
    text = (folder / "students" / "ben" / "answers.toml").read_text()
    document = tomllib.loads(text)
    assert document["student"] == "ben"
    assert document["answers"] == {each.name: "" for each in key.students[1].answers if each.right}
    assert max(map(len, text.splitlines())) <= 100
    assert SECRET.decode() not in text
    assert BEN.id in text


@pytest.mark.parametrize(
    ("share", "grade"),
    [("0.5", "50"), ("0.35", "33.33333"), ("0.99", "100"), ("0.02", "0"), ("0.125", "12.5")],
)
def test_moodle_knows_only_some_shares_of_the_points(share, grade):
    """Of 0.35 there are 40 and 33.33333, of 0.02 there are 5 and 0."""
    assert nearest_grade(Decimal(share) * 100) == Decimal(grade)


def test_what_moodle_would_not_take_is_found(made):
    _, folder, _ = made
    text = (folder / "teacher" / "moodle.xml").read_text("utf-8")
    assert faults(text) == []
    for old, new, fault in (
        ('fraction="100"', 'fraction="99"', "no answer has all points"),
        ('fraction="100"', 'fraction="99"', "no grade 99"),
        ("<answernumbering>abc", "<answernumbering>x", "answernumbering"),
        ("$course$/top/", "top/", "no path of a category"),
        ("<single>", "<sole>true</sole><single>", "sole is not read"),
        ("@@PLUGINFILE@@/capture", "@@PLUGINFILE@@/kapture", "are linked or there, and not both"),
        ("<attachmentsrequired>1", "<attachmentsrequired>2", "attachments"),
    ):
        assert any(fault in one for one in faults(text.replace(old, new))), fault
