"""The tree that fragments are searched in: red-black, whatever is added, replaced and taken out."""

from random import Random

import pytest

from tcpemu.stack.base.sequence_numbers import add, before
from tcpemu.stack.connection.arriving import search_tree
from tcpemu.stack.records.received_data import Fragment, SearchTree

START = 0xFFFFFF80


def fragment(place):
    return Fragment(add(START, place), add(START, place + 1), b"x", False, 100, 0)


def black_height(node):
    """Of every way down the same; no red one has a red parent; parents are right."""
    if node is None:
        return 1
    for child in (node.left, node.right):
        assert child is None or (child.parent is node and not (node.red and child.red))
    left, right = black_height(node.left), black_height(node.right)
    assert left == right
    return left + (not node.red)


def in_order(node):
    return [] if node is None else [*in_order(node.left), node, *in_order(node.right)]


@pytest.mark.parametrize("seed", range(30))
def test_any_changes_leave_a_red_black_tree(seed):
    random, tree, kept = Random(seed), SearchTree(), {}
    for _ in range(400):
        place = random.randrange(120)
        if place not in kept:
            kept[place] = fragment(place)
            search_tree.note(tree, kept[place])
        elif random.random() < 0.3:
            new = fragment(place)
            new.replaces, kept[place] = kept[place], new
            search_tree.note(tree, new)
        else:
            search_tree.note(tree, kept.pop(place))
        if random.random() < 0.3:
            seq = add(START, random.randrange(120))
            met = search_tree.path(tree, seq)
            assert not any(before(seq, one.seq) for one in met)
            assert tree.root is None or not tree.root.red
            black_height(tree.root)
            assert in_order(tree.root) == [kept[place] for place in sorted(kept)]


def test_changes_do_not_pile_up():
    tree = SearchTree()
    for place in range(10_000):
        search_tree.note(tree, fragment(place))
    assert len(tree.changes) <= 4096


def test_the_shape_decides_which_of_two_is_met():
    """Added in order, the second of three is the root; added backwards too: the first lies below it."""
    tree, (one, two, three) = SearchTree(), [fragment(place) for place in (0, 10, 20)]
    for each in (one, two, three):
        search_tree.note(tree, each)
    assert search_tree.path(tree, add(START, 15)) == [two]
    assert search_tree.path(tree, add(START, 5)) == [one]
    assert search_tree.path(tree, add(START, 25)) == [two, three]
    search_tree.note(tree, two)
    assert search_tree.path(tree, add(START, 25)) == [three]


def test_nothing_is_met_once_all_is_gone():
    tree = SearchTree()
    search_tree.note(tree, fragment(0))
    assert search_tree.path(tree, add(START, 5))
    search_tree.clear(tree)
    assert search_tree.path(tree, add(START, 5)) == []
