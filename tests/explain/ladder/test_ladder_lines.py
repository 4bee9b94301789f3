"""Ladders as they are printed."""

import re

import pytest

from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import ansi, lines_text, plain
from tcpemu.network.record import PacketSeen, Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base import reasons
from tcpemu.wire.segment import address
from tests.explain.hand_made import MS, SYN_OPTIONS, Script, evictions, ignored_ack

TWO_SENDERS = {
    "title": "Two senders",
    "duration": "5 s",
    "link": {"rate": "2 Mbit/s", "delay": "20 ms"},
    "server": {"then": "read_to_end", "accept": {"limit": 2}},
    "clients": [{"name": name, "do": ["connect", {"send": 200000}, "close"]} for name in ("a", "b")],
}
HEADING = Heading("ignored-ack: nobody hears the last ACK", "the second client", ("linux-6.18", "seed 1"))


def drawn(record, heading=None, width=100, **more):
    return lines_text(ladder_lines(record, heading, width, **more))


def test_the_ignored_ack_tells_its_story():
    assert (
        drawn(ignored_ack(), HEADING)
        == """\
ignored-ack: nobody hears the last ACK
Look at: the second client
linux-6.18 · seed 1
Each line shows when a packet is sent. It arrives 5 ms later; the receiver's state and queues are
those on arrival. accept 1/0: 1 connection waits for accept(), the backlog is 0; syn: half-open ones
wait for the final ACK. This kernel admits one more than the backlog.

time (s)  client 10.0.0.2                                    server 10.0.0.1:80
   0.000                                                  listen(80, backlog 0)  accept 0/0  syn 0/0
   0.010  :40001 SYN-SENT ─ SYN seq 0 win 64240 ─────────────────────▶ SYN-RECV  accept 0/0  syn 1/0
          └ options: mss 1460, window scale 10
   0.015  :40001 ESTAB    ◀─ SYN|ACK seq 0 ack 1 win 65160 ───────────
          └ options: mss 1460, window scale 10
   0.020  :40001          ─ ACK seq 1 ack 1 win 64512 ───────────────▶ ESTAB     accept 1/0  syn 0/0
   0.100  :40002 SYN-SENT ─ SYN seq 0 win 64240 ─────────────────────▶ SYN-RECV  accept 1/0  syn 1/0
   0.105  :40002 ESTAB    ◀─ SYN|ACK seq 0 ack 1 win 65160 ───────────
   0.110  :40002          ─ ACK seq 1 ack 1 win 64512 ───────────────▶ ignored   accept 1/0  syn 1/0
          └ server: the accept queue is full (1 wait, backlog 0), so the final ACK is ignored; the
            request stays and its SYN|ACK will be sent again
            [tcp_minisocks.c: tcp_check_req; ListenOverflows +1, ListenDrops +1]
          └ the two ends disagree: client says ESTABLISHED, server says SYN-RECV

   1.105  :40002          ◀─ SYN|ACK seq 0 ack 1 win 65160 ───────────           accept 1/0  syn 1/0
          └ sent again after 1 s (1st repeat): no final ACK has completed the handshake in time
            [inet_connection_sock.c: reqsk_timer_handler]
          └ client: a repeated SYN|ACK reaches an open connection: challenge ACK
            [tcp_input.c: tcp_validate_incoming]
   1.110  :40002          ─ ACK seq 1 ack 1 win 64512 ───────────────▶ ignored   accept 1/0  syn 1/0
          └ server: the accept queue is full (1 wait, backlog 0), so the final ACK is ignored

   3.105                                     timer of :40002: SYN-RECV → closed  accept 1/0  syn 0/0
          └ server: the SYN|ACK was sent as often as allowed: the half-open connection is removed,
            and nothing is sent [inet_connection_sock.c: reqsk_timer_handler]

   4.000  :40002          ─ PSH|ACK seq 1 ack 1 len 5 win 64512 ─────▶           accept 1/0  syn 0/0
          └ server: an ACK for a connection that the listener does not know is answered with a RST;
            the half-open connection that was there is gone since 3.105 s
            [tcp_input.c: tcp_rcv_state_process]
   4.005  :40002 closed   ◀─ RST seq 1 ───────────────────────────────
          └ client: the peer resets the connection [tcp_input.c: tcp_validate_incoming]
   4.010  client: recv(100) → ECONNRESET
"""
    )


def test_the_example_of_the_legend_is_the_longest_accept_queue_that_is_shown():
    (result,) = build.run_all(load_scenario.load("ignored-ack"))
    lines = drawn(result.record)
    assert "accept 2/1: 2 connections wait for accept(), the backlog" in lines
    assert "accept 2/1  syn" in lines
    script = Script()
    script.listens(backlog=5)
    assert "accept 0/5: no connection waits for accept(), the backlog is 5;" in drawn(script.record)


