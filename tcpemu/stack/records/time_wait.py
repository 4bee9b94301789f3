"""What is left of a connection in TIME_WAIT, or of an orphan in FIN_WAIT2: a small bucket."""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.base.states import State
from tcpemu.stack.records.host_services import Flow, HostServices


@dataclass(slots=True, eq=False)
class TimeWait(Flow):
    """A bucket that answers for a connection that is gone (include/net/inet_timewait_sock.h)."""

    host: HostServices
    state: State
    """TIME_WAIT or FIN_WAIT2."""
    rcv_nxt: int
    snd_nxt: int
    rcv_wnd: int
    """The window that the peer knows, in octets."""
    rcv_shift: int
    tos: int
    reuseaddr: bool
    """SO_REUSEADDR lets others have its port too."""
    ts_ok: bool
    ts_recent: int
    ts_recent_at: int | None
    ts_offset: int
    entered_at: int
    """When the bucket took the connection's place, or in FIN_WAIT2 a FIN with a timestamp came."""
    armed: int = 0
    ipv6: bool = False
    """Its socket was one of AF_INET6."""
    flow_label: int = 0
    """That of its packets, over IPv6."""
    short: bool = False
    """Its wait is counted apart from those that are longer (inet_timewait_sock.c: tw_kill)."""
    waits: int = 0
    """How long it stays, in nanoseconds, if nothing begins the wait again."""

    @property
    def counter(self) -> str:
        """The counter that its wait moves."""
        return "TWKilled" if self.short else "TW"
