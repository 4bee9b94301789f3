"""With which sequence number and timestamp offset a flow begins (net/core/secure_seq.c)."""

from __future__ import annotations

from tcpemu.stack.base.generation import StampOffset
from tcpemu.stack.records.host_services import HostServices
from tcpemu.wire.segment import FlowKey


def flow_secrets(host: HostServices, key: FlowKey) -> tuple[int, int]:
    """Initial sequence number and timestamp offset of a flow that begins now."""
    iss, offset = host.secrets.flow(key, host.now)
    by = host.generation.wire.stamp_offset
    if by is StampOffset.NONE or host.sysctls.tcp_timestamps != 1:
        return iss, 0
    return iss, host.secrets.pair_offset(key) if by is StampOffset.BY_PEER else offset
