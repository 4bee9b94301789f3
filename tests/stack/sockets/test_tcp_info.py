"""TCP_INFO: the record and the octets of struct tcp_info, with the figures of a Linux 6.18 after the same steps."""

import struct

import pytest

from tcpemu.stack.base import socket_constants as so
from tcpemu.testing.bench import MS, SACK, SECOND, Bench, established, listening, syn_sent

TCP_INFO = 11


def info(app, at=None):
    return app.sock.tcp_info(at)


def test_a_fresh_connection():
    host = established()
    told = info(host.conn, 2 * SECOND)
    assert (told.state, told.ca_state, told.retransmits, told.options) == (1, 0, 0, 0)
    assert (told.snd_mss, told.rcv_mss, told.pmtu, told.advmss) == (1460, 536, 1500, 1460)
    assert (told.snd_cwnd, told.snd_ssthresh, told.reordering) == (10, 2**31 - 1, 3)
    assert (told.bytes_received, told.delivered, told.rcv_space) == (0, 1, 14600)
    assert told.delivery_rate_app_limited == 1


def test_what_is_under_way_and_what_was_received():
    host = established()
    host.conn.send(3000)
    host.send("PA", 1, 1, data=b"x" * 100)
    told = info(host.conn)
    assert (told.unacked, told.bytes_received, told.notsent_bytes) == (3, 100, 0)


def test_times_are_of_the_call():
    host = established()
    host.conn.send(5)
    sent_at = host.now
    host.send("A", 1, 6, at=sent_at + 10 * MS)
    told = info(host.conn, sent_at + 50 * MS)
    assert (told.last_data_sent, told.last_ack_recv) == (50, 40)


def test_a_time_out_in_octets():
    host = established()
    host.conn.send(5)
    host.run(2 * SECOND)
    octets = host.conn.sock.getsockopt_octets(so.IPPROTO_TCP, TCP_INFO, 104)
    state, ca_state, retransmits, probes, backoff = octets[:5]
    assert (state, ca_state, probes) == (1, 4, 0)
    assert retransmits == backoff == info(host.conn).retransmits > 0
    assert struct.unpack_from("<I", octets, 100) == (info(host.conn).total_retrans,)
    number = host.conn.getsockopt(so.IPPROTO_TCP, TCP_INFO)
    assert number == int.from_bytes(octets[:4], "little")


@pytest.mark.parametrize("length", [0, 1, 5, 104])
def test_octets_are_cut_to_the_length(length):
    octets = established().conn.sock.getsockopt_octets(so.IPPROTO_TCP, TCP_INFO, length)
    assert len(octets) == length


def test_segments_and_octets_are_counted_both_ways():
    host = established(opts=SACK)
    assert (info(host.conn).segs_in, info(host.conn).segs_out) == (2, 0)
    host.conn.send(3000)
    host.send("PA", 101, 1, data=50)
    told = info(host.conn)
    assert (told.segs_in, told.data_segs_in, told.rcv_ooopack) == (3, 1, 1)
    assert (told.segs_out, told.data_segs_out, told.bytes_sent, told.bytes_retrans) == (4, 3, 3000, 0)
    host.run(host.now + 100 * MS)
    told = info(host.conn)
    assert (told.bytes_sent, told.bytes_retrans) == (3080, 80)


def test_the_pace_is_two_windows_a_round_trip_and_no_more_than_its_limit():
    host = established()
    assert info(host.conn).pacing_rate == 2 * 10 * 1460 * 100
    assert info(host.conn).max_pacing_rate == 2**64 - 1
    host.conn.setsockopt(so.SOL_SOCKET, 47, 5000)
    assert (info(host.conn).pacing_rate, info(host.conn).max_pacing_rate) == (5000, 5000)


def test_the_rate_of_delivery_is_by_segments_and_says_whether_the_application_was_the_limit():
    host = established()
    host.conn.send(60_000)
    host.run(host.now + 20 * MS)
    host.send("A", 1, 2921)
    told = info(host.conn)
    # The first data found an idle sender.
    assert (told.delivery_rate, told.delivery_rate_app_limited) == (2 * 1460 * 50, 1)
    host.send("A", 1, 14601)
    host.run(host.now + 20 * MS)
    host.send("A", 1, 17521)
    assert info(host.conn).delivery_rate_app_limited == 0


