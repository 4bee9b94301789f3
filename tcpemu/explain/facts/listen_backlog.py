"""Why listen() gave another backlog than it was asked for, in words: the rule of the kernel that made it so."""

import re

from tcpemu.explain.facts.rows import CallRow
from tcpemu.network.endpoint import KnownHost

SOMAXCONN = "net.core.somaxconn"
_ASKED = re.compile(r"listen\((?:[0-9]+, backlog )?(-?[0-9]+)\)")
_LARGE = 1 << 15
"""A limit that no rule takes for anything else, and that fits into 16 bits."""


def backlog_words(row: CallRow, host: KnownHost | None) -> str:
    """What a call of listen() got in place of what it asked for, and why; empty where it got that."""
    asked = _ASKED.fullmatch(row.text)
    if asked is None or row.queues is None or host is None or int(asked[1]) == row.queues.backlog:
        return ""
    return f"asked for {int(asked[1])}, gets {row.queues.backlog}: {_why(int(asked[1]), host)}"


def asked_backlog(text: str) -> int | None:
    """The backlog that a call of listen() asked for; None for any other call."""
    asked = _ASKED.fullmatch(text)
    return int(asked[1]) if asked else None


def _why(asked: int, host: KnownHost) -> str:
    most = host.sysctls.somaxconn
    wanted, why = _meant(asked, host)
    given = host.generation.clamp_backlog(asked, most)
    wrapped = "" if given == wanted else f"held in 16 bits, {wanted} is {given}"
    return "; ".join(filter(None, (why, wrapped)))


def _meant(asked: int, host: KnownHost) -> tuple[int, str]:
    """What the number counts as before it has to fit, and why."""
    most = host.sysctls.somaxconn
    if asked > most:
        return most, f"{_limit(host)}, caps it"
    if asked > 0:
        return asked, ""
    kind = "a negative backlog" if asked < 0 else "a backlog of 0"
    taken = host.generation.clamp_backlog(asked, _LARGE)
    if taken == _LARGE:
        return most, f"{kind} counts as the most there is, {_limit(host)}"
    return taken, f"in this kernel {kind} counts as {taken}"


def _limit(host: KnownHost) -> str:
    """The upper limit of a backlog: a sysctl, or a number that is fixed in the kernel."""
    missing, most = host.generation.missing, host.sysctls.somaxconn
    if SOMAXCONN in missing:
        return f"SOMAXCONN, which is fixed at {most} in this kernel"
    if "net.ipv4.tcp_max_syn_backlog" in missing:  # no Linux with the one is without the other
        return f"this kernel's limit ({SOMAXCONN} here), now {most}"
    return f"{SOMAXCONN}, now {most}"
