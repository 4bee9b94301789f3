"""What the end of a connection says: whose RST it was and what it answered, closed windows, unacknowledged data.

These go by the form of what was sent, not by a replay: a RST that answers a segment has no ACK and takes its number
from it, one that a host sends of its own accord has ACK and the host's own next number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tcpemu.diagnose.claims.sureness import Claim, Sure
from tcpemu.diagnose.claims.vantage import At, Vantage
from tcpemu.diagnose.flows.flow_fate import fate_of
from tcpemu.diagnose.flows.flow_life import Fate, FlowLife, FlowSide, ResetForm
from tcpemu.explain.lines.count_words import count
from tcpemu.wire.segment import ACK, RST

_SEND_RESET = "tcp_ipv4.c: tcp_v4_send_reset"
_ACTIVE_RESET = "tcp_output.c: tcp_send_active_reset"
_SILENT_REPEATS = 3


def ending_claims(flows: Sequence[FlowLife], vantage: Vantage) -> list[Claim]:
    """What is claimed of how these connections ended; what is the same of several is said once."""
    found: dict[tuple[str, Sure, str], list[Claim]] = {}
    for flow in flows:
        for claim in _claims_of(flow, vantage):
            found.setdefault((claim.what, claim.sure, claim.rule), []).append(claim)
    return [_together(claims) for claims in found.values()]


def _together(claims: list[Claim]) -> Claim:
    first = claims[0]
    frames = tuple(sorted(frame for claim in claims for frame in claim.frames))
    flows = tuple(dict.fromkeys(flow for claim in claims for flow in claim.flows))
    return replace(first, frames=frames, flows=flows)


def _claims_of(flow: FlowLife, vantage: Vantage) -> Iterator[Claim]:
    fate = fate_of(flow)
    if fate is Fate.REFUSED:
        yield _refused(flow)
    elif fate is Fate.UNANSWERED:
        yield _unanswered(flow, vantage)
    elif fate is Fate.RESET and flow.reset_by is not None and flow.reset_form is not None:
        yield _reset(flow, flow.reset_by, flow.reset_form)
    for side in (flow.client, flow.server):
        yield from _of_side(flow, side)


def _frames_of_reset(flow: FlowLife) -> tuple[int, ...]:
    by = flow.reset_by
    return (by.reset.frame,) if by is not None and by.reset is not None else ()


def _refused(flow: FlowLife) -> Claim:
    return Claim(
        what="no socket listened on that port, so the SYN was answered with a RST",
        sure=Sure.LIKELY,
        why="a firewall that rejects with a RST looks the same",
        frames=_frames_of_reset(flow),
        flows=(flow.number,),
        rule=f"{_SEND_RESET}; OutRsts",
        decides="on the server: ss -ltn; nstat -az TcpOutRsts before and after",
    )


def _unanswered(flow: FlowLife, vantage: Vantage) -> Claim:
    if vantage.at is At.SERVER:
        what = (
            "the SYN came to the host and nothing was said: a firewall on it, or a full queue of the listener"
        )
    elif vantage.at is At.CLIENT:
        what = "the SYN left and no answer came: it or its answer was lost, or the server dropped it"
    else:
        what = "no answer to the SYN was seen: it was lost further on, or dropped, or its answer takes another way"
    return Claim(
        what=what,
        sure=Sure.POSSIBLE,
        why="silence has many causes; what the listener did with others is said under it",
        frames=tuple(syn.frame for syn in flow.client.syns),
        flows=(flow.number,),
        decides="a capture at the server; there nstat -az TcpExtListenDrops TcpExtTCPReqQFullDrop",
    )


def _reset(flow: FlowLife, by: FlowSide, form: ResetForm) -> Claim:
    name, other = flow.name_of(by), flow.name_of(flow.other(by))
    after = form.after
    frames = _frames_of_reset(flow)
    answers = (
        after is not None and after.by_client != (by is flow.client) and after.flags & (ACK | RST) == ACK
    )
    if not form.has_ack and answers and after is not None and form.seq == after.ack:
        gone = _why_gone(flow, by)
        return Claim(
            what=f"the RST answers a segment of the {other} for which the {name} had no connection (any more): {gone}",
            sure=Sure.LIKELY,
            why="it has no ACK and takes its number from that segment",
            rule=f"{_SEND_RESET}; OutRsts",
            frames=frames,
            flows=(flow.number,),
        )
    if form.has_ack and flow.opened is not None:
        unread = flow.other(by).octets > 0
        causes = "close() with unread data or SO_LINGER of 0 s" if unread else "SO_LINGER of 0 s"
        return Claim(
            what=f"the {name} ended it of its own accord: {causes}, or its timers gave up",
            sure=Sure.POSSIBLE,
            why="it has ACK and its own next number; a box on the way may send the same",
            rule=f"{_ACTIVE_RESET}; {'TCPAbortOnClose, TCPAbortOnData' if unread else 'TCPAbortOnData'}",
            decides=f"on the {name}: nstat -az TcpExtTCPAbortOnClose TcpExtTCPAbortOnData TcpExtTCPAbortOnTimeout",
            frames=frames,
            flows=(flow.number,),
        )
    return Claim(
        what=f"the {name} sent a RST {flow.reset_phase}",
        sure=Sure.CANNOT_TELL,
        why="its form does not say why",
        decides=f"a capture at the {name}, with nstat -az before and after",
        frames=frames,
        flows=(flow.number,),
    )


def _why_gone(flow: FlowLife, by: FlowSide) -> str:
    if by.fin is not None:
        return "it had closed, and data came afterwards"
    if by is flow.server and flow.repeats_after_opened:
        return "it never took the final ACK, and had given the request up"
    if flow.midway:
        return "closed, or restarted, before the capture began"
    return "closed without a word, restarted, or another host answers for it"


def _of_side(flow: FlowLife, side: FlowSide) -> Iterator[Claim]:
    name, other = flow.name_of(side), flow.name_of(flow.other(side))
    if side.zero_windows and side.first_zero_window is not None:
        yield Claim(
            what=f"the program of the {name} did not read what had come, so that its window closed",
            sure=Sure.LIKELY,
            why=f"{count(side.zero_windows, 'segment')} with window 0; a small SO_RCVBUF does the same more easily",
            frames=(side.first_zero_window.frame,),
            flows=(flow.number,),
            rule="tcp_output.c: __tcp_select_window; TCPToZeroWindowAdv",
            decides=f"on the {name}: ss -tmi while it lasts (Recv-Q)",
        )
    if side.silent_repeats >= _SILENT_REPEATS and side.first_repeat is not None and flow.reset_by is None:
        yield Claim(
            what=f"data of the {name} was sent again and again and nothing came from the {other}: it is gone, or the "
            f"path is cut one way",
            sure=Sure.POSSIBLE,
            why=f"sent again {count(side.silent_repeats, 'time')} since the {other} was last heard",
            frames=(side.first_repeat.frame,),
            flows=(flow.number,),
            rule="tcp_timer.c: tcp_retransmit_timer",
            decides=f"a capture at the {other}",
        )
