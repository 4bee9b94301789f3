"""The timer of a request: its SYN|ACK is sent again, each time after twice as long, until it is given up in silence.

inet_connection_sock.c: reqsk_timer_handler (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import LISTENER_GONE, GivenUp, Reason
from tcpemu.stack.base.sequence_numbers import add
from tcpemu.stack.base.states import State
from tcpemu.stack.listening import queues, shared_timer, syn_ack
from tcpemu.stack.records.listener import SharedTimer
from tcpemu.stack.records.request import Request
from tcpemu.wire.segment import ACK, RST, Segment

_EXPIRED = "no final ACK came to the last SYN|ACK"
_NOT_SENT = "the device has no room for its SYN|ACK"


def arm(request: Request) -> None:
    """Wait for the next time-out: twice as long after each (inet_connection_sock.h: reqsk_timeout)."""
    host = request.listener.host
    generation = host.generation
    waits = generation.synack.waits
    if waits:
        wait = waits[min(request.timeouts, len(waits) - 1)]
    else:
        wait = generation.initial_rto << request.timeouts
        if wait > generation.rto_max:
            wait = generation.rto_max
    if request.listener.timer is None:
        host.timers.arm(request, host.now + wait, host.now)
    else:
        shared_timer.arm(request.listener.timer, request, host.now + wait)


def fire(request: Request) -> None:
    """The final ACK has not come in time (inet_connection_sock.c: reqsk_timer_handler)."""
    listener = request.listener
    host = listener.host
    if listener.state is not State.LISTEN:
        host.timer_fired(request.key, reasons.REQUEST_ORPHANED)
        remove(request, LISTENER_GONE)
        return
    expired, resend = next_time_out(request)
    host.count("TCPTimeouts")
    if expired:
        _give_up(request)
        return
    if resend:
        if not syn_ack.send_again(request, reasons.SENT_SYN_ACK_AGAIN) and not request.acked:
            host.timer_fired(request.key, reasons.REQUEST_NOT_SENT)
            remove(request, _NOT_SENT)
            return
    else:
        host.timer_fired(request.key, reasons.REQUEST_SILENT)
    if request.timeouts == 0:
        listener.young -= 1
    # Differs: the kernel keeps this in seven bits, so 128 retries and more wrap there.
    request.timeouts += 1
    arm(request)


def slice_fired(timer: SharedTimer) -> None:
    """Look at the next slice: twice what would cover the table in one initial time-out."""
    host = timer.host
    synack = host.generation.synack
    share = max(timer.size // max(host.generation.initial_rto // synack.interval, 1), 1)
    for place in shared_timer.next_places(timer, 2 * share):
        for request, deadline in list(timer.entries.get(place, {}).items()):
            if deadline <= host.now and isinstance(request, Request):
                fire(request)
    timer.hand = (timer.hand + 2 * share) % timer.size
    if timer.waiting:
        host.timers.arm(timer, host.now + synack.interval, host.now)


def next_time_out(request: Request) -> tuple[bool, bool]:
    """Whether the next time-out is the last, and if not, whether it sends the SYN|ACK again.

    With TCP_DEFER_ACCEPT a client that has sent its final ACK is not reminded before the last period, which gives it
    one more chance to send data, or an ACK that is taken without (inet_connection_sock.c: syn_ack_recalc).
    """
    expired = request.timeouts >= queues.synack_retries(request.listener)
    deferred = request.listener.options.defer_periods
    if not deferred:
        return expired, True
    expired = expired and (not request.acked or request.timeouts >= deferred)
    return expired, not request.acked or request.timeouts >= deferred - 1


def _give_up(request: Request) -> None:
    """The SYN|ACK was repeated often enough: most kernels say nothing now."""
    host = request.listener.host
    if not host.generation.synack.resets_at_end:
        host.timer_fired(request.key, *_why_given_up(request))
        remove(request, _EXPIRED)
        return
    host.timer_fired(request.key, reasons.REQUEST_EXPIRED_RST)
    remove(request, _EXPIRED)
    remote, remote_port, local, local_port = request.key
    host.count("OutRsts")
    seq, ack = add(request.iss, 1), add(request.irs, 1)
    segment = Segment(local, local_port, remote, remote_port, seq, ack, RST | ACK, 0)
    host.send(segment, reasons.SENT_RST_AT_END)


def _why_given_up(request: Request) -> tuple[Reason, GivenUp | None]:
    """Whether it was sent as often as a setting says, or less often; TCP_SYNCNT is named, for it is easily missed."""
    listener = request.listener
    own = listener.options.syncnt
    if listener.host.generation.synack.waits:
        return reasons.REQUEST_EXPIRED, None
    if request.timeouts < (own or listener.host.sysctls.tcp_synack_retries):
        return reasons.REQUEST_CROWDED_OUT, None
    waited = listener.host.now - (request.started or 0)
    return reasons.REQUEST_EXPIRED, GivenUp("TCP_SYNCNT", own, waited) if own else None


def remove(request: Request, cause: str) -> None:
    """Leave the SYN queue without a word, for this cause."""
    leave(request)
    request.listener.host.state_changed(request.key, State.SYN_RECV, State.CLOSE, cause)


def leave(request: Request) -> None:
    """Leave the table of flows and the queue's counts (inet_csk_reqsk_queue_unlink, reqsk_queue_removed)."""
    listener = request.listener
    host = listener.host
    if listener.timer is None:
        host.timers.cancel(request)
    else:
        shared_timer.cancel(listener.timer, request)
    del host.flows[request.key]
    listener.syn_queue -= 1
    if request.timeouts == 0:
        listener.young -= 1
    if host.observe:
        queues.queue_changed(listener)
