import gzip
import importlib.util
import random
import shutil
import subprocess
from contextlib import suppress

import pytest

from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.reading.capture_stream import MOST_EMPTY
from tcpemu.diagnose.reading.seen_segment import Sum
from tcpemu.wire import Capture, CaptureError, Direction, Interface, Packet, address, encode, write_capture
from tcpemu.wire.pcapng import dump
from tests.diagnose.captured import MS, opened, packets, pcap, save, seg

IP = encode(seg("client", "PA", 101, 501, b"hello"))
IP6 = encode(
    seg("client", "PA", 101, 501, b"hello")._replace(src=address("2001:db8::2"), dst=address("2001:db8::1"))
)


def read(path):
    facts = CaptureFacts()
    return list(segments_of(path, facts)), facts


def read_octets(tmp_path, octets):
    (tmp_path / "x").write_bytes(octets)
    return read(tmp_path / "x")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nano", [False, True])
def test_a_pcap_is_read_in_both_byte_orders_and_resolutions(tmp_path, order, nano):
    seen, facts = read_octets(tmp_path, pcap(101, [(7, 5, IP), (7, 6, IP[:1])], order, nano))
    assert [one.at for one in seen] == [7_000_000_000 + (5 if nano else 5000)]
    assert seen[0].segment.payload == b"hello"
    assert (facts.file.kind, facts.file.frames, dict(facts.left_out)) == (
        "pcap",
        2,
        {"was cut off inside its IP header": 1},
    )


