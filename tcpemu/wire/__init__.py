"""What travels: segments, their options, octets, capture files. Scapy is met in the module `bridge` alone.

Where things are:

    a segment       segment.py: its fields, flags and addresses · options.py: TCP options, to octets and back
    octets          codec.py: IP packets to segments and back, checksums · ipv6.py: those of IPv6 · checked_tcp.py: what
                    a TCP header is tested for · refused.py: why octets are no segment · _codec.c: the common ones,
                    compiled · codec_choice.py: which of the two · bridge.py: Scapy packets
    ICMP errors     icmp.py: of IPv4 and IPv6, to octets and back, with the segment that they quote
    capture files   capture_file.py: read and write one, of either kind · capture_values.py: what a capture holds ·
                    pcap.py · pcapng.py: the two formats · atomic_write.py: files that are whole or not there,
                    and the folder for what is kept
    what is shown   visible_text.py: control characters of foreign text, escaped
    step traces     relative_numbers.py: numbers that count from the initial ones, and those on the wire

>>> from tcpemu.wire import Segment, address, decode, encode, flag_letters, flags_of, mss
>>> syn = Segment(
...     address("198.51.100.7"), 40000, address("192.0.2.1"), 80, 1000, 0, flags_of("S"), 64240, (mss(1460),)
... )
>>> octets = encode(syn)  # an IP packet with its checksums
>>> len(octets), decode(octets) == syn
(44, True)
>>> decode(octets[:-1]).reason  # never raises: says why there is no segment
<RefusedReason.TRUNCATED: 'truncated'>

Captures are values too:

>>> from tcpemu.wire import Capture, Interface, Packet, read_capture, write_capture
>>> write_capture("x.pcapng", Capture((Interface("eth0"),), (Packet(0, octets, comments=("a SYN",)),)))
>>> [packet.comments for packet in read_capture("x.pcapng").packets]
[('a SYN',)]
"""

from tcpemu.wire.capture_file import (
    Capture,
    CaptureError,
    Direction,
    Interface,
    LinkType,
    Packet,
    ip_of,
    read_capture,
    write_capture,
)
from tcpemu.wire.codec_choice import decode, encode
from tcpemu.wire.icmp import IcmpError, decode_icmp, encode_icmp
from tcpemu.wire.options import (
    NOP,
    SACK_OK,
    Eol,
    FastOpen,
    Garbage,
    Mss,
    Nop,
    Option,
    Sack,
    SackOk,
    Timestamps,
    Unknown,
    WScale,
    decode_options,
    encode_options,
    mss,
    timestamps,
    wscale,
)
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import (
    ACK,
    AE,
    CWR,
    ECE,
    FIN,
    FLAG_LETTERS,
    PSH,
    RST,
    SYN,
    URG,
    Address,
    FlowKey,
    Segment,
    address,
    address_text,
    flag_letters,
    flags_of,
)

__all__ = [
    "ACK",
    "AE",
    "CWR",
    "ECE",
    "FIN",
    "FLAG_LETTERS",
    "NOP",
    "PSH",
    "RST",
    "SACK_OK",
    "SYN",
    "URG",
    "Address",
    "Capture",
    "CaptureError",
    "Direction",
    "Eol",
    "FastOpen",
    "FlowKey",
    "Garbage",
    "IcmpError",
    "Interface",
    "LinkType",
    "Mss",
    "Nop",
    "Option",
    "Packet",
    "Refused",
    "RefusedReason",
    "Sack",
    "SackOk",
    "Segment",
    "Timestamps",
    "Unknown",
    "WScale",
    "address",
    "address_text",
    "decode",
    "decode_icmp",
    "decode_options",
    "encode",
    "encode_icmp",
    "encode_options",
    "flag_letters",
    "flags_of",
    "ip_of",
    "mss",
    "read_capture",
    "timestamps",
    "write_capture",
    "wscale",
]
