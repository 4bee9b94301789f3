"""RST in and out, challenge ACKs, and what else a connection refuses (RFC 5961; FACTS of Linux 6.18)."""

import dataclasses

import pytest

from tcpemu.testing.bench import (
    FULL,
    MS,
    MSS,
    SECOND,
    TS,
    close_wait,
    closing,
    established,
    fails,
    fin_wait1,
    fin_wait2,
    last_ack,
)
from tcpemu.testing.bench.bench_values import GENERATION

OPEN = "ESTAB 0 0 8080 41001"
LISTEN = "LISTEN 0 5 8080 *"
W = 64240

# --- a RST arrives --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", ["R", "RA", "RPA", "SR", "FR"])
def test_a_rst_at_the_next_number_kills(flags):
    host = established()
    assert host.send(flags, 1, 12345) == "RESET"
    host.expect()
    assert host.table() == [LISTEN]
    assert host.moved() == {"EstabResets": 1}
    assert host.conn.error == "ECONNRESET"


@pytest.mark.parametrize("seq", [2, 100, W])
def test_a_rst_elsewhere_in_the_window_is_challenged(seq):
    host = established()
    assert host.send("R", seq) == "CHALLENGE_RST"
    host.expect("1.01 A seq 1 ack 1 win 64240")
    assert host.moved() == {"TCPChallengeACK": 1}
    assert host.table()[0] == OPEN


@pytest.mark.parametrize("seq", [0, -100, W + 2, 2**31])
def test_a_rst_outside_the_window_is_dropped(seq):
    host = established()
    assert host.send("R", seq) == "OUT_OF_WINDOW_RST"
    host.expect()
    assert host.table()[0] == OPEN


def test_a_rst_at_the_right_edge_of_what_is_held_beyond_a_hole_kills():
    host = established(opts=FULL)
    host.send("PA", 101, 1, data=100, ts=(120, 0))
    host.fresh()
    assert host.send("R", 150) == "CHALLENGE_RST"
    assert host.send("R", 201) == "RESET"


@pytest.mark.parametrize(("make", "seq"), [(close_wait, 1), (last_ack, 1), (closing, 1)])
def test_after_the_peers_fin_a_rst_may_stand_where_the_fin_stood(make, seq):
    host = make()
    assert host.send("R", seq) == "RESET"
    assert host.table() == [LISTEN]
    host.expect()


@pytest.mark.parametrize("make", [established, close_wait, last_ack, closing, fin_wait1, fin_wait2])
def test_a_rst_ends_every_state(make):
    host = make()
    expected = host.host.tables.host.flows[next(iter(host.host.tables.host.flows))]
    expected = expected.rcv.nxt if hasattr(expected, "rcv") else expected.rcv_nxt
    flow = host.flow()
    assert host.send("R", expected - flow.peer_isn) == "RESET"
    assert host.table() == [LISTEN]
    host.run(1000 * SECOND)
    host.expect()


@pytest.mark.parametrize(
    ("make", "error"), [(established, "ECONNRESET"), (close_wait, "EPIPE"), (fin_wait2, "ECONNRESET")]
)
def test_the_error_that_the_application_sees(make, error):
    host = make()
    host.send("R", 2 if make is close_wait else 1)
    assert host.conn.error == error


# --- a SYN arrives --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [established, close_wait, last_ack, closing, fin_wait1, fin_wait2])
@pytest.mark.parametrize(("flags", "seq"), [("S", 10**6), ("S", 0), ("S", 5), ("SA", 0)])
def test_a_syn_is_challenged_in_every_synchronized_state(make, flags, seq):
    host = make()
    rows = host.table()
    assert host.send(flags, seq, 1 if "A" in flags else None, opts=MSS) == "CHALLENGE_SYN"
    [(_, segment)] = host.taken()
    assert segment.flags == 0x10
    moved = host.moved()
    assert (moved["TCPSYNChallenge"], moved["TCPChallengeACK"]) == (1, 1)
    assert moved.get("InErrs", 0) == (make is established)
    assert host.table() == rows


# --- limits ---------------------------------------------------------------------------------------------


def test_a_socket_challenges_at_most_twice_a_second():
    host = established()
    verdicts = [host.send("R", 9, at=at * MS) for at in (2000, 2499, 2500, 2600)]
    assert verdicts == ["CHALLENGE_RST", "CHALLENGE_LIMITED", "CHALLENGE_RST", "CHALLENGE_LIMITED"]
    host.expect("2 A", "2.5 A")
    assert host.moved() == {"TCPChallengeACK": 2, "TCPACKSkippedChallenge": 2}


