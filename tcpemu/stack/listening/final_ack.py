"""A segment of a request's flow, most often the final ACK: the tests of tcp_minisocks.c: tcp_check_req, in their order.

It ends in one of three ways: it is dropped and the request stays, the request is removed, or a connection is made.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import LISTENER_GONE, Reason
from tcpemu.stack.base.generation import Overflow
from tcpemu.stack.base.sequence_numbers import MASK, add, after, between, in_window
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import find_timestamps
from tcpemu.stack.connection.measures.reply_limits import out_of_window_limited, too_soon
from tcpemu.stack.connection.sending import stateless_replies
from tcpemu.stack.listening import child, listener_receives, request_timer, syn_ack
from tcpemu.stack.listening.queues import overflow
from tcpemu.stack.records.request import Request
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, RST, SYN, Segment

_LISTEN = State.LISTEN

_HANDSHAKE_FLAGS = RST | SYN | ACK
SKIPPED = "TCPACKSkippedSynRecv"


def receive(request: Request, segment: Segment) -> Reason | None:
    """What becomes of a segment for this request (tcp_ipv4.c: tcp_v4_rcv, tcp_check_req).

    None when its listener is gone: so is the request, and the segment is to be delivered anew.
    """
    if request.listener.state is not _LISTEN:
        request_timer.remove(request, LISTENER_GONE)
        return None
    flags = segment.flags & _HANDSHAKE_FLAGS
    stamps = find_timestamps(segment.options) if segment.options else None
    if (
        flags == ACK
        and segment.seq == (request.irs + 1) & MASK
        and segment.ack == (request.iss + 1) & MASK
        and (stamps is None or _stamps_are_usual(request, stamps))
    ):
        # What nearly every segment is; it passes each of the tests below.
        return _acceptable_ack(request, segment, stamps)
    return _check(request, segment, flags, stamps)


def _check(request: Request, segment: Segment, flags: int, stamps: Timestamps | None) -> Reason:
    """The tests in the kernel's order."""
    old = stamps is not None and paws_rejects(request, stamps)
    if flags == SYN and segment.seq == request.irs and not old:
        return _duplicate_syn(request, segment)
    rules = request.listener.host.generation
    tested = flags & ACK and (not flags & RST or rules.bad_ack_spares_request)
    if tested and segment.ack != (request.iss + 1) & MASK:
        return _bad_ack(request, segment)
    if old or (stamps is not None and _tsecr_rejects(request, stamps)) or not _in_window(request, segment):
        return _not_acceptable(request, segment, old, stamps)
    if stamps is not None and rules.request_takes_stamps:
        _update_ts_recent(request, segment, stamps)
    if segment.seq == request.irs:
        flags &= ~SYN
    exact = segment.seq == (request.irs + 1) & MASK
    if flags & RST and not exact and rules.challenge_inexact_rst:
        return _inexact_rst(request, segment)
    if flags & (RST | SYN):
        return _embryonic_reset(request, segment)
    if not flags & ACK:
        return reasons.REQUEST_NO_ACK
    return _acceptable_ack(request, segment, stamps)


def _stamps_are_usual(request: Request, stamps: Timestamps) -> bool:
    """Whether they echo the first SYN|ACK and are not old, so that nothing below rejects them."""
    val, ecr = stamps
    recent = request.ts_recent
    return recent is not None and ecr == request.ts_first and (val - recent) & MASK < 0x80000000


def paws_rejects(request: Request, stamps: Timestamps) -> bool:
    """An older TSval than the SYN's, or than the last one where later ones are taken (tcp.h: tcp_paws_reject)."""
    recent = request.ts_recent
    return bool(recent) and 0 < (recent - stamps.val) & MASK < 0x80000000  # type: ignore[operator]


def _tsecr_rejects(request: Request, stamps: Timestamps) -> bool:
    """A TSecr that no SYN|ACK of ours has carried; tested since Linux 6.15."""
    ecr = stamps.ecr
    if not ecr or ecr == request.ts_first or request.ts_recent is None:
        return False
    last = request.rare.ts_last if request.rare is not None else 0
    return request.listener.host.generation.check_tsecr and not between(
        ecr, request.ts_first, last or request.ts_first
    )


def _in_window(request: Request, segment: Segment) -> bool:
    """Whether some of it lies in the window of the SYN|ACK."""
    low = add(request.irs, 1)
    high = add(low, min(request.terms.rcv_wnd, 65535))
    return in_window(segment.seq, add(segment.seq, segment.length), low, high)


