"""A segment for a request in the SYN queue: the tests of tcp_check_req in their order.

T0 to T10 are steps of that function, numbered here: T0 reads the options, T1 to T9 each answer, drop or let pass,
T10 makes the connection. Each heading below says what its step looks at.

The request came at 1 s from port 41001 with sequence number 0, so the next is 1, and its window is 64240.
"""

import dataclasses

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import FULL, MS, MSS, SECOND, TS, Bench, fails, listening, syn_recv
from tcpemu.testing.bench.bench_values import GENERATION
from tcpemu.wire.options import NOP, SACK_OK, Mss, Timestamps, WScale

W = 64240
REQUEST = "SYN-RECV 0 0 8080 41001"
OPEN = "ESTAB 0 0 8080 41001"


def stays(host):
    """The request is untouched, and its final ACK still completes it."""
    assert host.table()[-1] == REQUEST
    assert host.send("A", 1, 1) == "HANDSHAKE_DONE"
    return True


def gone(host):
    return host.table() == ["LISTEN 0 5 8080 *"] and host.queues() == (0, 0, 5)


# --- T0: timestamps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ts", [(100, 0), (101, 0), (100, None), (100 + 2**31 - 1, 0), (100 + 2**31, 0), None]
)
def test_t0_a_timestamp_as_new_as_the_syns_is_good_and_so_is_none(ts):
    host = syn_recv(opts=TS)
    assert host.send("A", 1, 1, ts=ts) == "HANDSHAKE_DONE"


def test_t0_a_zero_timestamp_of_the_syn_bounds_nothing():
    host = syn_recv(opts=(Mss(1460), NOP, NOP, Timestamps(0, 0)))
    assert host.send("A", 1, 1, ts=(2**32 - 1, 0)) == "HANDSHAKE_DONE"


def test_t0_later_segments_do_not_move_the_bound():
    host = syn_recv(opts=TS)
    host.send("A", 2 * W, 1, ts=(500, 0))
    assert host.send("A", 1, 1, ts=(100, 0)) == "HANDSHAKE_DONE"


# --- T1: the same SYN again ----------------------------------------------------------------------------


@pytest.mark.parametrize("flags", ["S", "SF", "SP", "SEC"])
def test_t1_the_same_syn_again_draws_the_syn_ack_again(flags):
    host = syn_recv()
    assert host.send(flags, 0, opts=(Mss(99), SACK_OK)) == "DUPLICATE_SYN"
    host.expect("1 SA seq 0 ack 1 win 64240 <mss 1460>")
    assert host.moved() == {"RetransSegs": 1, "TCPSynRetrans": 1}
    assert stays(host)


# --- T2: another ACK number ----------------------------------------------------------------------------


@pytest.mark.parametrize("ack", [0, 2, 2**31, 2**32 - 1])
@pytest.mark.parametrize(("flags", "seq"), [("A", 1), ("SA", 0), ("FPA", 1), ("A", 10**9)])
def test_t2_a_wrong_ack_number_draws_a_rst_and_the_request_survives(flags, seq, ack):
    host = syn_recv()
    assert host.send(flags, seq, ack) == "REQUEST_BAD_ACK"
    host.expect(f"1 R seq {ack} ack zero win 0 <>")
    assert host.moved() == {"OutRsts": 1}
    assert stays(host)


def test_t2_a_rst_is_not_asked_for_its_ack_number():
    host = syn_recv()
    assert host.send("RA", 1, 77) == "REQUEST_RST"
    host.expect()


# --- T3: window, PAWS, TSecr ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seq", "data", "good"),
    [
        *[
            (1, 0, True),
            (0, 0, False),
            (0, 1, False),
            (0, 2, True),
            (0, 3, True),
            (-5, 3, False),
            (-5, 7, True),
        ],
        *[(2, 0, True), (W, 0, True), (W + 1, 0, True), (W + 2, 0, False)],
        *[(2, 1, True), (W, 1, True), (W, 1000, True), (W + 1, 1, False), (10**9, 5, False)],
    ],
)
def test_t3_what_lies_in_the_window(seq, data, good):
    # seq = RNX; or end > RNX and seq < RNX + w; or empty at RNX + w. That includes bare ACKs ahead of RNX.
    host = syn_recv()
    verdict = host.send("A", seq, 1, data=data)
    assert verdict == ("HANDSHAKE_DONE" if good else "REQUEST_OUT_OF_WINDOW")
    if not good:
        host.expect("1 A seq 1 ack 1 win 64240 <>")
        assert host.moved() == {}
        assert stays(host)


