"""Segments, packets and captures for the tests of this room."""

from hypothesis import strategies as st

from tcpemu.wire import (
    NOP,
    SACK_OK,
    Capture,
    Direction,
    Eol,
    FastOpen,
    Interface,
    LinkType,
    Mss,
    Packet,
    Sack,
    Segment,
    Timestamps,
    Unknown,
    WScale,
    encode_options,
)

u8, u16, u32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
octets4 = st.binary(min_size=4, max_size=4)

KNOWN_KINDS = {0, 1, 2, 3, 4, 5, 8, 34}
single_options = st.one_of(
    st.just(NOP),
    st.just(SACK_OK),
    st.builds(Mss, u16),
    st.builds(WScale, u8),
    st.builds(Timestamps, u32, u32),
    st.builds(Sack, st.lists(st.tuples(u32, u32), min_size=1, max_size=4).map(tuple)),
    st.builds(lambda half: FastOpen(half * 2), st.binary(max_size=8)),
    st.builds(Unknown, u8.filter(lambda kind: kind not in KNOWN_KINDS), st.binary(max_size=20)),
)


def filled(options):
    """As many of the options as fit a header, and what fills its last word."""
    fitting = ()
    for option in options:
        if sum(octets_alone(each) for each in (*fitting, option)) <= 40:
            fitting += (option,)
    missing = -sum(octets_alone(each) for each in fitting) % 4
    return fitting, missing


def octets_alone(option):
    """How long an option is without padding: four of them need none."""
    return len(encode_options((option,) * 4)) // 4


@st.composite
def option_lists(draw):
    """Options whose octets come to whole words, so that reading them gives the same list."""
    fitting, missing = filled(draw(st.lists(single_options, max_size=8)))
    if missing and draw(st.booleans()):
        return (*fitting, Eol(draw(st.binary(min_size=missing - 1, max_size=missing - 1))))
    return fitting + (NOP,) * missing


padding_options = st.integers(0, 2).flatmap(
    lambda count: st.sampled_from([b"\1\4\0\0\0\0", bytes(6), b"\0\1\3\0\0\0"][: count + 1])
)
"""What fills a header of options that is eight octets long."""


@st.composite
def extension_headers(draw):
    """Extension headers of IPv6 as a Segment has them: perhaps hop-by-hop options, then destination options."""
    kinds = draw(st.sampled_from([[], [0], [60], [0, 60], [60, 60]]))
    headers = [bytes((after, 0)) + draw(padding_options) for after in [*kinds[1:], 6]]
    return bytes(kinds[:1]) + b"".join(headers) if kinds else b""


octets16 = st.binary(min_size=16, max_size=16)
in_either_ip = {
    "sport": u16,
    "dport": u16,
    "seq": u32,
    "ack": u32,
    "flags": st.integers(0, 0x1FF),
    "window": u16,
    "options": option_lists(),
    "payload": st.binary(max_size=70) | st.binary(max_size=2).map(lambda octets: octets * 700),
    "urgent": u16,
    "ttl": u8,
    "tos": u8,
    "reserved": st.integers(0, 7),
}
segments6 = st.builds(
    Segment,
    src=octets16,
    dst=octets16,
    ip_id=st.just(0),
    df=st.just(True),
    ip_options=extension_headers(),
    flow_label=st.integers(0, (1 << 20) - 1),
    **in_either_ip,
)
segments4 = st.builds(
    Segment,
    src=octets4,
    dst=octets4,
    ip_id=u16,
    df=st.booleans(),
    ip_options=st.integers(0, 10).flatmap(lambda words: st.binary(min_size=4 * words, max_size=4 * words)),
    flow_label=st.just(0),
    **in_either_ip,
)

segments = segments4 | segments6


