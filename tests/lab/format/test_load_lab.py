"""Folders of labs, and what is said of their mistakes: the place, what is there, what would be right."""

import pickle

import pytest

from tcpemu.lab import load_lab
from tcpemu.lab.format.lab_error import LabError
from tcpemu.scenario.format.problems import Problem
from tests.lab.helpers import SCENARIO, SMALL, lab_of

CHOICE = '[[questions]]\nname="x"\nkind="choice"\ntext="?"\nanswer="select 1"\n'
PROGRAM = '[[questions]]\nname="x"\nkind="program"\ntext="?"\nfile="p.py"\nsolution="s.py"\n'
MENDED = '[[questions]]\nname="x"\nkind="scenario"\ntext="?"\nfile="m.toml"\nsolution="s.toml"\nmay_change="server.*"\n'


def test_a_lab_is_read(tmp_path):
    lab = lab_of(tmp_path / "own", client_py="print()")
    assert (lab.name, lab.points, lab.file.title) == ("own", 1.0, "A small lab")
    assert lab.files["client.py"] == "print()"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SMALL.replace('"A small lab"', "3"), "line 2: title: found 3"),
        (SMALL.replace("title", "titles", 1), "line 2: titles: unknown key; did you mean 'title'?"),
        (SMALL.replace("to = 8999", "to = 7"), "draw.port.to: found 7; not below from = 8000"),
        (SMALL.replace("to = 8999", 'to = "9 ms"'), "numbers beside times"),
        (SMALL.replace("to = 8999", ""), "nothing to draw from"),
        (SMALL.replace("to = 8999", 'to = 8999\nabove = "prot"'), "found 'prot'"),
        (SMALL.replace('kind = "number"', 'kind = "numbers"'), "did you mean 'number'?"),
        (SMALL.replace('answer = "select :client"', ""), "questions[0].answer: missing"),
        (
            SMALL + '[[questions]]\nname="port"\nkind="frame"\ntext="?"\nanswer="select 1"',
            "found 'port' again",
        ),
        (SMALL + CHOICE, "questions[1].options: missing"),
        (
            SMALL + PROGRAM + "[questions.link]\nshared = true\n",
            "link.shared: shared in the link of a program",
        ),
        (SMALL + MENDED, "questions[1].holds: missing"),
        (SMALL + MENDED + '[[questions.holds]]\nvalue="select 1"\n', "no bound"),
        (SMALL + MENDED + '[[questions.holds]]\nvalue="select 1"\nat_least=1\n', "there is no file 's.toml'"),
        ('scenario = "x.toml"\n' + SMALL, "no scenario 'x.toml'"),
        (SMALL.replace('name = "port"\n', 'name = "the port"\n'), "letters, digits and _"),
        ("[[", "not TOML"),
    ],
)
def test_a_mistake_says_where_it_is(tmp_path, text, says):
    with pytest.raises(LabError) as caught:
        lab_of(tmp_path / "own", text)
    assert says in str(caught.value), caught.value


def test_a_scenario_that_cannot_be_says_its_own_place(tmp_path):
    with pytest.raises(LabError, match=r"own/scenario.toml: line 5: server.prot: unknown key"):
        lab_of(tmp_path / "own", scenario=SCENARIO.replace("port", "prot"))


def test_a_lab_has_no_variants(tmp_path):
    with pytest.raises(LabError, match="one run for each student"):
        lab_of(tmp_path / "own", scenario=SCENARIO + '[[variants]]\nname="x"\nset.server.backlog=1\n')


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(LabError, match="did you mean 'listen-queues'"):
        load_lab("listen-queue")
    with pytest.raises(LabError, match=r"there is no lab\.toml in it"):
        load_lab(str(tmp_path))


def test_texts_only(tmp_path):
    lab_of(tmp_path / "own")
    (tmp_path / "own" / "x.bin").write_bytes(b"\xff")
    with pytest.raises(LabError, match="a lab is made of texts"):
        load_lab(str(tmp_path / "own"))


def test_a_mistake_comes_out_of_another_process_as_it_was():
    error = LabError(
        "x/lab.toml", problems=[Problem("draw", "found 1", "give two"), Problem("", "no title", "")]
    )
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == (str(error), error.problems)
