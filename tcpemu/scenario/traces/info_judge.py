"""Whether TCP_INFO tells the same in two answers: counts and sizes exactly, times and rates as near as runs can be.

The octets that getsockopt() gave are taken apart into the fields of `TcpInfo`.
"""

from __future__ import annotations

from dataclasses import fields

from tcpemu.stack.sockets.tcp_info import TcpInfo, info_of_octets

_MILLISECONDS = ("last_data_sent", "last_data_recv", "last_ack_recv", "total_rto_time")
_SPANS = ("busy_time", "rwnd_limited", "sndbuf_limited")
_ROUND_TRIPS = ("rtt", "rttvar", "rcv_rtt", "min_rtt", "rto", "ato")
_TIMES: dict[str, int] = {
    **dict.fromkeys(_MILLISECONDS, 30),
    **dict.fromkeys(_SPANS, 30_000),
    **dict.fromkeys(_ROUND_TRIPS, 8_000),
}
"""By how much each may differ, in its own unit, and by an eighth of itself besides."""
_NEVER = 1_000_000
"""Milliseconds that no trace lasts: what never happened is told as of when the machine started."""
_GROWING_SLACK = 1 / 8
_RATE_SLACK = 1 / 4


def info_difference(expected: str, got: str) -> str | None:
    """The first field in which two structures in hex differ, in words; None where they are the same."""
    if len(expected) != len(got):
        return f"expected {len(expected) // 2} octets of TCP_INFO, got {len(got) // 2}"
    ours, theirs = info_of_octets(bytes.fromhex(got)), info_of_octets(bytes.fromhex(expected))
    for field in fields(TcpInfo):
        name = field.name
        if not _alike(name, theirs, ours):
            return f"{name} of TCP_INFO: expected {getattr(theirs, name)}, got {getattr(ours, name)}"
    return None


def _alike(name: str, expected: TcpInfo, got: TcpInfo) -> bool:
    one: int = getattr(expected, name)
    other: int = getattr(got, name)
    if name in _MILLISECONDS and one > _NEVER and other > _NEVER:
        return True
    if name in _TIMES:
        return abs(one - other) <= _TIMES[name] + _GROWING_SLACK * one
    if name == "delivery_rate":
        return abs(one - other) <= _RATE_SLACK * max(one, other)
    if name == "pacing_rate" and expected.rtt and got.rtt:
        # It goes by the round-trip time, which is another one in each run: a window a round trip is the same.
        return abs(one * expected.rtt - other * got.rtt) <= 0.02 * one * expected.rtt
    return one == other
