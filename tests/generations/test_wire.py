"""What the segments of each generation look like, and when they are sent."""

import pytest

from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench import FULL, MSS, TS, established, fails, syn_sent
from tcpemu.testing.bench.bench_values import CLIENT, PORT
from tcpemu.wire.options import NOP, SACK_OK, Mss, Timestamps, WScale
from tests.generations.rows import (
    LINUX,
    bench,
    each,
    flags,
    generation,
    kinds,
    listener,
    only,
    rows,
    since,
    until,
)

_LINUX_OPTIONS = "mss 1460, sackOK, TS, nop, ws 7"


def syn_ack(name, options, **settings):
    """The SYN|ACK to a SYN with these options."""
    host = listener(name, **settings)
    host.send("S", at=100 * MS, opts=options)
    return only(host.taken())


def syn(name, **settings):
    """The SYN of a client."""
    host = bench(name, **settings)
    connect(host)
    return only(host.taken())


def connect(host):
    host.conn = host.socket()
    host.conn.bind(PORT)
    with fails("EINPROGRESS"):
        host.conn.connect()


# --- the SYN|ACK --------------------------------------------------------------------------------------


@each(
    {
        "linux-1.2": "mss 1436",
        "linux-2.0": "mss 1460",
        "linux-2.2": "mss 1460, sackOK, TS, nop, ws 0",
        "linux-2.4": "mss 1460, sackOK, TS, nop, ws 0",
        **rows(since("linux-2.6.32", "linux-6.12"), _LINUX_OPTIONS),
        **rows(since("linux-6.16"), "mss 1460, sackOK, TS, nop, ws 10"),
        "bsd-4.4": "mss 1460, nop, ws 0, nop, nop, TS",
        "freebsd-14": "mss 1460, nop, ws 6, sackOK, TS",
        "macos-15": "mss 1460, nop, ws 6, nop, nop, TS, sackOK, eol, eol",
        "solaris": "sackOK, TS, mss 1460, nop, ws 1",
        "windows-2003": "mss 1460, nop, ws 0, nop, nop, TS, nop, nop, sackOK",
    },
)
def test_a_syn_ack_answers_the_options_of_a_linux_client_in_the_order_of_its_family(name, value):
    assert kinds(syn_ack(name, FULL)) == value


@each(
    {
        "linux-1.2": 14335,
        "linux-2.0": 32736,
        "linux-2.2": 32120,
        "linux-2.4": 5792,
        "linux-2.6.32": 5792,
        "linux-3.0": 14480,
        "linux-3.10": 14480,
        **rows(since("linux-4.4", "linux-4.19"), 28960),
        **rows(since("linux-5.4"), 65160),
        "bsd-4.4": 8760,
        **rows(["freebsd-14", "macos-15", "solaris", "windows-2003"], 65535),
    }
)
def test_the_window_of_a_syn_ack_to_a_linux_client(name, value):
    assert syn_ack(name, FULL).window == value


@each(
    {
        "linux-1.2": (14335, "mss 1436"),
        "linux-2.0": (32736, "mss 1460"),
        "linux-2.2": (32120, "mss 1460"),
        "linux-2.4": (5840, "mss 1460"),
        "linux-2.6.32": (5840, "mss 1460"),
        "linux-3.0": (14600, "mss 1460"),
        "linux-3.10": (14600, "mss 1460"),
        **rows(since("linux-4.4", "linux-4.19"), (29200, "mss 1460")),
        **rows(since("linux-5.4"), (64240, "mss 1460")),
        "bsd-4.4": (8760, "mss 1460"),
        **rows(["freebsd-14", "macos-15", "solaris", "windows-2003"], (65535, "mss 1460")),
    },
)
def test_a_syn_with_an_mss_alone_is_answered_with_an_mss_alone(name, value):
    segment = syn_ack(name, MSS)
    assert (segment.window, kinds(segment)) == value


def test_1_2_leaves_64_octets_of_the_mtu_for_headers():
    """tcp.h: HEADER_SIZE. Data goes by it too."""
    assert kinds(syn_ack("linux-1.2", (Mss(1460),), mtu=1000)) == "mss 936"
    host = established(generation=generation("linux-1.2"), opts=MSS)
    host.conn.send(5000)
    assert len(host.taken()[0][1].payload) == 1436


