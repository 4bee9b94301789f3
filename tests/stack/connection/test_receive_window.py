"""The first window, its scale and the MSS, as a SYN|ACK and a SYN announce them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.connection.measures.first_window import initial_window
from tcpemu.testing.bench import FULL, MS, MSS, SACK, SECOND, TS, Bench, established, fails, listening
from tcpemu.testing.bench.bench_values import sysctl_of
from tcpemu.wire.options import Mss, WScale

RCVBUF = (sockopt.SOL_SOCKET, sockopt.SO_RCVBUF)
CLAMP = (sockopt.IPPROTO_TCP, sockopt.TCP_WINDOW_CLAMP)
MAXSEG = (sockopt.IPPROTO_TCP, sockopt.TCP_MAXSEG)


def offered(opts, options=(), **settings):
    """Window, scale and MSS of the SYN|ACK for a SYN with these options."""
    host = listening(options=options, **settings)
    host.send("S", opts=opts)
    [(_, segment)] = host.taken()
    kinds = {type(option): option for option in segment.options}
    scale = kinds.get(WScale)
    return segment.window, None if scale is None else scale.shift, kinds[Mss].value


@pytest.mark.parametrize(
    ("rcvbuf", "with_timestamps", "without"),
    [
        *[(4096, 1448, 1460), (16384, 7240, 7300), (65536, 31856, 32120), (87380, 43440, 42340)],
        *[(131072, 65160, 64240), (262144, 65535, 65535), (33554432, 65535, 65535)],
    ],
)
def test_the_window_is_half_the_buffer_in_whole_segments(rcvbuf, with_timestamps, without):
    rmem = f"4096 {rcvbuf} 33554432"
    assert offered(TS, rmem=rmem)[0] == with_timestamps
    assert offered(MSS, rmem=rmem)[0] == without


@pytest.mark.parametrize(
    ("settings", "options", "opts", "expected"),
    [
        ({}, (), FULL, (65160, 10, 1460)),
        ({}, (), MSS, (64240, None, 1460)),
        ({"rmem": "4096 131072 6291456", "rmem_max": 212992}, (), FULL, (65160, 7, 1460)),
        ({}, [(*RCVBUF, 4096)], FULL, (2896, 0, 1460)),
        ({}, [(*RCVBUF, 100_000)], FULL, (65535, 1, 1460)),
        ({}, [(*RCVBUF, 1)], FULL, (1152, 0, 1460)),
        ({}, [(*CLAMP, 10_000)], FULL, (8688, 0, 1460)),
        ({}, [(*MAXSEG, 1000)], FULL, (65208, 10, 1000)),
        ({}, [(*MAXSEG, 1000)], MSS, (65000, None, 1000)),
        ({}, [(*MAXSEG, 2000)], MSS, (64240, None, 1460)),
        ({"mtu": 9000}, (), FULL, (62636, 10, 8960)),
        ({"mtu": 9000}, (), MSS, (62720, None, 8960)),
        ({"mtu": 296}, (), MSS, (65536 // 256 * 256 - 1, None, 256)),
        ({"mtu": 68}, (), MSS, (65535, None, 256)),
        ({"mtu": 65535}, (), MSS, (65495, None, 65495)),
        ({"workaround_signed_windows": 1}, (), FULL, (32767, 10, 1460)),
        ({"window_scaling": 0}, (), FULL, (65160, None, 1460)),
        ({"timestamps": 0}, (), FULL, (64240, 10, 1460)),
    ],
)
def test_what_a_syn_ack_offers(settings, options, opts, expected):
    assert offered(opts, options, **settings) == expected


def test_the_peers_mss_never_matters_to_ours():
    assert offered((Mss(100),))[0::2] == offered((Mss(9000),))[0::2] == (64240, 1460)


def test_a_syn_offers_the_whole_window_and_takes_nothing_off_for_timestamps():
    host = Bench()
    sock = host.socket()
    with fails("EINPROGRESS"):
        sock.connect()
    host.expect("0 S seq 0 ack zero win 64240 <mss 1460, sackOK, TS 0 0, nop, ws 10>")


def test_after_the_handshake_windows_are_scaled():
    host = established(opts=FULL)
    host.send("PA", 1, 1, data=100, at=2 * SECOND, ts=(120, 0))
    # 65160 in units of 1024 is 63.6, which __tcp_select_window rounds up.
    host.expect("2 A seq 1 ack 101 win 64")


sizes = st.integers(0, 2**27)


@given(sizes, st.integers(1, 65495), sizes, st.booleans(), sizes, st.booleans())
def test_any_first_window_fits_its_clamp_and_its_scale(space, mss, clamp, scaling, largest, signed):
    window, limit, shift = initial_window(space, mss, clamp, scaling, largest, signed)
    assert 0 <= window <= (clamp or 65535 << 14)
    assert window <= max(space, 0)
    assert 0 <= shift <= 14
    assert shift == 0 or scaling
    assert window % mss == 0 or window <= mss or (signed and window == 32767)
    assert not (signed and window > 32767)
    assert limit <= 65535 << shift
    # No smaller scale would do for the largest buffer, and this one does unless it is the largest.
    most = clamp or 65535 << 14
    room = min(space, most)
    wanted = min(max(room - room % mss if room > mss else room, largest), most)
    if scaling and shift > 0:
        assert wanted >= 65536 << (shift - 1)
    if scaling and shift < 14:
        assert wanted < 65536 << shift


def test_a_buffer_that_nobody_reads_closes_the_window_and_reading_opens_it():
    # RFC 9293 section 3.8.6: the right edge never moves back; tcp_select_window, __tcp_cleanup_rbuf.
    host = established(options=[(*RCVBUF, 4096)])
    edge, seq, at = 0, 1, 2 * SECOND
    for _ in range(40):
        room = edge - seq if edge else 1460
        if room <= 0:
            break
        host.send("PA", seq, 1, data=min(room, 1460), at=at)
        host.run(at + 50 * MS)
        for _, segment in host.taken():
            new_edge = host.shown(0, segment)["ack"] + segment.window
            assert new_edge >= edge
            edge, seq = new_edge, host.shown(0, segment)["ack"]
        at += 100 * MS
    assert edge == seq, "the window has closed"
    assert host.moved().get("TCPToZeroWindowAdv") == 1
    data = host.conn.recv(100_000)
    assert len(data) == seq - 1
    [(_, update)] = host.taken()
    assert update.window > 0
    assert host.moved() == {"TCPFromZeroWindowAdv": 1}


def windows(host, segments):
    """What the host offers while so many segments of 1000 octets come, each read at once."""
    start = host.conn.received = getattr(host.conn, "received", 0)
    for number in range(start, start + segments):
        host.send("PA", 1 + 1000 * number, 1, data=1000, at=host.now + MS)
        host.conn.recv()
    host.conn.received += segments
    return [segment.window for _, segment in host.taken()]


def test_a_lower_clamp_holds_at_once_but_no_window_is_taken_back():
    """tcp.c: tcp_set_window_clamp. The buffer allows 56000 octets."""
    host = established(moderate_rcvbuf=0)
    assert windows(host, 40)[-1] == 56000
    host.conn.setsockopt(*CLAMP, 10_000)
    offered = windows(host, 60)
    assert all(edge - 2000 <= following for edge, following in pairwise(offered))
    assert offered[-1] == 10_000


@pytest.mark.parametrize("option", [(sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR), CLAMP])
def test_neither_another_option_nor_a_higher_clamp_changes_the_window(option):
    host = established(moderate_rcvbuf=0)
    windows(host, 40)
    host.conn.setsockopt(*option, 200_000)
    assert windows(host, 40)[-1] == 56000


@pytest.mark.parametrize(("settings", "largest"), [({}, 63240), ({"workaround_signed_windows": 1}, 32767)])
def test_a_window_that_is_not_scaled_stays_positive_for_a_peer_that_takes_it_for_signed(settings, largest):
    """tcp_select_window."""
    assert max(windows(established(**settings), 60)) == largest


@pytest.mark.parametrize(("size", "window"), [(300, 64240), (1400, 65535)])
def test_data_beyond_a_hole_tells_too_how_well_the_peers_segments_use_their_memory(size, window):
    """tcp_measure_rcv_mss: a segment above the 536 octets that were assumed, and so a larger share of the buffer."""
    host = established(opts=SACK)
    host.send("A", 501, 1, data=size, at=1100 * MS)
    host.expect(f"1.1 A seq 1 ack 1 win {window}")


def test_a_sysctl_by_the_last_part_of_its_name():
    assert sysctl_of("rmem") == "net.ipv4.tcp_rmem"
    assert sysctl_of("somaxconn") == "net.core.somaxconn"


# --- the round-trip time that a receiver sees -----------------------------------------------------------


def test_a_receiver_takes_the_round_trip_time_of_full_segments_a_shorter_one_at_once():
    """tcp_rcv_rtt_measure_ts, tcp_rcv_rtt_update: a longer one by an eighth, and only where all has been read."""
    host = established(opts=FULL)
    seq = 1

    def seen(at, length, late):
        nonlocal seq
        # A timestamp counts milliseconds since that of the SYN|ACK, at 1 s.
        host.send("PA", seq, 1, data=length, at=at * MS, ts=(at, at - late - 1000))
        seq += length
        return host.conn.sock.connection.rcv.rtt / 8000

    assert seen(2000, 100, late=50) == 0, "the segment is none that may have come at once"
    assert seen(2100, 1448, late=60) == 60
    assert seen(2200, 1448, late=40) == 40
    assert seen(2300, 1448, late=80) == 40, "the program lets data wait"
    host.conn.recv()
    assert seen(2400, 1448, late=80) == 45
    assert seen(2500, 1448, late=0) == 45, "the clock has not ticked"
