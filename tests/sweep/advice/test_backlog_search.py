"""The smallest backlog that meets a target, on questions whose answer is known."""

import pytest

from tcpemu.explain.lines.style import lines_text
from tcpemu.scenario.format.load_scenario import from_document
from tcpemu.scenario.format.scenario_text import toml_of
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.sweep import here, sweep
from tcpemu.sweep.advice.advice_lines import advice_lines
from tcpemu.sweep.advice.advice_picture import advice_picture
from tcpemu.sweep.advice.advice_target import target_of
from tcpemu.sweep.advice.backlog_question import BacklogQuestion
from tcpemu.sweep.advice.backlog_search import answer
from tcpemu.sweep.advice.clients_coming import QuestionError, arrivals_at, arrivals_of
from tcpemu.sweep.advice.service_times import pause_of, service_of


def question(pattern="at once", rate=100, number=20, accept="100 ms", **more):
    given = {"patience": 10 * SECOND, "seeds": 1, "targets": (target_of("ListenOverflows < 1"),), **more}
    coming = (
        arrivals_at([0] * number, "the test") if pattern == "at once" else arrivals_of(pattern, rate, number)
    )
    return BacklogQuestion(coming, service_of(accept), 10 * MILLISECOND, **given)


def told(advice):
    return lines_text(advice_lines(advice, "q.toml", 100))


def test_who_comes_at_once_needs_a_place_each():
    # The server gets no time between final ACKs of one instant, and the queue has a place more than the backlog.
    advice = answer(question(), here)
    assert advice.backlog == 19
    assert advice.below.backlog == 18
    assert "A backlog of 19 meets it: ListenOverflows < 1, in 1 of 1 runs." in told(advice)
    assert "tcpemu explain q.toml --set server.backlog=18 --seed 1" in told(advice)


def test_every_smaller_one_that_was_tried_fails():
    advice = answer(question(seeds=3, pattern="poisson", accept="9 ms", number=60), here)
    assert advice.best.good
    assert not any(each.good for each in advice.tried if each.backlog < advice.backlog)
    assert advice.backlog - advice.below.backlog == 1


def test_the_cap_of_the_host_holds():
    advice = answer(question(somaxconn=4), here)
    assert advice.backlog is None
    assert max(each.backlog for each in advice.tried) == 4
    assert "No backlog meets it" in told(advice)


def test_a_server_that_is_too_slow_for_good_has_no_backlog():
    asked = question(pattern="even", rate=100, accept="20 ms")
    assert asked.load == pytest.approx(2)
    assert "No backlog is enough" in told(answer(asked, here))


def test_too_large_is_harmful():
    # Whoever waits longer than half a second is gone; the server then answers nobody in time.
    asked = question(
        pattern="outage of 1 s",
        rate=40,
        number=60,
        accept="50 ms",
        patience=SECOND // 2,
        targets=(target_of("served > 10 %"),),
    )
    assert "more than 10 is harmful" in told(answer(asked, here)).lower()


def test_a_pause_takes_its_share_of_the_time():
    asked = question(pattern="even", rate=100, accept="8 ms", pauses=(pause_of("500 ms every 1 s"),))
    assert asked.load == pytest.approx(1.6)
    assert "pause of 500 ms each 1 s" in " ".join(asked.words)


@pytest.mark.parametrize("more", [{"somaxconn": 0}, {"seeds": 0}])
def test_what_cannot_be_asked(more):
    with pytest.raises(QuestionError):
        question(**more)


def test_the_question_is_a_scenario():
    asked = question()
    assert from_document(asked.document()) == from_document(
        __import__("tomllib").loads(toml_of(asked.document()))
    )


def test_a_picture_and_data():
    advice = answer(question(number=8), here)
    picture = advice_picture(advice)
    assert "a backlog of 7 meets it" in picture.title
    assert advice.data()["backlog"] == 7
    assert {each["backlog"] for each in advice.data()["tried"]} >= {6, 7}


def test_connect_alone_deceives():
    # With SYN cookies all twelve say at once that they are connected, and one is.
    advice = answer(question(number=12, patience=None, targets=(target_of("p99 connect < 500 ms"),)), here)
    assert advice.backlog == 0
    assert advice.best.estimate("ListenOverflows").mean > 0
    assert "connect() is no measure here" in " ".join(told(advice).lower().split())


def test_a_backlog_that_its_first_seed_settles_runs_once():
    runs = []

    def counted(plan, numbers):
        for run in here(plan, numbers):
            runs.append(run)
            yield run

    asked = question(seeds=4, number=14, pattern="poisson", accept="9 ms")
    advice = answer(asked, counted)
    assert {len(each.met) for each in advice.tried if not each.good and each is not advice.below} == {1}
    assert {len(each.met) for each in (advice.below, *advice.tried[-2:])} == {4}
    assert len(runs) == sum(len(each.met) for each in advice.tried)
    # What the later seeds gave is what they give alone.
    (whole,) = sweep(asked.scenario(advice.backlog), {}, seeds=4, measure=["ListenOverflows"]).by_point()
    assert advice.best.values["ListenOverflows"] == whole[1]["ListenOverflows"]


def test_what_stands_beside_it():
    words = " ".join(told(answer(question(number=8), here)).split())
    assert "holds up to 8 half-open connections" in words
    assert "8 within a second, 8 at one moment" in words