def test_solaris_puts_timestamps_first_in_a_syn_ack_and_sack_behind_without_them():
    """illumos, tcp_output.c: tcp_xmit_mp_aux_iss."""
    assert kinds(syn_ack("solaris", (Mss(1460), NOP, NOP, Timestamps(7, 0)))) == "nop, nop, TS, mss 1460"
    without = (Mss(1460), NOP, NOP, SACK_OK, NOP, WScale(7))
    assert kinds(syn_ack("solaris", without)) == "mss 1460, nop, nop, sackOK, nop, ws 1"


@each(
    {**rows(until("linux-2.2"), "mss 1000"), **rows(since("linux-2.4"), "mss 1460")},
    only=LINUX,
)
def test_before_2_4_a_syn_ack_announces_no_larger_mss_than_the_peers(name, value):
    assert kinds(syn_ack(name, (Mss(1000),))) == value


@each(
    {"linux-2.2": 0, **rows(since("linux-2.4"), 100), **rows(["bsd-4.4", "freebsd-14", "macos-15"], 100)},
    only=[*since("linux-2.2"), "bsd-4.4", "freebsd-14", "macos-15"],
)
def test_a_syn_ack_echoes_the_timestamp_of_the_syn(name, value):
    [stamps] = [option for option in syn_ack(name, FULL).options if isinstance(option, Timestamps)]
    assert stamps.ecr == value


@each(
    {"linux-2.4": "mss 1460", **rows(since("linux-2.6.32", "linux-4.19"), "mss 1460, nop, nop, TS")},
    only=since("linux-2.4", "linux-4.19"),
)
def test_in_2_4_a_timestamp_of_zero_is_none(name, value):
    assert kinds(syn_ack(name, (Mss(1460), NOP, NOP, Timestamps(0, 0)))) == value


@each(
    {
        **rows(["linux-1.2", "linux-2.0"], (64, False)),
        **rows(since("linux-2.2"), (64, True)),
        "bsd-4.4": (64, False),
        **rows(["freebsd-14", "macos-15", "solaris"], (64, True)),
        "windows-2003": (128, True),
    },
)
def test_ttl_and_dont_fragment_of_syn_ack_and_syn(name, value):
    answer, first = syn_ack(name, FULL), syn(name)
    assert (answer.ttl, answer.df) == value
    assert (first.ttl, first.df) == value


@each(
    {
        **rows(until("linux-2.4"), 255),
        **rows(since("linux-2.6.32"), 64),
        **rows(["bsd-4.4", "freebsd-14", "macos-15", "solaris"], 64),
        "windows-2003": 128,
    }
)
def test_ttl_of_a_reset_for_a_stray_segment(name, value):
    host = bench(name)
    host.send("S", at=100 * MS)
    assert only(host.taken()).ttl == value
    host.send("A", 1, 1)
    assert only(host.taken()).ttl == value


@pytest.mark.parametrize("name", LINUX)
def test_a_stray_segment_is_reset_by_its_own_numbers(name):
    host = bench(name)
    host.send("S", at=100 * MS)
    host.expect("0.1 RA seq zero ack 1 win 0 <>")
    host.send("A", 1, 77, at=200 * MS)
    host.expect("0.2 R seq 77 ack zero win 0 <>")
    host.send("R", 1, at=300 * MS)
    host.expect()


@each(
    {
        **rows(until("linux-3.0"), ["SA"]),
        **rows(since("linux-3.10"), []),
    },
    only=LINUX,
)
def test_until_3_1_a_syn_with_fin_is_a_syn_to_a_listener(name, value):
    host = listener(name)
    host.send("SF", at=100 * MS, opts=MSS)
    assert flags(host.taken()) == value


@each(
    {
        **rows(["linux-1.2", "linux-2.0", "linux-2.2", "linux-2.4"], "SA"),
        **rows(since("linux-2.6.32"), "SAE"),
    },
    only=LINUX,
)
def test_ecn_is_agreed_to_when_asked_for_since_tcp_ecn_is_2(name, value):
    host = listener(name)
    host.send("SEC", at=100 * MS, opts=MSS)
    assert sorted(*flags(host.taken())) == sorted(value)


# --- timestamps ---------------------------------------------------------------------------------------


def stamp(segment):
    [found] = [option.val for option in segment.options if isinstance(option, Timestamps)]
    return found


