"""Packets of a script that arrive, as they are on the wire."""

from __future__ import annotations

from dataclasses import replace

from tcpemu.drill.language.drill_script import IcmpPacket, TcpPacket
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.playing.flow_table import FlowTable
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.drill.setup.icmp_names import icmp_numbers
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import IcmpError, quote
from tcpemu.wire.options import Option, Sack, Timestamps
from tcpemu.wire.segment import ACK, SYN, Segment

_TTL = 255
"""Of packets whose TTL the script leaves open."""


def segment_on_wire(packet: TcpPacket, flow: DrillFlow, flows: FlowTable, flags: DrillFlags) -> Segment:
    """A segment that arrives. DrillFailure for an echo of a timestamp that was never sent."""
    assert flow.ports is not None
    syn = bool(packet.flags & SYN)
    if syn and packet.flags & ACK and not flow.listening and flow.remote.live == 0:
        flow.remote.scripted = flow.remote.live = (
            packet.seq
        )  # the SYN|ACK of a peer that the host connects to
    ack = flow.local.to_wire(packet.ack, syn) if packet.flags & ACK else packet.ack
    options = tuple(_on_wire(option, packet, flow, flags) for option in packet.options or ())
    ip = packet.ip
    return Segment(
        *(flows.remote, flow.ports[0], flows.local, flow.ports[1]),
        seq=flow.remote.to_wire(packet.seq, syn),
        ack=ack,
        flags=packet.flags,
        window=packet.window or 0,
        options=options,
        payload=bytes(packet.size),
        urgent=packet.urgent,
        ttl=_TTL if ip.ttl is None else ip.ttl,
        tos=ip.tos if ip.tos is not None else ip.ecn or 0,
        flow_label=ip.flow_label or 0,
        df=True,
    )


def _on_wire(option: Option, packet: TcpPacket, flow: DrillFlow, flags: DrillFlags) -> Option:
    syn = bool(packet.flags & SYN)
    if isinstance(option, Sack):
        blocks = (
            (flow.local.to_wire(left, syn), flow.local.to_wire(right, syn)) for left, right in option.blocks
        )
        return replace(option, blocks=tuple(blocks))
    if isinstance(option, Timestamps) and packet.flags & ACK:
        echo = flow.echo_on_wire(option.ecr, flags.tcp_ts_ecr_scaled)
        if echo is None:
            words = f"the host never sent the timestamp {option.ecr}, so that it cannot be echoed"
            raise DrillFailure(packet.place, words)
        return Timestamps(option.val, echo)
    return option


def icmp_on_wire(packet: IcmpPacket, flow: DrillFlow, flows: FlowTable) -> IcmpError:
    """An ICMP error that quotes a segment of the host."""
    assert flow.ports is not None
    ipv6 = len(flows.local) == 16
    kind, code = icmp_numbers(packet.kind, packet.code, ipv6)
    seq, size = (packet.quoted.seq, packet.quoted.size) if packet.quoted is not None else (0, 0)
    quoted = Segment(
        *(flows.local, flow.ports[1], flows.remote, flow.ports[0]),
        *(flow.local.to_wire(seq, False), 0, ACK, 0),
        payload=bytes(size),
    )
    return IcmpError(flows.remote, flows.local, kind, code, quote(quoted, encode(quoted)), packet.mtu or 0)
