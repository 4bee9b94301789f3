"""Whether a segment that the host sent is the one in the script: field by field, in the script's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tcpemu.drill.language.drill_script import TcpPacket
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.wire.options import Eol, FastOpen, Mss, Nop, Option, Sack, SackOk, Timestamps, Unknown, WScale
from tcpemu.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment

_LETTERS = ((FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (URG, "U"), (ECE, "E"), (CWR, "W"), (AE, "A"))
_ECN_WORDS = ("noecn", "ect1", "ect0", "ce")


def joined(segments: list[Segment]) -> Segment:
    """Segments that follow each other, as the one of which they were cut."""
    if len(segments) == 1:
        return segments[0]
    first, last = segments[0], segments[-1]
    flags = last.flags | (first.flags & CWR)
    return first._replace(flags=flags, payload=b"".join(segment.payload for segment in segments))


def in_script_numbers(segment: Segment, packet: TcpPacket, flow: DrillFlow) -> Segment:
    """The segment with the numbers that the script has for it."""
    syn = bool(segment.flags & SYN)
    seq = flow.local.to_script(segment.seq, syn)
    ack = flow.remote.to_script(segment.ack, syn) if segment.flags & ACK else segment.ack
    scripted = next((option for option in packet.options or () if isinstance(option, Timestamps)), None)
    options = tuple(_option(option, flow, syn, scripted) for option in segment.options)
    return segment._replace(seq=seq, ack=ack, options=options)


def _option(option: Option, flow: DrillFlow, syn: bool, scripted: Timestamps | None) -> Option:
    if isinstance(option, Sack):
        blocks = tuple(
            (flow.remote.to_script(left, syn), flow.remote.to_script(right, syn))
            for left, right in option.blocks
        )
        return replace(option, blocks=blocks)
    if isinstance(option, Timestamps) and scripted is not None:
        return Timestamps(flow.saw_timestamp(scripted.val, option.val), option.ecr)
    return option


def differences(packet: TcpPacket, actual: Segment, ticks: int) -> Iterator[tuple[str, str, str]]:
    """Each field that is not as in the script: its name, what was expected and what came.

    `ticks` is how far timestamps of the host may be off; -1 where they do not matter.
    """
    yield from _ip(packet, actual)
    if packet.ace is not None:
        ace = ace_of(actual.flags)
        if ace != packet.ace:
            yield "ACE counter", str(packet.ace), str(ace)
    mask = ~(AE | CWR | ECE) if packet.ace is not None else ~0
    if (packet.flags ^ actual.flags) & mask:
        yield "flags", flags_text(packet.flags), flags_text(actual.flags)
    if packet.seq != actual.seq:
        yield "sequence number", str(packet.seq), str(actual.seq)
    if packet.size != len(actual.payload):
        yield "octets", str(packet.size), str(len(actual.payload))
    if packet.ack != actual.ack:
        yield "ACK number", str(packet.ack), str(actual.ack)
    if packet.window is not None and packet.window != actual.window:
        yield "window", str(packet.window), str(actual.window)
    if packet.urgent != actual.urgent:
        yield "urgent pointer", str(packet.urgent), str(actual.urgent)
    if packet.options is not None and not _same_options(packet.options, actual.options, ticks):
        yield "options", options_text(packet.options), options_text(actual.options)


def _ip(packet: TcpPacket, actual: Segment) -> Iterator[tuple[str, str, str]]:
    ip = packet.ip
    if ip.ecn is not None and ip.ecn != actual.tos & 3:
        yield "ECN of IP", _ECN_WORDS[ip.ecn], _ECN_WORDS[actual.tos & 3]
    if ip.any_ect and actual.tos & 3 not in (1, 2):
        yield "ECN of IP", "ect0 or ect1", _ECN_WORDS[actual.tos & 3]
    if ip.tos is not None and ip.tos != actual.tos:
        yield "TOS", hex(ip.tos), hex(actual.tos)
    if ip.ttl is not None and ip.ttl != actual.ttl:
        yield "TTL", str(ip.ttl), str(actual.ttl)
    if ip.flow_label is not None and ip.flow_label != actual.flow_label:
        yield "flow label", hex(ip.flow_label), hex(actual.flow_label)


def _same_options(wanted: tuple[Option, ...], actual: tuple[Option, ...], ticks: int) -> bool:
    if len(wanted) != len(actual):
        return False
    return all(_same_option(one, other, ticks) for one, other in zip(wanted, actual, strict=True))


def _same_option(wanted: Option, actual: Option, ticks: int) -> bool:
    if isinstance(wanted, Timestamps) and isinstance(actual, Timestamps):
        apart = (actual.val - wanted.val + 2**31) % 2**32 - 2**31
        return ticks < 0 or abs(apart) <= ticks
    if isinstance(wanted, Eol) and isinstance(actual, Eol):
        return True
    return wanted == actual


# ---------------------------------------------------------------------------------- in the script's words


def ace_of(flags: int) -> int:
    """The counter of AccECN in three flags."""
    return (4 if flags & AE else 0) | (2 if flags & CWR else 0) | (1 if flags & ECE else 0)


def flags_text(flags: int) -> str:
    """As a script has them: `S.`, `P.`, `-`."""
    return "".join(letter for bit, letter in _LETTERS if flags & bit) + ("." if flags & ACK else "") or "-"


def segment_text(segment: Segment) -> str:
    """A segment as a script would have it, without its time and direction."""
    end = (segment.seq + len(segment.payload)) & (2**32 - 1)
    ack = f" ack {segment.ack}" if segment.flags & ACK else ""
    urgent = f" urg {segment.urgent}" if segment.urgent else ""
    options = f" <{options_text(segment.options)}>" if segment.options else ""
    numbers = f"{segment.seq}:{end}({len(segment.payload)})"
    return f"{flags_text(segment.flags)} {numbers}{ack} win {segment.window}{urgent}{options}"


def packet_text(packet: TcpPacket) -> str:
    """The script's packet in the same words."""
    end = (packet.seq + packet.size) & (2**32 - 1)
    ack = f" ack {packet.ack}" if packet.flags & ACK else ""
    window = "" if packet.window is None else f" win {packet.window}"
    urgent = f" urg {packet.urgent}" if packet.urgent else ""
    options = (
        " <...>" if packet.options is None else f" <{options_text(packet.options)}>" if packet.options else ""
    )
    return f"{flags_text(packet.flags)} {packet.seq}:{end}({packet.size}){ack}{window}{urgent}{options}"


def options_text(options: tuple[Option, ...]) -> str:
    """As a script has them; `none` for none."""
    return ",".join(map(_option_text, options)) or "none"


def _option_text(option: Option) -> str:
    if isinstance(option, Nop):
        return "nop"
    if isinstance(option, Eol):
        return "eol"
    if isinstance(option, Mss):
        return f"mss {option.value}"
    if isinstance(option, WScale):
        return f"wscale {option.shift}"
    if isinstance(option, SackOk):
        return "sackOK"
    if isinstance(option, Sack):
        return "sack " + " ".join(f"{left}:{right}" for left, right in option.blocks)
    if isinstance(option, Timestamps):
        return f"TS val {option.val} ecr {option.ecr}"
    if isinstance(option, FastOpen):
        return f"{'FOEXP' if option.experimental else 'FO'} {option.cookie.hex()}".rstrip()
    if isinstance(option, Unknown):
        return f"kind {option.kind} {option.data.hex()}".rstrip()
    return f"octets {option.data.hex()}"