@each(
    {
        **rows(since("linux-2.2", "linux-4.4"), True),
        "linux-4.10": False,
        **rows(since("linux-4.15", "linux-6.1"), True),
        **rows(since("linux-6.12"), False),
        "bsd-4.4": True,
    },
    only=[*since("linux-2.2"), "bsd-4.4"],
)
def test_two_flows_of_one_peer_see_the_same_clock_of_timestamps(name, value):
    """secure_seq.c: 4.10 takes flows, 4.11 and later pairs of addresses, the stable updates of 2026 flows again."""
    host = listener(name)
    host.send("S", at=100 * MS, opts=FULL)
    host.send("S", opts=FULL, port=CLIENT + 1)
    (_, first), (_, second) = host.taken()
    assert (stamp(first) == stamp(second)) is value


@pytest.mark.parametrize("name", since("linux-4.15", "linux-6.1"))
def test_two_peers_see_different_clocks_where_it_goes_by_the_pair_of_addresses(name):
    host = listener(name)
    host.send("S", at=100 * MS, opts=FULL)
    host.send("S", opts=FULL, ip="10.0.0.3")
    (_, first), (_, second) = host.taken()
    assert stamp(first) != stamp(second)


@each(
    {
        **rows(["linux-2.2", "linux-2.4"], 100),
        **rows(["linux-4.4", "linux-4.10"], 250),
        **rows(since("linux-4.15"), 1000),
        "bsd-4.4": 2,
        "freebsd-14": 1000,
        "solaris": 100,
    },
    only=["linux-2.2", "linux-2.4", *since("linux-4.4"), "bsd-4.4", "freebsd-14", "solaris"],
)
def test_ticks_of_a_timestamp_in_a_second(name, value):
    """4.4BSD counts turns of its slow timer (tcp_timer.c: tcp_slowtimo), others jiffies or milliseconds."""
    host = bench(name)
    connect(host)
    host.run(7 * SECOND)
    (before, first), (after, second) = host.taken()[:2]
    ticks, part = divmod(value * (after - before), SECOND)
    assert stamp(second) - stamp(first) in ({ticks, ticks + 1} if part else {ticks})


# --- SYN|ACKs again -----------------------------------------------------------------------------------

_ONE_SECOND = ([1, 3, 7, 15, 31], 63, "")
_SLICED = since("linux-2.4", "linux-3.10")
_SYN_ACKS = {
    "linux-1.2": (
        [3, 9, 21, 45, 93, 189, 309, 429, 549, 669, 789, 909, 1029, 1149, 1269, 1389],
        1389,
        "",
    ),
    "linux-2.0": ([3, 9, 21, 45, 93, 189], 189, ""),
    "linux-2.2": ([3, 9, 21, 45, 93, 189, 309], 429, ""),
    **rows(since("linux-4.4"), _ONE_SECOND),
    "bsd-4.4": ([6, 30], 75, "RA"),
    "freebsd-14": ([1, 3.2, 7.4], 15.6, ""),
    "macos-15": ([1, 3, 7, 15, 31, 63], 75, "RA"),
    "solaris": ([1.125, 3.375, 7.875, 16.875, 34.875, 70.875, 130.875], 190.875, "RA"),
    "windows-2003": ([3, 9], 21, ""),
}


@each(_SYN_ACKS, only=_SYN_ACKS)
def test_a_syn_ack_that_nobody_answers_comes_again_at_these_times(name, value):
    again, end, last_word = value
    host = listener(name)
    host.send("S", at=0, opts=MSS)
    host.fresh().run(int(end * SECOND) - 1)
    assert host.times("SA") == again[: -1 if again[-1] == end else None]
    assert host.queues()[1] == 1
    host.run(3000 * SECOND)
    assert host.queues()[1] == 0
    left = [(at / SECOND, flag) for (at, _), flag in zip(host.out, flags(host.out), strict=True)]
    ends = [(end, "SA")] if again[-1] == end else []
    assert left == ends + ([(end, last_word)] if last_word else [])
    if last_word:
        reset = host.out[-1][1]
        assert (reset.seq - host.flow().isn, reset.ack - host.flow().peer_isn) == (1, 1)


