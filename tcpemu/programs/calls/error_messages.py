"""recvmsg() with MSG_ERRQUEUE: an entry of the error queue as the octets that a program unpacks.

ip_sockglue.c: ip_recv_error; net/ipv6/datagram.c: ipv6_recv_error; include/uapi/linux/errqueue.h (Linux 6.18).
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from tcpemu.programs.calls.socket_addresses import from_stack
from tcpemu.stack.base.ip_families import mapped
from tcpemu.stack.base.socket_constants import IPPROTO_IP, IPPROTO_IPV6
from tcpemu.stack.records.connection import QueuedError
from tcpemu.stack.sockets.message_flags import MSG_CTRUNC, MSG_ERRQUEUE, MSG_TRUNC
from tcpemu.stack.sockets.option_names import NUMBERS
from tcpemu.wire.segment import Address

_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_ADDRESS, _ADDRESS6 = struct.Struct("=HH4s8x"), struct.Struct("=HHI16sI")
_HEADER = 16
"""Octets of struct cmsghdr on a 64-bit machine."""
Message = tuple[bytes, list[tuple[int, int, bytes]], int, Any]
"""What recvmsg() gives: octets, ancillary data, flags, address."""


def message(entry: QueuedError, ipv6: bool, size: int, room: int) -> Message:
    """The entry for a socket of that family, with `room` octets for ancillary data; what does not fit is cut."""
    flags = MSG_ERRQUEUE | (MSG_TRUNC if len(entry.octets) > size else 0)
    told = _EXTENDED_ERROR.pack(
        entry.errno, entry.origin, entry.kind, entry.code, 0, entry.info, entry.data
    ) + _offender(entry.offender, ipv6)
    level, number = (
        (IPPROTO_IPV6, NUMBERS["IPV6_RECVERR"][1]) if ipv6 else (IPPROTO_IP, NUMBERS["IP_RECVERR"][1])
    )
    ancillary = [(level, number, told[: room - _HEADER])] if room >= _HEADER else []
    if room < _HEADER + len(told):
        flags |= MSG_CTRUNC
    target = None
    if entry.target is not None:
        address, port = entry.target
        target = from_stack((mapped(address) if ipv6 else address, port))
    return entry.octets[:size], ancillary, flags, target


def _offender(address: Address | None, ipv6: bool) -> bytes:
    """A socket address; all zeros where nobody says so."""
    if ipv6:
        six = b"" if address is None else mapped(address)
        return _ADDRESS6.pack(socket.AF_INET6, 0, 0, six, 0) if six else bytes(_ADDRESS6.size)
    return bytes(_ADDRESS.size) if address is None else _ADDRESS.pack(socket.AF_INET, 0, address)
