"""What a request is: a connection that has sent SYN and waits in the SYN queue for its final ACK.

It is small, for there may be a million of them. Sequence numbers and timestamps are those on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.records.host_services import Flow
from tcpemu.stack.records.listener import Listener


@dataclass(slots=True, eq=False, repr=False)
class Request(Flow):
    """One entry of the SYN queue (include/net/request_sock.h)."""

    listener: Listener
    irs: int
    """The SYN's sequence number."""
    mss: int
    """What the peer takes."""
    snd_shift: int | None
    """The peer's window scale; None where it has none."""
    sack: bool
    ts_recent: int | None
    """TSval of the SYN; None without timestamps."""
    own_mss: int
    """What the SYN|ACK announces."""
    ecn: bool
    tos: int
    started: int | None
    """When the first SYN|ACK was sent; None for a cookie, which does not remember."""
    iss: int = 0
    ts_offset: int = 0
    ts_first: int = 0
    """TSval of the first SYN|ACK and of the last; 0 before there is one."""
    ts_last: int = 0
    rcv_wnd: int = 0
    """The window that the SYN|ACK offers, in octets, and its clamp and scale."""
    window_clamp: int = 0
    rcv_shift: int = 0
    armed: int = 0
    """The number of its timer's place in the queue of timers; 0 when it is not armed."""
    acked: bool = False
    """The final ACK has come, and was not taken."""
    timeouts: int = 0
    """Times the timer has fired: `req->num_timeout`."""
    repeats: int = 0
    """SYN|ACKs sent again, for whatever cause: `req->num_retrans`."""
    flow_label: int = 0
    """That of its packets, over IPv6."""
    saved_syn: bytes = b""
    """The headers of its SYN, where the listener has TCP_SAVE_SYN."""