_SLICES = {
    "linux-2.4": ([3, 6, 12, 24, 48], 96, 1.4),
    "linux-2.6.32": ([3, 6, 12, 24, 48], 96, 1.4),
    "linux-3.0": ([3, 6, 12, 24, 48], 96, 1.4),
    "linux-3.10": ([1, 2, 4, 8, 16], 32, 0.4),
}
"""Waits, the last wait, and how late the listener's timer may look at an entry: it goes through the whole table in
8 runs each 200 ms, or 3 where the first time-out is 1 s (tcp_timer.c: tcp_synack_timer,
inet_connection_sock.c: inet_csk_reqsk_queue_prune)."""


def repeats(name, port, **settings):
    """When SYN|ACKs come again to a lone SYN from this port at 0 s, and when the request is gone at the latest."""
    host = listener(name, **settings)
    host.send("S", at=0, opts=MSS, port=port)
    host.fresh().run(160 * SECOND if name != "linux-3.10" else 55 * SECOND)
    assert host.queues()[1] == 1
    times = host.times("SA")
    _, last, late = _SLICES[name]
    host.run(int((times[-1] + last) * SECOND) - 1)
    assert host.queues()[1] == 1
    host.run(int((times[-1] + last + late) * SECOND) + 1)
    assert host.queues()[1] == 0
    assert host.times("SA") == []
    return times


@each(_SLICES, only=_SLICED)
@pytest.mark.parametrize("port", [41001, 41002, 41005])
def test_one_timer_for_all_is_late_by_up_to_its_way_through_the_table(name, value, port):
    waits, _, late = value
    before, times = 0, repeats(name, port)
    assert len(times) == len(waits)
    for wait, at in zip(waits, times, strict=True):
        assert -1e-9 <= at - before - wait <= late + 1e-9
        assert round((at - waits[0]) * 10) % 2 == 0, "it looks each 200 ms"
        before = at


@each(_SLICES, only=_SLICED)
def test_how_late_it_is_depends_on_the_entry_of_the_table(name, value):
    first = set()
    for port in range(41001, 41013):
        host = listener(name)
        host.send("S", at=0, opts=MSS, port=port)
        host.fresh().run(int((value[0][0] + value[2]) * SECOND) + 1)
        first.update(host.times("SA"))
    assert len(first) > 1
    assert value[0][0] <= min(first)


@pytest.mark.parametrize("name", _SLICED)
def test_the_timer_begins_anew_when_a_request_comes_into_an_empty_queue(name):
    host = listener(name)
    host.send("S", at=0, opts=MSS, port=41001)
    host.send("A", 1, 1, at=10 * MS, port=41001)
    host.fresh().send("S", at=550 * MS, opts=MSS, port=41002)
    host.fresh().run(6 * SECOND)
    first = host.taken()[0][0] - 550 * MS
    assert first % (200 * MS) == 0


@each(
    {
        "linux-1.2": ([], [3, 9]),
        "linux-2.0": ([], [3, 9]),
        "linux-2.2": ([0.1, 0.2, 0.9], [3, 9]),
        **rows(since("linux-4.4"), ([0.1, 0.9], [1.9, 3.9, 7.9])),
        "bsd-4.4": ([0.1, 0.2, 0.9], [6]),
        "freebsd-14": ([0.1, 0.2, 0.9], [1.9, 4.1, 8.3]),
    },
    only=["linux-1.2", "linux-2.0", "linux-2.2", *since("linux-4.4"), "bsd-4.4", "freebsd-14"],
)
def test_what_a_repeated_syn_draws_and_whether_the_wait_begins_anew(name, value):
    host = listener(name)
    for at in (0, 100, 200, 900):
        host.send("S", at=at * MS, opts=MSS)
    host.run(9500 * MS)
    answers, timed = value
    assert host.times("SA") == [0, *answers, *timed]


@each({"linux-2.4": 0, "linux-2.6.32": 0, "linux-3.0": 0, "linux-3.10": 0.9}, only=_SLICED)
def test_under_one_timer_each_repeated_syn_is_answered(name, value):
    host = listener(name)
    for at in (0, 100, 200, 900):
        host.send("S", at=at * MS, opts=MSS)
    waits, _, late = _SLICES[name]
    host.run(int((value + waits[0] + late) * SECOND) + 1)
    *answers, timed = host.times("SA")
    assert answers == [0, 0.1, 0.2, 0.9]
    assert value + waits[0] - 1e-9 <= timed <= value + waits[0] + late + 1e-9


