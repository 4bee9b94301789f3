"""Where a fragment beyond a hole is put, and what it is compared with: as a search tree that is always there finds."""

from random import Random

import pytest

from tcpemu.stack.base import reasons
from tcpemu.stack.base.sequence_numbers import add, after, before
from tcpemu.stack.connection.arriving import out_of_order, search_tree
from tcpemu.stack.connection.sending import duplicate_reports
from tcpemu.stack.records.received_data import Fragment, SearchTree
from tcpemu.testing.bench import SACK, established

NEXT = 0xFFFFFFF0


def connection():
    """One that reports duplicates, at the number where these fragments begin."""
    (conn,) = established(opts=SACK).host.tables.host.flows.values()
    conn.rcv.nxt = NEXT
    return conn


def told(conn):
    """What has been said since the last time: counters, and the duplicate that the next ACK reports."""
    counters, report = dict(conn.host.counters), conn.rcv.dsack
    conn.host.counters.clear()
    return counters, report


def walk(conn, kept, tree, new):
    """The rule, down the tree from its root: covered, touching, overlapping."""
    if kept and new.seq == kept[-1].end and out_of_order._joins(conn, kept[-1], new):
        return reasons.DATA_AHEAD
    for old in search_tree.path(tree, new.seq) if kept and before(new.seq, kept[-1].end) else ():
        if not before(new.seq, old.end):
            if new.seq == old.end and out_of_order._joins(conn, old, new):
                return reasons.DATA_AHEAD
        elif not after(new.end, old.end):
            conn.host.count("TCPOFOMerge")
            duplicate_reports.report_duplicate(conn, new.seq, new.end)
            new.memory = 0
            return reasons.DATA_OLD
        elif new.seq == old.seq:
            out_of_order._replace(conn, kept, tree, old, new)
            return reasons.DATA_AHEAD
        else:
            duplicate_reports.report_duplicate(conn, new.seq, old.end)
    place = sum(not before(new.seq, old.seq) for old in kept)
    out_of_order._add(kept, tree, place, new)
    out_of_order._drop_covered(conn, kept, tree, place)
    return reasons.DATA_AHEAD


def arrivals(random):
    """Fragments near where numbers wrap; some have room for what follows them."""
    for _ in range(random.randrange(1, 24)):
        seq, size = add(NEXT, random.randrange(1, 90)), random.randrange(1, 25)
        yield (
            seq,
            add(seq, size),
            bytes(size),
            random.random() < 0.1,
            size + 100,
            random.choice((0, 0, 10, 60)),
        )


@pytest.mark.parametrize("seed", range(20))
def test_a_fragment_gets_the_place_that_the_way_down_the_tree_finds(seed):
    random = Random(seed)
    conn = connection()
    for _ in range(60):
        given = list(arrivals(random))
        found = []
        for insert in (walk, out_of_order._insert):
            kept, tree = [], SearchTree()
            conn.rcv.rmem, conn.rcv.dsack = 0, None
            told(conn)
            steps = [(insert(conn, kept, tree, Fragment(*each)), told(conn)) for each in given]
            fragments = [
                (each.seq, each.end, each.payload, each.fin, each.memory, each.room) for each in kept
            ]
            found.append((steps, fragments, conn.rcv.rmem))
        assert found[0] == found[1], given
