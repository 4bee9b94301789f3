"""The pcapng format: our own reading and writing, and what other programs make of our files."""

import io
import shutil
import struct
import subprocess

import pytest
from hypothesis import given, settings
from pcapng import blocks
from pcapng.scanner import FileScanner
from pcapng.writer import FileWriter

from tcpemu.wire import Capture, CaptureError, Direction, Interface, LinkType, Packet, pcapng
from tests.wire.strategies import captures, damaged

property_test = settings(deadline=None, max_examples=200)

SAMPLE = Capture(
    interfaces=(
        Interface("server", LinkType.RAW, "the listening host"),
        Interface("client β", LinkType.RAW),
        Interface("eth0", LinkType.ETHERNET),
    ),
    packets=(
        Packet(
            1_000_001_000,
            bytes.fromhex("4500001400000000400600000a0000010a000002"),
            1,
            (),
            Direction.OUTBOUND,
        ),
        Packet(
            1_700_000_000_123_456_789,
            b"E" * 21,
            0,
            ("dropped: the queue is full", "ausgefüllt ✓"),
            Direction.INBOUND,
            90,
        ),
        Packet(1_700_000_000_123_456_790, b"\2" * 12 + b"\x86\xdd`", 2),
    ),
    application="tcpemu 0.1",
    comments=("scenario ignored-ack", "seed 7"),
    names=(
        (bytes([10, 0, 0, 1]), "server"),
        (bytes([10, 0, 0, 2]), "client β"),
        (bytes.fromhex("20010db8000000000000000000000001"), "server-6"),
    ),
)


@property_test
@given(captures())
def test_a_capture_comes_back(capture):
    assert pcapng.load(pcapng.dump(capture)) == capture


def test_every_block_is_whole_words():
    octets = pcapng.dump(SAMPLE)
    at = 0
    while at < len(octets):
        (size,) = struct.unpack_from("<I", octets, at + 4)
        assert size % 4 == 0
        assert octets[at + 4 : at + 8] == octets[at + size - 4 : at + size]
        at += size
    assert at == len(octets)


# What another library reads.


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pcapng")
def test_python_pcapng_reads_the_same():
    section, *rest = FileScanner(io.BytesIO(pcapng.dump(SAMPLE)))
    seen = [block for block in rest if isinstance(block, blocks.InterfaceDescription)]
    packets = [block for block in rest if isinstance(block, blocks.EnhancedPacket)]
    assert section.options["shb_userappl"] == "tcpemu 0.1"
    assert section.options.get_all("opt_comment") == ["scenario ignored-ack", "seed 7"]
    assert [block.options["if_name"] for block in seen] == ["server", "client β", "eth0"]
    assert seen[0].options["if_description"] == "the listening host"
    assert [block.link_type for block in seen] == [101, 101, 1]
    assert [block.timestamp_resolution for block in seen] == [1e-9] * 3
    assert [(block.timestamp_high << 32) + block.timestamp_low for block in packets] == [
        packet.at for packet in SAMPLE.packets
    ]
    assert [block.interface_id for block in packets] == [1, 0, 2]
    assert [block.packet_data for block in packets] == [packet.data for packet in SAMPLE.packets]
    assert [block.packet_len for block in packets] == [20, 90, 15]
    (names,) = [block for block in rest if isinstance(block, blocks.NameResolution)]
    assert [(record["type"], record["address"], record["names"]) for record in names.records] == [
        (1, "10.0.0.1", ["server"]),
        (1, "10.0.0.2", ["client β"]),
        (2, "2001:db8::1", ["server-6"]),
    ]
    assert packets[1].options.get_all("opt_comment") == ["dropped: the queue is full", "ausgefüllt ✓"]
    assert [block.options.get("epb_flags") and block.options["epb_flags"].inout for block in packets] == [
        "outbound",
        "inbound",
        None,
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pcapng")
def test_we_read_what_python_pcapng_writes():
    section = blocks.SectionHeader(options={"shb_userappl": "other"}, endianness=">")
    section.new_member(
        blocks.InterfaceDescription,
        link_type=1,
        snaplen=0,
        options={"if_name": "eth9", "if_tsresol": b"\x09"},
    )
    packet = section.new_member(blocks.EnhancedPacket, packet_data=b"frame", options={"opt_comment": "hello"})
    packet.timestamp_high, packet.timestamp_low = divmod(1_700_000_000_123_456_789, 1 << 32)
    file = io.BytesIO()
    FileWriter(file, section).write_block(packet)
    assert pcapng.load(file.getvalue()) == Capture(
        (Interface("eth9", LinkType.ETHERNET),),
        (Packet(1_700_000_000_123_456_789, b"frame", comments=("hello",)),),
        application="other",
    )


def tshark_fields(path, *fields, options=()):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed, so its reading of our files is not checked")
    wanted = [word for field in fields for word in ("-e", field)]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "aggregator=|", *wanted, *options]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in answer.stdout.splitlines()]


