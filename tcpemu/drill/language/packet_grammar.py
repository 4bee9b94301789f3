"""Packets: `< S 0:0(0) win 65535 <mss 1460>`, `> 8080 > 40001 . 1:1001(1000) ack 1`, `< icmp unreachable ...`."""

from __future__ import annotations

from tcpemu.drill.language.drill_script import IcmpPacket, IpPart, Quoted, TcpPacket
from tcpemu.drill.language.option_grammar import tcp_options
from tcpemu.drill.language.script_mistake import Place
from tcpemu.drill.language.script_tokens import Sort
from tcpemu.drill.language.token_reader import TokenReader
from tcpemu.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG

_FLAGS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, "U": URG, "E": ECE, "W": CWR, "C": CWR, "A": AE}
_ECN = {"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3}
_MOST32, _MOST16 = 2**32 - 1, 2**16 - 1
_NOT_EMULATED = {
    "udp": "packets of UDP",
    "gre": "packets in GRE",
    "GREv0": "packets in GRE",
    "mpls": "packets with MPLS labels",
    "encap": "packets in PSP",
    "ipv4": "packets of IP in IP",
    "ipv6": "packets of IP in IP",
}


def packet(reader: TokenReader) -> TcpPacket | IcmpPacket:
    """A packet, from its direction on."""
    direction = reader.take()
    inbound = direction.text == "<"
    _refuse_foreign(reader)
    ip = _ip_part(reader, inbound)
    _refuse_foreign(reader)
    if reader.next_is("icmp"):
        return _icmp(reader, inbound, direction.place, ip)
    return _tcp(reader, inbound, direction.place, ip)


def _refuse_foreign(reader: TokenReader) -> None:
    token = reader.peek()
    if token.sort is Sort.WORD and token.text in _NOT_EMULATED:
        raise reader.mistake(token.place, f"{_NOT_EMULATED[token.text]} are not emulated")


# ---------------------------------------------------------------------------------- IP


def _ip_part(reader: TokenReader, inbound: bool) -> IpPart:
    opening = reader.take_if("(", "[")
    if opening is None:
        return IpPart()
    part = _ip_word(reader, inbound)
    if reader.take_if(","):
        label = _ip_word(reader, inbound)
        part = IpPart(part.ecn, part.any_ect, part.tos, label.flow_label, label.ttl)
    reader.expect(")" if opening.text == "(" else "]", "after what is said of IP")
    return part


def _ip_word(reader: TokenReader, inbound: bool) -> IpPart:
    token = reader.take()
    if token.text in _ECN:
        return IpPart(ecn=_ECN[token.text])
    if token.text == "ect01":
        if inbound:
            raise reader.mistake(token.place, "ect01 is for packets that the host sends; say ect0 or ect1")
        return IpPart(any_ect=True)
    if token.text == "tos":
        return IpPart(tos=reader.whole("the TOS octet", 0, 255))
    if token.text == "flowlabel":
        return IpPart(flow_label=reader.whole("the flow label", 0, 2**20 - 1))
    if token.text == "ttl":
        return IpPart(ttl=reader.whole("the TTL", 1, 255))
    words = f"expected noecn, ect0, ect1, ect01, ce, tos, flowlabel or ttl, but there is {token}"
    raise reader.mistake(token.place, words)


# ---------------------------------------------------------------------------------- TCP


def _tcp(reader: TokenReader, inbound: bool, place: Place, ip: IpPart) -> TcpPacket:
    ports = _ports(reader)
    flags, ace = _flags(reader)
    seq, size = _octets(reader)
    ack = reader.whole("the ACK number", 0, _MOST32) if reader.take_if("ack") else 0
    window = reader.whole("the window", 0, _MOST16) if reader.take_if("win") else None
    urgent = reader.whole("the urgent pointer", 0, _MOST16) if reader.take_if("urg") else 0
    options = tcp_options(reader, inbound)
    return TcpPacket(inbound, place, ip, ports, flags, ace, seq, size, ack, window, urgent, options)


def _ports(reader: TokenReader) -> tuple[int, int] | None:
    if not (reader.sort_is(Sort.INTEGER) and reader.peek(1).text == ">"):
        return None
    source = reader.whole("the source port", 1, _MOST16)
    reader.take()
    return source, reader.whole("the destination port", 1, _MOST16)


def _flags(reader: TokenReader) -> tuple[int, int | None]:
    token = reader.peek()
    if reader.take_if("-"):
        return 0, None
    flags, seen = 0, False
    if token.sort is Sort.WORD:
        reader.take()
        seen = True
        for number, letter in enumerate(token.text):
            if letter not in _FLAGS:
                place = token.place._replace(column=token.place.column + number, width=1)
                raise reader.mistake(
                    place,
                    f"{letter} is a count of Accurate ECN (the ACE field), which is not emulated"
                    if letter in "01234567"
                    else f"'{letter}' is no flag of TCP; there are F S R P U E W A, '.' for ACK, '-' for none",
                )
            flags |= _FLAGS[letter]
    after = reader.peek()
    if reader.take_if("."):
        return flags | ACK, None
    if after.sort is Sort.DECIMAL and after.text[:1] == "." and after.text[1:].isdecimal():
        reader.take()
        ace = int(after.text[1:])
        if ace > 7:
            raise reader.mistake(after.place, f"the ACE counter is {ace}; it can be 0 to 7")
        return flags | ACK | _ace_flags(ace), ace
    if not seen:
        raise reader.expected("the flags of a segment (as S, S., P., ., F., R or -)", "here")
    return flags, None


def _ace_flags(ace: int) -> int:
    """The three bits of the counter, in the flags AE, CWR and ECE."""
    return (AE if ace & 4 else 0) | (CWR if ace & 2 else 0) | (ECE if ace & 1 else 0)


def _octets(reader: TokenReader) -> tuple[int, int]:
    """`1:1001(1000)`: first number, that behind the last octet, and how many."""
    start_at = reader.peek().place
    start = reader.whole("the first sequence number", 0, _MOST32)
    reader.expect(":", "after the first sequence number")
    end = reader.whole("the last sequence number", 0, _MOST32)
    reader.expect("(", "before the number of octets")
    size = reader.whole("the number of octets", 0, _MOST16)
    reader.expect(")", "after the number of octets")
    if (start + size) & _MOST32 != end:
        words = f"from {start} to {end} are {(end - start) & _MOST32} octets, not {size}"
        raise reader.mistake(start_at, words)
    return start, size


# ---------------------------------------------------------------------------------- ICMP


def _icmp(reader: TokenReader, inbound: bool, place: Place, ip: IpPart) -> IcmpPacket:
    reader.take()
    kind = reader.expect_sort(Sort.WORD, "a type of ICMP, such as unreachable,", "here")
    code = None
    if reader.sort_is(Sort.WORD) and not reader.next_is("mtu", "id"):
        code = reader.take().text
    mtu = reader.whole("the MTU", 0, _MOST16) if reader.take_if("mtu") else None
    if reader.next_is("id"):
        raise reader.mistake(reader.peek().place, "echo requests and their numbers are not emulated")
    quoted = None
    if reader.take_if("["):
        _refuse_foreign(reader)
        quoted = Quoted(*_octets(reader))
        reader.expect("]", "after the segment that is quoted")
    if not inbound:
        raise reader.mistake(place, "ICMP that the host sends is not emulated: it sends none about TCP")
    return IcmpPacket(inbound, kind.place, ip, kind.text, code, mtu, quoted)
