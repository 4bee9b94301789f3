"""What one end says of its own accord: connect() that asks in vain, data sent again to the end, a window that closes.

Both ends are looked at, the client's too, which has no listener: its SYNs and repeats come from its own timers, so
that an emulated one tells which settings they fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tcpemu.diagnose.claims.sureness import Claim, Sure
from tcpemu.diagnose.flows.flow_fate import fate_of
from tcpemu.diagnose.flows.flow_life import MOST_MOMENTS, Fate, FlowLife, FlowSide
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.answering_host import Conversation
from tcpemu.diagnose.replay.program_conduct import Conduct
from tcpemu.diagnose.replay.speaking_replay import (
    RETRIES2,
    SYN_RETRIES,
    replayed_end,
    segments_to_replay,
    syn_times,
)
from tcpemu.diagnose.replay.supposed_settings import linux_kernels
from tcpemu.explain.lines.count_words import count
from tcpemu.generations import DEFAULT
from tcpemu.wire.segment import address_text

MOST_REPLAYED = 4
"""Connections of each kind that are replayed, and clients that are told of."""
_LEAST_REPEATS = 2
_USUAL_RETRIES = (5, 6)
"""What tcp_syn_retries is where nobody has set it."""
_USUAL_RETRIES2 = 15
_LATE_SHARE, _LATE = 8, 60_000_000
"""How late a timer may be: an eighth of its wait (the timer wheel), and what a busy machine takes."""
_NAMED = 4
_NOT_OF_IT = 2
"""What a SYN costs that no timer of that kernel sends; one that the capture lacks costs 1."""


def speaking_claims(path: Path, flows: Sequence[FlowLife], ends: int, kernel: str | None) -> list[Claim]:
    """What is claimed of what these ends sent; `ends` is when the capture does. `kernel` is the one that is known."""
    asking: dict[bytes, list[FlowLife]] = {}
    for flow in flows:
        if fate_of(flow) is Fate.UNANSWERED and not flow.icmp and flow.client.syn_count > 1:
            asking.setdefault(flow.client.address, []).append(flow)
    rows = list(asking.values())[:MOST_REPLAYED]
    repeating = [(flow, side) for flow in flows for side in _speakers_in_vain(flow)][:MOST_REPLAYED]
    closing = [(flow, side) for flow in flows for side in _closed_windows(flow)][:MOST_REPLAYED]
    wanted = {flow.number: flow for flow, _ in (*repeating, *closing)} | {
        row[0].number: row[0] for row in rows
    }
    there = segments_to_replay(path, wanted.values())
    claims: list[Claim] = []
    for row in rows:
        claims += _asked_in_vain(row, there.get(row[0].number, []), ends)
    for flow, side in repeating:
        claims += _repeated(flow, side, there.get(flow.number, []), ends, kernel or DEFAULT)
    for flow, side in closing:
        claims += _not_read(flow, side, there.get(flow.number, []), kernel or DEFAULT)
    return claims


def _speakers_in_vain(flow: FlowLife) -> Iterator[FlowSide]:
    if flow.opened is not None and not flow.midway and flow.reset_by is None:
        yield from (
            side
            for side in (flow.client, flow.server)
            if side.silent_repeats >= _LEAST_REPEATS and side.fin is None and not side.zero_windows
        )


def _closed_windows(flow: FlowLife) -> Iterator[FlowSide]:
    if flow.opened is not None and not flow.midway:
        yield from (side for side in (flow.client, flow.server) if side.zero_windows)


# SYNs.


class _Schedule(NamedTuple):
    """When SYNs would have been sent, and how that fits."""

    names: list[str]
    kernel: str
    """One of them, and whether with its first time-outs in a line."""
    linear: bool
    times: tuple[int, ...]
    sent: int
    """How many of them, by the last that is there."""
    cost: int


def _asked_in_vain(row: list[FlowLife], segments: list[SeenSegment], ends: int) -> Iterator[Claim]:
    flow = row[0]
    if not segments or len(flow.client.syns) < flow.client.syn_count or flow.client.syn_count >= MOST_MOMENTS:
        return
    real = [syn.at - flow.begins.at for syn in flow.client.syns]
    schedules = _schedules(segments[0], real)
    if not schedules or schedules[0].cost > 1:
        return
    best = schedules[0]
    fit = [one for one in schedules if one.cost == best.cost]
    names = [name for one in fit for name in one.names]
    least = [one for one in (_retries(segments[0], each) for each in fit) if one is not None]
    if not least:
        return
    retries = min(least)
    later = best.times[best.sent] if len(best.times) > best.sent else None
    over = later is not None and flow.begins.at + later + later // _LATE_SHARE + _LATE < ends
    frames = tuple(syn.frame for syn in flow.client.syns)
    alike = sum(one.client.syn_count == flow.client.syn_count for one in row) > 1
    who = address_text(flow.client.address)
    flows = tuple(one.number for one in row)
    claim = Claim(
        what=f"connect() of {who} asked {count(best.sent, 'time')}: {SYN_RETRIES} (or TCP_SYNCNT) is at least "
        f"{retries}",
        sure=Sure.LIKELY,
        why="the capture ends before the next SYN would have been sent",
        frames=frames,
        flows=flows,
        rule="tcp_timer.c: tcp_write_timeout; TCPTimeouts, TCPSynRetrans",
        setting=("client.syn_retries", (retries, 127)),
        decides=f"on {who}: sysctl {SYN_RETRIES}",
    )
    if over and len(set(least)) == 1:
        claim = replace(
            claim,
            what=f"connect() of {who} asked {count(best.sent, 'time')} and gave up: {SYN_RETRIES} (or TCP_SYNCNT) is "
            f"{retries}",
            sure=Sure.LIKELY if alike or retries in _USUAL_RETRIES else Sure.POSSIBLE,
            why="no SYN followed when the next was due; a program that gives up itself looks the same",
            setting=("client.syn_retries", (retries, retries)),
        )
    yield claim
    yield Claim(
        what=f"{who} sends its SYNs when {_some(names)} does",
        sure=Sure.POSSIBLE,
        why=f"of {count(sum(len(one.names) for one in schedules), 'kernel')} that were tried",
        frames=frames,
        flows=flows,
        rule="tcp_timer.c: tcp_retransmit_timer (net.ipv4.tcp_syn_linear_timeouts)",
        setting=("client.kernel", ",".join(name.partition(" ")[0] for name in names)),
    )


def _retries(first: SeenSegment, fitted: _Schedule) -> int | None:
    """The least tcp_syn_retries with which that kernel sends as many SYNs: those in a line do not count for it."""
    for retries in range(fitted.sent + 1):
        if len(syn_times(first, fitted.kernel, retries, linear=fitted.linear)) >= fitted.sent:
            return retries
    return None


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    return listed if len(names) <= _NAMED else f"{listed} or one of {len(names) - _NAMED} more"


def _schedules(first: SeenSegment, real: list[int]) -> list[_Schedule]:
    """Those of all kernels, each once, the best first."""
    by_times: dict[tuple[int, ...], list[str]] = {}
    by_name: dict[str, tuple[str, bool]] = {}
    for kernel in linux_kernels():
        for linear in (True, False):
            times = syn_times(first, kernel, len(real) + 2, linear=linear)[: len(real) + 2]
            if times and (linear or kernel not in by_times.get(times, ())):
                name = kernel if linear else f"{kernel} with tcp_syn_linear_timeouts 0"
                by_times.setdefault(times, []).append(name)
                by_name[name] = kernel, linear
    found = [_fitted(names, by_name[names[0]], times, real) for times, names in by_times.items()]
    return sorted(found, key=lambda one: one.cost)


def _fitted(names: list[str], by: tuple[str, bool], times: tuple[int, ...], real: list[int]) -> _Schedule:
    """Each SYN of the capture beside the one that would have been sent then; what is left over costs."""
    place, missing, odd = 0, 0, 0
    for at in real:
        near = next((k for k in range(place, len(times)) if _is_near(at, times[k])), None)
        if near is None:
            odd += 1
            continue
        missing += near - place
        place = near + 1
    return _Schedule(names, *by, times, place, missing + odd * _NOT_OF_IT)


def _is_near(real: int, own: int) -> bool:
    return -_LATE <= real - own <= own // _LATE_SHARE + _LATE


# Data.


def _repeated(
    flow: FlowLife, side: FlowSide, segments: list[SeenSegment], ends: int, kernel: str
) -> Iterator[Claim]:
    """How long data is sent again that nobody acknowledges: tcp_retries2."""
    if not segments:
        return
    own = flow.name_of(side)
    heard = max((seen.at for seen in segments if _source(seen) != (side.address, side.port)), default=0)
    last = max(seen.at for seen in segments if _source(seen) == (side.address, side.port))
    until = ends + (_LATE if ends > last else (last - heard) // _LATE_SHARE + _LATE)
    repeats: dict[int, list[int]] = {}
    for retries in range(1, _USUAL_RETRIES2 + 1):
        told = replayed_end(segments, side, kernel, {RETRIES2: retries}, until)
        if told is None:
            return
        repeats[retries] = [one.at for one in told.answers if one.repeat and one.at > heard]
    fit = [retries for retries, times in repeats.items() if len(times) == side.silent_repeats]
    if not fit or abs(repeats[fit[0]][-1] - last) > (last - heard) // _LATE_SHARE + 2 * _LATE:
        return
    open_end = _USUAL_RETRIES2 in fit
    many = count(side.silent_repeats, "time")
    told_is = f"at least {fit[0]}" if open_end else str(fit[0]) if len(fit) == 1 else f"{fit[0]} to {fit[-1]}"
    yield Claim(
        what=f"the {own} sent its data again {many} as an emulated {kernel} does: {RETRIES2} is {told_is}"
        + ("" if open_end else ", and the connection was given up (ETIMEDOUT)"),
        sure=Sure.LIKELY if open_end else Sure.POSSIBLE,
        why="the capture ends before it gives up"
        if open_end
        else "a TCP_USER_TIMEOUT of about as long, or the end of the machine, looks the same",
        frames=tuple(seen.frame for seen in segments if seen.at > heard and seen.length)[1:],
        flows=(flow.number,),
        rule="tcp_timer.c: tcp_write_timeout, retransmits_timed_out; TCPTimeouts, TCPAbortOnTimeout",
        decides=f"on the {own}: sysctl {RETRIES2}; nstat -az TcpExtTCPAbortOnTimeout",
        setting=(
            "client.retries2" if own == "client" else "retries2",
            (fit[0], 255 if open_end else fit[-1]),
        ),
    )


def _source(seen: SeenSegment) -> tuple[bytes, int]:
    return seen.segment.src, seen.segment.sport


# Windows.


def _not_read(flow: FlowLife, side: FlowSide, segments: list[SeenSegment], kernel: str) -> Iterator[Claim]:
    """A window that closes where that of an emulated host does whose program does not read."""
    if not segments or side.last_zero_window is None or side.first_zero_window is None:
        return
    until = segments[-1].at
    reads = replayed_end(segments, side, kernel, {}, until)
    waits = replayed_end(
        segments, side, kernel, {}, until, Conduct(unread={flow.key_of(side): side.last_zero_window.frame})
    )
    if reads is None or waits is None:
        return
    (read_agree, _), (agree, differ) = _closed_alike(reads), _closed_alike(waits)
    if not agree or differ or read_agree:
        return
    name = flow.name_of(side)
    yield Claim(
        what=f"an emulated {kernel} whose program does not read closes its window at the same octet, one whose program "
        f"reads does not: the {name}'s program did not read",
        sure=Sure.LIKELY,
        why=f"{count(agree, 'segment')} with window 0 agree; memory pressure on the host could do the same",
        cause="NOT_READ",
        frames=(side.first_zero_window.frame,),
        flows=(flow.number,),
        rule="tcp_output.c: __tcp_select_window; TCPToZeroWindowAdv, TCPWantZeroWindowAdv",
        decides=f"on the {name}: ss -tmi while it lasts (Recv-Q)",
    )


def _closed_alike(told: Conversation) -> tuple[int, int]:
    """Of the segments that both hosts sent: how many have a window of 0 in both, and in one alone."""
    real = {seen.frame: seen.segment.window for seen, outbound in told.seen if outbound}
    both = alone = 0
    for answer in told.answers:
        if answer.same_as in real:
            own_closed, closed = answer.segment.window == 0, real[answer.same_as] == 0
            both += own_closed and closed
            alone += own_closed != closed
    return both, alone
