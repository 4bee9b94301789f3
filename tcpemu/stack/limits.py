"""How often a host answers segments that it does not take: RFC 5961's limits, and the kernel's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tcpemu.stack.units import MILLISECOND
from tcpemu.wire.segment import SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.host import Host


class RateLimited(Protocol):
    """A request, connection or TIME_WAIT bucket: it remembers when it answered last."""

    answered_at: int | None


def out_of_window_limited(host: Host, owner: RateLimited, segment: Segment, counter: str) -> bool:
    """Whether an answer to this segment comes too soon after the last one.

    Data without SYN is never part of a loop of ACKs, so it is always answered.
    tcp_input.c: tcp_oow_rate_limited.
    """
    if segment.length and not segment.flags & SYN:
        return False
    return too_soon(host, owner, counter)


def too_soon(host: Host, owner: RateLimited, counter: str) -> bool:
    """The same for any segment; what is suppressed does not prolong the wait (__tcp_oow_rate_limited)."""
    last = owner.answered_at
    if not host.generation.limits_replies:
        return False
    if last is not None and host.now - last < host.sysctls.tcp_invalid_ratelimit * MILLISECOND:
        host.count(counter)
        return True
    owner.answered_at = host.now
    return False