@pytest.mark.parametrize("flags", ["A", "S", "SA", "F", ""])
def test_t3_whatever_else_it_is_an_ack_answers_it(flags):
    host = syn_recv()
    assert host.send(flags, 2 * W, 1 if "A" in flags else None) == "REQUEST_OUT_OF_WINDOW"
    host.expect("1 A seq 1 ack 1")
    assert stays(host)


def test_t3_but_a_rst_is_not_answered():
    host = syn_recv()
    assert host.send("R", 2 * W) == "REQUEST_REFUSED_QUIETLY"
    host.expect()
    assert stays(host)


def test_t3_syn_ack_and_keepalive_at_the_syns_number_get_an_ack():
    for fields in ({"flags": "SA"}, {"flags": "A"}, {"flags": "A", "data": 1}):
        host = syn_recv()
        assert host.send(fields.pop("flags"), 0, 1, **fields) == "REQUEST_OUT_OF_WINDOW"
        host.expect("1 A seq 1 ack 1")
        assert stays(host)


@pytest.mark.parametrize(("flags", "seq", "ack"), [("S", 0, None), ("A", 1, 1), ("A", 2 * W, 1)])
def test_t3_an_older_timestamp_draws_an_ack_before_anything_else(flags, seq, ack):
    host = syn_recv(opts=FULL)
    opts = (Timestamps(99, 0),)
    assert host.send(flags, seq, ack, opts=opts) == "REQUEST_PAWS"
    host.expect("1 A seq 1 ack 1 win 63 <nop, nop, TS 0 100>")
    assert host.moved() == {"PAWSEstab": 1}
    assert host.table()[-1] == REQUEST


@pytest.mark.parametrize(
    ("echo", "good"), [(-1, False), (0, True), (500, True), (1000, True), (1001, False), (None, True)]
)
def test_t3_tsecr_must_be_of_a_syn_ack_that_was_sent(echo, good):
    host = syn_recv(opts=TS)
    host.run(2 * SECOND)
    host.fresh()
    verdict = host.send("A", 1, 1, ts=(1100, echo))
    assert verdict == ("HANDSHAKE_DONE" if good else "REQUEST_TSECR")
    if not good:
        host.expect("2 A seq 1 ack 1 <nop, nop, TS 1000 100>")
        assert host.moved() == {"TSEcrRejected": 1}


def test_t3_a_kernel_before_6_15_does_not_look_at_tsecr():
    host = syn_recv(opts=TS, generation=dataclasses.replace(GENERATION, check_tsecr=False))
    assert host.send("A", 1, 1, ts=(110, -5)) == "HANDSHAKE_DONE"


def test_t3_without_timestamps_agreed_they_bound_nothing():
    host = syn_recv()
    assert host.send("A", 1, 1, ts=(1, 77)) == "HANDSHAKE_DONE"


# --- T4: the SYN flag at the SYN's number is forgotten -------------------------------------------------


def test_t4_data_from_the_syns_own_number_completes_with_or_without_the_flag():
    host = syn_recv()
    assert host.send("A", 0, 1, data=10) == "HANDSHAKE_DONE"
    assert host.table()[0] == "ESTAB 9 0 8080 41001"
    # With the flag the connection is made, but challenges the segment and waits for the next ACK.
    host = syn_recv()
    assert host.send("SA", 0, 1, data=10) == "HANDSHAKE_DONE"
    host.expect("1 A seq 1 ack 1")
    assert host.table() == ["LISTEN 1 5 8080 *", "SYN-RECV 0 0 8080 41001"]
    host.run(1000 * SECOND)
    host.expect()
    child = host.accept()
    with fails("EAGAIN"):
        child.send(b"x")
    host.send("A", 1, 1)
    assert child.state == "ESTABLISHED"


# --- T5: a RST inside the window, not at its edge ------------------------------------------------------


@pytest.mark.parametrize("seq", [2, 100, W - 1])
def test_t5_an_inexact_rst_is_challenged(seq):
    host = syn_recv()
    assert host.send("R", seq) == "REQUEST_RST_INEXACT"
    host.expect("1 A seq 1 ack 1 win 64240")
    assert host.moved() == {"TCPChallengeACK": 1}
    assert stays(host)


