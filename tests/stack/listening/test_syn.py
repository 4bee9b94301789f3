"""What a listener makes of a segment that belongs to no connection, and what its SYN|ACK says."""

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import FULL, MS, MSS, SACK, SECOND, TS, Bench, established, listening, syn_recv
from tcpemu.wire.codec import decode, encode
from tcpemu.wire.options import NOP, SACK_OK, Eol, FastOpen, Garbage, Mss, Timestamps, Unknown, WScale
from tcpemu.wire.segment import address

ANSWER = "0 SA seq 0 ack 1 win 64240 ttl 64 tos 0 <mss 1460>"

# --- which segments make a request ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "verdict", "answer"),
    [
        ("S", "SYN_QUEUED", ANSWER),
        *[(flags, "SYN_QUEUED", ANSWER) for flags in ("SP", "SU", "SE", "SC", "SPU")],
        *[
            (flags, "LISTENER_ACK", "0 R seq 77 ack zero win 0 <>")
            for flags in ("A", "SA", "FA", "PA", "FPUA")
        ],
        ("RA", "LISTENER_ACK_RST", None),
        ("SRA", "LISTENER_ACK_RST", None),
        *[(flags, "LISTENER_RST", None) for flags in ("R", "SR", "FR", "SFR")],
        ("SF", "LISTENER_SYN_FIN", None),
        ("SFP", "LISTENER_SYN_FIN", None),
        *[(flags, "LISTENER_FLAGS", None) for flags in ("", "F", "P", "U", "FPU", "EC")],
    ],
)
def test_flags(flags, verdict, answer):
    host = listening()
    assert host.send(flags, 0, 77 if "A" in flags else None, opts=MSS) == verdict
    host.expect(*[answer] if answer else [])
    assert host.queues() == (0, 1 if verdict == "SYN_QUEUED" else 0, 5)
    assert host.moved() == ({"OutRsts": 1} if verdict == "LISTENER_ACK" else {})


@pytest.mark.parametrize(
    ("flags", "ack", "data", "answer"),
    [
        ("S", None, 0, "0 RA seq zero ack 6 win 0 <>"),
        ("SF", None, 0, "0 RA seq zero ack 7"),
        ("", None, 0, "0 RA seq zero ack 5"),
        ("FP", None, 10, "0 RA seq zero ack 16"),
        ("S", None, 10, "0 RA seq zero ack 16"),
        ("A", 77, 0, "0 R seq 77 ack zero win 0 <>"),
        ("SA", 77, 0, "0 R seq 77 ack zero"),
        ("FPA", 77, 10, "0 R seq 77 ack zero"),
        ("R", None, 0, None),
        ("RA", 77, 0, None),
    ],
)
def test_a_closed_port_answers_with_a_rst_but_never_a_rst(flags, ack, data, answer):
    host = Bench()
    host.send(flags, 5, ack, data=data, opts=FULL)
    host.expect(*[answer] if answer else [])
    assert host.moved() == ({"OutRsts": 1} if answer else {})


def test_a_rst_has_no_flow_label_of_its_own():
    host = Bench()
    host.send("S", tos=0xFF, ttl=3)
    [(_, rst)] = host.taken()
    assert (rst.ip_id, rst.df, rst.tos, rst.ttl, rst.options, rst.payload) == (0, True, 0xFC, 64, (), b"")


def test_data_on_a_syn_is_ignored():
    host = listening()
    host.send("S", data=100, opts=MSS)
    host.expect(ANSWER)
    host.send("A", 1, 1)
    assert host.table()[0] == "ESTAB 0 0 8080 41001"


def test_a_syn_for_somebody_else_is_dropped_unseen():
    host = listening()
    stray = host.segment("S")._replace(dst=address("10.0.0.77"))
    assert host.give(stray) == "NOT_LOCAL"
    host.expect()
    assert not any(host.host.counters.values()), "it was never counted"


def test_no_route_back_to_the_peer():
    host = listening(routes=[(address("10.0.0.0"), 24)])
    assert host.send("S", ip="192.0.2.1") == "NO_ROUTE"
    host.expect()
    assert host.moved() == {"ListenDrops": 1}
    assert host.send("S", ip="10.0.0.254") == "SYN_QUEUED"


def test_a_rst_without_a_route_back_goes_nowhere_and_is_counted_all_the_same():
    host = Bench(routes=[(address("10.0.0.0"), 24)])
    host.host.receive(host.segment("S", ip="192.0.2.1"), 0)
    host.drain()
    host.expect()
    assert host.moved() == {"OutRsts": 1}
    assert host.send("S", ip="10.0.0.254") == "NO_SOCKET"