def test_acks_to_what_is_out_of_window_share_that_limit():
    host = established()
    assert host.send("A", 10**6, 1) == "OUT_OF_WINDOW"
    assert host.send("S", 7) == "CHALLENGE_LIMITED"
    assert host.send("A", 10**6, 1) == "OUT_OF_WINDOW_LIMITED"
    host.expect("1.01 A seq 1 ack 1")
    assert host.moved() == {
        "TCPACKSkippedChallenge": 1,
        "TCPACKSkippedSeq": 1,
        "TCPSYNChallenge": 1,
        "InErrs": 1,
        "BeyondWindow": 2,
    }


def test_a_host_may_be_limited_too_and_its_budget_is_random():
    budgets = set()
    for seed in range(12):
        host = established(challenge_ack_limit=10, invalid_ratelimit=0, seed=seed)
        host.run(2 * SECOND)
        verdicts = [host.send("R", 9) for _ in range(30)]
        sent = verdicts.count("CHALLENGE_RST")
        assert verdicts == ["CHALLENGE_RST"] * sent + ["CHALLENGE_LIMITED"] * (30 - sent)
        budgets.add(sent)
        assert host.send("R", 9, at=3 * SECOND) == "CHALLENGE_RST", "each second has its own"
    assert 5 <= min(budgets) < max(budgets) < 15


# --- acceptability --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seq", "data", "verdict"),
    [
        *[
            (1, 10, "DATA"),
            (0, 2, "DATA"),
            (-9, 20, "DATA"),
            (2, 10, "DATA_AHEAD"),
            (W - 9, 10, "DATA_AHEAD"),
        ],
        *[
            (0, 1, "OLD_DATA"),
            (-100, 50, "OUT_OF_WINDOW"),
            (-100, 101, "OLD_DATA"),
            (W + 2, 5, "OUT_OF_WINDOW"),
        ],
        *[(1, 0, "ACKED"), (0, 0, "OUT_OF_WINDOW"), (W + 1, 0, "ACKED"), (W + 2, 0, "OUT_OF_WINDOW")],
        (2**31, 1, "OUT_OF_WINDOW"),
    ],
)
def test_what_is_in_the_window(seq, data, verdict):
    host = established()
    assert host.send("A", seq, 1, data=data) == verdict
    answered = 0 if verdict == "ACKED" else 1
    assert len(host.taken()) == answered


def test_data_that_ends_beyond_the_window_is_refused_while_other_data_is_unread():
    host = established()
    assert host.send("A", 1, 1, data=1000) == "DATA"
    assert host.send("A", W - 10, 1, data=1400) == "OUT_OF_WINDOW"
    assert host.moved()["BeyondWindow"] == 1
    host.conn.recv()
    assert host.send("A", W - 10, 1, data=1400) == "DATA_AHEAD"


def test_a_kernel_without_that_rule_keeps_it():
    host = established(generation=dataclasses.replace(GENERATION, beyond_window=False))
    host.send("A", 1, 1, data=1000)
    assert host.send("A", W - 10, 1, data=1400) == "DATA_AHEAD"


@pytest.mark.parametrize("flags", ["", "F", "P", "U", "FPU"])
def test_without_ack_rst_or_syn_it_is_dropped(flags):
    host = established()
    assert host.send(flags, 1, data=5) == "TCP_FLAGS"
    host.expect()


# --- PAWS -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "verdict"), [(110, "DATA"), (109, "DATA"), (108, "PAWS"), (111, "DATA"), (0, "PAWS")]
)
def test_data_with_a_timestamp_older_by_two_is_refused(stamp, verdict):
    host = established(opts=TS)
    assert host.send("PA", 1, 1, data=5, ts=(stamp, 0)) == verdict
    if verdict == "PAWS":
        host.expect("1.01 A seq 1 ack 1 <nop, nop, TS 10 110>")
        assert host.moved() == {"PAWSEstab": 1}


def test_a_pure_duplicate_ack_that_was_overtaken_passes_and_an_older_one_is_dropped():
    host = established(opts=TS)
    host.send("PA", 1, 1, data=5, ts=(200, 0))
    host.send("A", 6, 1, ts=(500, 0))
    host.fresh()
    # Within 1.2 times the RTO of 210 ms.
    assert host.send("A", 6, 1, ts=(500 - 252, 0)) == "ACKED"
    assert host.send("A", 1, 1, ts=(150, 0)) == "PAWS_OLD_ACK"
    host.expect()
    assert host.moved() == {"PAWSOldAck": 1}
    assert host.send("A", 6, 1, ts=(500 - 253, 0)) == "PAWS"