def test_tshark_reads_the_same(tmp_path):
    path = tmp_path / "sample.pcapng"
    path.write_bytes(pcapng.dump(SAMPLE))
    fields = (
        "frame.time_epoch",
        "frame.comment",
        "frame.interface_name",
        "frame.packet_flags_direction",
        "frame.len",
    )
    assert tshark_fields(path, *fields) == [
        ("1.000001000", "", "client β", "0x00000002", "20"),
        ("1700000000.123456789", "dropped: the queue is full|ausgefüllt ✓", "server", "0x00000001", "90"),
        ("1700000000.123456790", "", "eth0", "", "15"),
    ]


def test_tshark_knows_the_names(tmp_path):
    path = tmp_path / "sample.pcapng"
    path.write_bytes(pcapng.dump(SAMPLE))
    first, *_ = tshark_fields(path, "ip.src_host", "ip.dst_host")
    assert first == ("10.0.0.1", "10.0.0.2")
    first, *_ = tshark_fields(path, "ip.src_host", "ip.dst_host", options=("-N", "n"))
    assert first == ("server", "client β")


# Files as others write them.


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def options(order, *pairs):
    octets = b""
    for code, value in pairs:
        octets += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return octets + bytes(4)


def section(order, *pairs, major=1):
    fixed = struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1)
    return block(order, 0x0A0D0D0A, fixed + options(order, *pairs))


def interface(order, link_type=101, snaplen=0, *pairs):
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snaplen) + options(order, *pairs))