@pytest.mark.parametrize(
    ("damage", "verdict", "counters"),
    [
        (
            lambda octets: octets[:36] + b"\x12\x34" + octets[38:],
            "TCP_CSUM",
            {"InCsumErrors": 1, "InErrs": 1},
        ),
        (lambda octets: octets[:32] + b"\x40" + octets[33:], "PKT_TOO_SMALL", {"InErrs": 1}),
        (lambda octets: octets[:15], "PKT_TOO_SMALL", {}),
        (lambda octets: b"", "PKT_TOO_SMALL", {}),
    ],
)
def test_octets_that_are_no_segment(damage, verdict, counters):
    host = listening()
    octets = damage(encode(host.segment("S", opts=MSS)))
    assert host.give(decode(octets)) == verdict
    host.expect()
    assert host.moved() == counters


# --- options of the SYN and of the SYN|ACK --------------------------------------------------------------

WS = (Mss(1460), NOP, WScale(7))


@pytest.mark.parametrize(
    ("opts", "answer"),
    [
        ((), "mss 1460"),
        (MSS, "mss 1460"),
        (SACK, "mss 1460, nop, nop, sackOK"),
        (TS, "mss 1460, nop, nop, TS 0 100"),
        (WS, "mss 1460, nop, ws 10"),
        (FULL, "mss 1460, sackOK, TS 0 100, nop, ws 10"),
        ((WScale(7), NOP, Timestamps(9, 0), SACK_OK, Mss(1400)), "mss 1460, sackOK, TS 0 9, nop, ws 10"),
        ((*SACK, NOP, WScale(0)), "mss 1460, nop, nop, sackOK, nop, ws 10"),
        ((*TS, NOP, WScale(3)), "mss 1460, nop, nop, TS 0 100, nop, ws 10"),
        ((Mss(1460), Eol(b"\1\3\3")), "mss 1460"),
        ((Mss(1460), Garbage(b"\xfe\0"), SACK_OK), "mss 1460"),
        ((Mss(1460), Unknown(254, b"ab"), SACK_OK), "mss 1460, nop, nop, sackOK"),
    ],
)
def test_the_order_of_the_options_is_fixed_and_each_must_have_been_offered(opts, answer):
    host = listening()
    octets = encode(host.segment("S", opts=opts))
    host.give(decode(octets))
    host.expect(f"0 SA seq 0 ack 1 <{answer}>")


def test_options_that_cannot_be_read_are_dropped_where_signatures_are_looked_for():
    """With CONFIG_TCP_AO (tcp_inbound_hash); what is for nobody is answered with a RST all the same."""
    unread = (Mss(1460), Garbage(b"\xfe\0\0\0\0"))
    host = listening(generation="linux-6.18@debian")
    assert host.send("S", opts=unread) == "TCP_AUTH_HDR"
    host.expect()
    assert host.send("S", opts=unread, lport=81) == "NO_SOCKET"
    assert listening(generation="linux-6.12@debian").send("S", opts=unread) == "SYN_QUEUED"


def test_what_is_too_short_for_a_signature_is_not_looked_at():
    host = listening(generation="linux-6.18@debian")
    assert host.send("S", opts=(Mss(1460), Garbage(b"\xfe\0\0\0"))) == "SYN_QUEUED"


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"sack": 0}, "mss 1460, nop, nop, TS 0 100, nop, ws 10"),
        ({"timestamps": 0}, "mss 1460, nop, nop, sackOK, nop, ws 10"),
        ({"window_scaling": 0}, "mss 1460, sackOK, TS 0 100"),
        ({"sack": 0, "timestamps": 0, "window_scaling": 0}, "mss 1460"),
    ],
)
def test_a_sysctl_forbids_an_option(settings, answer):
    host = listening(**settings)
    host.send("S", opts=FULL)
    host.expect(f"0 SA seq 0 ack 1 <{answer}>")


@pytest.mark.parametrize(
    ("opts", "size"),
    [
        *[((), 536), ((Mss(0),), 536), ((Mss(1),), 48), ((Mss(1000),), 1000), ((Mss(9000),), 1460)],
        ((Mss(9), Mss(700)), 700),
    ],
)
def test_the_peers_mss_bounds_what_is_sent(opts, size):
    host = established(opts=opts)
    host.conn.send(3000)
    assert len(host.taken()[0][1].payload) == size


def test_a_listeners_maxseg_bounds_what_is_sent_too():
    host = established(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_MAXSEG, 700)])
    host.conn.send(3000)
    assert len(host.taken()[0][1].payload) == 700


