"""One packet of a capture: what it is, and what its comment says of it."""

import textwrap
from collections.abc import Iterator, Sequence

from tcpemu.explain.facts.flow_numbers import InitialNumbers, Relative
from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.time_words import moment
from tcpemu.wire.capture_file import Capture, Direction, Packet, ip_of
from tcpemu.wire.codec_choice import decode
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import RST, SYN, Segment, endpoint_text

_SEEN = {Direction.INBOUND: "arrives", Direction.OUTBOUND: "leaves"}
_LABEL = 9


def frame_lines(capture: Capture, number: int, width: int = 100) -> Iterator[Line]:
    """Time, place, ends, packet and comment of the packet that Wireshark gives that number, from 1 on."""
    packet = capture.packets[number - 1]
    yield line(f"frame {number} of {len(capture.packets)}", Role.TITLE)
    for label, text in _facts(capture, packet, number):
        yield from _paragraph(label, text, width)


def _facts(capture: Capture, packet: Packet, number: int) -> Iterator[tuple[str, str]]:
    yield "time", moment(packet.at)
    yield "seen at", _place(capture, packet)
    segment, relative = _read(capture.packets[:number], capture)
    if isinstance(segment, Segment):
        yield "from", endpoint_text((segment.src, segment.sport))
        yield "to", endpoint_text((segment.dst, segment.dport))
        yield "packet", _words(segment, relative)
    else:
        yield "packet", f"no TCP segment: {segment.detail}" if segment else "not IP"
    yield "comment", " ".join(packet.comments) or "none on this packet"


def _place(capture: Capture, packet: Packet) -> str:
    if packet.interface >= len(capture.interfaces):
        return "?"
    name = capture.interfaces[packet.interface].name
    return f"{name}, where it {_SEEN[packet.direction]}" if packet.direction in _SEEN else name


def _read(packets: Sequence[Packet], capture: Capture) -> tuple[Segment | Refused | None, Relative | None]:
    """The last of the packets, with numbers that count from the start of its flow."""
    numbers = InitialNumbers()
    segment: Segment | Refused | None = None
    relative = None
    for packet in packets:
        octets = ip_of(packet.data, capture.interfaces[packet.interface].link_type)
        segment = None if octets is None else decode(octets)
        relative = numbers.relative(segment) if isinstance(segment, Segment) else None
    return segment, relative


def _words(segment: Segment, relative: Relative | None) -> str:
    words = [flag_words(segment.flags)]
    if relative is not None:
        words.append(f"seq {relative.seq}")
        words += [] if relative.ack is None else [f"ack {relative.ack}"]
        words += [f"len {len(segment.payload)}"] if segment.payload else []
        words += [] if segment.flags & RST else [f"win {relative.window}"]
    options = option_words(segment) if segment.flags & SYN else ""
    return " ".join(words) + (f" ({options})" if options else "")


def _paragraph(label: str, text: str, width: int) -> Iterator[Line]:
    for number, each in enumerate(textwrap.wrap(text, width - _LABEL - 2) or [""]):
        yield (Span(f"  {'' if number else label:<{_LABEL}}", Role.QUIET), Span(each))