def test_eighty_columns_show_the_queues_by_numbers_alone():
    assert drawn(ignored_ack(), width=80).splitlines()[5:14] == [
        "time (s)  client 10.0.0.2                         server 10.0.0.1:80  accept syn",
        "   0.000                                       listen(80, backlog 0)  0/0    0/0",
        "   0.010  :40001 SYN-SENT ─ SYN seq 0 win 64240 ──────────▶ SYN-RECV  0/0    1/0",
        "          └ options: mss 1460, window scale 10",
        "   0.015  :40001 ESTAB    ◀─ SYN|ACK seq 0 ack 1 ──────────",
        "          └ options: mss 1460, window scale 10",
        "   0.020  :40001          ─ ACK seq 1 ack 1 win 64512 ────▶ ESTAB     1/0    0/0",
        "   0.100  :40002 SYN-SENT ─ SYN seq 0 win 64240 ──────────▶ SYN-RECV  1/0    1/0",
        "   0.105  :40002 ESTAB    ◀─ SYN|ACK seq 0 ack 1 ──────────",
    ]


def test_the_queues_on_a_line_are_those_of_the_arrival():
    """As the legend says, and not those of the time shown."""
    record = ignored_ack()
    assert "the receiver's state and queues are those on arrival" in " ".join(drawn(record).split())
    (line,) = [line for line in drawn(record).splitlines() if line.startswith("   0.100  :40002")]
    assert line.endswith("accept 1/0  syn 1/0")
    lengths = {length.at: (length.accept, length.syn) for length in record.queue_lengths("server", 80)}
    assert [lengths[at] for at in sorted(lengths) if at <= 100 * MS][-1] == (1, 0)
    assert lengths[105 * MS] == (1, 1)


@pytest.mark.parametrize("width", [80, 90, 100, 140])
def test_no_line_is_longer_than_the_width(width):
    assert max(len(plain(line)) for line in ladder_lines(ignored_ack(), HEADING, width)) <= width


def test_lost_packets_break_off_on_either_side():
    script = Script()
    syn = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    script.lost(0, "client", syn, "dropped by rule: the 1st SYN")
    again = script.client_sends(1000 * MS, 40001, "S", reason=reasons.SENT_SYN_AGAIN, repeat=1)
    script.arrives(1005 * MS, "server", again, reasons.SYN_QUEUED)
    answer = script.server_sends(1005 * MS, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK)
    script.lost(1005 * MS, "server", answer, "lost by chance (10 %)")
    assert (
        drawn(script.record, width=80)
        == """\
Each line shows when a packet is sent. It arrives 5 ms later; the receiver's
state and queues are those on arrival.

time (s)  client 10.0.0.2                                     server 10.0.0.1:80
   0.000  :40001 ─ SYN seq 0 win 64240 ───✗
          └ lost on the way: dropped by rule: the 1st SYN

   1.000  :40001 ─ SYN seq 0 win 64240 ────────────────────────────────────────▶
          └ sent again after 1 s (1st repeat): retransmission time-out (RTO): no
            answer to the SYN [tcp_timer.c: tcp_retransmit_timer]
   1.005  :40001                            ✗─── SYN|ACK seq 0 ack 1 win 65160 ─
          └ lost by chance (10 %)
"""
    )


def test_a_packet_that_takes_longer_than_the_others_says_so():
    script = Script()
    for number in range(3):
        sent = script.client_sends(number * MS, 40001, "A", 1, 1)
        script.arrives((number + 5) * MS, "server", sent)
    late = script.client_sends(3 * MS, 40001, "A", 1, 1)
    script.arrives(60 * MS, "server", late)
    lines = drawn(script.record).splitlines()
    assert lines[0].startswith(
        "Each line shows when a packet is sent. It arrives 5 ms later, or after the time"
    )
    assert "(+57 ms)" in " ".join(lines[:2])
    assert [("+57 ms" in line) for line in lines[-4:]] == [False, False, False, True]


def test_one_delay_is_claimed_only_of_the_ways_that_have_it():
    script = Script()
    for number, took in enumerate((21, 22, 23, 24)):
        sent = script.client_sends(number * MS, 40001, "A", 1 + 100 * number, 1, payload=b"x" * 100)
        script.arrives((number + took) * MS, "server", sent)
        answer = script.server_sends((number + took) * MS, 40001, "A", 1, 101 + 100 * number)
        script.arrives((number + took + 20) * MS, "client", answer)
    lines = drawn(script.record).splitlines()
    legend = " ".join(lines[: lines.index("")])
    assert legend == (
        "Each line shows when a packet is sent. It arrives later (20 ms from server to client), or after the "
        "time that it carries (+24 ms); the receiver's state and queues are those on arrival."
    )
    carried = [line.split(" +")[1].split("─")[0].strip() for line in lines if " +" in line and "seq" in line]
    assert carried == ["21 ms", "22 ms", "23 ms", "24 ms"]


def test_a_head_without_a_usual_delay_claims_none():
    script = Script()
    for number, took in enumerate((21, 22, 23)):
        sent = script.client_sends(number * MS, 40001, "A", 1, 1)
        script.arrives((number + took) * MS, "server", sent)
    assert drawn(script.record).startswith(
        "Each line shows when a packet is sent. It arrives after the time that it carries (+23 ms); "
    )