def packet(order, ticks, data=b"ip", number=0, *pairs):
    fixed = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, fixed + data + bytes(-len(data) % 4) + options(order, *pairs))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "ticks", "nanoseconds"),
    [
        (None, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (0, 17, 17_000_000_000),
        (3, 1_001, 1_001_000_000),
        (6, 1_000_001, 1_000_001_000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (12, 1_234_567_890_999, 1_234_567_890),
        (0x80, 17, 17_000_000_000),
        (0x80 | 10, 1024 + 512, 1_500_000_000),
        (0x80 | 32, (5 << 32) + 1, 5_000_000_000),
        (0x80 | 32, (1_700_000_000 << 32) + (3 << 30), 1_700_000_000_750_000_000),
    ],
)
def test_every_resolution_is_read_in_both_orders(order, resolution, ticks, nanoseconds):
    pairs = [] if resolution is None else [(9, bytes([resolution]))]
    file = section(order) + interface(order, 101, 0, *pairs) + packet(order, ticks)
    assert pcapng.load(file).packets == (Packet(nanoseconds, b"ip"),)


def test_an_offset_of_time_is_added():
    file = section(">") + interface(">", 101, 0, (14, struct.pack(">q", 1_700_000_000))) + packet(">", 2)
    assert pcapng.load(file).packets[0].at == 1_700_000_000_000_002_000


def test_sections_of_both_orders_become_one_capture():
    file = (
        section("<", (4, b"first"), (1, b"one"))
        + interface("<", 101, 0, (2, b"a"))
        + packet("<", 1)
        + section(">", (4, b"second"), (1, b"two"))
        + interface(">", 1, 0, (2, b"b"))
        + interface(">", 1, 0, (2, b"c"), (3, b"the third"))
        + packet(">", 2, b"frame", 1, (2, struct.pack(">I", 0x0E)), (1, b"note"))
    )
    assert pcapng.load(file) == Capture(
        interfaces=(
            Interface("a"),
            Interface("b", LinkType.ETHERNET),
            Interface("c", LinkType.ETHERNET, "the third"),
        ),
        packets=(Packet(1_000, b"ip"), Packet(2_000, b"frame", 2, ("note",), Direction.OUTBOUND)),
        application="first",
        comments=("one", "two"),
    )


def test_unknown_blocks_options_and_link_types_are_stepped_over():
    file = (
        section("<", (77, b"odd"), (1, b"kept"))
        + block("<", 9, b"secrets")
        + interface("<", 113, 0, (2, b"a"), (12, b"an OS"))
        + block("<", 0x80000001, b"")
        + packet("<", 1, b"ip", 0, (4, b"12345678"), (1, b"kept too"))
        + block("<", 5, bytes(12))
    )
    assert pcapng.load(file) == Capture(
        (Interface("a", 113),), (Packet(1_000, b"ip", comments=("kept too",)),), comments=("kept",)
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_names_are_read_wherever_they_stand(order):
    """Several for one address, records of other types, options behind them, and no end where it may be left out."""
    one = (1, b"\x0a\0\0\1server\0www\0")
    other = (2, bytes(15) + b"\1loop\0")
    file = (
        section(order)
        + block(
            order, 4, options(order, one, (3, b"123456mac\0"), other) + options(order, (2, b"a resolver"))
        )
        + interface(order)
        + packet(order, 1)
        + block(order, 4, struct.pack(order + "HH", 1, 6) + b"\x0a\0\0\2ab")
    )
    assert pcapng.load(file).names == (
        (b"\x0a\0\0\1", "server"),
        (b"\x0a\0\0\1", "www"),
        (bytes(15) + b"\1", "loop"),
        (b"\x0a\0\0\2", "ab"),
    )


def test_without_names_there_is_no_block_of_them():
    plain = pcapng.dump(Capture((Interface("a"),), ()))
    assert pcapng.dump(Capture((Interface("a"),), (), names=((bytes(4), "x"),))) == plain + block(
        "<", 4, options("<", (1, bytes(4) + b"x\0"))
    )


def test_simple_packets_have_the_first_interface_and_no_time():
    file = (
        section("<")
        + interface("<", 101, 4, (2, b"a"))
        + block("<", 3, struct.pack("<I", 3) + b"all")
        + block("<", 3, struct.pack("<I", 9) + b"some")
    )
    assert pcapng.load(file).packets == (Packet(0, b"all"), Packet(0, b"some", original_length=9))


def test_packet_blocks_of_the_old_kind_are_read():
    body = struct.pack("<HHIIII", 0, 5, 0, 7, 2, 2) + b"ip\0\0" + options("<", (1, b"old"))
    file = section("<") + interface("<") + block("<", 2, body)
    assert pcapng.load(file).packets == (Packet(7_000, b"ip", comments=("old",)),)


# Mistakes.

HEAD = section("<") + interface("<")


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"", "not pcapng"),
        (b"\xa1\xb2\x3c\x4d", "not pcapng"),
        (HEAD[:8], "ends inside a block at octet 0: it was cut off; capture again$"),
        (
            HEAD + b"\6\0",
            f"ends inside a block at octet {len(HEAD)}: it was cut off; .*'head -c {len(HEAD)}'",
        ),
        (
            HEAD + packet("<", 1)[:-1],
            f"ends inside a block of 40 octets at octet {len(HEAD)}: it was cut off",
        ),
        (HEAD[:8] + b"what" + HEAD[12:], "byte order mark 77 68 61 74 at octet 0"),
        (section("<", major=2), "version 2; convert"),
        (HEAD + struct.pack("<III", 6, 11, 11), f"a block has length 11 at octet {len(HEAD)}"),
        (HEAD + struct.pack("<III", 6, 8, 8), f"a block has length 8 at octet {len(HEAD)}"),
        (HEAD + struct.pack("<III", 6, 12, 16), f"a block has lengths 12 and 16 at octet {len(HEAD)}"),
        (HEAD + block("<", 6, b"short"), f"20 octets do not fit in their block at octet {len(HEAD) + 8}"),
        (HEAD + packet("<", 1, b"ip", 1), f"names interface 1 of 1 at octet {len(HEAD)}"),
        (section("<") + block("<", 3, bytes(4)), "names interface 0 of 0"),
        (section("<", (1, b"x")) + interface("<", 101, 0, (9, b"")), "1 octets do not fit in their block"),
        (HEAD + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 9, 9)), "a packet of 9 octets does not fit"),
        (HEAD + block("<", 1, bytes(8) + struct.pack("<HH", 2, 9)), "an option of 9 octets does not fit"),
        (HEAD + block("<", 4, struct.pack("<HH", 1, 9)), "a record of names of 9 octets does not fit"),
        (
            HEAD + block("<", 4, struct.pack("<HHI", 1, 3, 0)),
            f"a record of names has 3 octets, too few for its address at octet {len(HEAD) + 8}",
        ),
        (HEAD + block("<", 4, struct.pack("<HH", 2, 0)), "a record of names has 0 octets"),
    ],
)
def test_a_broken_file_says_where_and_what_to_do(octets, complaint):
    with pytest.raises(CaptureError, match=complaint):
        pcapng.load(octets)


