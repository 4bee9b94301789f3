"""Which rules differ between kernels that were asked, and where that is said."""

import dataclasses
from itertools import pairwise

import pytest

from tcpemu.explain.catalogue.kernel_list import since_words
from tcpemu.explain.catalogue.rule_history import RULES, differing, new_in
from tcpemu.generations import GENERATIONS, generation
from tcpemu.stack.base.generation import ArrivalRules, Generation, SendingRules, WindowRules

ASKED = [name for name, kernel in GENERATIONS.items() if kernel.release]
NEIGHBOURS = [pair for pair in pairwise(GENERATIONS) if set(pair) <= set(ASKED)]


@pytest.mark.parametrize(("older", "newer"), NEIGHBOURS)
def test_neighbours_differ_in_some_rule_that_is_told(older, newer):
    before, rules = new_in(newer)
    assert before == older
    assert rules == list(differing(generation(older), generation(newer)))
    assert rules
    for rule, old, own in rules:
        assert f"{rule}: {own} (before: {old})" in since_words(newer)


@pytest.mark.parametrize("kind", [ArrivalRules, SendingRules, WindowRules])
def test_each_rule_of_a_connection_has_a_row(kind):
    """Change a field, and some row shows it."""
    plain = generation("linux-6.12")
    owner = next(
        field.name for field in dataclasses.fields(Generation) if isinstance(getattr(plain, field.name), kind)
    )
    for field in dataclasses.fields(kind):
        values = {getattr(getattr(kernel, owner), field.name) for kernel in GENERATIONS.values()}
        for value in values - {getattr(getattr(plain, owner), field.name)}:
            changed = dataclasses.replace(getattr(plain, owner), **{field.name: value})
            other = dataclasses.replace(plain, **{owner: changed})
            assert len(list(differing(plain, other))) == 1, field.name


def test_each_rule_has_a_name_of_its_own():
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_oldest_and_other_systems_have_none_before():
    assert new_in("linux-1.2") == new_in("freebsd-14") == ("", [])