def test_time_outs_in_a_row_are_one_recovery_until_their_losses_are_repaired():
    host = established()
    host.conn.send(100)
    host.run(host.now + 700 * MS)
    told = info(host.conn, host.now)
    assert (told.total_rto, told.total_rto_recoveries, told.total_rto_time, told.rehash) == (2, 1, 490, 2)
    host.send("A", 1, 101)
    host.run(host.now + SECOND)
    assert info(host.conn).total_rto_time == 490


@pytest.mark.parametrize("end", ["listened", "never"])
def test_a_socket_that_is_nothing_tells_what_a_new_one_begins_with(end):
    host = listening() if end == "listened" else Bench()
    app = host.listener if end == "listened" else host.socket()
    if end == "listened":
        app.shutdown(2)
    told = info(app)
    assert (told.state, told.rto, told.rttvar, told.snd_mss, told.snd_cwnd) == (7, 10**6, 250_000, 536, 10)
    assert (told.rcv_mss, told.notsent_bytes) == ((88, 2) if end == "listened" else (0, 0))
    assert (told.pacing_rate, told.min_rtt) == (2**64 - 1, 2**32 - 1)


def test_connect_to_nobody_forgets_what_was_counted():
    host = established()
    host.conn.send(100)
    host.send("PA", 1, 101, data=50)
    host.conn.sock.disconnect(host.now)
    told = info(host.conn)
    assert (told.state, told.segs_in, told.segs_out, told.bytes_sent, told.bytes_received) == (7, 0, 0, 0, 0)
    assert (told.options, told.rtt, told.rto, told.min_rtt, told.rcv_mss) == (0, 0, 10**6, 4000, 88)
    assert told.notsent_bytes == 65535 + 2


def test_a_listener_tells_its_accept_queue():
    host = listening(backlog=7)
    host.send("S")
    host.send("A", 1, 1)
    told = info(host.listener)
    assert (told.state, told.unacked, told.sacked, told.snd_cwnd, told.reordering) == (10, 1, 7, 10, 3)
    assert len(host.listener.sock.getsockopt_octets(so.IPPROTO_TCP, TCP_INFO, 999)) == 280


def test_an_opening_connection():
    told = info(syn_sent().conn)
    assert (told.state, told.options, told.wscales, told.rcv_mss, told.rttvar) == (2, 0, 0, 88, 250000)
    assert (told.bytes_received, told.delivered, told.unacked) == (0, 0, 1)


@pytest.mark.parametrize(("ato", "told"), [(40 * MS, 40_000), (200 * MS, 196_000), (350 * MS, 196_000)])
def test_the_wait_of_a_delayed_ack_is_told_up_to_its_longest(ato, told):
    """tcp.c: tcp_get_info, as tcp_delack_max has it: a tick less than the shortest RTO."""
    host = established()
    host.conn.sock.connection.ack.ato = ato
    assert info(host.conn).ato == told


def test_a_fin_makes_busy_and_is_no_data():
    host = established()
    host.conn.send(100)
    host.run(host.now + 10 * MS)
    host.send("A", 1, 101)
    host.run(host.now + 100 * MS)
    host.conn.shutdown(1)
    host.run(host.now + 30 * MS)
    told = host.conn.sock.tcp_info(host.now)
    assert (told.busy_time, told.last_data_sent) == (40_000, 140)
    host.send("A", 1, 102)
    host.run(host.now + 50 * MS)
    assert host.conn.sock.tcp_info(host.now).busy_time == 40_000


def test_what_was_counted_stays_when_a_reset_ends_it():
    host = established()
    host.conn.send(3000)
    host.run(host.now + 10 * MS)
    host.send("A", 1, 1461)
    host.run(host.now + 600 * MS)
    before = host.conn.sock.tcp_info(host.now)
    assert (before.ca_state, before.delivered, before.lost, before.retrans, before.backoff) == (4, 2, 2, 1, 1)
    host.send("R", 1)
    told = host.conn.sock.tcp_info(host.now)
    assert (told.ca_state, told.delivered, told.lost, told.retrans, told.backoff) == (4, 2, 2, 1, 0)
    assert told.unacked == 0
