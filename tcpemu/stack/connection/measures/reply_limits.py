"""How often a host answers segments that it refuses: RFC 5961's limit of challenge ACKs, and the kernel's own."""

from __future__ import annotations

from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.records.host_services import Flow, HostServices
from tcpemu.wire.segment import SYN, Segment


def out_of_window_limited(host: HostServices, owner: Flow, segment: Segment, counter: str) -> bool:
    """Whether an answer to this segment comes too soon after the last one.

    Data without SYN is never part of a loop of ACKs, so it is always answered.
    tcp_input.c: tcp_oow_rate_limited.
    """
    if segment.length and not segment.flags & SYN:
        return False
    return too_soon(host, owner, counter)


def too_soon(host: HostServices, owner: Flow, counter: str) -> bool:
    """The same for any segment; what is suppressed does not prolong the wait (__tcp_oow_rate_limited)."""
    last, now = owner.answered_at, host.tick(host.now)
    if not host.generation.limits_replies:
        return False
    if last is not None and now - last < host.sysctls.tcp_invalid_ratelimit * MILLISECOND:
        host.count(counter)
        return True
    owner.answered_at = now
    return False


def challenge_allowed(host: HostServices) -> bool:
    """The host-wide limit of challenge ACKs a second (tcp_input.c: tcp_challenge_ack_allowed)."""
    limit = host.sysctls.tcp_challenge_ack_limit
    if limit == 2**31 - 1:
        return True
    second = host.now // SECOND
    if second != host.challenges_second:
        host.challenges_second = second
        host.challenges_left = _challenge_budget(host, limit)
    host.challenges_left -= 1
    return host.challenges_left >= 0


def _challenge_budget(host: HostServices, limit: int) -> int:
    """Challenge ACKs for a new second: drawn anew since Linux 4.7, so that counting them tells an attacker nothing."""
    if not host.generation.challenges_vary:
        return limit
    return ((limit + 1) >> 1) + host.secrets.draw.randrange(limit)
