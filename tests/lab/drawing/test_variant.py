"""Variants: the same student gets the same octets, another one others; what is not alike is drawn again."""

import pytest

from tcpemu.lab import Student, draw_variant
from tcpemu.lab.drawing.dice import Dice
from tcpemu.lab.drawing.drawn_values import drawn
from tcpemu.lab.drawing.filled_texts import UnknownNameError, filled, filled_scenario
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.lab_file import Draw
from tcpemu.wire import pcapng
from tests.lab.helpers import ADA, BEN, SECRET, SMALL, lab_of, variant


def test_the_same_student_gets_the_same_octets_and_another_one_others(tmp_path):
    lab = lab_of(tmp_path / "own")
    first, again, other = variant(lab), variant(lab), variant(lab, BEN)
    assert pcapng.dump(first.capture()) == pcapng.dump(again.capture())
    assert first.key == again.key
    assert pcapng.dump(first.capture()) != pcapng.dump(other.capture())
    assert draw_variant(lab, b"another secret of ours", ADA).key.seed != first.key.seed


def test_a_capture_says_nothing_of_ours(tmp_path):
    capture = variant(lab_of(tmp_path / "own")).capture()
    assert (capture.comments, capture.names) == ((), ())
    assert not any(packet.comments for packet in capture.packets)
    assert [interface.name for interface in capture.interfaces] == ["server"]


def test_what_is_drawn_is_set_and_said(tmp_path):
    one = variant(lab_of(tmp_path / "own"))
    port = one.key.known["port"]
    assert 8000 <= port <= 8999
    assert one.result.scenario.server.port == port
    assert one.about == f"A client connects to port {port}."
    assert one.key.answers[0].right == str(one.result.clients and one.key.known["client"])


ALIKE = '[[alike]]\nvalue = "select :port % 4"\nat_most = 0\n'


def test_what_is_not_alike_is_drawn_again(tmp_path):
    lab = lab_of(tmp_path / "own", SMALL.replace("[[questions]]", ALIKE + "[[questions]]", 1))
    found = [variant(lab, Student(f"s{number}")) for number in range(8)]
    assert {one.key.known["port"] % 4 for one in found} == {0}
    assert any(one.key.attempt for one in found)


def test_where_no_variant_will_do_the_reason_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("tcpemu.lab.drawing.variant.MOST_ATTEMPTS", 3)
    never = ALIKE.replace(":port % 4", "1")
    lab = lab_of(tmp_path / "own", SMALL.replace("[[questions]]", never + "[[questions]]", 1))
    with pytest.raises(LabError, match=r"none of 3 variants drawn for ada will do; 3 times: alike\[0\]: 1"):
        variant(lab)


def test_a_usual_mistake_is_never_right(tmp_path, monkeypatch):
    monkeypatch.setattr("tcpemu.lab.drawing.variant.MOST_ATTEMPTS", 2)
    text = SMALL.replace('answer = "select :port"', 'answer = "select :client"')
    with pytest.raises(LabError, match="would be right"):
        variant(lab_of(tmp_path / "own", text))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("select :client", "select nobody"), "the query is not understood: no such column: nobody"),
        (("select port from clients", "pick 1"), "values.client: the query is not understood: near"),
        (("port {port}.", "port {prot}."), "about: {prot} is no draw and no value; did you mean 'port'?"),
        (("From which port?", "From {x}?"), "questions[0]: {x} is no draw and no value"),
        (('set = "server.port"', 'set = "server.prot"'), "draw: server.prot: unknown key"),
    ],
)
def test_a_mistake_of_the_lab_is_said_at_once(tmp_path, change, says):
    with pytest.raises(LabError) as caught:
        variant(lab_of(tmp_path / "own", SMALL.replace(*change)))
    assert says in str(caught.value)


def test_the_dice_depend_on_all_that_they_are_given():
    rolls = [
        Dice(secret, lab, student, attempt).below(2**64, what)
        for secret in (SECRET, b"x")
        for lab in ("a", "b")
        for student in ("1", "2")
        for attempt in (0, 1)
        for what in ("p", "q")
    ]
    assert len(set(rolls)) == len(rolls)
    assert Dice(SECRET, "a", "1").below(1000, "p") == Dice(SECRET, "a", "1", 0).below(1000, "p")
    assert sorted(Dice(SECRET, "a", "1").order(9, "o")) == list(range(9))


def test_draws_are_within_their_bounds_and_add_up():
    draws = {
        "a": Draw.model_validate({"from": 2, "to": 4, "set": "server.backlog"}),
        "b": Draw.model_validate({"from": 1, "to": 1, "above": "a"}),
        "t": Draw.model_validate({"from": "5 ms", "to": "6 ms", "step": "500 us", "set": "link.delay"}),
        "w": Draw.model_validate({"one_of": ["x", "y"]}),
    }
    found = [drawn(draws, Dice(SECRET, "lab", str(number))) for number in range(60)]
    assert {one.known["a"] for one in found} == {2, 3, 4}
    assert all(one.known["b"] == one.known["a"] + 1 for one in found)
    assert {one.shown["t"] for one in found} == {"5 ms", "5500 us", "6 ms"}
    assert {one.known["t"] for one in found} == {0.005, 0.0055, 0.006}
    assert {one.known["w"] for one in found} == {"x", "y"}
    assert found[0].settings == {"server.backlog": found[0].known["a"], "link.delay": found[0].shown["t"]}


def test_only_names_are_filled_in():
    assert filled("{a} { wait = 1 } {}", {"a": "5"}) == "5 { wait = 1 } {}"
    assert filled_scenario("x = @a@ # {a}", {"a": "5"}) == "x = 5 # {a}"
    with pytest.raises(UnknownNameError, match="did you mean 'late'"):
        filled("{lat}", {"late": "5"})