def _duplicate_syn(request: Request, segment: Segment) -> Reason:
    """Send the SYN|ACK again and begin the present wait anew, neither counted as a time-out."""
    if not request.listener.host.generation.synack.answers_syn:
        return reasons.DUPLICATE_SYN_IGNORED
    if out_of_window_limited(request.listener.host, request, segment, SKIPPED):
        return reasons.DUPLICATE_SYN_LIMITED
    sent = syn_ack.send_again(request, reasons.SENT_SYN_ACK_DUPLICATE)
    if sent and request.listener.host.generation.synack.restarts_on_syn:
        request_timer.arm(request)
    return reasons.DUPLICATE_SYN


def _bad_ack(request: Request, segment: Segment) -> Reason:
    """Handed to the listener, which may know the ACK for a cookie's; the request stays."""
    reason = listener_receives.receive(request.listener, segment)
    if (
        request.listener.host.generation.bad_ack_kills
        and request.listener.host.flows.get(request.key) is request
    ):
        request_timer.remove(request, "it acknowledges something else")
    return reasons.REQUEST_BAD_ACK if reason is reasons.LISTENER_ACK else reason


def _not_acceptable(request: Request, segment: Segment, old: bool, stamps: Timestamps | None) -> Reason:
    """Too old by its timestamp, a TSecr not ours, or out of window: an ACK says what is expected, not too often."""
    host = request.listener.host
    in_window_but_tsecr = not old and stamps is not None and _tsecr_rejects(request, stamps)
    if old:
        host.count("PAWSEstab")
        reason = reasons.REQUEST_PAWS
    elif in_window_but_tsecr:
        host.count("TSEcrRejected")
        reason = reasons.REQUEST_TSECR
    else:
        reason = reasons.REQUEST_OUT_OF_WINDOW
    limited = host.generation.limits_request_acks
    if segment.flags & RST or (limited and out_of_window_limited(host, request, segment, SKIPPED)):
        return reasons.REQUEST_REFUSED_QUIETLY
    syn_ack.send_ack(request, segment)
    return reason


def _inexact_rst(request: Request, segment: Segment) -> Reason:
    """RFC 5961 section 3: a RST inside the window must hit its edge."""
    host = request.listener.host
    if too_soon(host, request, "TCPACKSkippedChallenge"):
        return reasons.REQUEST_RST_LIMITED
    host.count("TCPChallengeACK")
    syn_ack.send_ack(request, segment)
    return reasons.REQUEST_RST_INEXACT


def _embryonic_reset(request: Request, segment: Segment) -> Reason:
    """A RST, or a SYN inside the window, ends the request (tcp_check_req: embryonic_reset)."""
    host = request.listener.host
    host.count("AttemptFails")
    host.count("EmbryonicRsts")
    if segment.flags & RST:
        request_timer.remove(request, "RST arrives")
        return reasons.REQUEST_RST
    stateless_replies.send_reset(host, segment)
    request_timer.remove(request, "SYN arrives")
    return reasons.REQUEST_SYN


def _update_ts_recent(request: Request, segment: Segment, stamps: Timestamps) -> None:
    """TS.Recent of a request (tcp_minisocks.c: tcp_check_req, until the stable updates of 2025)."""
    if request.ts_recent is not None and not after(segment.seq, add(request.irs, 1)):
        request.ts_recent = stamps.val


def _acceptable_ack(request: Request, segment: Segment, stamps: Timestamps | None) -> Reason:
    """The final ACK is good: make the connection if the accept queue has room (tcp_v4_syn_recv_sock).

    With TCP_DEFER_ACCEPT data must come first, or time pass.
    """
    listener = request.listener
    host = listener.host
    if stamps is not None and host.generation.request_takes_stamps:
        _update_ts_recent(request, segment, stamps)
    if request.timeouts < listener.options.defer_periods and add(segment.seq, segment.length) == add(
        request.irs, 1
    ):
        request.with_rare().acked = True
        host.count("TCPDeferAcceptDrop")
        return reasons.DEFER_ACCEPT
    queues = host.generation.queues
    if queues.full_for_ack(listener):
        overflow(listener)
        resets = queues.when_full_for_ack is Overflow.RESET
        if not resets and not host.sysctls.tcp_abort_on_overflow:
            request.with_rare().acked = True
            return reasons.ACCEPT_QUEUE_FULL
        host.count("EmbryonicRsts")
        stateless_replies.send_reset(host, segment)
        request_timer.remove(request, "the accept queue is full")
        return reasons.ACCEPT_QUEUE_FULL_RST if resets else reasons.ABORT_ON_OVERFLOW
    request_timer.leave(request)
    return child.establish(listener, request, segment, stamps)
