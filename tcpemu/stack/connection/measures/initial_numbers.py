"""With which sequence number and timestamp offset a flow begins (net/core/secure_seq.c)."""

from __future__ import annotations

from tcpemu.stack.base.generation import StampOffset
from tcpemu.stack.records.host_services import HostServices
from tcpemu.wire.segment import FlowKey

_NONE, _BY_PEER = StampOffset.NONE, StampOffset.BY_PEER


def flow_secrets(host: HostServices, key: FlowKey) -> tuple[int, int]:
    """Initial sequence number and timestamp offset of a flow that begins now."""
    iss, offset = host.secrets.flow(key, host.now)
    by = host.generation.wire.stamp_offset
    if by is _NONE or host.sysctls.tcp_timestamps != 1:
        return iss, 0
    return iss, host.secrets.pair_offset(key) if by is _BY_PEER else offset