@each(
    {**rows(since("linux-2.4", "linux-5.10.218"), 150), **rows(since("linux-5.10"), 100)},
    only=since("linux-2.4"),
)
def test_before_2025_a_syn_ack_again_echoes_the_newest_timestamp(name, value):
    host = listener(name, 5)
    for port in range(3):
        host.send("S", at=10 * MS, opts=TS, port=CLIENT + port)
    host.listener.listen(0)
    host.send("A", 1, 1, at=20 * MS, ts=(150, 0), port=CLIENT)
    host.send("A", 1, 1, at=20 * MS, ts=(150, 0), port=CLIENT + 1)
    host.fresh().run(5 * SECOND)
    echoes = {s.dport: o.ecr for _, s in host.taken() for o in s.options if isinstance(o, Timestamps)}
    assert echoes[CLIENT + 2] == 100
    assert echoes[CLIENT + 1] == value


# --- the client ---------------------------------------------------------------------------------------


@each(
    {
        "linux-1.2": (512, "mss 1436"),
        "linux-2.0": (512, "mss 1460"),
        "linux-2.2": (32120, "mss 1460, sackOK, TS, nop, ws 0"),
        "linux-2.4": (5840, "mss 1460, sackOK, TS, nop, ws 0"),
        "linux-2.6.32": (5840, _LINUX_OPTIONS),
        "linux-3.0": (14600, _LINUX_OPTIONS),
        "linux-3.10": (14600, _LINUX_OPTIONS),
        **rows(since("linux-4.4", "linux-4.19"), (29200, _LINUX_OPTIONS)),
        **rows(since("linux-5.4", "linux-6.12"), (64240, _LINUX_OPTIONS)),
        **rows(since("linux-6.16"), (64240, "mss 1460, sackOK, TS, nop, ws 10")),
        "bsd-4.4": (8192, "mss 1460, nop, ws 0, nop, nop, TS"),
        "freebsd-14": (65535, "mss 1460, nop, ws 6, sackOK, TS"),
        "macos-15": (65535, "mss 1460, nop, ws 6, nop, nop, TS, sackOK, eol, eol"),
        "solaris": (65535, "mss 1460, sackOK, TS, nop, ws 1"),
        "windows-2003": (65535, "mss 1460, nop, nop, sackOK"),
    },
)
def test_a_client_offers_this_window_and_these_options(name, value):
    segment = syn(name)
    assert (segment.window, kinds(segment)) == value


@each(
    {"linux-1.2": 14335, "linux-2.0": 32120},
    only=["linux-1.2", "linux-2.0"],
)
def test_the_second_syn_of_the_oldest_kernels_has_a_true_window(name, value):
    host = bench(name)
    connect(host)
    host.run(4 * SECOND)
    assert host.taken()[1][1].window == value


_SINGLE = [0, 1, 3, 7, 15, 31, 63]


@each(
    {
        "linux-1.2": ([0, 3, 9, 21, 45, 93, 189, 309, 429, 549, 669, 789], 789),
        "linux-2.0": ([0, 3, 9, 21, 45, 93, 189], 189),
        "linux-2.2": ([0, 3, 9, 21, 45, 93, 189, 309, 429, 549, 669, 789], 789),
        "linux-2.4": ([0, 3, 9, 21, 45, 93], 189),
        "linux-2.6.32": ([0, 3, 9], 21),
        "linux-3.0": ([0, 3, 9, 21, 45, 93], 189),
        **rows(since("linux-3.10", "linux-6.1"), (_SINGLE, 127)),
        **rows(since("linux-6.12"), ([0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], 131)),
        "bsd-4.4": ([0, 6, 30], 75),
        "freebsd-14": ([0, 1, 3.2, 7.4, 15.6, 31.8, 64], 75),
        "macos-15": ([0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], 75),
        "solaris": ([0, 1.125, 3.375, 7.875, 16.875, 34.875, 70.875, 130.875], 190.875),
        "windows-2003": ([0, 3, 9], 21),
    },
)
def test_a_syn_that_nobody_answers_comes_again_until_connect_fails(name, value):
    times, end = value
    host = bench(name)
    connect(host)
    host.run(int(end * SECOND) - 1)
    assert host.conn.error == ""
    host.run(int(end * SECOND))
    assert host.conn.error == "ETIMEDOUT"
    assert host.times("S") == times
    host.run(3000 * SECOND)
    host.expect()


