"""The bench of one host: what it says when what was sent is not as expected, and of mistakes in a test."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from tcpemu.stack import ConfigurationError
from tcpemu.testing.bench import FULL, MS, SECOND, Bench, connected, established, fails, listening, syn_recv
from tcpemu.wire import encode


def said(call):
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value).splitlines()


def test_what_was_sent_is_not_as_expected_field_by_field():
    host = established()
    host.conn.send(100)
    assert said(lambda: host.expect("1.02 A seq 2 ack 1 len 99 <nop>")) == [
        "not as expected:",
        "  1st  expected  1.02 A seq 2 ack 1 len 99 <nop>",
        "       sent      1.01 PA to 41001 seq 1 ack 1 len 100 win 64240 ttl 64 tos 0",
        "       time      expected 1.02 s, sent 1.01 s",
        "       flags     expected A, sent PA",
        "       seq       expected 2, sent 1",
        "       len       expected 99, sent 100",
        "       options   expected nop, sent none",
        "       because   data that the application wrote [tcp_output.c: tcp_write_xmit]",
    ]


def test_what_is_as_expected_is_not_shown():
    host = listening()
    host.send("S", port=5000)
    host.send("S", port=5001)
    lines = said(lambda: host.expect("0 SA to 5000", "0 SA to 5001 ack 2"))
    assert [line.split()[0] for line in lines[1:]] == ["2nd", "sent", "ack", "because"]


def test_one_too_many():
    host = listening()
    host.send("S")
    lines = said(host.expect)
    assert lines[:2] == ["1 segment sent, 0 expected:", "  1st  expected  nothing more"]
    assert lines[3] == "       because   answers the SYN [tcp_input.c: tcp_conn_request]"


def test_one_too_few_shows_what_the_host_thought_of_what_arrived():
    host = syn_recv(backlog=0, syncookies=0)
    host.send("A", 1, 1, at=1010 * MS)
    host.send("S", port=5000)
    lines = said(lambda: host.expect("1.01 SA to 5000"))
    assert lines[:4] == [
        "0 segments sent, 1 expected:",
        "  1st  expected  1.01 SA to 5000",
        "       sent      nothing more",
        "  what arrived last:",
    ]
    assert lines[-1].endswith(
        "dropped: ACCEPT_QUEUE_FULL_SYN, the accept queue is full, so the SYN is dropped "
        "[tcp_input.c: tcp_conn_request]"
    )
    assert said(lambda: Bench().expect("0 A"))[-1] == "  no segment had arrived before"


def test_times_may_be_near():
    host = listening()
    host.send("S", at="0.5 s")
    host.expect("0.501 SA", tolerance=1 * MS)
    host.send("S", port=5000, at=SECOND)
    assert said(lambda: host.expect("1.001 SA to 5000", tolerance=999_999))[3:4] == [
        "       time      expected 1.001 s, sent 1 s"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a time in seconds, flags, then names with their numbers"),
        ("1 SA seq", "a time in seconds, flags, then names with their numbers"),
        ("x SA", "'x' is no time in seconds, which comes first"),
        ("1 QQ", "'QQ' are no flags: letters out of FSRPAUECN"),
        ("1 SA sequ 5", "there is no 'sequ', but seq; there are to seq ack len win ttl tos"),
        ("1 SA seq five", "seq five: a whole number, or zero for an absolute one"),
        ("1 SA <mss 1460", "options stand last, between < and >"),
    ],
)
def test_a_text_that_says_nothing_is_a_mistake(text, sentence):
    with pytest.raises(ConfigurationError) as caught:
        listening().expect(text)
    assert str(caught.value) == f"'{text}': {sentence}; write it as '1.01 SA seq 0 ack 1 <mss 1460>'"


def test_flags_may_be_in_any_order():
    host = listening()
    host.send("S")
    host.expect("0 AS")


def test_a_packet_is_no_text():
    with pytest.raises(ConfigurationError, match=r"takes a text for each segment.*taken"):
        listening().expect(IP() / TCP())


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda host: host.send("Q"), "flags='Q': unknown TCP flag 'Q'; the letters are FSRPAUECN"),
        (lambda host: host.send(2), "flags=2: letters, as 'SA' for SYN and ACK"),
        (lambda host: host.send("S", ip="x"), "ip='x' is no IP address; write it as '192.0.2.1'"),
        (lambda host: host.send("S", data="x"), "data='x': octets are meant, as b'...', or how many of them"),
        (lambda host: host.send("S", at=1.5), "at=1.5: whole nanoseconds, or text as '1.01 s'"),
        (lambda host: host.send("S", opts="mss 1460"), "opts='mss 1460': options as a tuple"),
        (lambda host: host.send("S", sequence=1), "sequence=1: a segment has no such field; there are port"),
        (lambda host: host.give("x"), "'x' is no packet: give a Segment, a Scapy packet, or the octets"),
        (lambda host: host.run(-1), "until=-1: it is 0 s already; give a later time"),
        (lambda host: Bench().accept(), "this host has no listener of its own"),
        (
            lambda host: listening(backlogs=1),
            "backlogs= is no setting of a bench and no end of a sysctl's name",
        ),
        (lambda host: listening(syncookie=1), "syncookie= .*; did you mean syncookies?"),
        (lambda host: listening(generation="linux-6.99"), "there is no generation 'linux-6.99'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(call, sentence):
    with pytest.raises(ConfigurationError) as caught:
        call(listening())
    assert all(part in str(caught.value) for part in sentence.split(".*"))


def test_packets_of_scapy_and_octets_are_given_as_they_are():
    host = listening(generation="linux-3.10")
    syn = IP(src="10.0.0.9", dst="10.0.0.1") / TCP(sport=5000, dport=8080, flags="S", seq=7)
    assert host.give(syn) == "SYN_QUEUED"
    assert host.give(Ether() / syn) == "DUPLICATE_SYN"
    assert host.give(bytes(syn)) == "DUPLICATE_SYN"
    [(_, first), *_] = host.taken()
    assert first.ack == 8
    assert host.give(b"nothing") == "PKT_TOO_SMALL"
    assert host.give(encode(host.segment("S"))) == "SYN_QUEUED"


def test_an_errno_that_does_not_come_is_a_failure():
    listener = listening().listener
    with fails("EAGAIN"):
        listener.accept()
    with pytest.raises(AssertionError, match="fails with EAGAIN, not with EPIPE"), fails("EPIPE"):
        listener.accept()
    with pytest.raises(AssertionError, match="does not fail, where EPIPE was expected"), fails("EPIPE"):
        pass


def test_the_other_end_can_be_under_test():
    host = connected(opts=FULL)
    assert (host.conn.state, host.changes()[0]) == ("ESTABLISHED", ("CLOSE", "SYN_SENT"))
    host.send("PA", 1, 1, data=b"hello", ts=(110, 0))
    assert host.conn.recv() == b"hello"
