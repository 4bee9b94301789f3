"""Lists of students and secrets, and what is said of those that cannot be."""

import pytest

from tcpemu.lab.format.class_list import Student, read_class, read_secret
from tcpemu.lab.format.lab_error import LabError


def listed(folder, text):
    path = folder / "ids.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_class(path)


@pytest.mark.parametrize(
    ("text", "students"),
    [
        ("id\na1\nb2\n", [Student("a1"), Student("b2")]),
        ("a1\n\nb2", [Student("a1"), Student("b2")]),
        ("name,ID,email\nAda,a1,a@x.org\n", [Student("a1", "Ada", "a@x.org")]),
        ("id;name\na1;Ada, L.\n", [Student("a1", "Ada, L.")]),
        ('id,name\na1,"L., Ada"\nb2\n', [Student("a1", "L., Ada"), Student("b2")]),
        ("\ufeffid,group\nada@x.org,7\n", [Student("ada@x.org")]),
    ],
)
def test_a_list_is_read(tmp_path, text, students):
    assert listed(tmp_path, text) == students


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no student"),
        ("id,name\n", "no student"),
        ("Ada,x\nBen,y\n", "none is called id"),
        ("id\na1\nA1\n", "line 3: A1 stands in line 2 already"),
        ("id\n../x\n", "line 2: found the id '../x'"),
        ("name,id\nAda\n", "line 2: found the id ''"),
        (b"id\n\xff\n", "octet 3: not UTF-8"),
        ('id\n"a', "this is not CSV"),
    ],
)
def test_a_list_that_cannot_be_says_where(tmp_path, text, says):
    with pytest.raises(LabError, match=r"ids\.csv") as caught:
        listed(tmp_path, text)
    assert says in str(caught.value)


def test_all_mistakes_come_at_once(tmp_path):
    with pytest.raises(LabError) as caught:
        listed(tmp_path, "id\na b\na1\na1\n.x\n")
    assert len(str(caught.value).splitlines()) == 3


def test_a_secret_is_long_enough_and_its_last_line_break_does_not_count(tmp_path):
    path = tmp_path / "secret"
    path.write_text("0123456789abcdef\n")
    assert read_secret(path) == b"0123456789abcdef"
    path.write_text("short\n")
    with pytest.raises(LabError, match="5 octets can be guessed"):
        read_secret(path)