def test_paws_forgets_after_24_days():
    host = established(opts=TS)
    assert host.send("PA", 1, 1, data=5, ts=(50, 0), at=24 * 86_400 * SECOND) == "PAWS"
    assert host.send("PA", 1, 1, data=5, ts=(50, 0), at=(24 * 86_400 + 2) * SECOND) == "DATA"


def test_paws_reckons_them_from_the_last_timestamp_that_was_taken():
    day = 86_400 * SECOND
    host = established(opts=FULL)
    host.send("PA", 1, 1, data=5, ts=(200, 0), at=10 * day)
    assert host.send("PA", 6, 1, data=5, ts=(150, 0), at=33 * day) == "PAWS"
    assert host.send("PA", 6, 1, data=5, ts=(150, 0), at=35 * day) == "DATA"


def test_a_rst_and_a_syn_are_judged_by_their_numbers():
    host = established(opts=TS)
    assert host.send("S", 1, ts=(50, 0)) == "CHALLENGE_SYN"
    assert host.send("R", 1, ts=(50, 0)) == "RESET"


@pytest.mark.parametrize("paws", [True, False])
def test_refused_bare_segments_are_answered_twice_a_second(paws):
    host = established(opts=TS)
    fields = {"seq": 1, "ts": (110 - 1000, 0)} if paws else {"seq": 10**6, "ts": (110, 0)}
    for at in (2000, 2400, 2500):
        host.send("A", ack=1, at=at * MS, **fields)
    host.expect("2 A", "2.5 A")
    assert host.moved()["TCPACKSkippedPAWS" if paws else "TCPACKSkippedSeq"] == 1


# --- acknowledgment numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("ack", [2, 10**6, 2**31])
def test_an_ack_of_what_was_never_sent_is_challenged(ack):
    host = established()
    assert host.send("PA", 1, ack, data=5) == "ACK_UNSENT_DATA"
    host.expect("1.01 A seq 1 ack 1")
    assert host.moved() == {"TCPChallengeACK": 1}


@pytest.mark.parametrize("ack", [-(10**6), -W - 10, 2**31 + 2])
def test_an_ack_from_long_ago_is_challenged(ack):
    host = established()
    assert host.send("PA", 1, ack, data=5) == "ACK_TOO_OLD"
    host.expect("1.01 A seq 1 ack 1")


@pytest.mark.parametrize("make", [fin_wait1, closing, last_ack])
def test_closing_states_challenge_it_too(make):
    host = make()
    host.send("A", 1 if make is fin_wait1 else 2, 999)
    [(_, segment)] = host.taken()
    assert segment.flags == 0x10
    assert host.moved() == {"TCPChallengeACK": 1}


# --- a RST goes out -------------------------------------------------------------------------------------


def test_close_with_data_unread_resets():
    host = established(opts=TS)
    host.send("PA", 1, 1, data=10, ts=(120, 0))
    host.fresh()
    host.conn.close()
    host.expect("1.01 RA seq 1 ack 11 <nop, nop, TS 10 120>")
    assert host.moved() == {"TCPAbortOnClose": 1, "OutRsts": 1, "EstabResets": 1}
    assert host.table() == [LISTEN]


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (established, "1.01 RA seq 1 ack 1"),
        (close_wait, "2.1 RA seq 1 ack 2"),
        (fin_wait1, "2 RA seq 2 ack 1"),
        (fin_wait2, "2.01 RA seq 2 ack 1"),
        (closing, None),
    ],
)
def test_so_linger_0_resets_where_the_peer_may_still_believe(make, answer):
    host = make()
    host.conn.abort()
    host.expect(*[answer] if answer else [])
    assert host.table() == [LISTEN]
    assert host.moved().get("OutRsts", 0) == bool(answer)
    host.run(1000 * SECOND)
    host.expect()


def test_a_linger_of_some_seconds_is_an_ordinary_close():
    host = established()
    host.conn.sock.linger(True, 5)
    host.conn.close()
    host.expect("1.01 FA seq 1 ack 1")


def test_an_abort_ends_what_waits_to_be_sent():
    host = established()
    host.conn.send(100_000)
    host.fresh()
    host.conn.abort()
    [(_, rst)] = host.taken()
    assert (rst.flags, rst.payload) == (0x14, b"")
    host.run(100 * SECOND)
    host.expect()
    with fails("EBADF"):
        host.conn.send(b"x")
