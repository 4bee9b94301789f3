"""The question in words, as Python asks it."""

import pytest

from tcpemu.sweep import QuestionError, advise, here
from tcpemu.sweep.advice.asked import coming

BURST = {"accept": "50 ms", "patience": "3 s", "target": "ListenOverflows < 1", "seeds": 1}


def test_times_in_a_list():
    assert advise(arrivals=[0] * 6, **BURST).backlog == 5


def test_a_file_of_times(tmp_path):
    path = tmp_path / "times.txt"
    path.write_text("0\n0\n0\n")
    found = advise(arrivals=path, engine=here, **BURST)
    assert found.backlog == 2
    assert found.question.words[0].startswith("3 as in ") or str(path) in found.question.words[0]


def test_a_rate_is_a_number_or_a_text():
    assert coming(100, "even", 5).rate == coming("100/s", "even", 5).rate == 100


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "say how clients come"),
        ({"rate": -1}, "800/s"),
        ({"rate": 10, "arrivals": [0, 1]}, "leave out"),
        ({"rate": 10, "rtt": "40"}, "40 of what"),
        ({"rate": 10, "patience": "long"}, "--patience 'long'"),
    ],
)
def test_a_mistake_is_told(given, words):
    with pytest.raises(QuestionError, match=words):
        advise(**given)
