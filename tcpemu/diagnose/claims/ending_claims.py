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
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.explain.lines.count_words import count
from tcpemu.wire.segment import ACK, RST, address_text

_SEND_RESET = "tcp_ipv4.c: tcp_v4_send_reset"
_ACTIVE_RESET = "tcp_output.c: tcp_send_active_reset"
_SILENT_REPEATS = 3


_ABORTS = {
    "TCPAbortOnClose": ("CLOSED_UNREAD", "its program closed it with unread data"),
    "TCPAbortOnData": (
        "LINGER_ZERO",
        "its program closed it with SO_LINGER of 0 s, or data came after close()",
    ),
    "TCPAbortOnTimeout": ("KEEPALIVE", "its timers gave up"),
}
"""Counters of RSTs that a host sends of its own accord, each with what it says."""
_IN_VAIN = 3
_LEAST_IN_A_HOLE = 500
"""Octets of a segment that is too large for some path: less than an MTU of 576 leaves."""


def ending_claims(
    flows: Sequence[FlowLife], vantage: Vantage, known: Known | None = None, doubts: Sequence[str] = ()
) -> list[Claim]:
    """What is claimed of how these connections ended; what is the same of several is said once."""
    counted = _by_counters(flows, vantage, known or Known(), doubts)
    found: dict[tuple[str, Sure, str], list[Claim]] = {}
    for flow in flows:
        for claim in _claims_of(flow, vantage):
            if counted is not None and claim.cause in _OF_ITS_OWN and claim.frames == _frames_of_reset(flow):
                claim = replace(counted, frames=claim.frames, flows=claim.flows)  # noqa: PLW2901
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
    elif fate is Fate.UNANSWERED and not flow.icmp:
        yield _unanswered(flow, vantage)
    elif fate is Fate.RESET and flow.reset_by is not None and flow.reset_form is not None:
        yield _reset(flow, flow.reset_by, flow.reset_form)
    if flow.icmp:
        yield _icmp(flow)
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
        cause="NO_SOCKET",
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
        cause="UNANSWERED",
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
            cause="GONE",
            rule=f"{_SEND_RESET}; OutRsts",
            frames=frames,
            flows=(flow.number,),
        )
    if form.has_ack and form.probes and flow.opened is not None:
        return Claim(
            what=f"the {name} gave up: {count(form.probes, 'keepalive probe')} of it had got no answer",
            sure=Sure.LIKELY,
            why="the RST came after probes, and has ACK and its own next number",
            cause="KEEPALIVE",
            rule="tcp_timer.c: tcp_keepalive_timer; TCPKeepAlive, TCPAbortOnTimeout",
            decides=f"the program's source on the {name}: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT",
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
            cause=_OWN_ACCORD if by is flow.server else "",
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


_OWN_ACCORD = "OWN_ACCORD"
_OF_ITS_OWN = (_OWN_ACCORD, "KEEPALIVE")


def _by_counters(
    flows: Sequence[FlowLife], vantage: Vantage, known: Known, doubts: Sequence[str]
) -> Claim | None:
    """What the server's counters say of the RSTs that it sent of its own accord, where one of them alone has moved."""
    moved = [name for name in _ABORTS if known.counters.get(name)]
    resets = [flow for flow in flows if flow.reset_by is flow.server and _is_own(flow.reset_form)]
    if len(moved) != 1 or not all(name in moved or known.says_never(name) for name in _ABORTS):
        return None
    (name,) = moved
    cause, words = _ABORTS[name]
    number = known.counters[name]
    agrees = number == len(resets)
    certain = agrees and vantage.at is At.SERVER and vantage.known and not doubts
    return Claim(
        what=f"the server ended it of its own accord: {words}",
        sure=Sure.CERTAIN if certain else Sure.LIKELY,
        why=f"nstat has {name} {number}, and the others of its kind have not moved"
        + (f"; {doubts[0]}" if doubts else ""),
        cause=cause,
        rule=f"{_ACTIVE_RESET}; {name}",
    )


def _is_own(form: ResetForm | None) -> bool:
    """Whether a RST is of the kind that a host sends of its own accord."""
    return form is not None and form.has_ack


def _icmp(flow: FlowLife) -> Claim:
    first = flow.icmp[0]
    name = "client" if first.by_client else "server"
    opening = flow.opened is None and first.by_client
    meets = (
        "connect() fails with the error that it stands for"
        if opening
        else "an open connection takes it for a hint, and goes on"
    )
    if first.too_large:
        meets = "Linux sends smaller segments from then on, where it hears of it"
    return Claim(
        what=f"{address_text(first.source)} answered the {name}'s segment with ICMP {first.says}: {meets}",
        sure=Sure.LIKELY,
        why="it quotes that segment; anybody on the way can send it",
        cause="ICMP",
        frames=tuple(note.frame for note in flow.icmp),
        flows=(flow.number,),
        rule="tcp_ipv4.c: tcp_v4_err; IcmpInErrors" if len(first.source) == 4 else "tcp_ipv6.c: tcp_v6_err",
        decides=f"on {address_text(first.source)}: its firewall and routes",
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
            cause="NOT_READ",
            frames=(side.first_zero_window.frame,),
            flows=(flow.number,),
            rule="tcp_output.c: __tcp_select_window; TCPToZeroWindowAdv",
            decides=f"on the {name}: ss -tmi while it lasts (Recv-Q)",
        )
    if (
        side.vain_repeats >= _IN_VAIN
        and side.vain_length > max(side.passed, _LEAST_IN_A_HOLE)
        and side.passed
    ):
        yield Claim(
            what=f"segments of {side.vain_length} octets of the {name} do not get through, shorter ones (up to "
            f"{side.passed}) do: a path-MTU black hole, where a smaller link drops them and no ICMP comes back",
            sure=Sure.POSSIBLE,
            why=f"the same segment was sent again {count(side.vain_repeats, 'time')} in vain; loss hits short ones too",
            cause="BLACK_HOLE",
            frames=(side.first_repeat.frame,) if side.first_repeat else (),
            flows=(flow.number,),
            rule="tcp_timer.c: tcp_mtu_probing (net.ipv4.tcp_mtu_probing); TCPMTUPFail, TCPTimeouts",
            decides=f"ping -M do -s {side.vain_length + 12} from the {name}; is ICMP type 3 code 4 let through?",
        )
    elif side.silent_repeats >= _SILENT_REPEATS and side.first_repeat is not None and flow.reset_by is None:
        yield Claim(
            what=f"data of the {name} was sent again and again and nothing came from the {other}: it is gone, or the "
            f"path is cut one way"
            if flow.other(side).frames
            else f"data of the {name} was sent again and again; of the {other} the capture has nothing at all",
            sure=Sure.POSSIBLE if flow.other(side).frames else Sure.CANNOT_TELL,
            why=f"sent again {count(side.silent_repeats, 'time')} since the {other} was last heard",
            cause="SENT_IN_VAIN",
            frames=(side.first_repeat.frame,),
            flows=(flow.number,),
            rule="tcp_timer.c: tcp_retransmit_timer",
            decides=f"a capture at the {other}",
        )
