"""Where a fragment beyond a hole is put: the same place as a walk from the first one to the last finds."""

from random import Random

import pytest

from tcpemu.stack.base import reasons
from tcpemu.stack.base.sequence_numbers import add, after, before
from tcpemu.stack.connection.arriving import out_of_order
from tcpemu.stack.records.connection import Receiving
from tcpemu.stack.records.received_data import Fragment

NEXT = 0xFFFFFFF0


class Reports:
    """A connection that notes what it is told, in place of counters and of duplicates to report."""

    def __init__(self):
        self.host = self
        self.rcv = Receiving(100_000, nxt=NEXT)
        self.told = []

    def count(self, name):
        self.told.append(name)

    def report_duplicate(self, _, seq, end):
        self.told.append(("duplicate", seq, end))

    def extend_duplicate(self, _, seq, end):
        self.told.append(("more of it", seq, end))


def walk(conn, kept, new):
    """The rule, one after the other: covered, touching, overlapping."""
    if any(not before(new.seq, old.seq) and not after(new.end, old.end) for old in kept):
        conn.count("TCPOFOMerge")
        conn.report_duplicate(conn, new.seq, new.end)
        return reasons.DATA_OLD
    place = 0
    for index, old in enumerate(kept):
        if before(new.seq, old.seq):
            break
        place = index + 1
        if not before(new.seq, old.end):
            if new.seq == old.end and out_of_order._joins(conn, old, new):
                return reasons.DATA_AHEAD
        elif new.seq == old.seq:
            place = index
            break
        else:
            conn.report_duplicate(conn, new.seq, old.end)
    kept.insert(place, new)
    conn.rcv.rmem += new.memory
    out_of_order._drop_covered(conn, kept, place)
    return reasons.DATA_AHEAD


def arrivals(random):
    """Fragments near where numbers wrap; some have room for what follows them."""
    for _ in range(random.randrange(1, 14)):
        seq, size = add(NEXT, random.randrange(1, 60)), random.randrange(1, 25)
        yield (
            seq,
            add(seq, size),
            bytes(size),
            random.random() < 0.1,
            size + 100,
            random.choice((0, 0, 10, 60)),
        )


@pytest.mark.parametrize("seed", range(20))
def test_a_fragment_gets_the_place_that_a_walk_finds(monkeypatch, seed):
    random = Random(seed)
    for _ in range(100):
        given = list(arrivals(random))
        found = []
        for insert in (walk, out_of_order._insert):
            conn, kept = Reports(), []
            monkeypatch.setattr(out_of_order, "duplicate_reports", conn)
            given_back = [insert(conn, kept, Fragment(*each)) for each in given]
            fragments = [(each.seq, each.end, each.payload, each.fin, each.room) for each in kept]
            found.append((given_back, fragments, conn.rcv.rmem, conn.told))
        assert found[0] == found[1], given