@each(
    {
        **rows(["linux-1.2", "linux-2.0", "linux-2.2"], 1),
        **rows(["linux-2.4", "linux-2.6.32"], 3),
        **rows(since("linux-3.0"), 10),
        "bsd-4.4": 1,
        "freebsd-14": 10,
    },
    only=[*LINUX, "bsd-4.4", "freebsd-14"],
)
def test_so_many_segments_are_sent_before_the_first_acknowledgment(name, value):
    host = established(generation=generation(name), opts=MSS)
    host.conn.send(40000)
    assert len(host.taken()) == value


# --- segments out of place ----------------------------------------------------------------------------


@each(
    {
        **rows(until("linux-3.0"), (["R"], "ECONNRESET")),
        **rows(since("linux-3.10"), (["A"], "")),
        "bsd-4.4": (["R"], "ECONNRESET"),
        "freebsd-14": (["A"], ""),
    },
    only=[*LINUX, "bsd-4.4", "freebsd-14"],
)
def test_a_syn_inside_the_window_resets_a_connection_until_rfc_5961(name, value):
    host = established(generation=generation(name), opts=MSS)
    host.send("S", 100, at=2 * SECOND)
    assert ([flag.replace("RA", "R") for flag in flags(host.taken())], host.conn.error) == value


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
        )
        for name in since("linux-2.4")
    ],
)
def test_the_syn_of_a_connection_that_comes_again_draws_an_ack(name):
    host = established(generation=generation(name), opts=MSS)
    host.send("S", 0, at=2 * SECOND, opts=MSS)
    host.run(3 * SECOND)
    assert (flags(host.taken()), host.conn.error) == (["A"], "")


@each(
    {
        **rows(until("linux-3.0"), ([], "ECONNRESET")),
        **rows(since("linux-3.10"), (["A"], "")),
        "bsd-4.4": ([], "ECONNRESET"),
        "freebsd-14": (["A"], ""),
    },
    only=[*LINUX, "bsd-4.4", "freebsd-14"],
)
def test_a_reset_inside_the_window_must_hit_its_edge_since_rfc_5961(name, value):
    host = established(generation=generation(name), opts=MSS)
    host.send("R", 100, at=2 * SECOND)
    assert (flags(host.taken()), host.conn.error) == value


@pytest.mark.parametrize("name", LINUX)
def test_a_reset_at_the_edge_of_the_window_always_ends_a_connection(name):
    host = established(generation=generation(name), opts=MSS)
    host.send("R", 1, at=2 * SECOND)
    host.expect()
    assert host.conn.error == "ECONNRESET"


@each({"linux-3.10": 5, **rows(since("linux-4.4"), 2)}, only=since("linux-3.10"))
def test_one_connection_challenges_once_in_500_ms_since_4_0(name, value):
    host = established(generation=generation(name), opts=MSS)
    for tenth in range(5):
        host.send("S", 100, at=2 * SECOND + tenth * 150 * MS)
    assert len(host.taken()) == value


@each(
    {"linux-3.10": 100},
    only=["linux-3.10"],
)
def test_3_10_challenges_exactly_100_times_in_a_second(name, value):
    host = established(generation=generation(name), opts=MSS)
    for n in range(200):
        host.send("S", 100, at=2 * SECOND + n * MS)
    assert len(host.taken()) == value


@each({**rows(["linux-3.10", "linux-4.4"], 10), "linux-4.10": None}, only=since("linux-3.10", "linux-4.10"))
def test_the_limit_of_challenges_is_exact_until_4_6(name, value):
    """tcp_input.c: tcp_send_challenge_ack. Since 4.7 it is drawn anew each second, 5 to 14 for a limit of 10."""
    options = {} if name == "linux-3.10" else {"invalid_ratelimit": 0}
    host = established(generation=generation(name), opts=MSS, challenge_ack_limit=10, **options)
    for second in range(2, 12):
        for n in range(20):
            host.send("S", 100, at=second * SECOND + n * MS)
    told = [round(at / SECOND) for at, _ in host.taken()]
    budgets = {told.count(second) for second in range(2, 12)}
    assert budgets == {value} if value else len(budgets) > 1 and budgets <= set(range(5, 15))


