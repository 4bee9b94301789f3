"""Windows, memory and paths as they are measured: the rules one by one, to the octet."""

import pytest

from tcpemu.stack.base.units import SECOND
from tcpemu.stack.connection.measures import (
    first_window,
    header_prediction,
    path_mtu,
    receive_window,
    send_buffer_space,
)
from tcpemu.testing.bench import SACK, TS, established
from tcpemu.testing.bench.bench_values import PEER
from tcpemu.wire.options import NOP, Mss, Timestamps
from tcpemu.wire.segment import address


@pytest.fixture
def conn():
    return established(opts=SACK).conn.sock.connection


def test_the_largest_window_is_65535_shifted_by_14():
    found = first_window.initial_window(2**30 + 2**29, 1460, 0, True, 0, False)
    assert found == ((65535 << 14) // 1460 * 1460, 65535 << 14, 14)


@pytest.mark.parametrize(
    ("options", "good"),
    [
        (lambda stamps: (NOP, NOP, stamps), True),
        (lambda stamps: (Mss(1460), NOP, stamps), False),
        (lambda stamps: (NOP, Mss(1460), stamps), False),
        (lambda stamps: (NOP, stamps), False),
    ],
)
def test_two_nops_and_a_timestamp_are_what_is_predicted(options, good):
    host = established(opts=TS)
    conn = host.conn.sock.connection
    stamps = Timestamps(conn.ts.recent, 0)
    conn.rcv.predicted = 65535
    segment = host.segment("A", 1, 1, opts=options(stamps))
    assert header_prediction.matches(conn, segment, stamps) is good


def test_pages_that_were_set_aside_go_with_what_they_were_for(conn):
    header_prediction.set_memory_aside(conn, 10_000)
    assert header_prediction.memory_is_there(conn, 10_000)
    header_prediction.give_memory_back(conn, 0)
    assert not header_prediction.memory_is_there(conn, 10_000)


def test_a_path_below_the_least_is_learnt_again_when_it_was_forgotten(conn):
    host, peer = conn.host, address(PEER)
    path_mtu.learn(host, peer, 400)
    path_mtu.learn(host, peer, 300)
    first = host.path_mtus[peer]
    assert (first.mtu, first.locked) == (552, True)
    host.now = first.expires - 1
    path_mtu.learn(host, peer, 1000)
    assert host.path_mtus[peer] is first
    host.now = first.expires
    path_mtu.learn(host, peer, 1000)
    again = host.path_mtus[peer]
    assert (again.mtu, again.locked, again.expires) == (1000, False, host.now + 600 * SECOND)


@pytest.mark.parametrize(("free", "window"), [(4095, 0), (4096, 4096), (4097, 4096)])
def test_below_a_sixteenth_of_the_buffer_there_is_no_window(conn, free, window):
    """Of 64 KiB, to a peer whose segments are small."""
    conn.rcv.scaling_ratio, conn.rcv.buffer, conn.rcv.wscale = 128, 2 * 65_536, 4
    conn.rcv.window_clamp = conn.rcv.ssthresh = 65_535
    conn.ack.rcv_mss = 500
    conn.rcv.rmem = conn.rcv.buffer - 2 * free
    assert receive_window.new_window(conn) == window


@pytest.mark.parametrize(
    ("clamp", "largest", "mss", "share", "kept"),
    [
        # A half of it is kept back, but at least four segments are left.
        (70_000, 64_000, 1000, 1, 32_000),
        (64_000, 64_000, 1000, 1, 32_000),
        (63_999, 64_000, 1000, 1, 63_000),
        (70_000, 5000, 1000, 1, 4000),
        # No share: all of it.
        (70_000, 64_000, 1000, 0, 64_000),
        (30_000, 64_000, 1000, 0, 30_000),
        # A small buffer keeps a segment back, and two are left.
        (4000, 4000, 1000, 3, 3000),
        (4000, 2500, 1000, 3, 2000),
    ],
)
def test_what_is_kept_back_of_a_buffer(clamp, largest, mss, share, kept):
    assert receive_window._kept_back(clamp, largest, mss, share) == kept


@pytest.mark.parametrize(("ssthresh", "step"), [(400_000, 0), (200_000, 0), (100_000, 2000), (10_000, 2000)])
def test_the_further_the_window_is_from_its_largest_the_more_waste_is_forgiven(conn, ssthresh, step):
    """Of 1 MiB: 700 octets in 6400, or 3200 after the ratio, have waste forgiven after two more halvings."""
    conn.host.sysctls.tcp_rmem = (4096, 131072, 2 * 1024 * 1024)
    conn.rcv.scaling_ratio, conn.rcv.ssthresh, conn.ack.rcv_mss = 128, ssthresh, 1000
    assert receive_window._slow_growth(conn, 500, 8000) == step


@pytest.mark.parametrize(
    ("mss", "memory"), [(1536, 2048), (1537, 4096), (511, 1024), (512, 1024), (513, 2048)]
)
def test_a_segments_memory_is_the_next_power_of_two(mss, memory):
    """With 192 octets of headers and 320 of shared information; 256 for the sk_buff; twice ten of them."""
    assert send_buffer_space._memory(mss + 192, 10, 3) == 20 * (memory + 256)