ETHERNET = bytes(12) + b"\x08\x00"
LINKS = {
    "ethernet": (1, ETHERNET),
    "ethernet, VLAN": (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
    "ethernet, two VLANs": (1, bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x07\x08\x00"),
    "ethernet, MPLS": (1, bytes(12) + b"\x88\x47\x00\x01\x20\x40\x00\x01\x31\x40"),
    "ethernet, PPPoE": (1, bytes(12) + b"\x88\x64\x11\x00\x00\x01\x00\x2f\x00\x21"),
    "cooked": (113, b"\x00\x04\x00\x01\x00\x06" + bytes(8) + b"\x08\x00"),
    "cooked 2": (276, b"\x08\x00\x00\x00\x00\x00\x00\x02\x00\x01\x04\x06" + bytes(8)),
    "loopback, little": (0, b"\x02\x00\x00\x00"),
    "loopback, big": (0, b"\x00\x00\x00\x02"),
    "loopback of OpenBSD": (108, b"\x00\x00\x00\x02"),
    "raw": (101, b""),
    "raw of BSD": (12, b""),
    "raw IPv4": (228, b""),
    "FDDI": (10, bytes(13) + b"\xaa\xaa\x03\0\0\0\x08\x00"),
    "PPP": (9, b"\xff\x03\x00\x21"),
}


@pytest.mark.parametrize(("link_type", "head"), LINKS.values(), ids=LINKS)
def test_every_kind_of_link_is_taken_off(tmp_path, link_type, head):
    seen, facts = read_octets(tmp_path, pcap(link_type, [(0, 0, head + IP)]))
    assert [(one.segment.payload, one.sum) for one in seen] == [(b"hello", Sum.GOOD)], facts


@pytest.mark.parametrize("link_type", [0, 1, 9, 12, 50, 101, 104, 108, 113, 147, 228, 276])
def test_no_beginning_of_a_frame_raises(tmp_path, link_type):
    whole = LINKS["ethernet, two VLANs"][1] + IP
    seen, facts = read_octets(tmp_path, pcap(link_type, [(0, 0, whole[:size]) for size in range(len(whole))]))
    assert facts.left_out.total() + len(seen) == facts.file.frames == len(whole)


def test_a_link_that_is_not_read_is_named_with_its_number(tmp_path):
    _, facts = read_octets(tmp_path, pcap(127, [(0, 0, IP)]))
    assert list(facts.left_out) == ["is of a kind of link that is not read here (link type 127)"]


@pytest.mark.parametrize("size", [40, 43])
def test_a_snapped_segment_keeps_its_length_on_the_wire(tmp_path, size):
    seen, facts = read_octets(tmp_path, pcap(101, [(0, 0, IP)], cut=size))
    assert [(one.length, len(one.segment.payload), one.sum) for one in seen] == [(5, size - 40, Sum.UNKNOWN)]
    assert facts.snapped == 1


def test_one_that_is_snapped_inside_its_header_is_left_out(tmp_path):
    _, facts = read_octets(tmp_path, pcap(101, [(0, 0, IP)], cut=39))
    assert dict(facts.left_out) == {"was snapped inside its TCP header": 1}


def with_sum(ip, checksum):
    return ip[:36] + checksum.to_bytes(2) + ip[38:]


def pseudo_header_sum(ip, length):
    total = sum(int.from_bytes(ip[at : at + 2]) for at in range(12, 20, 2)) + 6 + length
    return total % 65535


def test_a_checksum_that_the_card_fills_in_is_no_fault(tmp_path):
    for length, what in ((25, Sum.UNFILLED), (0, Sum.UNFILLED), (26, Sum.BAD)):
        seen, facts = read_octets(tmp_path, pcap(101, [(0, 0, with_sum(IP, pseudo_header_sum(IP, length)))]))
        assert [one.sum for one in seen] == [what]
        assert (facts.unfilled, facts.bad_sums) == ((1, 0) if what is Sum.UNFILLED else (0, 1))


def test_a_super_segment_without_a_length_has_that_of_its_frame(tmp_path):
    large = encode(seg("server", "PA", 1, 1, bytes(60_000)))
    seen, _ = read_octets(tmp_path, pcap(1, [(0, 0, ETHERNET + large[:2] + b"\0\0" + large[4:])], cut=100))
    assert [one.length for one in seen] == [60_000]


def fragments(ip, size):
    head, data = ip[:20], ip[20:]
    for at in range(0, len(data), size):
        more = 0x20 if at + size < len(data) else 0
        part = data[at : at + size]
        yield (
            head[:2]
            + (20 + len(part)).to_bytes(2)
            + b"\0\7"
            + (more << 8 | at // 8).to_bytes(2)
            + head[8:]
            + part
        )


@pytest.mark.parametrize("reverse", [False, True])
def test_fragments_are_put_together(tmp_path, reverse):
    parts = list(fragments(encode(seg("client", "A", 1, 1, bytes(range(200)))), 64))
    frames = [(0, number, part) for number, part in enumerate(parts[::-1] if reverse else parts)]
    seen, facts = read_octets(tmp_path, pcap(101, frames))
    assert [(one.segment.payload, one.sum, one.frame) for one in seen] == [(bytes(range(200)), Sum.GOOD, 4)]
    _, facts = read_octets(tmp_path, pcap(101, frames[1:]))
    assert (facts.segments, facts.fragments_missing) == (0, 1)


def test_sections_interfaces_and_comments_of_pcapng(tmp_path):
    first = Capture((Interface("eth0", 1),), (Packet(10**18, ETHERNET + IP, comments=("x", "y")),))
    second = Capture((Interface("lo", 101),), (Packet(10**18 + MS, IP6),), application="dumpcap")
    seen, facts = read_octets(tmp_path, dump(first) + dump(second))
    assert [(one.frame, one.at - 10**18, one.interface) for one in seen] == [(1, 0, 0), (2, MS, 1)]
    assert [one.name for one in facts.file.interfaces] == ["eth0", "lo"]
    assert facts.file.application == "dumpcap"


def test_extension_headers_of_ipv6_are_gone_past(tmp_path):
    routing = bytes((6, 0, 4, 0, 0, 0, 0, 0))
    longer = IP6[:4] + (len(IP6) - 40 + 8).to_bytes(2) + b"\x2b" + IP6[7:40] + routing + IP6[40:]
    seen, _ = read_octets(tmp_path, pcap(101, [(0, 0, longer)]))
    assert [one.segment.payload for one in seen] == [b"hello"]


def test_a_packed_capture_is_read_as_it_is(tmp_path):
    whole = pcap(101, [(n, 0, IP) for n in range(50)])
    seen, facts = read_octets(tmp_path, gzip.compress(whole[:300]) + gzip.compress(whole[300:]))
    assert (len(seen), facts.file.packed, facts.file.ended) == (50, "gzip", "")
    cut = gzip.compress(random.Random(1).randbytes(30_000))
    _, facts = read_octets(tmp_path, gzip.compress(pcap(101, [(0, 0, IP)])) + cut[:9000])
    assert facts.segments == 1
    assert "packing is broken" in facts.file.ended or "damaged" in facts.file.ended


@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs the program zstd")
def test_zstd_is_read_or_the_mend_is_told(tmp_path):
    (tmp_path / "x").write_bytes(pcap(101, [(0, 0, IP)]))
    subprocess.run(["zstd", "-q", tmp_path / "x", "-o", tmp_path / "x.zst"], check=True)
    if any(importlib.util.find_spec(name) for name in ("zstandard", "compression")):
        assert read(tmp_path / "x.zst")[1].segments == 1
    else:
        with pytest.raises(CaptureError, match="unpack it with 'zstd -d'"):
            read(tmp_path / "x.zst")


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "is empty"),
        (b"PK\3\4....", "unzip"),
        (b"hello, world", "neither pcapng nor pcap"),
        (b"\x1f\x8b\x08junk", "packing is broken"),
        (b"\xa1\xb2\xc3\xd4\0\2", "was cut off"),
    ],
)
def test_what_is_no_capture_is_told_with_its_mend(tmp_path, octets, message):
    with pytest.raises(CaptureError, match=message):
        read_octets(tmp_path, octets)


