"""The tool that makes and marks a class finds the marks that were earned, and says where they are others."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import lab_class

from tcpemu.lab import Student, draw_variant, load_lab
from tcpemu.lab.drawing.variant import key_of
from tcpemu.lab.marking.marked import Mark, MarkedStudent


def test_a_small_class_is_made_and_marked(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lab_class.py", "closing", "--students", "3"])
    assert lab_class.main() == 0
    told = capsys.readouterr().out
    assert "closing" in told
    assert "of processor" in told


def test_a_mark_that_was_not_earned_is_told():
    lab = load_lab("closing")
    key = key_of(lab, [draw_variant(lab, lab_class.SECRET, Student("a")).key])
    marked = [MarkedStudent("a", marks=[Mark("x", Decimal(1), Decimal(1))])]
    assert lab_class.wrong_marks(lab, key, marked) == [f"a has 1 and has earned {lab.points:g}"]


def test_options_that_cannot_be(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["lab_class.py", "--students", "0"])
    with pytest.raises(SystemExit) as end:
        lab_class.main()
    assert end.value.code == 2
    assert "1 or more" in capsys.readouterr().err
