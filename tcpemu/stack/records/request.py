"""What a request is: a connection that has sent SYN and waits in the SYN queue for its final ACK.

It is small, for there may be a million of them: what many agree on stands once, in `Terms`.
Sequence numbers and timestamps are those on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.records.host_services import Flow
from tcpemu.stack.records.listener import Listener, Terms


@dataclass(slots=True, eq=False, repr=False)
class RareFacts:
    """What few requests have to remember."""

    repeats: int = 0
    """SYN|ACKs sent again, for whatever cause: `req->num_retrans`."""
    ts_last: int = 0
    """TSval of the last of these; 0 before there is one."""
    acked: bool = False
    """The final ACK has come, and was not taken."""
    saved_syn: bytes = b""
    """The headers of its SYN, where the listener has TCP_SAVE_SYN."""


@dataclass(slots=True, eq=False, repr=False)
class Request(Flow):
    """One entry of the SYN queue (include/net/request_sock.h)."""

    listener: Listener
    terms: Terms
    irs: int
    """The SYN's sequence number."""
    ts_recent: int | None
    """TSval of the SYN; None without timestamps."""
    started: int | None
    """When the first SYN|ACK was sent; None for a cookie, which does not remember."""
    iss: int = 0
    ts_offset: int = 0
    ts_first: int = 0
    """TSval of the first SYN|ACK; 0 before there is one."""
    armed: int = 0
    """The number of its timer's place in the queue of timers; 0 when it is not armed."""
    timeouts: int = 0
    """Times the timer has fired: `req->num_timeout`."""
    rare: RareFacts | None = None
    """None where it has none of these."""
    flow_label: int = 0
    """That of its packets, over IPv6."""

    def with_rare(self) -> RareFacts:
        """Where it has these; made now where it had none."""
        if self.rare is None:
            self.rare = RareFacts()
        return self.rare

    @property
    def acked(self) -> bool:
        """Whether the final ACK has come, and was not taken."""
        return self.rare is not None and self.rare.acked
