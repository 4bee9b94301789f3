"""What is folded, and what never is."""

from tcpemu.explain.facts.rows import CallRow, rows_of
from tcpemu.explain.ladder.fold import FEW, FINE, KEPT, MOST_TROUBLES, SHORTEST, WHOLE, Fold, folded, row_kind
from tcpemu.network.record import NO_HOST, PacketSeen, Point
from tcpemu.stack.base import reasons
from tcpemu.wire.segment import address
from tests.explain.hand_made import MS, Script, evictions


def flood(count, *, lone_every=0):
    """SYNs that are dropped; now and then one from another host."""
    script = Script()
    for number in range(count):
        syn = script.client_sends(number * MS, 40000 + number, "S", reason=reasons.SENT_SYN)
        script.arrives(number * MS, "server", syn, reasons.SYN_QUEUE_FULL)
        if lone_every and number % lone_every == 0:
            other = script.segment_of(syn)._replace(src=address("10.0.0.9"), sport=9)
            script.record.add(PacketSeen(number * MS, "lone", Point.SENT, script.record.number(), other))
            script.record.add(
                PacketSeen(number * MS, "server", Point.RECEIVED, script.record._numbers, other)
            )
    return rows_of(script.record)


def test_few_rows_are_all_shown():
    rows = flood(WHOLE)
    assert folded(rows) == rows


def test_more_rows_keep_the_first_of_a_kind():
    first, second, third, fold = folded(flood(WHOLE + 1))
    assert [row.segment.sport for row in (first, second, third)] == [40000, 40001, 40002]
    assert isinstance(fold, Fold)
    assert (fold.at, fold.until, fold.count) == (3 * MS, 60 * MS, WHOLE + 1 - KEPT)
    assert fold.tally == (("SYN", WHOLE + 1 - KEPT),)


def test_a_lone_client_in_a_crowd_is_never_folded():
    rows = flood(1000, lone_every=40)
    lone = [row for row in folded(rows) if not isinstance(row, Fold) and row.sender == "lone"]
    assert len(lone) == 25 < FEW


def test_nothing_is_lost_in_a_fold():
    rows = flood(1000, lone_every=10)
    shown = folded(rows)
    assert sum(row.count if isinstance(row, Fold) else 1 for row in shown) == len(rows)


def test_a_new_kind_of_row_interrupts_a_fold():
    script = Script()
    for number in range(100):
        syn = script.client_sends(number * MS, 40000 + number, "S", reason=reasons.SENT_SYN)
        verdict = reasons.ACCEPT_QUEUE_FULL_SYN if number == 50 else reasons.SYN_QUEUE_FULL
        script.arrives(number * MS, "server", syn, verdict)
    shown = [
        row.count if isinstance(row, Fold) else row.segment.sport for row in folded(rows_of(script.record))
    ]
    assert shown == [40000, 40001, 40002, 47, 40050, 49]


def repeats(clients):
    script = Script()
    for repeat in range(1, 4):
        for number in range(clients):
            sent = script.client_sends(
                (repeat * 1000 + number) * MS,
                40000 + number,
                "S",
                reason=reasons.SENT_SYN_AGAIN,
                repeat=repeat,
            )
            script.arrives((repeat * 1000 + number) * MS, "server", sent, reasons.SYN_QUEUE_FULL)
    return folded(rows_of(script.record))