def checksum(octets):
    """The internet checksum, word by word as RFC 1071 says it."""
    octets += bytes(len(octets) % 2)
    total = sum(octets[at] << 8 | octets[at + 1] for at in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


def with_right_sums(ip, tcp):
    """A packet of the two headers (and payload) with its lengths' fields and both checksums put right."""
    ip, tcp = bytearray(ip), bytearray(tcp)
    ip[2:4] = (len(ip) + len(tcp)).to_bytes(2, "big")
    ip[10:12] = b"\0\0"
    ip[10:12] = checksum(bytes(ip))
    tcp[16:18] = b"\0\0"
    pseudo_header = bytes(ip[12:20]) + b"\0\6" + len(tcp).to_bytes(2, "big")
    tcp[16:18] = checksum(pseudo_header + bytes(tcp))
    return bytes(ip + tcp)


@st.composite
def valid_packets(draw):
    """Any octets that are a whole TCP packet: every field that may vary does, options are any octets."""
    ip_words, tcp_words = draw(st.integers(5, 15)), draw(st.integers(5, 15))
    ip = bytearray(draw(st.binary(min_size=4 * ip_words, max_size=4 * ip_words)))
    tcp = bytearray(draw(st.binary(min_size=4 * tcp_words, max_size=4 * tcp_words)))
    ip[0], ip[6:8], ip[9] = 0x40 | ip_words, draw(st.sampled_from([b"\0\0", b"\x40\0"])), 6
    tcp[12] = tcp_words << 4 | tcp[12] & 15
    return with_right_sums(ip, tcp + draw(st.binary(max_size=200)))


@st.composite
def valid_packets6(draw):
    """The same of IPv6."""
    words = draw(st.integers(5, 15))
    header = bytearray(draw(st.binary(min_size=40, max_size=40)))
    tcp = bytearray(draw(st.binary(min_size=4 * words, max_size=4 * words)) + draw(st.binary(max_size=200)))
    tcp[12] = words << 4 | tcp[12] & 15
    extensions = draw(extension_headers())
    header[0] = 0x60 | header[0] & 15
    header[6] = extensions[0] if extensions else 6
    return with_right_sums_of_ipv6(bytes(header) + extensions[1:], bytes(tcp))


def with_right_sums_of_ipv6(ip, tcp):
    """A packet of the headers before TCP, and what begins with TCP's, with its length and checksum put right."""
    ip, tcp = bytearray(ip), bytearray(tcp)
    ip[4:6] = (len(ip) - 40 + len(tcp)).to_bytes(2, "big")
    tcp[16:18] = b"\0\0"
    pseudo_header = bytes(ip[8:40]) + len(tcp).to_bytes(4, "big") + b"\0\0\0\6"
    tcp[16:18] = checksum(pseudo_header + bytes(tcp))
    return bytes(ip + tcp)


texts = st.text(max_size=20)
times = st.integers(0, (1 << 64) - 1)
interfaces = st.builds(Interface, name=texts, link_type=st.sampled_from(LinkType), description=texts)

host_names = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)
address_names = st.tuples(octets4 | st.binary(min_size=16, max_size=16), host_names)


@st.composite
def captures(draw):
    seen_at = draw(st.lists(interfaces, max_size=3).map(tuple))
    packets = st.builds(
        Packet,
        at=times,
        data=st.binary(max_size=40),
        interface=st.integers(0, len(seen_at) - 1),
        comments=st.lists(texts, max_size=2).map(tuple),
        direction=st.sampled_from(Direction),
        original_length=st.none() | st.integers(41, 70_000),
    )
    return Capture(
        interfaces=seen_at,
        packets=draw(st.lists(packets, max_size=4).map(tuple)) if seen_at else (),
        application=draw(texts),
        comments=draw(st.lists(texts, max_size=2).map(tuple)),
        names=draw(st.lists(address_names, max_size=4).map(tuple)),
    )


@st.composite
def damaged(draw, whole):
    """The octets of a whole file with some changed, some cut off, or some in between."""
    octets = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(octets) - 1, 0)))
        match draw(st.sampled_from(["set", "cut", "insert", "delete"])):
            case "set":
                octets[at : at + 1] = draw(
                    st.sampled_from([b"\0", b"\xff", b"\4"]) | st.binary(min_size=1, max_size=1)
                )
            case "cut":
                del octets[at:]
            case "insert":
                octets[at:at] = draw(st.binary(max_size=9))
            case _:
                del octets[at : at + draw(st.integers(1, 9))]
    return bytes(octets)
