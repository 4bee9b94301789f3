"""A TCP segment and the fields of the IP header that a TCP stack reads or writes.

`Segment` is a `NamedTuple`: it cannot be changed, and it is made six times as fast as a frozen dataclass of
the same eighteen fields, which is what a stack spends much of its time on. Its first four fields are the
flow as the receiver sees it, so `segment[:4]` is the key of a connection.

Addresses are packed octets in network order, four for IPv4 and sixteen for IPv6; nothing else here knows
which.
"""

import ipaddress
from typing import Any, NamedTuple, TypeAlias

from tcpemu.wire.options import Option

Address: TypeAlias = bytes
"""A packed address: 4 octets of IPv4, 16 of IPv6."""
FlowKey: TypeAlias = tuple[Address, int, Address, int]
"""Remote address, remote port, local address, local port: `segment[:4]` of a segment that arrives."""

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = 1, 2, 4, 8, 16, 32, 64, 128, 256
FLAG_LETTERS = "FSRPAUECN"
"""One letter for each flag from FIN on; E is ECE, C is CWR, N is AE (once called NS)."""
MAPPED = bytes(10) + b"\xff\xff"
"""How an address of IPv6 begins that stands for one of IPv4 (RFC 4291 section 2.5.5.2)."""
_FLAG_NAMES = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")


class Segment(NamedTuple):
    """One TCP segment in one IP packet. All numbers are as they stand in the headers."""

    src: Address
    sport: int
    dst: Address
    dport: int
    seq: int
    """Sequence number, 0 to 2**32 - 1."""
    ack: int
    """Acknowledgment number, 0 to 2**32 - 1; it means something only with the ACK flag."""
    flags: int
    """FIN SYN RST PSH ACK URG ECE CWR AE, from bit 0 on."""
    window: int
    """Window field, 0 to 65535, not scaled."""
    options: tuple[Option, ...] = ()
    payload: bytes = b""
    urgent: int = 0
    ttl: int = 64
    """Time to live of IPv4, hop limit of IPv6."""
    tos: int = 0
    """The whole octet: DSCP and ECN; of IPv6 the traffic class."""
    ip_id: int = 0
    """Identification; 0 for IPv6, which has none."""
    df: bool = True
    """Don't Fragment; true for IPv6, where no router cuts packets."""
    reserved: int = 0
    """The three bits of the TCP header that have no meaning yet."""
    ip_options: bytes = b""
    """IP options with their padding: 0 to 40 octets, a multiple of four. Of IPv6 the extension headers before TCP,
    after an octet with the kind of the first."""
    flow_label: int = 0
    """The flow label of IPv6, 0 to 2**20 - 1; 0 for none, and for IPv4."""

    def __str__(self) -> str:
        """As `10.0.0.2:5000 > 10.0.0.1:80 SYN|ACK seq 7 ack 9 win 65535 len 0`."""
        ack = f" ack {self.ack}" if self.flags & ACK else ""
        flags = flag_names(self.flags) or "no flags"
        source, target = endpoint_text((self.src, self.sport)), endpoint_text((self.dst, self.dport))
        return f"{source} > {target} {flags} seq {self.seq}{ack} win {self.window} len {len(self.payload)}"

    def __repr__(self) -> str:
        """The same in brackets, with what else is not as usual: options, payload, urgent pointer, fields of IP."""
        try:
            plain = str(self)
        except (ValueError, TypeError):  # an address that is none
            return f"Segment{tuple(self)!r}"
        others = [f"{name}={getattr(self, name)!r}" for name, usual in _USUAL if getattr(self, name) != usual]
        return f"<{' '.join(['Segment', plain, *others])}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What IPython and Hypothesis show, which print dataclasses and tuples in their own way otherwise."""
        printer.text(repr(self))

    @property
    def sender_flow(self) -> FlowKey:
        """The flow as its sender calls it, the remote end first; its receiver calls it `segment[:4]`."""
        return self.dst, self.dport, self.src, self.sport

    @property
    def length(self) -> int:
        """Sequence space that the segment takes: payload, and one each for SYN and FIN (RFC 9293 SEG.LEN)."""
        flags = self.flags
        return len(self.payload) + (flags & FIN) + (flags >> 1 & 1)


_USUAL: tuple[tuple[str, object], ...] = (
    ("options", ()),
    ("payload", b""),
    ("urgent", 0),
    ("ttl", 64),
    ("tos", 0),
    ("ip_id", 0),
    ("df", True),
    ("reserved", 0),
    ("ip_options", b""),
)
"""The fields that `str` leaves out, and what they usually are."""


def make_segment(*fields: object) -> Segment:
    """The same as `Segment` with every field given, made faster where many are made."""
    return tuple.__new__(Segment, fields)


def ip_header_length(segment: Segment) -> int:
    """Octets before the TCP header: of IPv4 with its options, of IPv6 with its extension headers."""
    if len(segment.src) == 16:
        return 40 + max(len(segment.ip_options) - 1, 0)
    return 20 + len(segment.ip_options)


def flag_letters(flags: int) -> str:
    """The flags as letters in the order of their bits: SYN and ACK are `SA`."""
    return "".join(letter for bit, letter in enumerate(FLAG_LETTERS) if flags >> bit & 1)


def flags_of(letters: str) -> int:
    """The flags that the letters name. Raises ValueError for a letter that names none."""
    flags = 0
    for letter in letters:
        bit = FLAG_LETTERS.find(letter)
        if bit < 0:
            raise ValueError(f"unknown TCP flag {letter!r}; the letters are {FLAG_LETTERS}")
        flags |= 1 << bit
    return flags


def address(text: str) -> Address:
    """The packed form of an address in text: `192.0.2.1` is 4 octets, `2001:db8::1` 16. Raises ValueError."""
    return ipaddress.ip_address(text).packed


def address_text(packed: Address) -> str:
    """The text form of a packed address; one that stands for an address of IPv4 as `::ffff:192.0.2.1`.

    Raises ValueError where it has neither 4 octets nor 16.
    """
    if packed[:12] == MAPPED and len(packed) == 16:
        return f"::ffff:{ipaddress.IPv4Address(packed[12:])}"
    if len(packed) == 4:
        return ".".join(map(str, packed))  # a third of the time that `ipaddress` takes
    return str(ipaddress.ip_address(packed))


def endpoint_text(endpoint: tuple[Address, int]) -> str:
    """`10.0.0.1:80`, `[2001:db8::1]:80`; `*:80` for any address."""
    octets, port = endpoint
    if not octets:
        return f"*:{port}"
    text = address_text(octets)
    return f"[{text}]:{port}" if len(octets) == 16 else f"{text}:{port}"


def flag_names(flags: int) -> str:
    """The flags by name, SYN before ACK: `SYN|ACK`."""
    return "|".join(name for bit, name in enumerate(_FLAG_NAMES) if flags >> bit & 1)


def flow_text(flow: FlowKey) -> str:
    """A connection with its own end first: `10.0.0.1:80 - 10.0.0.2:5000`; a listener's is `*:80`."""
    remote, remote_port, local, local_port = flow
    own = endpoint_text((local, local_port))
    return f"{own} - {endpoint_text((remote, remote_port))}" if remote else own
