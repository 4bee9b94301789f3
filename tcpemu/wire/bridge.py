"""Scapy packets to segments and back: the only module that knows Scapy.

Both ways go by octets, so Scapy's own reading and writing of options cannot lose anything.
"""

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.packet import NoPayload, Packet, Raw

from tcpemu.wire.codec_choice import decode, encode
from tcpemu.wire.icmp import IcmpError, decode_icmp, encode_icmp
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import Segment


def to_scapy(segment: Segment | IcmpError) -> IP | IPv6:
    """The segment, or ICMP error, as Scapy's IP / TCP or IPv6 / TCP, every field set.

    Whoever changes a field of it deletes the lengths and checksums that depend on it, as after any reading
    with Scapy, and Scapy computes them again. Raises ValueError where a field does not fit, as `encode` does.
    """
    octets = encode_icmp(segment) if isinstance(segment, IcmpError) else encode(segment)
    return IPv6(octets) if len(segment.src) == 16 else IP(octets)


def icmp_from_scapy(packet: Packet) -> IcmpError | Refused:
    """The ICMP error in a Scapy packet, below Ethernet and the like, or why there is none. Never raises."""
    octets = _ip_octets(packet)
    return decode_icmp(octets) if isinstance(octets, bytes) else octets


def from_scapy(packet: Packet) -> Segment | Refused:
    """The segment in a Scapy packet, below Ethernet and the like, or why there is none. Never raises."""
    octets = _ip_octets(packet)
    return decode(octets) if isinstance(octets, bytes) else octets


def _ip_octets(packet: Packet) -> bytes | Refused:
    layer = packet
    while not isinstance(layer, IP | IPv6 | NoPayload) and layer is not packet.lastlayer():
        layer = layer.payload
    if not isinstance(layer, IP | IPv6):
        layer = packet if type(packet) is Raw else None
    if layer is None:
        return Refused(RefusedReason.NOT_IP, f"there is no IP layer below {packet.name}")
    try:
        return bytes(layer)
    except Exception as error:  # Scapy raises whatever a field's value leads to
        return Refused(_unbuildable(layer), f"Scapy cannot build the packet: {error or type(error).__name__}")


def _unbuildable(layer: Packet) -> RefusedReason:
    """Which header it is that Scapy cannot build."""
    try:
        alone = layer.copy()
        alone.remove_payload()
        bytes(alone)
    except Exception:
        return RefusedReason.BAD_IP_HEADER
    return RefusedReason.BAD_TCP_HEADER
