"""TIME_WAIT: a small bucket that answers for a connection that is gone; also for an orphan in FIN_WAIT2.

`closing.py` puts it in the connection's place and says how long it waits. Until its timer fires (`fire`) it
answers what still arrives (`receive`): with an ACK, a RST, or nothing. In FIN_WAIT2 data draws a RST, and FIN makes
it TIME_WAIT. In TIME_WAIT a new SYN may take the flow over where somebody listens (`number_for_new_connection`,
which `dispatch.py` asks first). tcp_minisocks.c: tcp_timewait_state_process (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import is_loopback
from tcpemu.stack.base.sequence_numbers import MASK, add, after, before, in_window, offset
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import find_timestamps
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.connection.measures.reply_limits import out_of_window_limited
from tcpemu.stack.connection.sending import stateless_replies
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Segment

_ISN_STEP = 65537
"""A new connection's numbers begin this far beyond the old one's: a window and two (`tw_snd_nxt + 65535 + 2`)."""
_PAWS_MSL = 60 * SECOND
"""For how long a RST with an old timestamp is not believed (tcp.h: TCP_PAWS_MSL)."""


def _wait(bucket: TimeWait, wait: int) -> None:
    bucket.short = wait <= closing.SHORT_WAIT
    bucket.host.timers.arm(bucket, bucket.host.now + wait, bucket.host.now)


def _begin_again(bucket: TimeWait) -> None:
    _wait(bucket, bucket.host.generation.time_wait)


def fire(bucket: TimeWait) -> None:
    """Its time is over (inet_timewait_sock.c: tw_timer_handler)."""
    if bucket.host.generation.counts_time_wait_at_end:
        bucket.host.count(bucket.counter)
    if bucket.state is State.TIME_WAIT:
        bucket.host.timer_fired(bucket.key, reasons.TW_OVER)
        remove(bucket, f"{bucket.host.generation.time_wait / SECOND:g} s in TIME-WAIT have passed")
    else:
        bucket.host.timer_fired(bucket.key, reasons.FIN_WAIT2_OVER)
        remove(bucket, closing.fin_wait2_cause(bucket.host, bucket.waits))


def remove(bucket: TimeWait, cause: str) -> None:
    """Forget the connection at last."""
    host = bucket.host
    host.timers.cancel(bucket)
    del host.flows[bucket.key]
    host.time_waits -= 1
    host.state_changed(bucket.key, bucket.state, State.CLOSE, cause)


def receive(bucket: TimeWait, segment: Segment) -> Reason:
    """Answer a segment of the flow, one that does not take it over (tcp_timewait_state_process)."""
    stamps = find_timestamps(segment.options) if bucket.ts_ok else None
    old = stamps is not None and _paws_rejects(bucket, stamps, segment)
    if bucket.state is State.FIN_WAIT2:
        return _fin_wait2(bucket, segment, stamps, old)
    exact = segment.seq == bucket.rcv_nxt and (not segment.length or bool(segment.flags & RST))
    if exact and not old:
        return _exact(bucket, segment, stamps)
    if _may_take_over(bucket, segment, stamps, old):
        # Nobody listens, or it would not have come here.
        _send_ack(bucket)
        return reasons.TW_SYN_UNHEARD
    return _anything_else(bucket, segment, old)


def _paws_rejects(bucket: TimeWait, stamps: Timestamps, segment: Segment) -> bool:
    """tcp.h: tcp_paws_reject; a RST is believed once the last timestamp is older than a minute."""
    if not bucket.ts_recent or offset(stamps.val, bucket.ts_recent) <= 0:
        return False
    aged = bucket.ts_recent_at is not None and bucket.host.now >= bucket.ts_recent_at + _PAWS_MSL
    return not (segment.flags & RST and aged)


def _update_ts_recent(bucket: TimeWait, stamps: Timestamps | None) -> None:
    """Keep the timestamp to echo (tw_ts_recent)."""
    if stamps is not None:
        bucket.ts_recent = stamps.val
        bucket.ts_recent_at = bucket.host.now


def _exact(bucket: TimeWait, segment: Segment, stamps: Timestamps | None) -> Reason:
    """Exactly the next number: only a RST or a bare ACK."""
    if segment.flags & RST:
        if not bucket.host.sysctls.tcp_rfc1337:
            remove(bucket, "RST arrives")
            return reasons.TW_KILLED
    else:
        _begin_again(bucket)
    _update_ts_recent(bucket, stamps)
    return reasons.TW_QUIET


def number_for_new_connection(bucket: TimeWait, segment: Segment) -> int | None:
    """Initial sequence number with which a SYN may take the flow over, where somebody listens; else None.

    It lies beyond all that the old connection used (RFC 9293 section 3.6.1).
    """
    if bucket.state is State.FIN_WAIT2 or not _opens(segment):
        return None
    stamps = find_timestamps(segment.options) if bucket.ts_ok else None
    old = stamps is not None and _paws_rejects(bucket, stamps, segment)
    if not _may_take_over(bucket, segment, stamps, old):
        return None
    return add(bucket.snd_nxt, _ISN_STEP) or 1  # 0 stands for none in the kernel


def number_for_connect(bucket: TimeWait, own_port: bool) -> int | None:
    """Initial sequence number with which connect() may take the flow over; None where it may not (tcp_twsk_unique).

    Timestamps keep the two connections apart, so both must have had them. A port that the program chose itself
    (`own_port`) may be taken at once; another one if net.ipv4.tcp_tw_reuse says so, and not in the first second.
    """
    if bucket.state is State.FIN_WAIT2 or bucket.ts_recent_at is None:
        return None
    host = bucket.host
    reuse = host.sysctls.tcp_tw_reuse
    on_loopback = is_loopback(bucket.key[0]) or is_loopback(bucket.key[2])
    allowed = reuse == 1 or (reuse == 2 and on_loopback)
    waited = host.now - bucket.entered_at > host.sysctls.tcp_tw_reuse_delay * MILLISECOND
    if not own_port and not (allowed and waited):
        return None
    return add(bucket.snd_nxt, _ISN_STEP) or 1


def why_taken_over(bucket: TimeWait, segment: Segment) -> Reason:
    """What made a SYN new that has taken the flow over: its sequence number, or only its timestamp."""
    newer = after(segment.seq, bucket.rcv_nxt)
    return reasons.TW_SYN_NEWER_NUMBER if newer else reasons.TW_SYN_NEWER_TIMESTAMP


def _opens(segment: Segment) -> bool:
    """Whether it is a SYN that asks for a connection."""
    return segment.flags & (SYN | RST | ACK) == SYN


def _may_take_over(bucket: TimeWait, segment: Segment, stamps: Timestamps | None, old: bool) -> bool:
    """A SYN with a newer number or timestamp than the connection had begins a new one."""
    if not _opens(segment) or old:
        return False
    newer = stamps is not None and offset(bucket.ts_recent, stamps.val) > 0
    return newer or after(segment.seq, bucket.rcv_nxt)


def _anything_else(bucket: TimeWait, segment: Segment, old: bool) -> Reason:
    """Old duplicates and what is out of order: an ACK, and TIME_WAIT begins anew if the segment is old or has ACK."""
    if old:
        _count_old_stamp(bucket.host)
    if segment.flags & RST:
        return reasons.TW_QUIET
    if old or segment.flags & ACK:
        _begin_again(bucket)
    return _answer(bucket, segment, "TCPACKSkippedTimeWait")


def _count_old_stamp(host: HostServices) -> None:
    """A counter of its own since Linux 6.17 at the latest; before it was taken for one of a connection."""
    known = host.generation.counters
    host.count("PAWSTimewait" if known is None or "PAWSTimewait" in known else "PAWSEstab")


def _answer(bucket: TimeWait, segment: Segment, counter: str) -> Reason:
    if out_of_window_limited(bucket.host, bucket, segment, counter):
        return reasons.TW_LIMITED
    _send_ack(bucket)
    return reasons.TW_OLD_SYN if _opens(segment) and bucket.state is State.TIME_WAIT else reasons.TW_ACK


def _fin_wait2(bucket: TimeWait, segment: Segment, stamps: Timestamps | None, old: bool) -> Reason:
    """An orphan in FIN_WAIT2: data draws a RST, FIN begins TIME_WAIT."""
    end = add(segment.seq, segment.length)
    edge = add(bucket.rcv_nxt, bucket.rcv_wnd)
    if old or not in_window(segment.seq, end, bucket.rcv_nxt, edge):
        return _answer(bucket, segment, "TCPACKSkippedFinWait2")
    if segment.flags & RST:
        remove(bucket, "RST arrives")
        return reasons.TW_KILLED
    if segment.flags & SYN and not before(segment.seq, bucket.rcv_nxt):
        return _reset(bucket, segment)
    if not segment.flags & ACK or not after(end, bucket.rcv_nxt) or not segment.length:
        return reasons.TW_QUIET
    if not segment.flags & FIN or end != bucket.rcv_nxt + 1 & MASK:
        return _reset(bucket, segment)
    bucket.host.state_changed(bucket.key, bucket.state, State.TIME_WAIT, "FIN arrives")
    bucket.state = State.TIME_WAIT
    bucket.rcv_nxt = end
    _update_ts_recent(bucket, stamps)
    if stamps is not None:
        bucket.entered_at = bucket.host.now
    _begin_again(bucket)
    _send_ack(bucket, reasons.SENT_ACK)
    return reasons.TW_FIN


def _reset(bucket: TimeWait, segment: Segment) -> Reason:
    stateless_replies.send_reset(bucket.host, segment, bucket.flow_label)
    met = "data" if segment.payload else "a new SYN"
    remove(bucket, f"{met} for a socket that is closed: answered with a RST")
    return reasons.TW_RST


def _send_ack(bucket: TimeWait, reason: Reason = reasons.SENT_TW_ACK) -> None:
    """tcp_ipv4.c: tcp_v4_timewait_ack."""
    host = bucket.host
    stamps = None
    if bucket.ts_ok:
        stamps = Timestamps(host.tsval(bucket.ts_offset), bucket.ts_recent)
    window = bucket.rcv_wnd >> bucket.rcv_shift & 0xFFFF
    stateless_replies.send_bare_ack(
        host,
        bucket.key,
        bucket.snd_nxt,
        bucket.rcv_nxt,
        window,
        stamps,
        bucket.tos,
        reason,
        bucket.flow_label,
    )