@pytest.mark.parametrize("width", [80, 100])
def test_the_window_gives_way_first_and_a_packets_own_delay_never(width):
    (result,) = build.run_all(load_scenario.from_document(TWO_SENDERS))
    lines = lines_text(ladder_lines(result.record, width=width, whole=10**6)).splitlines()
    data = [line for line in lines if " len 1448 " in line and "▶" in line]
    assert len(data) > 20
    assert all(re.search(r" \+\d[\d.]* ms ─", line) for line in data)
    assert width == 80 or all("seq " in line for line in data)
    assert not any(" win " in line and " ack " not in line for line in data)


def test_hosts_are_told_by_name_where_there_are_several():
    script = Script()
    script.handshake(0, 40001)
    other = script.segment_of(script.client_sends(100 * MS, 40009, "S"))._replace(src=address("10.0.0.9"))
    script.record.add(PacketSeen(200 * MS, "late", Point.SENT, script.record.number(), other))
    labels = [line[10:22].strip() for line in drawn(script.record).splitlines() if "seq 0" in line]
    assert labels == ["client:40001", "client:40001", "client:40009", "late"]


def test_ports_are_told_on_the_right_where_there_are_several():
    script = Script()
    one = script.client_sends(0, 40001, "S")
    script.arrives(5 * MS, "server", one)
    two = script.segment_of(one)._replace(dport=81)
    script.record.add(PacketSeen(10 * MS, "client", Point.SENT, script.record.number(), two))
    *_, first, second = drawn(script.record).splitlines()
    assert first.endswith("▶ :80")
    assert second.endswith("▶ :81")


@pytest.mark.parametrize("lost", [False, True])
def test_what_does_not_fit_on_an_arrow_gives_way(lost):
    script = Script()
    script.delay = 12_345_678
    script.handshake(0, 40001)
    number = script.client_sends(99 * MS, 40001, "PA", 123_456_789, 987_654_321, payload=b"x" * 1448)
    if lost:
        script.lost(99 * MS, "client", number, "lost by chance (1 %)")
    else:
        script.arrives(299 * MS, "server", number)
    lines = ladder_lines(script.record, width=80)
    assert max(len(plain(line)) for line in lines) <= 80
    assert any("PSH|ACK" in plain(line) and "len 1448" in plain(line) for line in lines)


def many_syns(count):
    script = Script()
    script.listens(backlog=0)
    for number in range(count):
        at = number * MS
        syn = script.client_sends(at, 40000 + number, "S", options=SYN_OPTIONS, reason=reasons.SENT_SYN)
        script.arrives(at, "server", syn, reasons.SYN_QUEUE_FULL)
    return script.record


def test_a_flood_is_folded():
    lines = drawn(many_syns(1000)).splitlines()
    shown = [line for line in lines if "─ SYN seq 0" in line]
    assert [line[:16] for line in shown] == ["   0.000  :40000", "   0.001  :40001", "   0.002  :40002"]
    assert lines[-1] == (
        "   0.003  … 997 more like these until 0.999 s: 997 SYN                           accept 0/0  syn 0/0"
    )


def test_a_short_run_is_not_folded_unless_it_has_to_be():
    assert "more like these" not in drawn(many_syns(20))
    assert "more like these" not in drawn(many_syns(1000), whole=2000)
    assert "… 37 more like these" in drawn(many_syns(40), whole=20)


def test_colours_are_only_paint():
    lines = ladder_lines(ignored_ack(), HEADING)
    painted = [ansi(line) for line in lines]
    assert any("\x1b[" in line for line in painted)
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in painted] == [
        plain(line) for line in lines
    ]


def test_an_empty_record_is_an_empty_ladder():
    assert drawn(Script().record).split() == ["time", "(s)"]


def test_a_connection_that_is_thrown_out_is_told_under_the_syn_that_did_it():
    lines = drawn(evictions(40002, 40001)).splitlines()
    first = next(i for i, each in enumerate(lines) if each.startswith("   1.000  :40003"))
    assert lines[first + 1 : first + 3] == [
        "          └ server: the queue is full, so it throws out a half-open connection, 990 ms old, of",
        "            client:40002 [illumos, tcp_input.c: tcp_drop_q0; XNU, tcp_input.c: tcp_dropdropablreq]",
    ]
    assert lines[-3].startswith("   2.000  :40004")
    assert lines[-2:] == [
        "          └ server: the queue is full, so it throws out the oldest half-open connection, 2 s old, of",
        "            client:40001",
    ]


def test_what_came_to_nothing_is_called_as_its_reason_calls_it():
    clients = [{"name": name, "start": start} for name, start in (("a", 0), ("b", "1 ms"), ("c", "1 s"))]
    server = {"backlog": 0, "accept": {"never": True}, "sysctls": {"net.ipv4.tcp_syncookies": 1}}
    scenario = {"title": "A full queue", "duration": "3 s", "server": server, "clients": clients}
    (run,) = load_scenario.runs(load_scenario.from_document(scenario))
    done = drawn(build.run(run).record)
    assert re.search(r"SYN seq 0 .*▶ dropped ", done)
    assert re.search(r"ACK seq 1 .*▶ ignored ", done)
