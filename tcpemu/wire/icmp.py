"""ICMP errors of IPv4 (RFC 792, RFC 1191): what a router or host says of a packet that it quotes.

Other ICMP, such as echo, says nothing to TCP and is not read.
"""

import struct
from typing import NamedTuple

from tcpemu.wire.codec import DONT_FRAGMENT, PROTOCOL_TCP, Refused, RefusedReason
from tcpemu.wire.segment import Address, FlowKey, Segment, address_text

PROTOCOL_ICMP = 1
UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 4, 5, 11, 12
FRAGMENTATION_NEEDED = 4
"""Code of UNREACHABLE: the packet is larger than the next link's MTU and may not be cut."""
_KINDS = {
    UNREACHABLE: "destination unreachable",
    SOURCE_QUENCH: "source quench",
    REDIRECT: "redirect",
    TIME_EXCEEDED: "time exceeded",
    PARAMETER_PROBLEM: "parameter problem",
}
_UNREACHABLE_CODES = {
    0: "net",
    1: "host",
    2: "protocol",
    3: "port",
    4: "fragmentation needed",
    5: "source route failed",
    6: "net unknown",
    7: "host unknown",
    8: "host isolated",
    9: "net prohibited",
    10: "host prohibited",
    11: "net for this TOS",
    12: "host for this TOS",
    13: "administratively prohibited",
    14: "precedence violated",
    15: "precedence cut off",
}
_ip = struct.Struct("!BBHHHBBH4s4s")
_icmp = struct.Struct("!BBHI")
_LEAST_QUOTE = 28
"""An IP header and 8 octets: both ports and the sequence number."""


class IcmpError(NamedTuple):
    """One ICMP error in one IP packet."""

    src: Address
    """Who says so."""
    dst: Address
    kind: int
    """ICMP type: UNREACHABLE, TIME_EXCEEDED, ..."""
    code: int
    quoted: bytes
    """The packet that it is about, from its IP header on, or the beginning of it; 28 octets at least."""
    rest: int = 0
    """The second word of the header; its low half is the MTU of the next link where fragmentation is needed."""
    ttl: int = 64
    tos: int = 0
    ip_id: int = 0
    df: bool = False

    def __str__(self) -> str:
        """As `192.0.2.254 says: destination unreachable (port) of 10.0.0.1:80 > 10.0.0.2:5000`."""
        code = f" ({_UNREACHABLE_CODES.get(self.code, self.code)})" if self.kind == UNREACHABLE else ""
        remote, remote_port, local, local_port = self.flow
        about = f"{address_text(local)}:{local_port} > {address_text(remote)}:{remote_port}"
        return f"{address_text(self.src)} says: {_KINDS.get(self.kind, self.kind)}{code} of {about}"

    @property
    def mtu(self) -> int:
        """The MTU of the next link, 0 where a router does not tell."""
        return self.rest & 0xFFFF

    @property
    def flow(self) -> FlowKey:
        """The flow of the quoted segment as its sender calls it: remote address and port, own address and port."""
        at = (self.quoted[0] & 15) * 4
        source, target = struct.unpack_from("!HH", self.quoted, at)
        return self.quoted[16:20], target, self.quoted[12:16], source

    @property
    def seq(self) -> int:
        """The sequence number of the quoted segment."""
        return int.from_bytes(self.quoted[(self.quoted[0] & 15) * 4 + 4 :][:4], "big")


def quote(segment: Segment, octets: bytes) -> bytes:
    """The part of a packet that a router quotes: its IP header and 8 octets (RFC 792)."""
    return octets[: 20 + len(segment.ip_options) + 8]


def encode_icmp(error: IcmpError) -> bytes:
    """The IP packet that carries the error, with lengths and checksums filled in. ValueError for what does not fit."""
    try:
        body = _icmp.pack(error.kind, error.code, 0, error.rest) + error.quoted
        body = body[:2] + _checksum(body) + body[4:]
        fragment = DONT_FRAGMENT if error.df else 0
        header = _ip.pack(
            *(0x45, error.tos, 20 + len(body), error.ip_id, fragment, error.ttl, PROTOCOL_ICMP, 0),
            *(error.src, error.dst),
        )
    except struct.error as error_of_field:
        raise ValueError(f"a field of {error!r} does not fit: {error_of_field}") from None
    return header[:10] + _checksum(header) + header[12:] + body


def decode_icmp(packet: bytes) -> IcmpError | Refused:
    """The ICMP error in a raw IPv4 packet, or why there is none; never raises.

    Differs: of the quoted packet all of IP header and 8 octets must be there, as for the kernel's TCP.
    """
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return Refused(RefusedReason.NOT_IP, "no header of IPv4")
    ihl, total = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
    if ihl < 20 or not ihl + 8 <= total <= len(packet):
        return Refused(RefusedReason.TRUNCATED, f"{len(packet)} octets of an IP packet of {total}")
    if _checksum(packet[:ihl]) != b"\0\0":
        return Refused(RefusedReason.BAD_IP_CHECKSUM, "the IP checksum is wrong")
    if packet[9] != PROTOCOL_ICMP:
        return Refused(RefusedReason.NOT_TCP, f"the IP protocol is {packet[9]}, not ICMP")
    body = packet[ihl:total]
    if _checksum(body) != b"\0\0":
        return Refused(RefusedReason.NOT_TCP, "the checksum of ICMP is wrong")
    kind, code, _, rest = _icmp.unpack_from(body)
    quoted = body[8:]
    if kind not in _KINDS or not _is_quote(quoted):
        return Refused(RefusedReason.NOT_TCP, f"ICMP of type {kind} that quotes no segment of TCP")
    _, tos, _, ip_id, fragment, ttl, _, _, src, dst = _ip.unpack_from(packet)
    return IcmpError(src, dst, kind, code, quoted, rest, ttl, tos, ip_id, bool(fragment & DONT_FRAGMENT))


def _is_quote(quoted: bytes) -> bool:
    """Whether it is the beginning of a TCP segment: its IP header and 8 octets."""
    if len(quoted) < _LEAST_QUOTE or quoted[0] >> 4 != 4 or quoted[9] != PROTOCOL_TCP:
        return False
    ihl = (quoted[0] & 15) * 4
    return 20 <= ihl <= len(quoted) - 8


def _checksum(octets: bytes) -> bytes:
    """The checksum of the Internet (RFC 1071): 0 over octets that have a right one in them."""
    number = int.from_bytes(octets + bytes(len(octets) & 1), "big")
    return (-number % 65535).to_bytes(2, "big")