@pytest.mark.parametrize(("shift", "taken"), [(0, 0), (7, 7), (14, 14), (15, 14), (255, 14)])
def test_a_window_scale_above_14_is_taken_as_14(shift, taken):
    host = established(opts=(Mss(1460), NOP, WScale(shift)))
    assert host.conn.sock.connection.snd.wscale == taken


def test_timestamps_count_milliseconds_and_echo_the_first_syn():
    host = listening()
    host.send("S", opts=FULL)
    host.run(1 * SECOND)
    host.send("S", at=1600 * MS, opts=(Mss(1460), SACK_OK, Timestamps(1700, 0), NOP, WScale(7)))
    texts = ("0 SA <{}, TS 0 100, {}>", "1 SA <{}, TS 1000 100, {}>", "1.6 SA <{}, TS 1600 100, {}>")
    host.expect(*(text.format("mss 1460, sackOK", "nop, ws 10") for text in texts))


def stamps(host, *ports):
    found = []
    for port in ports:
        host.send("S", port=port, opts=TS)
        found += [option.val for option in host.taken()[0][1].options if isinstance(option, Timestamps)]
    return found


def test_each_flow_has_its_own_offset_of_timestamps_unless_tcp_timestamps_is_2():
    one, two = stamps(listening(), 1, 2)
    assert one != two
    one, two = stamps(listening(timestamps=2), 1, 2)
    assert one == two
    host = listening(timestamps=2)
    assert stamps(host, 1) == [host.host.tables.host.stamp_clock()]


def test_initial_sequence_numbers_differ_by_flow_and_count_64_ns_ticks():
    host = listening(syncookies=0)
    host.send("S", port=1)
    host.send("S", port=2)
    host.send("R", 1, port=1)
    host.send("S", port=1, at=64 * MS)
    one, two, again = (segment.seq for _, segment in host.taken())
    assert one != two
    assert (again - one) % 2**32 == 1_000_000


def test_the_header_of_a_syn_ack():
    options = [(sockopt.IPPROTO_IP, sockopt.IP_TOS, 0x48), (sockopt.IPPROTO_IP, sockopt.IP_TTL, 9)]
    host = listening(options=options)
    host.send("S", tos=0xB8, ttl=1, opts=MSS)
    [(_, segment)] = host.taken()
    assert (segment.ip_id, segment.df, segment.urgent, segment.tos, segment.ttl) == (0, True, 0, 0x48, 9)


def test_reflect_tos_takes_the_dscp_of_the_syn():
    host = listening(reflect_tos=1)
    host.send("S", tos=0xB9)
    host.expect("0 SA seq 0 ack 1 tos 184")


@pytest.mark.parametrize(
    ("flags", "tos", "ecn", "answer"),
    [
        ("SEC", 0, 2, "SAE"),
        ("SEC", 0, 1, "SAE"),
        ("SEC", 0, 0, "SA"),
        ("SE", 0, 2, "SA"),
        ("SC", 0, 2, "SA"),
        ("SEC", 1, 2, "SA"),
        ("SEC", 2, 2, "SA"),
        ("SEC", 3, 2, "SA"),
    ],
)
def test_ecn_is_agreed_when_both_flags_ask_and_the_packet_is_not_marked(flags, tos, ecn, answer):
    host = listening(ecn=ecn)
    host.send(flags, tos=tos)
    host.expect(f"0 {answer} seq 0 ack 1")


def test_reserved_bits_say_that_marks_may_be_lost_so_ecn_is_agreed():
    host = listening()
    host.send("SEC", tos=2, reserved=1)
    host.expect("0 SAE seq 0 ack 1")


def test_a_request_for_a_fast_open_cookie_is_counted_and_gets_none_where_the_server_does_not_take_it():
    host = listening()
    host.send("S", opts=(*MSS, FastOpen(b""), NOP, NOP))
    host.expect("0 SA seq 0 ack 1 <mss 1460>")
    assert host.moved() == {"TCPFastOpenCookieReqd": 1}


# --- a SYN for what exists already ----------------------------------------------------------------------


def test_a_syn_on_an_open_connection_is_challenged_be_it_accepted_or_not():
    host = syn_recv(0)
    host.send("A", 1, 1, at=1010 * MS)
    assert host.send("S", 0, at=1020 * MS) == "CHALLENGE_SYN"
    host.expect("1.02 A seq 1 ack 1")
    host.accept()
    assert host.send("S", 500, at=2 * SECOND) == "CHALLENGE_SYN"
    host.expect("2 A seq 1 ack 1")
    assert host.moved() == {
        "PassiveOpens": 1,
        "TCPSYNChallenge": 2,
        "TCPChallengeACK": 2,
        "InErrs": 2,
    }
    assert host.table() == ["ESTAB 0 0 8080 41001", "LISTEN 0 0 8080 *"]
