"""Which fragments a new one is compared with, where several overlap it or touch it.

Linux keeps data beyond a hole in a red-black tree, and looks for the place of a segment from its root down: what it
meets on the way it compares, and what it does not meet it does not see. Where at most the nearest fragment is
concerned, the shape of the tree says nothing. Where more are, it decides which duplicate is reported, and what is
joined to what. So fragments are kept in a list, the changes of that list are written down, and the tree is grown from
these when somebody asks: hardly ever.

tcp_input.c: tcp_data_queue_ofo, Linux from 4.9 on; the tree is the usual one (lib/rbtree.c).
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import before
from tcpemu.stack.records.received_data import Fragment, SearchTree

_MOST_CHANGES = 4096
"""As many are written down before they are made, so that they do not pile up."""


def note(tree: SearchTree, fragment: Fragment) -> None:
    """Write down that a fragment was added; or, of one that was before, that it is gone."""
    tree.changes.append(fragment)
    if len(tree.changes) > _MOST_CHANGES:
        _catch_up(tree)


def clear(tree: SearchTree) -> None:
    """Nothing is kept any more."""
    tree.changes.clear()
    tree.root = None
    tree.tangled = False


def path(tree: SearchTree, seq: int) -> list[Fragment]:
    """What begins at that number or before and is met on the way to its place, in order of meeting."""
    _catch_up(tree)
    met = []
    node = tree.root
    while node is not None:
        if before(seq, node.seq):
            node = node.left
        else:
            met.append(node)
            node = node.right
    return met


def _catch_up(tree: SearchTree) -> None:
    """Make the changes that were written down."""
    for fragment in tree.changes:
        if fragment.linked:
            fragment.linked = False
            _erase(tree, fragment)
            continue
        fragment.linked = True
        old, fragment.replaces = fragment.replaces, None
        if old is None:
            _insert(tree, fragment)
        else:
            _take_place(tree, old, fragment)
    tree.changes.clear()


# --- adding ------------------------------------------------------------------------------------------


def _insert(tree: SearchTree, new: Fragment) -> None:
    parent, node = None, tree.root
    while node is not None:
        parent = node
        node = node.left if before(new.seq, node.seq) else node.right
    new.parent, new.left, new.right, new.red = parent, None, None, True
    if parent is None:
        tree.root = new
    elif before(new.seq, parent.seq):
        parent.left = new
    else:
        parent.right = new
    _balance_after_insert(tree, new)


def _balance_after_insert(tree: SearchTree, node: Fragment) -> None:
    """No red fragment has a red parent."""
    while True:
        parent = node.parent
        if parent is None:
            node.red = False
            return
        if not parent.red:
            return
        grandparent = parent.parent
        assert grandparent is not None
        on_left = parent is grandparent.left
        uncle = grandparent.right if on_left else grandparent.left
        if uncle is not None and uncle.red:
            parent.red = uncle.red = False
            grandparent.red = True
            node = grandparent
            continue
        if node is (parent.right if on_left else parent.left):
            _rotate(tree, parent, left=on_left)
            parent = node
        parent.red, grandparent.red = False, True
        _rotate(tree, grandparent, left=not on_left)
        return


def _rotate(tree: SearchTree, node: Fragment, *, left: bool) -> None:
    """Its right child takes its place, and it becomes the left one of that; or the other way round."""
    child = node.right if left else node.left
    assert child is not None
    inner = child.left if left else child.right
    if left:
        node.right, child.left = inner, node
    else:
        node.left, child.right = inner, node
    if inner is not None:
        inner.parent = node
    _put_below(tree, node.parent, node, child)
    node.parent = child


def _put_below(tree: SearchTree, parent: Fragment | None, old: Fragment, new: Fragment | None) -> None:
    """Below that parent, or at the root, `new` is where `old` was."""
    if parent is None:
        tree.root = new
    elif parent.left is old:
        parent.left = new
    else:
        parent.right = new
    if new is not None:
        new.parent = parent


def _take_place(tree: SearchTree, old: Fragment, new: Fragment) -> None:
    """A fragment that covers another one replaces it (rb_replace_node)."""
    old.linked = False
    new.left, new.right, new.red = old.left, old.right, old.red
    if new.left is not None:
        new.left.parent = new
    if new.right is not None:
        new.right.parent = new
    _put_below(tree, old.parent, old, new)


# --- taking out --------------------------------------------------------------------------------------


def _erase(tree: SearchTree, node: Fragment) -> None:
    """Its child takes its place, or the next fragment does if it has two."""
    parent = node.parent
    if node.left is None or node.right is None:
        child = node.right if node.left is None else node.left
        _put_below(tree, parent, node, child)
        if child is not None:
            child.red = node.red
        elif not node.red:
            _balance_after_erase(tree, parent)
        return
    following = node.right
    while following.left is not None:
        following = following.left
    orphan, lost_red = following.right, following.red
    if following is node.right:
        above = following
    else:
        assert following.parent is not None
        above = following.parent
        _put_below(tree, above, following, orphan)
        following.right = node.right
        node.right.parent = following
    following.left = node.left
    node.left.parent = following
    following.red = node.red
    _put_below(tree, parent, node, following)
    if orphan is not None:
        orphan.red = False
    elif not lost_red:
        _balance_after_erase(tree, above)


def _is_red(node: Fragment | None) -> bool:
    return node is not None and node.red


def _balance_after_erase(tree: SearchTree, parent: Fragment | None) -> None:
    """Below `parent` a black fragment is gone that had no child: all ways down have as many black ones again."""
    node: Fragment | None = None
    while parent is not None:
        on_left = node is parent.left
        sibling = parent.right if on_left else parent.left
        assert sibling is not None
        if sibling.red:
            sibling.red, parent.red = False, True
            _rotate(tree, parent, left=on_left)
            sibling = parent.right if on_left else parent.left
            assert sibling is not None
        near, far = (sibling.left, sibling.right) if on_left else (sibling.right, sibling.left)
        if not _is_red(far):
            if not _is_red(near):
                sibling.red = True
                if parent.red:
                    parent.red = False
                    return
                node, parent = parent, parent.parent
                continue
            assert near is not None
            near.red, sibling.red = False, True
            _rotate(tree, sibling, left=not on_left)
            sibling, far = near, sibling
        assert far is not None
        sibling.red, parent.red, far.red = parent.red, False, False
        _rotate(tree, parent, left=on_left)
        return
