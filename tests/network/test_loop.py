"""The loop: what is due next, and in which order."""

import tracemalloc
from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from tcpemu.network.loop import Loop

TIMES = st.lists(st.integers(0, 5), max_size=6).map(sorted)


def done(loop: Loop, kinds, *, ahead: bool) -> list[tuple[int, str]]:
    """What is done and when: each kind at its times, and once more half a second later by who was asked first."""
    seen: list[tuple[int, str]] = []

    def act(name: str) -> None:
        seen.append((loop.now, name))
        if not name.endswith("again"):
            loop.at(loop.now + 1, act, f"{name} again")

    for name, times in kinds:
        if ahead:
            for at in times:
                loop.at(at, act, name)
        else:
            loop.in_order(iter(times), lambda name=name: act(name))
        loop.at(3, act, f"beside {name} again")
    loop.run(10)
    return seen


@given(st.lists(TIMES, max_size=4))
def test_asked_for_in_order_is_as_asked_for_one_by_one(lists):
    kinds = [(f"n{number}", times) for number, times in enumerate(lists)]
    assert done(Loop(), kinds, ahead=False) == done(Loop(), kinds, ahead=True)


def test_a_time_that_has_passed_is_now():
    loop = Loop()
    loop.run(5)
    seen: list[int] = []
    loop.in_order(iter([1, 2, 7]), lambda: seen.append(loop.now))
    loop.run(10)
    assert seen == [5, 5, 7]


def test_a_million_take_no_room():
    loop = Loop()
    tracemalloc.start()
    try:
        loop.in_order(repeat(1, 1_000_000), lambda: None)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
