"""TIME_WAIT: a small bucket that answers for a connection that is gone.

It also stands for an orphan in FIN_WAIT2. tcp_minisocks.c: tcp_timewait_state_process (Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import reasons, syn
from tcpemu.stack.events import Reason
from tcpemu.stack.limits import out_of_window_limited
from tcpemu.stack.options import find_timestamps
from tcpemu.stack.seq import MASK, add, after, before, offset
from tcpemu.stack.states import State
from tcpemu.stack.units import SECOND
from tcpemu.stack.window import receive_window
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_ISN_STEP = 65537
_MSL = 60 * SECOND


class TimeWait:
    """What is left of a connection."""

    __slots__ = (
        "answered_at",
        "armed",
        "host",
        "key",
        "rcv_nxt",
        "rcv_shift",
        "rcv_wnd",
        "reuseaddr",
        "snd_nxt",
        "state",
        "tos",
        "ts_offset",
        "ts_ok",
        "ts_recent",
        "ts_recent_at",
    )

    def __init__(self, conn: Connection, state: State, wait: int) -> None:
        self.armed = 0
        self.answered_at: int | None = None
        self.host = conn.host
        self.key = conn.key
        self.state = state
        """TIME_WAIT or FIN_WAIT2."""
        self.rcv_nxt, self.snd_nxt = conn.rcv_nxt, conn.snd_nxt
        self.rcv_wnd = receive_window(conn)
        self.rcv_shift = conn.rcv_shift
        self.tos, self.reuseaddr = conn.options.tos, conn.options.reuseaddr
        self.ts_ok = conn.ts_ok
        self.ts_recent, self.ts_recent_at = conn.ts_recent, conn.ts_recent_at
        self.ts_offset = conn.ts_offset
        self._wait(wait)

    def _wait(self, wait: int) -> None:
        self.host.timers.arm(self, self.host.now + wait, self.host.now)

    def _begin_again(self) -> None:
        self._wait(self.host.generation.time_wait)

    def fire(self) -> None:
        over = reasons.TW_OVER if self.state is State.TIME_WAIT else reasons.FIN_WAIT2_OVER
        self.host.timer_fired(self.key, over)
        self.remove("60 s have passed")

    def remove(self, cause: str) -> None:
        """Forget the connection at last."""
        host = self.host
        host.timers.cancel(self)
        del host.flows[self.key]
        host.state_changed(self.key, self.state, State.CLOSE, cause)

    def receive(self, segment: Segment) -> Reason:
        stamps = find_timestamps(segment.options) if self.ts_ok else None
        old = stamps is not None and self._paws_rejects(stamps, segment)
        if self.state is State.FIN_WAIT2:
            return self._fin_wait2(segment, stamps, old)
        exact = segment.seq == self.rcv_nxt and (not segment.length or bool(segment.flags & RST))
        if exact and not old:
            return self._exact(segment, stamps)
        newer = stamps is not None and offset(self.ts_recent, stamps.val) > 0
        if (
            segment.flags & (SYN | RST | ACK) == SYN
            and not old
            and (after(segment.seq, self.rcv_nxt) or newer)
        ):
            return self._reopen(segment)
        return self._anything_else(segment, old)

    def _paws_rejects(self, stamps: Timestamps, segment: Segment) -> bool:
        """tcp.h: tcp_paws_reject; a RST is believed once the last timestamp is older than a minute."""
        if not self.ts_recent or offset(stamps.val, self.ts_recent) <= 0:
            return False
        aged = self.ts_recent_at is not None and self.host.now >= self.ts_recent_at + _MSL
        return not (segment.flags & RST and aged)

    def _note(self, stamps: Timestamps | None) -> None:
        if stamps is not None:
            self.ts_recent = stamps.val
            self.ts_recent_at = self.host.now

    def _exact(self, segment: Segment, stamps: Timestamps | None) -> Reason:
        """Exactly the next number: only a RST or a bare ACK."""
        if segment.flags & RST:
            if not self.host.sysctls.tcp_rfc1337:
                self.remove("RST arrives")
                return reasons.TW_KILLED
        else:
            self._begin_again()
        self._note(stamps)
        return reasons.TW_QUIET

    def _reopen(self, segment: Segment) -> Reason:
        """A new SYN takes over the flow, where somebody listens (RFC 9293 section 3.6.1)."""
        host = self.host
        listener = host.find_listener(segment)
        if listener is None:
            self._send_ack()
            return reasons.TW_ACK
        self.remove("a new SYN takes over the flow")
        # The first number lies beyond all that the old connection used.
        return syn.arrives(listener, segment, add(self.snd_nxt, _ISN_STEP) or 1)

    def _anything_else(self, segment: Segment, old: bool) -> Reason:
        if old:
            self.host.count("PAWSTimewait")
        if segment.flags & RST:
            return reasons.TW_QUIET
        if old or segment.flags & ACK:
            self._begin_again()
        return self._answer(segment, "TCPACKSkippedTimeWait")

    def _answer(self, segment: Segment, counter: str) -> Reason:
        if out_of_window_limited(self.host, self, segment, counter):
            return reasons.TW_LIMITED
        self._send_ack()
        return reasons.TW_ACK

    def _fin_wait2(self, segment: Segment, stamps: Timestamps | None, old: bool) -> Reason:
        """An orphan in FIN_WAIT2: data draws a RST, FIN begins TIME_WAIT."""
        end = add(segment.seq, segment.length)
        if old or not self._in_window(segment.seq, end):
            return self._answer(segment, "TCPACKSkippedFinWait2")
        if segment.flags & RST:
            self.remove("RST arrives")
            return reasons.TW_KILLED
        if segment.flags & SYN and not before(segment.seq, self.rcv_nxt):
            return self._reset(segment)
        if not segment.flags & ACK or not after(end, self.rcv_nxt) or not segment.length:
            return reasons.TW_QUIET
        if not segment.flags & FIN or end != self.rcv_nxt + 1 & MASK:
            return self._reset(segment)
        self.host.state_changed(self.key, self.state, State.TIME_WAIT, "FIN arrives")
        self.state = State.TIME_WAIT
        self.rcv_nxt = end
        self._note(stamps)
        self._begin_again()
        self._send_ack()
        return reasons.TW_FIN

    def _in_window(self, seq: int, end: int) -> bool:
        edge = add(self.rcv_nxt, self.rcv_wnd)
        if seq == self.rcv_nxt or (after(end, self.rcv_nxt) and before(seq, edge)):
            return True
        return seq == end == edge

    def _reset(self, segment: Segment) -> Reason:
        self.host.send_reset(segment)
        self.remove("reset")
        return reasons.TW_RST

    def _send_ack(self) -> None:
        """tcp_ipv4.c: tcp_v4_timewait_ack."""
        host = self.host
        stamps = None
        if self.ts_ok:
            stamps = Timestamps(host.stamp_clock() + self.ts_offset & MASK, self.ts_recent)
        window = self.rcv_wnd >> self.rcv_shift & 0xFFFF
        host.send_bare_ack(
            self.key, self.snd_nxt, self.rcv_nxt, window, stamps, self.tos, reasons.SENT_TW_ACK
        )