def test_t5_once_in_500_ms_even_with_data():
    host = syn_recv()
    assert host.send("R", 2, data=5) == "REQUEST_RST_INEXACT"
    assert host.send("R", 2, data=5, at=1499 * MS) == "REQUEST_RST_LIMITED"
    assert host.send("R", 2, data=5, at=1500 * MS) == "REQUEST_RST_INEXACT"
    host.expect("1 A", "1.5 A")
    assert host.moved() == {"TCPChallengeACK": 2, "TCPACKSkippedChallenge": 1}


def test_t5_an_older_kernel_lets_it_kill():
    host = syn_recv(generation=dataclasses.replace(GENERATION, challenge_inexact_rst=False))
    assert host.send("R", 100) == "REQUEST_RST"
    assert gone(host)


# --- T6: RST or SYN ------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", ["R", "RA", "SR", "FR"])
def test_t6_an_exact_rst_removes_the_request_in_silence(flags):
    host = syn_recv()
    assert host.send(flags, 1, 1) == "REQUEST_RST"
    host.expect()
    assert host.moved() == {"AttemptFails": 1, "EmbryonicRsts": 1}
    assert gone(host)
    host.run(200 * SECOND)
    host.expect()


@pytest.mark.parametrize(
    ("flags", "seq", "data", "answer"),
    [
        ("S", 1, 0, "1 RA seq zero ack 2"),
        ("S", 100, 0, "1 RA seq zero ack 101"),
        ("SF", 100, 5, "1 RA seq zero ack 107"),
        ("SA", 100, 0, "1 R seq 1 ack zero"),
        ("S", W, 0, f"1 RA seq zero ack {W + 1}"),
    ],
)
def test_t6_a_new_syn_in_the_window_resets_and_removes_it(flags, seq, data, answer):
    host = syn_recv()
    assert host.send(flags, seq, 1 if "A" in flags else None, data=data) == "REQUEST_SYN"
    host.expect(answer)
    assert host.moved() == {"AttemptFails": 1, "EmbryonicRsts": 1, "OutRsts": 1}
    assert gone(host)


# --- T7 and T8: no ACK flag; TCP_DEFER_ACCEPT ----------------------------------------------------------


@pytest.mark.parametrize("flags", ["F", "", "P", "U", "FPU"])
def test_t7_without_ack_it_is_dropped_in_silence(flags):
    host = syn_recv()
    assert host.send(flags, 1) == "REQUEST_NO_ACK"
    host.expect()
    assert host.moved() == {}
    assert stays(host)


def test_t8_defer_accept_is_asked_before_the_queue():
    host = syn_recv(0, options=[(6, 9, 5)])
    host.send("S", port=2)
    host.send("PA", 1, 1, port=2, data=1)
    host.fresh()
    assert host.send("A", 1, 1) == "DEFER_ACCEPT"
    assert host.moved() == {"TCPDeferAcceptDrop": 1}
    assert host.send("PA", 1, 1, data=1) == "ACCEPT_QUEUE_FULL"
    host.expect()


# --- T9: no room ---------------------------------------------------------------------------------------


def full(**settings):
    """A full accept queue (backlog 0, one connection), and a request that came before it was full."""
    host = listening(1, **settings)
    host.send("S", port=1)
    host.send("A", 1, 1, port=1)
    host.send("S", at=1 * SECOND)
    host.listener.listen(0)
    return host.fresh()


@pytest.mark.parametrize(("flags", "data"), [("A", 0), ("PA", 100), ("FA", 0), ("FPA", 100)])
def test_t9_a_full_accept_queue_ignores_the_final_ack_and_keeps_the_request(flags, data):
    host = full()
    assert host.send(flags, 1, 1, data=data) == "ACCEPT_QUEUE_FULL"
    host.expect()
    assert host.moved() == {"ListenDrops": 1, "ListenOverflows": 1}
    assert host.table() == ["ESTAB 0 0 8080 1", "LISTEN 1 0 8080 *", REQUEST]
    assert host.queues() == (1, 1, 0)


def test_t9_with_abort_on_overflow_it_is_reset_and_removed():
    host = full(abort_on_overflow=1)
    assert host.send("A", 1, 1) == "ABORT_ON_OVERFLOW"
    host.expect("1 R seq 1 ack zero win 0 <>")
    assert host.moved() == {"EmbryonicRsts": 1, "ListenDrops": 1, "ListenOverflows": 1, "OutRsts": 1}
    assert host.table() == ["ESTAB 0 0 8080 1", "LISTEN 1 0 8080 *"]


