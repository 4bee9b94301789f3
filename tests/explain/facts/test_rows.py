"""From a record to rows: what belongs to which packet."""

from tcpemu.explain.facts.rows import CallRow, Evicted, ListenerQueues, PacketRow, TimerRow, rows_of
from tcpemu.network.record import PacketSeen, Point
from tcpemu.stack.base import reasons
from tcpemu.stack.base.states import State
from tests.explain.hand_made import CLIENT, MS, SECOND, SERVER, SYN_OPTIONS, Script, evictions, ignored_ack


def told(script):
    return rows_of(script.record)


def test_each_packet_is_one_row_at_the_time_it_was_sent():
    script = Script()
    script.handshake(10 * MS, 40001)
    rows = told(script)
    assert [type(row) for row in rows] == [PacketRow] * 3
    assert [(row.at // MS, row.arrived // MS) for row in rows] == [(10, 15), (15, 20), (20, 25)]
    assert [(row.sender, row.receiver) for row in rows] == [
        ("client", "server"),
        ("server", "client"),
        ("client", "server"),
    ]
    assert [(row.relative.seq, row.relative.ack) for row in rows] == [(0, None), (0, 1), (1, 1)]


def test_changes_of_state_stand_where_they_were_caused():
    script = Script()
    script.handshake(0, 40001)
    syn, syn_ack, ack = told(script)
    assert (syn.sender_change.new, syn.receiver_change.new) == (State.SYN_SENT, State.SYN_RECV)
    assert (syn_ack.sender_change, syn_ack.receiver_change.new) == (None, State.ESTABLISHED)
    assert (ack.sender_change, ack.receiver_change.new) == (None, State.ESTABLISHED)


def test_queues_are_those_after_the_arrival():
    script = Script()
    script.listens(backlog=5)
    script.handshake(0, 40001)
    _, syn, _, ack = told(script)
    assert syn.queues == ListenerQueues("server", 80, 0, 1, 5)
    assert ack.queues == ListenerQueues("server", 80, 1, 0, 5)
    assert syn.queues_changed
    assert ack.queues_changed


def test_two_packets_at_one_moment_keep_their_own_events():
    script = Script()
    script.listens(backlog=0)
    first = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    second = script.client_sends(0, 40002, "S", reason=reasons.SENT_SYN)
    script.arrives(5 * MS, "server", first, reasons.SYN_QUEUED)
    script.queue(5 * MS, 0, 1, 0, packet=first)
    script.arrives(5 * MS, "server", second, reasons.SYN_QUEUE_FULL)
    script.counts(5 * MS, "server", second, "ListenDrops")
    _, queued, dropped = told(script)
    assert queued.verdict.reason is reasons.SYN_QUEUED
    assert queued.counted == ()
    assert dropped.verdict.reason is reasons.SYN_QUEUE_FULL
    assert dropped.counted == (("ListenDrops", 1),)
    assert (queued.queues_changed, dropped.queues_changed) == (True, False)


def test_a_repeat_knows_how_long_ago_the_last_one_was():
    script = Script()
    script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    script.client_sends(1000 * MS, 40001, "S", reason=reasons.SENT_SYN_AGAIN, repeat=1)
    script.client_sends(3000 * MS, 40001, "S", reason=reasons.SENT_SYN_AGAIN, repeat=2)
    assert [row.since_last for row in told(script)] == [None, 1000 * MS, 2000 * MS]


def test_a_lost_packet_says_how_and_has_no_arrival():
    script = Script()
    number = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    script.lost(0, "client", number, "lost by chance (10 %)")
    (row,) = told(script)
    assert (row.lost, row.arrived, row.receiver) == ("lost by chance (10 %)", None, None)


def test_a_copy_that_a_link_made_is_a_row_of_its_own():
    script = Script()
    number = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    script.arrives(5 * MS, "server", number, reasons.SYN_QUEUED)
    script.copy_arrives(7 * MS, "server", number)
    original, repeated = told(script)
    assert (original.copy_of, repeated.copy_of) == (None, number)
    assert (repeated.at, repeated.sender, repeated.receiver) == (7 * MS, "client", "server")


def test_a_timer_that_sends_nothing_is_a_row():
    script = Script()
    script.listens(backlog=1)
    script.timer(63_000 * MS, 40001, reasons.REQUEST_EXPIRED)
    script.server_state(63_000 * MS, 40001, State.SYN_RECV, State.CLOSE)
    script.queue(63_000 * MS, 0, 0)
    *_, row = told(script)
    assert isinstance(row, TimerRow)
    assert row.reason is reasons.REQUEST_EXPIRED
    assert row.change.new is State.CLOSE
    assert row.flow == (CLIENT, 40001, SERVER, 80)
    assert row.queues.syn == 0


def test_a_timer_that_sends_is_told_with_its_packet():
    script = Script()
    script.timer(1000 * MS, 40001, reasons.SENT_SYN_ACK_AGAIN)
    script.server_sends(
        1000 * MS, 40001, "SA", 0, 1, options=SYN_OPTIONS, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1
    )
    assert [type(row) for row in told(script)] == [PacketRow]


def test_calls_that_packets_show_are_left_out_and_failures_are_not():
    script = Script()
    script.call(0, "client", "connect(10.0.0.1:80)", "waits")
    script.call(0, "client", "recv(100)", "100 octets")
    script.call(0, "client", "recv(100)", "ECONNRESET")
    script.call(0, "client", "ends", "ECONNRESET")
    script.call(0, "server", "accept()", "waits")
    script.call(0, "server", "accept()", "10.0.0.2:40001")
    script.call(0, "server", "close()")
    calls = [(row.text, row.result) for row in told(script) if isinstance(row, CallRow)]
    assert calls == [("recv(100)", "ECONNRESET"), ("accept()", "10.0.0.2:40001"), ("close()", "")]


def test_a_send_is_told_only_where_nothing_goes_out():
    script = Script()
    script.call(0, "client", "send(5 octets)")
    script.client_sends(0, 40001, "PA", 1, 1, payload=b"hello", reason=reasons.SENT_DATA)
    script.call(9 * MS, "client", "send(7 octets)")
    calls = [row.text for row in told(script) if isinstance(row, CallRow)]
    assert calls == ["send(7 octets)"]


def test_both_ends_of_an_ignored_ack_disagree():
    rows = [row for row in rows_of(ignored_ack()) if isinstance(row, PacketRow)]
    ignored = next(row for row in rows if row.verdict and row.verdict.reason is reasons.ACCEPT_QUEUE_FULL)
    assert (ignored.sender_state, ignored.receiver_state) == (State.ESTABLISHED, State.SYN_RECV)


def test_an_answer_knows_what_it_answers():
    *_, reset = [row for row in rows_of(ignored_ack()) if isinstance(row, PacketRow)]
    assert reset.sent_because.reason is reasons.LISTENER_ACK


def test_who_is_thrown_out_stands_with_the_packet_that_did_it():
    rows = [row for row in rows_of(evictions(40002, 40001, 40003)) if isinstance(row, PacketRow)]
    assert [row.evicted for row in rows[:4]] == [None] * 4
    gone = [row.evicted for row in rows[4:]]
    assert gone[0] == Evicted(
        (CLIENT, 40002, SERVER, 80), "client:40002", SECOND - 10 * MS, False, reasons.REQUEST_EVICTED
    )
    assert [(each.client, each.waited / MS, each.oldest) for each in gone[1:]] == [
        ("client:40001", 2000, True),
        ("client:40003", 2000, True),
    ]
    assert [row.receiver_change.new for row in rows[4:]] == [
        State.SYN_RECV
    ] * 3  # and not that of the other one


def test_of_a_host_with_several_addresses_the_one_is_named():
    script = Script()
    script.listens()
    script.syn(0, 40001)
    other = script.record.number()
    segment = script.segment_of(1)._replace(src=bytes([10, 0, 0, 9]))
    script.record.add(PacketSeen(10 * MS, "client", Point.SENT, other, segment))
    script.arrives(15 * MS, "server", other, reasons.SYN_QUEUED)
    script.throws_out(15 * MS, 40001, other)
    assert told(script)[-1].evicted.client == "client (10.0.0.2:40001)"
