"""The active open: connect(), SYN_SENT, and SYNs that cross.

tcp_output.c: tcp_connect; tcp_input.c: tcp_rcv_synsent_state_process (Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import output, reasons, retransmit, window
from tcpemu.stack.events import Reason
from tcpemu.stack.options import TIMESTAMPS_LENGTH, SynOptions, read_syn
from tcpemu.stack.scoreboard import Unacked
from tcpemu.stack.seq import MASK, add, after
from tcpemu.stack.states import State
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, CWR, ECE, RST, SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection


def connect(conn: Connection) -> None:
    """Send the first SYN (tcp_connect_init, tcp_connect)."""
    host = conn.host
    iss, conn.ts_offset = host.flow_secrets(conn.key)
    conn.iss = conn.snd_una = conn.write_seq = conn.snd_sml = iss
    conn.advmss = host.advertised_mss(conn.options.maxseg)
    if conn.options.maxseg:
        conn.mss_clamp = conn.options.maxseg
    scaling = bool(host.sysctls.tcp_window_scaling)
    conn.rcv_wnd, conn.window_clamp, conn.rcv_shift = window.first_window(
        host, conn.options, conn.advmss, scaling
    )
    conn.rcv_ssthresh = conn.rcv_wnd
    output.sync_mss(conn, before_syn=True)
    conn.init_rcv_mss()
    conn.write_seq = conn.snd_nxt = add(iss, 1)
    conn.retrans_stamp = host.now
    flags = SYN | ECE | CWR if host.sysctls.tcp_ecn == 1 else SYN
    host.count("ActiveOpens")
    conn.set_state(State.SYN_SENT, "connect()")
    entry = Unacked(iss, b"", flags, (host.now, host.turn))
    output.transmit(conn, flags, iss, b"", reasons.SENT_SYN)
    output.queue_unacked(conn, entry)


def receive(conn: Connection, segment: Segment) -> Reason:
    """A segment in SYN_SENT, in the order of RFC 9293 section 3.10.7.3."""
    flags = segment.flags
    offer = read_syn(segment.options, conn.host.sysctls, conn.options.maxseg)
    if flags & ACK:
        return _with_ack(conn, segment, offer)
    if flags & RST:
        return reasons.SYN_SENT_RST
    if flags & SYN:
        _crossed(conn, segment, offer)
        return reasons.CROSSED_SYN
    return reasons.SYN_SENT_NO_SYN


def _with_ack(conn: Connection, segment: Segment, offer: SynOptions) -> Reason:
    host, rst = conn.host, segment.flags & RST
    if not after(segment.ack, conn.snd_una) or after(segment.ack, conn.snd_nxt):
        if conn.retransmits == 0 and host.generation.quick_syn:
            # Somebody knows this flow from before: our next SYN, at once, may find it forgotten.
            retransmit.set_timer(conn, retransmit.RETRANS, host.generation.quick_syn)
        if rst:
            return reasons.SYN_SENT_BAD_ACK_RST
        host.send_reset(segment)
        return reasons.SYN_SENT_BAD_ACK
    if not _echo_is_ours(conn, offer.timestamps):
        host.count("PAWSActive")
        if rst:
            return reasons.SYN_SENT_TSECR_RST
        host.send_reset(segment)
        return reasons.SYN_SENT_TSECR
    if rst:
        conn.reset_by_peer()
        return reasons.REFUSED
    if not segment.flags & SYN:
        return reasons.SYN_SENT_NO_SYN
    _establish(conn, segment, offer)
    return reasons.CONNECTED


def _echo_is_ours(conn: Connection, stamps: Timestamps | None) -> bool:
    """TSecr lies between the first SYN and now."""
    if stamps is None or not stamps.ecr or conn.retrans_stamp is None:
        return True
    host = conn.host
    first = host.stamp_clock(conn.retrans_stamp)
    age = host.stamp_clock() - (stamps.ecr - conn.ts_offset) & MASK
    return age <= host.stamp_clock() - first


def _establish(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    conn.ecn = segment.flags & (ECE | CWR) == ECE and conn.host.sysctls.tcp_ecn == 1
    _agree(conn, segment, offer)
    syn_entry = conn.rtx_queue[0] if conn.rtx_queue else None
    conn.undo_spurious_timeout(offer.timestamps)
    conn.snd_una = segment.ack
    conn.bytes_acked += 1
    conn.rtx_queue = None
    conn.tsecr = offer.timestamps.ecr if offer.timestamps else 0
    conn.retransmits = 0
    if syn_entry is not None and not syn_entry.repeats:
        conn.started = syn_entry.sent_at
    conn.handshake_rtt()
    conn.retrans_stamp = None
    retransmit.rearm(conn)
    _ready(conn)
    conn.undo_marker = False
    output.send_ack(conn, reasons.SENT_ACK)
    output.push_pending(conn)


def _agree(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """What the peer's SYN says, taken over."""
    conn.irs = segment.seq
    conn.rcv_nxt = conn.rcv_wup = conn.copied_seq = add(segment.seq, 1)
    conn.mss_clamp = offer.mss
    conn.sack = offer.sack
    conn.snd_wnd = segment.window
    conn.max_window = max(conn.max_window, segment.window)
    conn.snd_wl1 = segment.seq
    if offer.shift is None:
        conn.snd_shift = conn.rcv_shift = 0
        conn.window_clamp = min(conn.window_clamp, window.LARGEST_WINDOW)
    else:
        conn.snd_shift = offer.shift
    if offer.timestamps is not None:
        conn.ts_ok = True
        conn.ts_recent = offer.timestamps.val
        conn.ts_recent_at = conn.host.now


def _ready(conn: Connection) -> None:
    """ESTABLISHED (tcp_finish_connect)."""
    if conn.ts_ok:
        conn.advmss -= TIMESTAMPS_LENGTH
    output.sync_mss(conn)
    conn.init_rcv_mss()
    conn.lrcvtime = conn.host.now
    conn.set_state(State.ESTABLISHED, "SYN|ACK arrives")
    conn.init_transfer()
    conn.wake()


def _crossed(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """Simultaneous open: answer with SYN|ACK, which from now on is what is sent again."""
    own_shift = conn.rcv_shift
    _agree(conn, segment, offer)
    # The kernel keeps its own scale here, whether the peer scales or not.
    conn.rcv_shift = own_shift
    conn.set_state(State.SYN_RECV, "SYN arrives: simultaneous open")
    output.sync_mss(conn)
    conn.init_rcv_mss()
    assert conn.rtx_queue
    conn.rtx_queue.sack = conn.sack
    entry = conn.rtx_queue[0]
    entry.flags = SYN | ACK
    output.transmit(conn, entry.flags, conn.iss, b"", reasons.SENT_SYN_ACK_CROSSED)