@property_test
@given(damaged(captures().map(pcapng.dump)))
def test_a_damaged_file_is_read_or_complained_of(octets):
    complaint = ""
    try:
        pcapng.load(octets)
    except CaptureError as error:
        complaint = str(error)
    assert not complaint or "capture again" in complaint or "convert it" in complaint


@pytest.mark.parametrize(
    ("packet", "complaint"),
    [
        (Packet(-1, b""), "packet 1: time -1 ns"),
        (Packet(1 << 64, b""), "packet 1: time"),
        (Packet(0, b"", 1), "packet 1: interface 1 is not one of the capture's 1"),
        (Packet(0, b"", -1), "packet 1: interface -1"),
        (Packet(0, b"", original_length=1 << 32), "packet 1: original length"),
        (Packet(0, b"", comments=("é" * 32768,)), "packet 1: its comment has 65536 octets; shorten it"),
        (Packet(0, b"", comments=("\ud800",)), "packet 1: its comment cannot be UTF-8"),
    ],
)
def test_what_cannot_be_written_is_named(packet, complaint):
    with pytest.raises(CaptureError, match=complaint):
        pcapng.dump(Capture((Interface("a"),), (Packet(0, b""), packet)))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ((b"abc", "x"), "name 'x': its address has 3 octets; it must have 4 or 16"),
        ((bytes(4), ""), "name '': it must not be empty"),
        ((bytes(4), "a\0b"), "nor have a NUL in it"),
        ((bytes(4), "\ud800"), "cannot be UTF-8"),
        ((bytes(4), "x" * 65531), "shorten it to 65530 octets"),
        ((bytes(16), "x" * 65536), "has 65536 octets; shorten it"),
    ],
)
def test_a_name_that_cannot_be_written_is_told(name, complaint):
    with pytest.raises(CaptureError, match=complaint):
        pcapng.dump(Capture((), (), names=(name,)))


def test_the_longest_name_comes_back():
    capture = Capture((), (), names=((bytes(4), "x" * 65530), (bytes(16), "y" * 65518)))
    assert pcapng.load(pcapng.dump(capture)) == capture
