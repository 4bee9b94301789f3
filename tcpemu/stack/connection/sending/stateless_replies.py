"""Segments sent without a connection: a RST, and the ACK of a request or a TIME_WAIT bucket."""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.tcp_options import established_options
from tcpemu.stack.connection.measures import ipv6_header
from tcpemu.stack.records.host_services import HostServices
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, RST, Address, FlowKey, Segment


def send_reset(host: HostServices, segment: Segment, flow_label: int = 0) -> None:
    """Answer a segment with a RST, statelessly; never a RST with one (tcp_ipv4.c: tcp_v4_send_reset).

    Over IPv6 it has the flow label of the connection that knows of it, or one of its own (tcp_v6_send_reset).
    """
    if segment.flags & RST:
        return
    seq, ack, flags = segment.ack, 0, RST
    if not segment.flags & ACK:
        seq, ack, flags = 0, segment.seq + segment.length & MASK, RST | ACK
    host.count("OutRsts")
    host.send(
        Segment(
            segment.dst,
            segment.dport,
            segment.src,
            segment.sport,
            seq,
            ack,
            flags,
            0,
            tos=segment.tos if host.generation.wire.reply_keeps_ecn else segment.tos & 0xFC,
            ttl=_ttl(host, segment.src, host.generation.wire.reset_ttl),
            flow_label=flow_label or ipv6_header.label_of_flow(host, segment[:4]),
        ),
        reasons.SENT_RST,
    )


def send_bare_ack(
    host: HostServices,
    key: FlowKey,
    seq: int,
    ack: int,
    window: int,
    stamps: Timestamps | None,
    tos: int,
    reason: Reason,
    flow_label: int,
) -> None:
    """An ACK from a request or a TIME_WAIT bucket (tcp_ipv4.c: tcp_v4_send_ack)."""
    remote, remote_port, local, local_port = key
    host.send(
        Segment(
            local,
            local_port,
            remote,
            remote_port,
            seq,
            ack,
            ACK,
            window,
            established_options(stamps),
            tos=tos,
            ttl=_ttl(host, remote),
            flow_label=flow_label,
        ),
        reason,
    )


def _ttl(host: HostServices, peer: Address, own: int = 0) -> int:
    """What stands in the header where no socket says otherwise: the TTL of IPv4 or the hop limit of IPv6."""
    if is_ipv6(peer):
        return host.generation.wire.hop_limit
    return own or host.sysctls.ip_default_ttl