def test_what_stands_before_a_broken_end_is_read(tmp_path):
    whole = pcap(101, [(n, 0, IP) for n in range(3)])
    for size in (len(whole) - 1, len(whole) - 50):
        seen, facts = read_octets(tmp_path, whole[:size])
        assert len(seen) == 2
        assert facts.file.ended
    ng = save(tmp_path / "y.pcapng", opened()).read_bytes()
    seen, facts = read_octets(tmp_path, ng[:-6])
    assert len(seen) == 2
    assert "ends inside a block" in facts.file.ended


def test_a_damaged_block_is_stepped_over_and_keeps_its_number(tmp_path):
    octets = bytearray(save(tmp_path / "y.pcapng", opened()).read_bytes())
    at = octets.index(encode(opened()[0][1])) - 28  # the first packet's block
    octets[at + 8] = 9  # names an interface that is not there
    seen, facts = read_octets(tmp_path, bytes(octets))
    assert [one.frame for one in seen] == [2, 3]
    assert facts.file.damaged_blocks == 1


def test_a_clock_that_steps_back_is_told_and_time_goes_on(tmp_path):
    times = [0, 10, 5, 5000, 1000, 1010]
    timed = [(at, seg("client", "PA", 100 + 9 * n, 1, b"hello")) for n, at in enumerate(times)]
    seen, facts = read(save(tmp_path / "x.pcap", timed))
    assert [(one.at - seen[0].at) // MS for one in seen] == [0, 10, 10, 5000, 5000, 5010]
    assert (facts.clock_steps, facts.largest_step, facts.first_step, facts.out_of_order) == (
        1,
        4000 * MS,
        5,
        1,
    )


def test_copies_of_one_packet_are_seen_once(tmp_path):
    data, ack = seg("client", "PA", 101, 501, b"hello", ip_id=7), seg("client", "A", 101, 501)
    timed = [(0, data), (0.01, data), (2, data), (2.1, ack), (2.2, ack)]
    seen, facts = read(save(tmp_path / "x.pcap", timed))
    # A copy within a millisecond is one; bare ACKs without identification may have been sent twice.
    assert [one.frame for one in seen] == [1, 3, 4, 5]
    assert (facts.copies, facts.first_copy) == (1, 2)


def test_an_ack_seen_on_two_interfaces_is_one(tmp_path):
    octets = encode(seg("client", "A", 101, 501))
    two = tuple(Packet(10**18 + n, octets, interface=n, direction=Direction.INBOUND) for n in (0, 1))
    write_capture(tmp_path / "x.pcapng", Capture((Interface("eth0"), Interface("br0")), two))
    seen, facts = read(tmp_path / "x.pcapng")
    assert (len(seen), facts.copies) == (1, 1)


def test_mutated_captures_neither_raise_nor_hang(tmp_path):
    """A sample of what `tools/mutate_captures.py` does with thousands."""
    rng = random.Random(20)
    wholes = [
        dump(
            Capture(
                (Interface("eth0"),),
                tuple(packets([*opened(), (20, seg("client", "PA", 101, 501, b"x" * 90))])),
            )
        ),
        pcap(1, [(0, n, ETHERNET + IP) for n in range(4)]),
        gzip.compress(pcap(113, [(0, n, LINKS["cooked"][1] + IP6) for n in range(4)])),
    ]
    for number in range(150):
        octets = bytearray(wholes[number % 3])
        for _ in range(rng.randint(1, 8)):
            octets[rng.randrange(len(octets))] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
        del octets[rng.randrange(len(octets) // 2, len(octets) + 1) :]
        with suppress(CaptureError):
            _, facts = read_octets(tmp_path, bytes(octets))
            assert facts.segments + facts.left_out.total() + facts.file.damaged_blocks >= facts.file.frames


def test_a_file_of_zeros_is_not_counted_for_hours(tmp_path):
    head = pcap(101, [(1, 0, encode(seg("client", "S", 1)))])
    (tmp_path / "zeros.pcap").write_bytes(head + bytes(16 * (MOST_EMPTY + 50)))
    facts = CaptureFacts()
    assert len(list(segments_of(tmp_path / "zeros.pcap", facts))) == 1
    assert facts.file.frames == 1 + MOST_EMPTY
    assert "10,000 packets in a row have no octet" in facts.file.ended