@each(
    {
        **rows(since("linux-2.4", "linux-4.4"), 5),
        **rows(since("linux-4.10"), 2),
    },
    only=since("linux-2.4"),
)
def test_out_of_window_acks_of_a_request_are_answered_without_limit_until_4_9(name, value):
    host = listener(name)
    host.send("S", at=10 * MS, opts=MSS)
    host.fresh()
    for tenth in range(5):
        host.send("A", 200_000, 1, at=100 * MS + tenth * 150 * MS)
    assert flags(host.taken()) == ["A"] * value


@each(
    {
        "linux-2.4": 5792,
        "linux-2.6.32": 5792,
        "linux-3.0": 14480,
        "linux-3.10": 14480,
        "linux-4.4": 28960,
        **rows(since("linux-4.10", "linux-4.19"), 28960 >> 7),
        **rows(since("linux-5.4", "linux-6.12"), 65160 >> 7),
        **rows(since("linux-6.16"), 65160 >> 10),
    },
    only=since("linux-2.4"),
)
def test_the_window_in_a_requests_answer_is_scaled_since_4_9(name, value):
    host = listener(name)
    host.send("S", at=10 * MS, opts=FULL)
    host.fresh().send("A", 200_000, 1, at=100 * MS, ts=(110, 0))
    assert min(value, 65535) == only(host.taken()).window


@each(
    {
        **rows(since("linux-2.4", "linux-5.10"), ([], 0)),
        **rows(["linux-6.1", "linux-6.12", "linux-6.18", "linux-7.3"], (["A"], 1)),
        **rows(["linux-6.16", "linux-6.17", "linux-6.18.15"], ([], 0)),
        "bsd-4.4": ([], 0),
        "freebsd-14": (["A"], 1),
    },
    only=[*since("linux-2.4"), "bsd-4.4", "freebsd-14"],
)
def test_a_reset_inside_the_window_of_a_request_ends_it_or_is_challenged(name, value):
    host = listener(name)
    host.send("S", at=10 * MS, opts=MSS)
    host.fresh().send("R", 100, at=100 * MS)
    assert (flags(host.taken()), host.queues()[1]) == value


@pytest.mark.parametrize("name", [*since("linux-2.2"), "bsd-4.4", "freebsd-14"])
def test_a_reset_at_the_edge_of_a_requests_window_ends_it(name):
    host = listener(name)
    host.send("S", at=10 * MS, opts=MSS)
    host.fresh().send("R", 1, at=100 * MS)
    host.expect()
    assert host.queues()[1] == 0


@each(
    {**rows(since("linux-2.2"), 1), "bsd-4.4": 1, "macos-15": 1, "freebsd-14": 0},
    only=[*since("linux-2.2"), "bsd-4.4", "macos-15", "freebsd-14"],
)
def test_a_final_ack_with_a_wrong_number_meets_a_reset_and_the_request_stays_but_in_freebsd(name, value):
    host = listener(name)
    host.send("S", at=10 * MS, opts=MSS)
    host.fresh().send("A", 1, 1000, at=100 * MS)
    host.expect("0.1 R seq 1000 win 0 <>")
    assert host.queues()[1] == value


@each({**rows(since("linux-2.4", "linux-6.12"), 1), **rows(since("linux-6.16"), 0)}, only=since("linux-2.4"))
def test_a_final_ack_that_echoes_what_was_never_sent_is_refused_since_6_15(name, value):
    host = listener(name)
    host.send("S", at=10 * MS, opts=TS)
    host.fresh().send("A", 1, 1, at=100 * MS, ts=(110, 5000))
    assert host.queues()[0] == value


@each(
    {
        **rows(since("linux-2.4", "linux-3.0"), ["A sack 0-1"] * 3),
        "linux-3.10": ["A"] * 3,
        **rows(since("linux-4.4"), ["A"] * 2),
    },
    only=since("linux-2.4"),
)
def test_what_a_client_says_to_the_same_syn_ack_again(name, value):
    host = syn_sent(generation=generation(name))
    stamps = Timestamps(100, host.flow().stamp)
    answer = (Mss(1460), SACK_OK, stamps, NOP, WScale(7))
    host.send("SA", 0, 1, at=1010 * MS, opts=answer)
    host.fresh()
    for at in (2000, 2200, 2600):
        host.send("SA", 0, 1, at=at * MS, opts=answer)
    said = []
    for at, segment in host.out:
        blocks = [text for text in host.shown(at, segment)["<>"] if text.startswith("sack")]
        said.append(" ".join([*flags([(at, segment)]), *blocks]))
    assert said == value
