"""A request: a connection that has sent SYN and waits in the SYN queue for its final ACK.

It is small, for there may be a million of them. Its life: `syn.py` makes it and sends the first SYN|ACK; its
timer sends the SYN|ACK again, each time after twice as long, until it gives up in silence; any segment of
its flow goes through `receive`, in the order of tcp_minisocks.c: tcp_check_req, Linux 6.18, and ends in
one of three ways: it is dropped and the request stays, the request is removed, or a connection is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import reasons
from tcpemu.stack.events import Reason
from tcpemu.stack.generation import Overflow
from tcpemu.stack.limits import out_of_window_limited, too_soon
from tcpemu.stack.options import SynOptions, find_timestamps, syn_options
from tcpemu.stack.seq import MASK, add, after, between
from tcpemu.stack.states import State
from tcpemu.wire.options import Timestamps, timestamps
from tcpemu.wire.segment import ACK, CWR, ECE, RST, SYN, FlowKey, Segment, make_segment

if TYPE_CHECKING:
    from tcpemu.stack.listener import Listener

_HANDSHAKE_FLAGS = RST | SYN | ACK
_SYN_ACK = SYN | ACK
_ECN_SETUP = ECE | CWR
SKIPPED = "TCPACKSkippedSynRecv"


class Request:
    """One entry of the SYN queue. Sequence numbers and timestamps are those on the wire."""

    __slots__ = (
        "acked",
        "answered_at",
        "armed",
        "ecn",
        "irs",
        "iss",
        "key",
        "listener",
        "mss",
        "own_mss",
        "rcv_shift",
        "rcv_wnd",
        "repeats",
        "sack",
        "snd_shift",
        "started",
        "timeouts",
        "tos",
        "ts_first",
        "ts_last",
        "ts_offset",
        "ts_recent",
        "window_clamp",
    )
    reuseaddr = None
    """A request holds no port."""

    def __init__(self, listener: Listener, segment: Segment, offer: SynOptions) -> None:
        """What the SYN says; `iss`, `ts_offset` and the window are the maker's to set."""
        self.listener = listener
        self.key: FlowKey = segment[:4]
        self.armed = 0
        self.acked = False
        self.answered_at: int | None = None
        self.timeouts = 0
        """Times the timer has fired: `req->num_timeout`."""
        self.repeats = 0
        """SYN|ACKs sent again, for whatever cause: `req->num_retrans`."""
        self.irs = segment.seq
        self.iss: int
        self.mss, self.snd_shift, self.sack, stamps, _ = offer
        self.own_mss: int = listener.own_mss
        self.ecn = segment.flags & _ECN_SETUP == _ECN_SETUP and _may_use_ecn(listener, segment)
        self.tos = listener.options.tos
        if listener.host.sysctls.tcp_reflect_tos:
            self.tos = segment.tos & 0xFC | self.tos & 3
        self.ts_recent = None if stamps is None else stamps.val
        """TSval of the SYN; None without timestamps."""
        self.ts_offset: int
        self.ts_first = self.ts_last = 0
        self.rcv_wnd: int
        self.window_clamp: int
        self.rcv_shift: int
        self.started: int | None = listener.host.now
        """When the first SYN|ACK was sent; None for a cookie, which does not remember."""

    # --- what it sends ----------------------------------------------------------------------------

    def send_syn_ack(self, reason: Reason, repeat: int = 0) -> None:
        """Send the SYN|ACK (tcp_output.c: tcp_make_synack): window not scaled, a fresh TSval, an old TSecr."""
        remote, remote_port, local, local_port = self.key
        listener = self.listener
        host = listener.host
        wire = host.generation.wire
        stamps = None
        if self.ts_recent is not None:
            self.ts_last = tsval = host.stamp_clock() + self.ts_offset & MASK
            if not self.ts_first:
                self.ts_first = tsval
            stamps = timestamps(tsval, self.ts_recent if wire.syn_ack_echoes else 0)
        shift = None if self.snd_shift is None else self.rcv_shift
        segment = make_segment(
            local,
            local_port,
            remote,
            remote_port,
            self.iss,
            (self.irs + 1) & MASK,
            _SYN_ACK | ECE if self.ecn else _SYN_ACK,
            self.rcv_wnd if self.rcv_wnd < 65535 else 65535,
            syn_options(self.own_mss, shift, self.sack, stamps, wire.syn_ack_order or wire.order),
            b"",
            0,
            listener.options.ttl or host.sysctls.ip_default_ttl,
            self.tos,
            0,
            wire.dont_fragment,
            0,
            b"",
        )
        host.send(segment, reason, repeat)

    def _send_again(self, reason: Reason) -> None:
        host = self.listener.host
        self.repeats += 1
        host.count("RetransSegs")
        host.count("TCPSynRetrans")
        self.send_syn_ack(reason, self.repeats)

    def _send_ack(self, segment: Segment) -> None:
        """Say what the request expects (tcp_ipv4.c: tcp_v4_reqsk_send_ack)."""
        host = self.listener.host
        stamps = None
        if self.ts_recent:
            stamps = Timestamps(host.stamp_clock() + self.ts_offset & MASK, self.ts_recent)
        shift = self.rcv_shift if host.generation.request_window_scaled else 0
        seq, ack, window = add(self.iss, 1), add(self.irs, 1), min(self.rcv_wnd, 65535) >> shift
        host.send_bare_ack(self.key, seq, ack, window, stamps, segment.tos & 0xFC, reasons.SENT_REQUEST_ACK)

    # --- its timer --------------------------------------------------------------------------------

    def arm(self) -> None:
        """Wait for the next time-out: twice as long after each (inet_connection_sock.h: reqsk_timeout)."""
        host = self.listener.host
        generation = host.generation
        waits = generation.synack.waits
        if waits:
            wait = waits[min(self.timeouts, len(waits) - 1)]
        else:
            wait = min(generation.initial_rto << self.timeouts, generation.rto_max)
        if self.listener.timer is None:
            host.timers.arm(self, host.now + wait, host.now)
        else:
            self.listener.timer.arm(self, host.now + wait)

    def fire(self) -> None:
        """The final ACK has not come in time (inet_connection_sock.c: reqsk_timer_handler)."""
        listener = self.listener
        host = listener.host
        if listener.state is not State.LISTEN:
            host.timer_fired(self.key, reasons.REQUEST_ORPHANED)
            self.remove()
            return
        expired, resend = self.next_time_out()
        host.count("TCPTimeouts")
        if expired:
            self._give_up()
            return
        if resend:
            self._send_again(reasons.SENT_SYN_ACK_AGAIN)
        else:
            host.timer_fired(self.key, reasons.REQUEST_SILENT)
        if self.timeouts == 0:
            listener.young -= 1
        # Differs: the kernel keeps this in seven bits, so 128 retries and more wrap there.
        self.timeouts += 1
        self.arm()

    def next_time_out(self) -> tuple[bool, bool]:
        """Whether the next time-out is the last, and if not, whether it sends the SYN|ACK again."""
        expired = self.timeouts >= self.listener.synack_retries()
        deferred = self.listener.options.defer_periods
        if not deferred:
            return expired, True
        expired = expired and (not self.acked or self.timeouts >= deferred)
        return expired, not self.acked or self.timeouts >= deferred - 1

    def _give_up(self) -> None:
        """The SYN|ACK was repeated often enough: most kernels say nothing now."""
        host = self.listener.host
        if not host.generation.synack.resets_at_end:
            host.timer_fired(self.key, reasons.REQUEST_EXPIRED)
            self.remove()
            return
        host.timer_fired(self.key, reasons.REQUEST_EXPIRED_RST)
        self.remove()
        remote, remote_port, local, local_port = self.key
        host.count("OutRsts")
        seq, ack = add(self.iss, 1), add(self.irs, 1)
        segment = Segment(local, local_port, remote, remote_port, seq, ack, RST | ACK, 0)
        host.send(segment, reasons.SENT_RST_AT_END)

    def remove(self) -> None:
        """Leave the SYN queue without a word."""
        self.leave()
        self.listener.host.state_changed(self.key, State.SYN_RECV, State.CLOSE, "the request is removed")

    def leave(self) -> None:
        """Leave the table of flows and the queue's counts (inet_csk_reqsk_queue_unlink, reqsk_queue_removed)."""
        listener = self.listener
        host = listener.host
        if listener.timer is None:
            host.timers.cancel(self)
        else:
            listener.timer.cancel(self)
        del host.flows[self.key]
        listener.syn_queue -= 1
        if self.timeouts == 0:
            listener.young -= 1
        if host.observe:
            host.queues_changed(listener)

    # --- a segment of its flow --------------------------------------------------------------------

    def receive(self, segment: Segment) -> Reason:
        """What becomes of a segment for this request (tcp_ipv4.c: tcp_v4_rcv, tcp_check_req)."""
        if self.listener.state is not State.LISTEN:
            self.remove()
            return self.listener.host.deliver(segment)
        flags = segment.flags & _HANDSHAKE_FLAGS
        stamps = find_timestamps(segment.options) if segment.options else None
        if (
            flags == ACK
            and segment.seq == (self.irs + 1) & MASK
            and segment.ack == (self.iss + 1) & MASK
            and not (stamps is not None and (self._paws_rejects(stamps) or self._tsecr_rejects(stamps)))
        ):
            # What nearly every segment is; it passes each of the tests below.
            return self._acceptable_ack(segment, stamps)
        return self._check(segment, flags, stamps)

    def _check(self, segment: Segment, flags: int, stamps: Timestamps | None) -> Reason:
        """The tests in the kernel's order."""
        old = stamps is not None and self._paws_rejects(stamps)
        if flags == SYN and segment.seq == self.irs and not old:
            return self._duplicate_syn(segment)
        if flags & ACK and not flags & RST and segment.ack != (self.iss + 1) & MASK:
            return self._bad_ack(segment)
        if old or (stamps is not None and self._tsecr_rejects(stamps)) or not self._in_window(segment):
            return self._not_acceptable(segment, old, stamps)
        if segment.seq == self.irs:
            flags &= ~SYN
        exact = segment.seq == (self.irs + 1) & MASK
        if flags & RST and not exact and self.listener.host.generation.challenge_inexact_rst:
            return self._inexact_rst(segment)
        if flags & (RST | SYN):
            return self._embryonic_reset(segment)
        if not flags & ACK:
            return reasons.REQUEST_NO_ACK
        return self._acceptable_ack(segment, stamps)

    def _paws_rejects(self, stamps: Timestamps) -> bool:
        """An older TSval than the SYN's, or than the last one where later ones are taken (tcp.h: tcp_paws_reject)."""
        recent = self.ts_recent
        return bool(recent) and 0 < (recent - stamps.val) & MASK < 0x80000000  # type: ignore[operator]

    def _tsecr_rejects(self, stamps: Timestamps) -> bool:
        """A TSecr that is none of ours: since Linux 6.15."""
        ecr = stamps.ecr
        if not ecr or ecr == self.ts_first or self.ts_recent is None:
            return False
        return self.listener.host.generation.check_tsecr and not between(ecr, self.ts_first, self.ts_last)

    def _in_window(self, segment: Segment) -> bool:
        """tcp_minisocks.c: tcp_in_window."""
        seq, low = segment.seq, (self.irs + 1) & MASK
        if seq == low:
            return True
        high = add(low, min(self.rcv_wnd, 65535))
        end = add(seq, segment.length)
        return (after(end, low) and after(high, seq)) or seq == end == high

    def _duplicate_syn(self, segment: Segment) -> Reason:
        """Send the SYN|ACK again and begin the present wait anew, neither counted as a time-out."""
        if not self.listener.host.generation.synack.answers_syn:
            return reasons.DUPLICATE_SYN_IGNORED
        if out_of_window_limited(self.listener.host, self, segment, SKIPPED):
            return reasons.DUPLICATE_SYN_LIMITED
        self._send_again(reasons.SENT_SYN_ACK_DUPLICATE)
        if self.listener.host.generation.synack.restarts_on_syn:
            self.arm()
        return reasons.DUPLICATE_SYN

    def _bad_ack(self, segment: Segment) -> Reason:
        """Handed to the listener, which may know the ACK for a cookie's; the request stays."""
        reason = self.listener.receive(segment)
        if self.listener.host.generation.bad_ack_kills and self.listener.host.flows.get(self.key) is self:
            self.remove()
        return reasons.REQUEST_BAD_ACK if reason is reasons.LISTENER_ACK else reason

    def _not_acceptable(self, segment: Segment, old: bool, stamps: Timestamps | None) -> Reason:
        host = self.listener.host
        in_window_but_tsecr = not old and stamps is not None and self._tsecr_rejects(stamps)
        if old:
            host.count("PAWSEstab")
            reason = reasons.REQUEST_PAWS
        elif in_window_but_tsecr:
            host.count("TSEcrRejected")
            reason = reasons.REQUEST_TSECR
        else:
            reason = reasons.REQUEST_OUT_OF_WINDOW
        limited = host.generation.limits_request_acks
        if segment.flags & RST or (limited and out_of_window_limited(host, self, segment, SKIPPED)):
            return reasons.REQUEST_REFUSED_QUIETLY
        self._send_ack(segment)
        return reason

    def _inexact_rst(self, segment: Segment) -> Reason:
        """RFC 5961 section 3: a RST inside the window must hit its edge."""
        host = self.listener.host
        if too_soon(host, self, "TCPACKSkippedChallenge"):
            return reasons.REQUEST_RST_LIMITED
        host.count("TCPChallengeACK")
        self._send_ack(segment)
        return reasons.REQUEST_RST_INEXACT

    def _embryonic_reset(self, segment: Segment) -> Reason:
        host = self.listener.host
        host.count("AttemptFails")
        host.count("EmbryonicRsts")
        if segment.flags & RST:
            self.remove()
            return reasons.REQUEST_RST
        host.send_reset(segment)
        self.remove()
        return reasons.REQUEST_SYN

    def _note_stamp(self, segment: Segment, stamps: Timestamps) -> None:
        """tcp_minisocks.c: tcp_check_req, until the stable updates of 2025."""
        if self.ts_recent is not None and not after(segment.seq, add(self.irs, 1)):
            self.ts_recent = stamps.val

    def _acceptable_ack(self, segment: Segment, stamps: Timestamps | None) -> Reason:
        """The final ACK is good: make the connection if the accept queue has room (tcp_v4_syn_recv_sock).

        With TCP_DEFER_ACCEPT data must come first, or time pass.
        """
        listener = self.listener
        host = listener.host
        if stamps is not None and host.generation.request_takes_stamps:
            self._note_stamp(segment, stamps)
        if self.timeouts < listener.options.defer_periods and add(segment.seq, segment.length) == add(
            self.irs, 1
        ):
            self.acked = True
            host.count("TCPDeferAcceptDrop")
            return reasons.DEFER_ACCEPT
        queues = host.generation.queues
        if queues.full_for_ack(listener):
            listener.overflow()
            resets = queues.when_full_for_ack is Overflow.RESET
            if not resets and not host.sysctls.tcp_abort_on_overflow:
                self.acked = True
                return reasons.ACCEPT_QUEUE_FULL
            host.count("EmbryonicRsts")
            host.send_reset(segment)
            self.remove()
            return reasons.ACCEPT_QUEUE_FULL_RST if resets else reasons.ABORT_ON_OVERFLOW
        self.leave()
        return listener.establish(self, segment, stamps)


def _may_use_ecn(listener: Listener, segment: Segment) -> bool:
    """Whether to agree to ECN (tcp_input.c: tcp_ecn_create_request)."""
    return bool(listener.host.sysctls.tcp_ecn) and (not segment.tos & 3 or bool(segment.reserved))