def test_each_repeat_is_a_kind_of_its_own_until_there_are_very_many():
    some = [row.sent.repeat for row in repeats(FINE // 3) if not isinstance(row, Fold)]
    assert some == [1] * KEPT + [2] * KEPT + [3] * KEPT
    many = [row.sent.repeat for row in repeats(FINE) if not isinstance(row, Fold)]
    assert many == [1] * KEPT


def test_kinds_in_a_word():
    script = Script()
    script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN_AGAIN, repeat=1)
    lost = script.client_sends(0, 40001, "FA", 1, 1)
    script.lost(0, "client", lost, "lost by chance (1 %)")
    assert [row_kind(row) for row in rows_of(script.record)] == ["SYN again", "FIN|ACK lost"]
    assert row_kind(CallRow(0, "a", "a", "accept()", "10.0.0.2:1")) == "accept()"


def test_a_syn_that_throws_another_out_is_a_kind_of_its_own():
    rows = rows_of(evictions(*range(40001, 40001 + WHOLE)))
    assert [row_kind(row) for row in rows[1:6]] == ["SYN", "SYN|ACK", "SYN", "SYN|ACK", "SYN that evicts"]
    *_, fold = folded(rows)
    assert fold.tally == (("SYN that evicts", WHOLE - KEPT),)


def test_a_copy_that_a_link_made_is_a_kind_of_its_own():
    """The SYNs are bare ones, of which nobody says why they were sent, as nobody does of a copy."""
    script = Script()
    for number in range(WHOLE):
        syn = script.client_sends(number * MS, 40000 + number, "S")
        script.arrives(number * MS, "server", syn, reasons.SYN_QUEUE_FULL)
    script.copy_arrives(WHOLE * MS, "server", 1, reasons.SYN_QUEUE_FULL)
    *_, fold, copy = folded(rows_of(script.record))
    assert (fold.count, copy.copy_of) == (WHOLE - KEPT, 1)


def test_two_hosts_that_exchange_few_packets_are_lone_up_to_a_number():
    for alone in (FEW, FEW + 1):
        rows = flood(FEW * 4, lone_every=4)
        lone = [row for row in rows if row.sender == "lone"]
        rows += [lone[0]] * (alone - len(lone))
        shown = [row for row in folded(rows) if not isinstance(row, Fold) and row.sender == "lone"]
        assert len(shown) == (FEW if alone == FEW else KEPT)


def test_calls_are_folded_though_few_and_only_if_that_makes_it_shorter():
    script = Script()
    for number in range(KEPT + SHORTEST):
        script.call(number * MS, "server", "accept()", "10.0.0.2:1")
    rows = rows_of(script.record)
    assert folded(rows[:-1], whole=0) == rows[:-1]
    *shown, fold = folded(rows, whole=0)
    assert (shown, fold.count) == (rows[:KEPT], SHORTEST)


def alternating(*, lost):
    """More SYNs and FINs in turn than there may be between two hosts that are never folded."""
    script = Script()
    for number in range(MOST_TROUBLES // 2 + 1):
        for flags in ("S", "FA"):
            packet = script.client_sends(number * MS, 40000 + number, flags)
            if lost:
                script.lost(number * MS, "client", packet, "lost by chance (1 %)")
    return [row for row in folded(rows_of(script.record), whole=0) if not isinstance(row, Fold)]


def test_packets_still_on_their_way_are_all_alike_and_lost_ones_are_not():
    assert len(alternating(lost=False)) == KEPT
    assert len(alternating(lost=True)) == 2 * KEPT


def transfer(losses):
    """Data of one connection, of which so many segments are lost and sent again."""
    script = Script()
    for number in range(WHOLE + 2 * losses):
        lost = number % 2 == 0 and number < 2 * losses
        sent = script.client_sends(number * MS, 40001, "A", 1 + number, 1, reason=reasons.SENT_DATA)
        if lost:
            script.lost(number * MS, "client", sent, "lost by chance (1 %)")
            sent = script.client_sends(
                number * MS, 40001, "A", 1 + number, 1, reason=reasons.SENT_SYN_AGAIN, repeat=1
            )
        script.arrives((number + 5) * MS, "server", sent)
    return rows_of(script.record)


def test_losses_and_repeats_are_never_folded():
    rows = transfer(MOST_TROUBLES // 2)
    shown = [row for row in folded(rows) if not isinstance(row, Fold)]
    assert sum(bool(row.lost) for row in shown) == MOST_TROUBLES // 2
    assert sum(bool(row.sent and row.sent.repeat) for row in shown) == MOST_TROUBLES // 2
    assert len(shown) < len(rows)


def test_of_very_many_losses_the_fold_names_them_first():
    folds = [row for row in folded(transfer(MOST_TROUBLES)) if isinstance(row, Fold)]
    assert [kind for kind, _ in folds[0].tally] == ["ACK lost", "ACK again", "ACK"]


def test_what_goes_to_nobody_is_folded_as_the_flood_that_it_answers():
    script = Script()
    for number in range(2 * FEW + 1):
        answer = script.server_sends(number * MS, 40000 + number, "SA", 0, 1)
        script.lost(number * MS, "server", answer, NO_HOST)
    *shown, fold = folded(rows_of(script.record))
    assert (len(shown), fold.tally) == (KEPT, (("SYN|ACK to nobody", 2 * FEW + 1 - KEPT),))
