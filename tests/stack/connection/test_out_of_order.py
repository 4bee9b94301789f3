"""Where a fragment beyond a hole is put: the same place as a walk from the first one to the last finds."""

from random import Random

import pytest

from tcpemu.stack.base import reasons
from tcpemu.stack.base.sequence_numbers import add, after, before
from tcpemu.stack.connection.arriving import out_of_order
from tcpemu.stack.connection.sending import duplicate_reports
from tcpemu.stack.records.received_data import Fragment
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


def walk(conn, kept, new):
    """The rule, one after the other: covered, touching, overlapping."""
    if any(not before(new.seq, old.seq) and not after(new.end, old.end) for old in kept):
        conn.host.count("TCPOFOMerge")
        duplicate_reports.report_duplicate(conn, new.seq, new.end)
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
            duplicate_reports.report_duplicate(conn, new.seq, old.end)
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
def test_a_fragment_gets_the_place_that_a_walk_finds(seed):
    random = Random(seed)
    conn = connection()
    for _ in range(100):
        given = list(arrivals(random))
        found = []
        for insert in (walk, out_of_order._insert):
            kept = []
            conn.rcv.rmem, conn.rcv.dsack, conn.rcv.tangled = 0, None, False
            told(conn)
            steps = [(insert(conn, kept, Fragment(*each)), told(conn)) for each in given]
            fragments = [(each.seq, each.end, each.payload, each.fin, each.room) for each in kept]
            found.append((steps, fragments, conn.rcv.rmem))
        assert found[0] == found[1], given