def test_t9_abort_on_overflow_says_nothing_to_a_syn():
    host = full(abort_on_overflow=1)
    assert host.send("S", port=2) == "ACCEPT_QUEUE_FULL_SYN"
    host.expect()


@pytest.mark.parametrize("data", [0, 10])
def test_t9_once_there_is_room_the_next_good_segment_completes_it(data):
    host = full()
    host.send("A", 1, 1, at=1100 * MS)
    host.accept()
    host.run(2 * SECOND)
    host.expect("2 SA seq 0 ack 1")
    assert host.send("A", 1, 1, data=data, at=2100 * MS, win=777) == "HANDSHAKE_DONE"
    host.expect(*["2.1 A seq 1 ack 11"] if data else [])
    child = host.accept()
    # It takes the window of this segment, and nothing of the earlier ones was kept.
    child.send(2000)
    assert sum(len(segment.payload) for _, segment in host.taken()) <= 777
    assert child.sock.connection.snd.wnd == 777


# --- T10: the connection is made -----------------------------------------------------------------------


def test_t10_a_bare_ack_is_not_answered():
    host = syn_recv()
    assert host.send("A", 1, 1, at=1010 * MS) == "HANDSHAKE_DONE"
    host.expect()
    assert host.queues() == (1, 0, 5)
    assert host.moved() == {"PassiveOpens": 1}
    assert host.table() == [OPEN, "LISTEN 1 5 8080 *"]
    assert host.changes()[-2:] == [("CLOSE", "SYN_RECV"), ("SYN_RECV", "ESTABLISHED")]
    host.run(1000 * SECOND)
    host.expect()


@pytest.mark.parametrize(
    ("flags", "seq", "data", "lines", "row"),
    [
        ("PA", 1, 100, ["1.01 A seq 1 ack 101"], "ESTAB 100 0"),
        ("FA", 1, 0, ["1.01 A seq 1 ack 2"], "CLOSE-WAIT 1 0"),
        ("FPA", 1, 100, ["1.05 A seq 1 ack 102"], "CLOSE-WAIT 101 0"),
        ("PA", 51, 100, ["1.01 A seq 1 ack 1"], "ESTAB 0 0"),
        ("A", W + 1, 0, [], "ESTAB 0 0"),
        ("UA", 1, 0, [], "ESTAB 0 0"),
    ],
)
def test_t10_the_same_segment_is_then_processed(flags, seq, data, lines, row):
    host = syn_recv()
    assert host.send(flags, seq, 1, data=data, at=1010 * MS) == "HANDSHAKE_DONE"
    host.run(2 * SECOND)
    host.expect(*lines)
    assert host.table()[0] == f"{row} 8080 41001"


def test_t10_a_zero_window_completes_it_too():
    host = syn_recv()
    assert host.send("A", 1, 1, win=0) == "HANDSHAKE_DONE"
    child = host.accept()
    assert child.send(10) == 10
    host.expect()


@pytest.mark.parametrize(("seq", "echo"), [(1, 150), (51, 100)])
def test_t10_the_childs_timestamp_is_this_segments_unless_it_lies_ahead(seq, echo):
    host = syn_recv(opts=TS)
    host.send("PA", seq, 1, data=10, ts=(150, 0))
    host.expect(f"1 A <nop, nop, TS 0 {echo}>")


# --- how often a request answers -----------------------------------------------------------------------


def test_duplicate_syns_and_refusals_share_one_limit_of_500_ms():
    host = syn_recv()
    assert host.send("A", 2 * W, 1) == "REQUEST_OUT_OF_WINDOW"
    assert host.send("S", 0, at=1400 * MS) == "DUPLICATE_SYN_LIMITED"
    assert host.send("A", 2 * W, 1, at=1450 * MS) == "REQUEST_REFUSED_QUIETLY"
    assert host.send("R", 9, at=1499 * MS) == "REQUEST_RST_LIMITED"
    # What was suppressed has not begun the wait anew.
    assert host.send("S", 0, at=1500 * MS) == "DUPLICATE_SYN"
    assert host.send("R", 9, at=1600 * MS) == "REQUEST_RST_LIMITED"
    host.expect("1 A", "1.5 SA")
    assert host.moved()["TCPACKSkippedSynRecv"] == 2


