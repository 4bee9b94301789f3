"""Urgent data: the octet that is left out of the stream, MSG_OOB both ways, the mark, poll()."""

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.sockets.message_flags import MSG_OOB, MSG_PEEK, MSG_TRUNC
from tcpemu.stack.sockets.poll_bits import POLLIN, POLLPRI
from tcpemu.testing.bench import established, fails
from tcpemu.wire.segment import PSH

INLINE = [(sockopt.SOL_SOCKET, sockopt.SO_OOBINLINE, 1)]


def urgent(host, seq, data, pointer, **fields):
    host.send("PAU", seq, 1, data=data, urgent=pointer, **fields)


def test_the_urgent_octet_is_left_out_and_read_by_itself():
    host = established()
    urgent(host, 1, b"abcX", 4)
    assert host.conn.sock.poll() & POLLPRI
    assert host.conn.recv() == b"abc"
    assert host.conn.sock.at_mark
    assert host.conn.recv(1, MSG_OOB | MSG_PEEK) == b"X"
    assert host.conn.recv(1, MSG_OOB) == b"X"
    with fails("EINVAL"):
        host.conn.recv(1, MSG_OOB)
    with fails("EAGAIN"):
        host.conn.recv()
    assert not host.conn.sock.at_mark


def test_reading_stops_in_front_of_it_and_goes_on_behind_it():
    host = established()
    urgent(host, 1, b"abXcd", 3)
    assert host.conn.sock.unread == 2
    assert host.conn.recv(100, MSG_PEEK) == b"ab"
    assert host.conn.recv() == b"ab"
    assert host.conn.recv(100, MSG_PEEK) == b"cd"
    assert host.conn.recv() == b"cd"


def test_in_line_it_stays_in_the_stream_and_is_no_octet_apart():
    host = established(options=INLINE)
    urgent(host, 1, b"abXcd", 3)
    with fails("EINVAL"):
        host.conn.recv(1, MSG_OOB)
    assert host.conn.recv() == b"ab"
    assert host.conn.sock.at_mark
    assert host.conn.recv() == b"Xcd"


def test_a_pointer_ahead_of_its_octet_announces_it():
    host = established()
    urgent(host, 1, b"ab", 5)
    with fails("EAGAIN"):
        host.conn.recv(1, MSG_OOB)
    assert not host.conn.sock.poll() & POLLPRI
    host.send("PA", 3, 1, data=b"cdXe")
    assert host.conn.recv() == b"abcd"
    assert host.conn.recv(1, MSG_OOB) == b"X"
    assert host.conn.recv() == b"e"


def test_the_standard_puts_it_where_the_pointer_points():
    host = established(stdurg=1)
    urgent(host, 1, b"abX", 2)
    assert host.conn.recv(1, MSG_OOB) == b"X"


def test_a_newer_pointer_makes_the_octet_before_an_ordinary_one():
    host = established()
    urgent(host, 1, b"abX", 3)
    urgent(host, 4, b"cdY", 3)
    assert host.conn.recv() == b"abXcd"
    assert host.conn.recv(1, MSG_OOB) == b"Y"


def test_an_octet_that_is_next_to_be_read_is_lost_when_the_next_pointer_comes():
    host = established()
    urgent(host, 1, b"X", 1)
    urgent(host, 2, b"abY", 3)
    assert host.conn.recv() == b"ab"


@pytest.mark.parametrize("pointer", [1, 2])
def test_a_pointer_to_what_has_been_received_tells_nothing(pointer):
    host = established()
    host.send("PA", 1, 1, data=b"abc")
    urgent(host, 1, b"abcd", pointer)
    with fails("EINVAL"):
        host.conn.recv(1, MSG_OOB)


def test_one_octet_more_than_the_low_water_mark_where_the_urgent_one_is_next():
    host = established()
    urgent(host, 1, b"X", 1)
    assert not host.conn.sock.poll() & POLLIN
    host.send("PA", 2, 1, data=b"a")
    assert host.conn.sock.poll() & POLLIN


def test_with_trunc_the_octets_are_thrown_away():
    host = established()
    host.send("PA", 1, 1, data=b"abcd")
    assert host.conn.recv(3, MSG_TRUNC) == bytes(3)
    assert host.conn.recv() == b"d"


def test_what_is_sent_urgent_has_a_pointer_behind_its_last_octet_until_it_is_acknowledged():
    host = established()
    host.conn.send(4, MSG_OOB)
    [(_, segment)] = host.taken()
    assert (host.shown(0, segment)["flags"], segment.urgent) == ("PAU", 4)
    host.send("PA", 1, 1, data=1)
    [(_, answer)] = host.taken()
    assert not answer.urgent  # it begins behind the urgent octet
    host.run(1400 * MS)
    again = host.taken()[-1][1]
    assert again.urgent == 4
    host.send("A", 2, 5)
    host.conn.send(4)
    assert [segment.urgent for _, segment in host.taken()] == [0]


def test_nagle_does_not_hold_urgent_data():
    host = established()
    host.conn.send(1)
    host.conn.send(4, MSG_OOB)
    assert [(len(segment.payload), segment.urgent) for _, segment in host.taken()] == [(1, 0), (4, 4)]


def test_urgent_data_is_announced_before_the_window_lets_it_out():
    host = established(win=0)
    host.conn.send(4, MSG_OOB)
    host.send("PA", 1, 1, data=1, win=0)
    assert [(len(segment.payload), segment.urgent) for _, segment in host.taken()] == [(0, 4)]


def test_urgent_data_goes_segment_by_segment_each_with_its_own_pointer():
    host = established()
    host.conn.send(2920, MSG_OOB)
    sent = [(segment.flags & PSH, segment.urgent) for _, segment in host.taken()]
    assert sent == [(0, 2920), (PSH, 1460)]


def test_a_lone_urgent_octet_makes_nothing_readable():
    host = established()
    urgent(host, 1, b"X", 1)
    assert not host.conn.sock.readable
    host.send("PA", 2, 1, data=b"abc")
    assert host.conn.sock.readable
