"""`tcpemu lab`: commands from nothing to marks, and what is said of mistakes: one message, exit status 2."""

import json

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.lab import BUILT_IN_LABS
from tests.lab.helpers import SMALL, lab_of

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.csv").write_text("id,name\nada,Ada L.\nben,\n")
    (tmp_path / "secret").write_text(SECRET)
    lab_of(tmp_path / "own")
    return tmp_path


def lab(*arguments, status=0):
    done = CliRunner().invoke(app, ["lab", *map(str, arguments)])
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


def made(*more):
    return lab("make", "own", "--students", "ids.csv", "--secret", "secret", "-o", "out", *more)


def test_the_labs_are_listed():
    told = lab("list")
    assert all(name in told for name in BUILT_IN_LABS)
    assert "points" in told


def test_a_lesson_is_printed_or_written(place):
    assert lab("lesson", "listen-queues").startswith("# The two queues")
    lab("lesson", "listen-queues", "-o", "x.html")
    page = (place / "x.html").read_text()
    assert "<summary>Show the answer</summary>" in page
    assert "<table>" in page


def test_from_nothing_to_marks(place):
    assert "2 students" in made()
    key = json.loads((place / "out" / "teacher" / "key.json").read_text())
    right = key["students"][0]["answers"][0]["right"]
    form = place / "out" / "students" / "ada" / "answers.toml"
    form.write_text(form.read_text().replace('port = ""', f"port = {right}"))
    told = lab("grade", "out", "-o", "marks")
    assert "ada Ada L.: 1 of 1" in told
    assert "ben: 0 of 1\n  port: not answered" in told
    assert (place / "marks" / "grades.csv").read_text().startswith("id,name,points")
    results = json.loads((place / "marks" / "ada" / "results.json").read_text())
    assert results["tests"][0]["score"] == 1
    data = json.loads(lab("grade", form, "--json"))
    assert [student["points"] for student in data["students"]] == [1]


def test_own_labs(place):
    assert "Next: tcpemu lab check new" in lab("new", "new")
    assert "new: 3 variants" in lab("check", "new", "--variants", "3")
    assert lab("ask", "new").startswith("packets: number, frame, time")
    assert lab("ask", "new", "select sender, flags from frames limit 2").splitlines() == [
        "sender  flags",
        "client  S",
        "server  SA",
    ]


def test_check_tries_the_solution_of_a_program(place):
    program = '[[questions]]\nname="p"\nkind="program"\ntext="?"\nfile="p.py"\nsolution="s.py"\nreal="5 s"\n'
    value = "select count(*) from calls where text like 'listen(%'"
    goal = f'[[questions.holds]]\nvalue="{value}"\nat_least=1\nsay="deaf"\n'
    good = 'import socket\nsocket.create_server(("", 80))\n'
    lab_of(place / "one", SMALL + program + goal, s_py=good)
    assert "p: s.py solves it" in lab("check", "one", "--variants", "1")
    lab_of(place / "two", SMALL + program + goal, s_py="pass")
    assert "the solution s.py does not reach all: deaf" in lab("check", "two", "--variants", "1", status=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("make", "owner", "--students", "ids.csv", "--secret", "secret", "-o", "out"),
            "owner: there is no lab",
        ),
        (("make", "own", "--students", "no.csv", "--secret", "secret", "-o", "out"), "no.csv: No such file"),
        (("make", "own", "--students", "ids.csv", "--secret", "no", "-o", "out"), "no: No such file"),
        (
            ("make", "own", "--students", "ids.csv", "--secret", "ids.csv", "-o", "own"),
            "there is something already",
        ),
        (("lesson", "own"), "it has no lesson"),
        (("lesson", "listen-queues", "-o", "x.pdf"), "x.pdf: name the file *.html"),
        (("grade", "nowhere"), "there is no teacher/key.json"),
        (("grade", "own", "--key", "ids.csv"), "this is no key"),
        (("new", "own"), "there is something already"),
        (("check", "nothing"), "there is no lab"),
        (("ask", "own", "slip"), "is not understood"),
        (("ask", "own", "drop table packets"), "only reads"),
    ],
)
def test_a_mistake_is_one_message(place, arguments, says):
    told = lab(*arguments, status=2)
    assert says in told
    assert "Traceback" not in told


def test_options_of_gradescope_go_together(place):
    made()
    assert "--metadata goes with --results" in lab("grade", "out", "--metadata", "ids.csv", status=2)
    assert "for one submission" in lab("grade", "out", "--results", "r.json", status=2)
    lab("grade", "out/students/ada", "--results", "r.json")
    assert json.loads((place / "r.json").read_text())["tests"][0]["status"] == "failed"


def test_without_nbformat_it_says_so(place, monkeypatch):
    monkeypatch.setattr("tcpemu.cli.labs.make_labs.can_make_notebooks", lambda: False)
    done = CliRunner().invoke(
        app, ["lab", "make", "own", "--students", "ids.csv", "--secret", "secret", "-o", "out"]
    )
    assert "no handout.ipynb: nbformat is not there" in done.stderr
    assert not list(place.rglob("*.ipynb"))