@pytest.mark.parametrize(("flags", "data"), [("A", 1), ("FA", 0)])
def test_data_and_fin_out_of_window_are_always_answered(flags, data):
    host = syn_recv()
    for at in (1000, 1001, 1002):
        assert host.send(flags, 2 * W, 1, data=data, at=at * MS) == "REQUEST_OUT_OF_WINDOW"
    host.expect("1 A", "1.001 A", "1.002 A")


def test_zero_milliseconds_are_no_limit():
    host = syn_recv(invalid_ratelimit=0)
    assert [host.send("S", 0) for _ in range(3)] == ["DUPLICATE_SYN"] * 3


def test_each_request_has_a_limit_of_its_own():
    host = syn_recv()
    host.send("S", 0, port=2)
    assert host.send("S", 0) == host.send("S", 0, port=2) == "DUPLICATE_SYN"


# --- the plain ACK of a request ------------------------------------------------------------------------


def test_the_plain_ack_has_its_window_scaled_and_the_tos_of_what_it_answers():
    host = Bench()
    host.listener = host.listen(5, options=[(0, 1, 0x48)])
    host.send("S", opts=(Mss(1460), NOP, WScale(3)))
    host.fresh()
    host.send("A", 2 * W, 1, tos=0xBB)
    [(_, segment)] = host.taken()
    assert (segment.window, segment.tos, segment.ip_id, segment.df) == (W >> 10, 0xB8, 0, True)
    assert segment.options == ()


def test_it_carries_no_timestamps_when_the_syns_was_zero():
    host = syn_recv(opts=(Mss(1460), NOP, NOP, Timestamps(0, 0)))
    host.send("A", 2 * W, 1)
    host.expect("1 A seq 1 ack 1 <>")


# --- what a dropped ACK leaves -------------------------------------------------------------------------


def test_data_of_a_dropped_ack_is_lost():
    host = full()
    host.send("PA", 1, 1, data=100)
    host.accept()
    host.send("A", 101, 1)
    host.expect()
    child = host.accept()
    assert child.state == "ESTABLISHED"
    # The first hundred octets are missing, so what follows is out of order.
    assert host.send("PA", 101, 1, data=50) == "DATA_AHEAD"
    host.expect("1 A seq 1 ack 1")
    host.send("PA", 1, 1, data=100)
    host.expect("1 A seq 1 ack 151")
    assert len(child.recv()) == 150


# --- what a SYN|ACK could not say: a window above 65535, which its field has no room for ----------------


LARGE = [(sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, 400_000)]
"""A buffer with room for 399,648 octets: a SYN|ACK's window is not scaled, so it has offered 65535 of them."""


@pytest.mark.parametrize(("opts", "window"), [(MSS, 65535), (FULL, 65535 >> 3)])
def test_the_plain_ack_offers_no_more_than_the_syn_ack_did(opts, window):
    host = syn_recv(options=LARGE, opts=opts)
    assert host.send("A", 2**20, 1) == "REQUEST_OUT_OF_WINDOW"
    host.expect(f"1 A seq 1 ack 1 win {window}")


@pytest.mark.parametrize("opts", [MSS, FULL])
@pytest.mark.parametrize(("seq", "data", "good"), [(65535, 1, True), (65536, 0, True), (65536, 1, False)])
def test_what_lies_beyond_what_the_syn_ack_offered_is_out_of_the_window(opts, seq, data, good):
    host = syn_recv(options=LARGE, opts=opts)
    verdict = host.send("A", seq, 1, data=data)
    assert verdict == ("HANDSHAKE_DONE" if good else "REQUEST_OUT_OF_WINDOW")


@pytest.mark.parametrize(("kernel", "scaled"), [("linux-4.4", False), ("linux-6.18", True)])
def test_an_old_kernel_tells_the_window_of_a_request_as_it_is(kernel, scaled):
    """And a newer one by the scale that it has offered."""
    host = syn_recv(opts=FULL, generation=kernel)
    [request] = host.host.tables.host.flows.values()
    assert request.terms.rcv_shift
    host.send("A", 10**9, 1, data=5, ts=(110, 0))
    [(_, answer)] = host.taken()
    assert answer.window == min(request.terms.rcv_wnd, 65535) >> (request.terms.rcv_shift if scaled else 0)
