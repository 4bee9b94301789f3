"""A whole class: what is found in folders of any shape, and that nobody's mistake stops the marking of others."""

import json
import os

import pytest

from tcpemu.lab import LabError, mark_class, read_key, submissions
from tcpemu.lab.marking.grade_sheets import grade_data, grade_table
from tcpemu.lab.marking.gradescope import check_who
from tcpemu.lab.marking.submission import find_key
from tests.lab.helpers import class_of, form, lab_of, marks_of, right_answers


@pytest.fixture
def made(tmp_path):
    lab = lab_of(tmp_path / "own")
    return lab, tmp_path / "class", class_of(tmp_path / "class", lab)


def put(folder, text, name="answers.toml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def right(made, number):
    lab, _, key = made
    return form(key.students[number].id, lab, right_answers(key.students[number]))


def test_folders_of_a_platform_are_found_at_any_depth(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in" / "Ada L_17_assignsubmission_file_", right(made, 0))
    put(tmp_path / "in" / "deep" / "er", right(made, 1), "17_answers.toml")
    assert marks_of(tmp_path / "in", key) == {"ada": {"port": (1.0, "")}, "ben": {"port": (1.0, "")}}


def test_one_file_is_marked_alone(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in", right(made, 1))
    assert list(marks_of(tmp_path / "in" / "answers.toml", key)) == ["ben"]


def test_who_handed_in_nothing_is_listed(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in", right(made, 1))
    marked = mark_class(key, submissions(tmp_path / "in", key), everybody=True)
    assert [(each.id, each.handed_in, each.points) for each in marked] == [
        ("ada", False, 0),
        ("ben", True, 1),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[answers\nx = 1", "line 1"),
        ('lab = "other"\nstudent = "ada"\n[answers]\nport = 1\n', "the key is of 'own'"),
        ('student = "eve"\n[answers]\nport = 1\n', "'eve', who is not in the key"),
        ("student = 7\n[answers]\nport = 1\n", "found 7"),
        ('student = "ada"\nanswers = 3\n', "no table"),
        ('student = "ada"\n[answers]\nprot = 1\n', "unknown question; did you mean 'port'?"),
        (b"\xff\xfe", "whose it is does not stand in it"),
        (b"\xff\xfex", "octet 2: not UTF-16-LE; save the file as UTF-8"),
        (b"\xff", "not UTF-8"),
        (b"PK\3\4rest", "a zip archive; unpack it first"),
        (b"a\0b", "no text"),
        (b"[answers]", "whose it is does not stand in it"),
    ],
)
def test_a_broken_file_is_told_and_stops_nobody(made, tmp_path, text, says):
    _, _, key = made
    put(tmp_path / "in" / "b", right(made, 1))
    (tmp_path / "in" / "a").mkdir()
    (tmp_path / "in" / "a" / "answers.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    marked = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert {each.id: each.points for each in marked}["ben"] == 1
    assert says in " ".join(problem for each in marked for problem in each.problems)


def test_what_is_no_toml_is_read_line_by_line_and_told(made, tmp_path):
    _, _, key = made
    right = right_answers(key.students[0])["port"]
    put(tmp_path / "in", f'lab = "own"\nstudent = ada\n[answers]\nport = {right} I think # sure\n')
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert (marked.id, marked.points) == ("ada", 0)
    assert marked.marks[0].said == f"'{right} I think' is no number"
    put(tmp_path / "in", f'lab = "own"\nstudent = ada\n[answers]\nport = "{right}" # sure\n')
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert (marked.id, marked.points) == ("ada", 1)
    assert "line 2" in marked.problems[0]
    assert "line by line" in marked.problems[0]


@pytest.mark.parametrize(
    ("times", "points", "says"),
    [
        (
            (200, 100),
            1,
            (
                "b/answers.toml: handed in too, and not marked: ",
                "a/answers.toml was, which was modified later",
            ),
        ),
        (
            (100, 200),
            0,
            (
                "a/answers.toml: handed in too, and not marked: ",
                "b/answers.toml was, which was modified later",
            ),
        ),
        (
            (100, 100),
            0,
            ("a/answers.toml: handed in too", "the last by name of those modified at the same time"),
        ),
    ],
)
def test_of_several_the_latest_counts_and_the_others_are_told(made, tmp_path, times, points, says):
    _, _, key = made
    put(tmp_path / "in" / "a", right(made, 0))
    put(tmp_path / "in" / "b", right(made, 0).replace("port = ", "port = 1"))
    for name, time in zip("ab", times, strict=True):
        os.utime(tmp_path / "in" / name / "answers.toml", (time, time))
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert marked.points == points
    assert all(words in marked.problems[0] for words in says)


def test_a_later_file_of_another_lab_does_not_replace_the_answers(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in" / "a", right(made, 0))
    put(tmp_path / "in" / "b", right(made, 0).replace('"own"', '"other"'))
    os.utime(tmp_path / "in" / "a" / "answers.toml", (1, 1))
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=True)[:1]
    assert (marked.id, marked.points) == ("ada", 1)
    assert "b/answers.toml: handed in, but not marked: lab: found 'other'" in marked.problems[0]


def test_a_file_of_another_lab_is_told_to_its_student(made, tmp_path):
    _, _, key = made
    for name in ("free", "ada"):
        put(tmp_path / name / name, right(made, 0).replace('"own"', '"other"'))
        ada, ben = mark_class(key, submissions(tmp_path / name, key), everybody=True)
        assert (ada.id, ada.handed_in, ada.points, ada.most) == ("ada", True, 0, 1)
        assert [mark.said for mark in ada.marks] == ["not marked"]
        assert "handed in, but not marked: lab: found 'other', and the key is of 'own'" in ada.problems[0]
        assert not ben.handed_in


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_however_an_editor_saved_it(made, tmp_path, coding, newline):
    _, _, key = made
    (tmp_path / "in").mkdir()
    octets = f"# Jürgen\n{right(made, 0)}".replace("\n", newline).encode(coding)
    (tmp_path / "in" / "answers.toml").write_bytes(octets)
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert (marked.id, marked.points) == ("ada", 1)
    guessed = coding in ("latin-1", "cp1252")
    assert ["octet 3: not UTF-8; it was read as Latin-1" in each for each in marked.problems] == [
        True
    ] * guessed


@pytest.mark.parametrize(
    "line",
    [
        "port = “{}”",
        "port = «{}»",
        "port = #{}",
        "port: {}",
        'port = "{}',
        'port = {}\nport = ""',
        "port = no. {}",
    ],
)
def test_what_was_answered_is_never_not_answered(made, tmp_path, line):
    _, _, key = made
    text = f"lab = “own”\nstudent = “ada”\n[answers]\n{line.format(right_answers(key.students[0])['port'])}\n"
    put(tmp_path / "in", text)
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert (marked.id, marked.points) == ("ada", 1)


def test_answers_without_their_table_are_marked_and_told(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in", right(made, 0).replace("[answers]\n", ""))
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert marked.points == 1
    assert "[answers] is missing above them" in marked.problems[0]


def test_an_archive_is_to_be_unpacked(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in" / "ada", "", "work.zip")
    with pytest.raises(LabError, match=r"there is no answers\.toml in it; unpack .*ada/work\.zip first"):
        submissions(tmp_path / "in", key)
    put(tmp_path / "in", "", "all.zip")
    put(tmp_path / "in" / "x", right(made, 1))
    ada, ben = mark_class(key, submissions(tmp_path / "in", key), everybody=True)
    assert (ada.id, ada.handed_in, ada.points) == ("ada", True, 0)
    assert [each.partition("ada/")[2] for each in ada.problems] == [
        "work.zip: handed in, but not marked: unpack work.zip first"
    ]
    assert (ben.points, ben.problems) == (1, [])


def test_answers_in_somebody_elses_folder_are_told(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in" / "ben", right(made, 0))
    (marked,) = mark_class(key, submissions(tmp_path / "in", key), everybody=False)
    assert marked.id == "ada"
    assert "ada stands in the folder of ben" in marked.problems[0]


def test_a_mistake_gets_its_share(made, tmp_path):
    lab, _, key = made
    put(tmp_path / "in", form("ada", lab, {"port": key.students[0].known["port"]}))
    assert marks_of(tmp_path / "in", key) == {"ada": {"port": (0.5, "That is the server's.")}}


def test_the_key_is_found_above(made):
    _, folder, _ = made
    assert find_key(folder / "students", None) == folder / "teacher" / "key.json"
    assert find_key(folder / "students" / "ada", None) == folder / "teacher" / "key.json"


def test_places_and_keys_that_cannot_be(made, tmp_path):
    _, folder, key = made
    with pytest.raises(LabError, match="no such file or folder"):
        submissions(tmp_path / "nowhere", key)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabError, match=r"there is no answers\.toml in it"):
        submissions(tmp_path / "empty", key)
    path = folder / "teacher" / "key.json"
    for text, says in (("{", "this is no key"), ("{}", "version"), ("[1]", "this is no key")):
        path.write_text(text)
        with pytest.raises(LabError, match=says):
            read_key(path)


def test_sheets_have_all_of_it(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in", right(made, 0))
    marked = mark_class(key, submissions(tmp_path / "in", key), everybody=True)
    assert grade_table(key, marked).splitlines() == [
        "id,name,points,most,port,remarks",
        "ada,Ada L.,1,1,1,",
        "ben,,0,1,0,nothing was handed in",
    ]
    data = grade_data(key, marked)
    assert json.loads(json.dumps(data)) == data
    assert data["students"][0]["questions"] == [
        {
            "name": "port",
            "points": 1,
            "most": 1,
            "right": True,
            "given": right_answers(key.students[0])["port"],
            "said": "",
        }
    ]


def test_no_cell_is_a_formula(made, tmp_path):
    _, _, key = made
    put(tmp_path / "in" / "=cmd", '[answers]\nstudent = "x"')
    marked = mark_class(key, submissions(tmp_path / "in" / "=cmd" / "answers.toml", key), everybody=False)
    marked[0].id = "=cmd()"
    assert "'=cmd()" in grade_table(key, marked)


def test_whose_it_is_comes_from_the_metadata(made, tmp_path):
    lab, _, key = made
    metadata = tmp_path / "m.json"
    put(tmp_path / "in", "[answers]\nport = 1")
    (one,) = submissions(tmp_path / "in", key)
    for email, whose in (("ADA@example.org", "ada"), ("ben@school.edu", "ben")):
        metadata.write_text(json.dumps({"users": [{"email": email}]}))
        one.student = None
        check_who(metadata, key, one)
        assert one.student.id == whose
    metadata.write_text('{"users": 3}')
    with pytest.raises(LabError, match="no metadata of Gradescope"):
        check_who(metadata, key, one)
    assert lab.name == "own"
