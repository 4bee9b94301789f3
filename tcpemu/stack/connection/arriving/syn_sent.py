"""The active open: connect(), SYN_SENT, and SYNs that cross.

tcp_output.c: tcp_connect; tcp_input.c: tcp_rcv_synsent_state_process (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import MASK, add, after
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import TIMESTAMPS_LENGTH, SynOptions, default_mss, read_syn
from tcpemu.stack.connection.arriving import ack_arrives, fast_open_syn_ack
from tcpemu.stack.connection.lifetime import closing, establishing, keepalive, state_changes
from tcpemu.stack.connection.measures import (
    first_window,
    header_prediction,
    initial_numbers,
    ipv6_header,
    mtu_search,
    segment_size,
)
from tcpemu.stack.connection.measures.first_window import LARGEST_WINDOW
from tcpemu.stack.connection.sending import data_out, delayed_acks, fast_open_syn, stateless_replies, transmit
from tcpemu.stack.control import pacing_rate
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.sent_pieces import new_piece
from tcpemu.stack.recovery import congestion_states, write_timer
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, CWR, ECE, RST, SYN, Segment


def connect(conn: Connection, number: int | None = None, data: bytes = b"") -> int:
    """Send the first SYN (tcp_connect_init, tcp_connect), with this `number` where a TIME_WAIT gave one.

    With Fast Open it may carry data: how many octets of `data` it does.
    """
    host = conn.host
    iss, conn.ts.offset = initial_numbers.flow_secrets(host, conn.key)
    iss = iss if number is None else number
    conn.flow_label = ipv6_header.new_flow_label(host, conn.key, conn.options)
    if not conn.options.quickack:
        conn.ack.pingpong = conn.host.sysctls.tcp_pingpong_thresh
    conn.snd.iss = conn.snd.una = conn.snd.write_seq = conn.snd.sml = iss
    conn.rcv.advmss = segment_size.advertised_mss(host, conn.options.maxseg, conn.key[0])
    conn.snd.mss_clamp = conn.options.maxseg or default_mss(conn.key[0])
    establishing.init_rcv_mss(conn)
    scaling = bool(host.sysctls.tcp_window_scaling)
    conn.rcv.wnd, conn.rcv.window_clamp, conn.rcv.wscale = first_window.first_window(
        host, conn.options, conn.rcv.advmss, scaling
    )
    conn.rcv.ssthresh = conn.rcv.wnd
    mtu_search.begin(conn, before_syn=True)
    segment_size.sync_mss(conn, before_syn=True)
    conn.snd.write_seq = conn.snd.nxt = add(iss, 1)
    conn.rtx.retrans_stamp = host.now
    flags = SYN | ECE | CWR if _asks_for_ecn(conn) else SYN
    host.count("ActiveOpens")
    if conn.state is not State.SYN_SENT:
        state_changes.set_state(conn, State.SYN_SENT, "connect()")
    if conn.fast_open is not None:
        return fast_open_syn.send(conn, flags, data)
    entry = new_piece(iss, b"", flags, (host.now, host.turn))
    transmit.transmit(conn, flags, iss, b"", reasons.SENT_SYN)
    data_out.queue_unacked(conn, entry)
    return 0


def wait_for_data(conn: Connection) -> None:
    """connect() sends nothing before the first data, which the SYN will carry (TCP_FASTOPEN_CONNECT).

    Differs: until then the kernel's socket table shows a Send-Q that is its sequence number.
    """
    state_changes.set_state(
        conn, State.SYN_SENT, "connect() waits for data, which the SYN is to carry (Fast Open)"
    )


def _asks_for_ecn(conn: Connection) -> bool:
    """tcp_ecn_send_syn."""
    return conn.host.sysctls.tcp_ecn == 1 or conn.congestion.needs_ecn


def receive(conn: Connection, segment: Segment) -> Reason:
    """A segment in SYN_SENT, in the order of RFC 9293 section 3.10.7.3."""
    flags = segment.flags
    offer = read_syn(segment.options, conn.host.sysctls, conn.options.maxseg, conn.snd.mss_clamp)
    if flags & ACK:
        return _with_ack(conn, segment, offer)
    if flags & RST:
        return reasons.SYN_SENT_RST
    if flags & SYN:
        _crossed(conn, segment, offer)
        return reasons.CROSSED_SYN
    return reasons.SYN_SENT_NO_SYN


def _with_ack(conn: Connection, segment: Segment, offer: SynOptions) -> Reason:
    """A segment with ACK: its number first, then TSecr, RST, and at last SYN, which opens the connection."""
    host, rst = conn.host, segment.flags & RST
    if not after(segment.ack, conn.snd.una) or after(segment.ack, conn.snd.nxt):
        if conn.rtx.retransmits == 0 and host.generation.quick_syn:
            # Somebody knows this flow from before: our next SYN, at once, may find it forgotten.
            write_timer.set_timer(conn, WriteTimer.RETRANS, host.generation.quick_syn)
        if rst:
            return reasons.SYN_SENT_BAD_ACK_RST
        stateless_replies.send_reset(host, segment, conn.flow_label)
        return reasons.SYN_SENT_BAD_ACK
    if not _echo_is_ours(conn, offer.timestamps):
        host.count("PAWSActive")
        if rst:
            return reasons.SYN_SENT_TSECR_RST
        stateless_replies.send_reset(host, segment, conn.flow_label)
        return reasons.SYN_SENT_TSECR
    if rst:
        closing.reset_by_peer(conn)
        return reasons.REFUSED
    if not segment.flags & SYN:
        return reasons.SYN_SENT_NO_SYN
    _establish(conn, segment, offer)
    return reasons.CONNECTED


def _echo_is_ours(conn: Connection, stamps: Timestamps | None) -> bool:
    """TSecr lies between the first SYN and now (tcp_rcv_synsent_state_process)."""
    if stamps is None or not stamps.ecr or conn.rtx.retrans_stamp is None:
        return True
    host = conn.host
    first = host.stamp_clock(conn.rtx.retrans_stamp)
    age = host.stamp_clock() - (stamps.ecr - conn.ts.offset) & MASK
    return age <= host.stamp_clock() - first


def _establish(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """The SYN|ACK is good: ESTABLISHED, and the final ACK goes out, with data if some waits.

    Differs: Linux 6.18 takes a SYN|ACK with CWR or AE, where ECN was asked for, as one of Accurate ECN, and counts
    marks in those flags from then on, although its sysctls cannot ask for that (tcp_ecn 3 to 5 are refused). Here
    such a connection has no ECN.
    """
    conn.ecn_ok = segment.flags & (ECE | CWR) == ECE and _asks_for_ecn(conn)
    _agree(conn, segment, offer)
    if conn.fast_open is not None and conn.fast_open.syn_data:
        _syn_and_data_acked(conn, segment, offer)
    else:
        _syn_acked(conn, segment, offer)
    _ready(conn)
    conn.rtx.syn_timed_out = False
    if conn.fast_open is not None and not fast_open_syn_ack.take(conn, segment, offer):
        data_out.push_pending(conn)
        return
    more_waits = conn.fast_open is not None and conn.fast_open.more_waits
    if more_waits or delayed_acks.interactive(conn) or conn.options.defer_periods:
        # The ACK may go with the data that comes soon (a call that waits, TCP_QUICKACK 0, TCP_DEFER_ACCEPT).
        delayed_acks.wait_for_data(conn)
    else:
        transmit.send_ack(conn, reasons.SENT_ACK)
    data_out.push_pending(conn)


def _syn_and_data_acked(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """The same as any acknowledgment does, for not only the SYN is under way (tcp_ack)."""
    board = conn.scoreboard
    assert board is not None
    board.sack = conn.sack_ok
    establishing.undo_spurious_timeout(conn, offer.timestamps)
    if not conn.rtx.syn_timed_out:
        board.recovery.undo_marker = None
    conn.ts.ecr = offer.timestamps.ecr if offer.timestamps else 0
    ack_arrives.process(conn, segment, offer.timestamps)


def _syn_acked(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """What the acknowledgment of the SYN does."""
    syn_entry = conn.scoreboard[0] if conn.scoreboard else None
    in_loss = conn.scoreboard is not None and conn.scoreboard.recovery.state is CaState.LOSS
    establishing.undo_spurious_timeout(conn, offer.timestamps)
    conn.snd.una = segment.ack
    conn.snd.bytes_acked += 1
    if conn.scoreboard is not None:
        conn.scoreboard.sent_order.unlink()
    conn.scoreboard = None
    conn.ts.ecr = offer.timestamps.ecr if offer.timestamps else 0
    conn.rtx.retransmits = 0
    if syn_entry is not None and not syn_entry.repeats:
        conn.rtt.handshake_began = syn_entry.sent_at
    establishing.handshake_rtt(conn)
    conn.rtx.retrans_stamp = None
    write_timer.rearm(conn)
    if in_loss and not conn.sack_ok:
        _stay_in_loss(conn)
    elif in_loss:
        congestion_states.end_rto_time(conn)


def _stay_in_loss(conn: Connection) -> None:
    """Without SACK the state that a SYN's time-out began lasts until more than the SYN is acknowledged.

    tcp_input.c: tcp_is_non_sack_preventing_reopen.
    """
    congestion_states.new_scoreboard(conn)
    assert conn.scoreboard is not None
    conn.scoreboard.recovery.state = CaState.LOSS
    conn.scoreboard.recovery.high_seq = conn.snd.una


def _agree(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """What the peer's SYN says, taken over."""
    conn.rcv.irs = segment.seq
    conn.rcv.nxt = conn.rcv.wup = conn.rcv.copied_seq = add(segment.seq, 1)
    conn.snd.mss_clamp = offer.mss
    conn.sack_ok = offer.sack
    conn.snd.agreed, conn.snd.scaled = True, offer.shift is not None
    conn.snd.wnd = segment.window
    conn.snd.max_window = max(conn.snd.max_window, segment.window)
    conn.snd.wl1 = segment.seq
    if offer.shift is None:
        conn.snd.wscale = conn.rcv.wscale = 0
        conn.rcv.window_clamp = min(conn.rcv.window_clamp, LARGEST_WINDOW)
    else:
        conn.snd.wscale = offer.shift
    if offer.timestamps is not None:
        conn.ts.ok = True
        conn.ts.recent = offer.timestamps.val
        conn.ts.recent_at = conn.host.now


def _ready(conn: Connection) -> None:
    """ESTABLISHED (tcp_finish_connect)."""
    if conn.ts.ok:
        conn.rcv.advmss -= TIMESTAMPS_LENGTH
    if conn.snd.wnd:
        segment_size.sync_mss(conn, before_syn=True)
    pacing_rate.update(conn)  # it goes by what the SYN had room for (tcp_ack)
    segment_size.sync_mss(conn)
    establishing.init_rcv_mss(conn)
    conn.ack.last_data_at = conn.host.tick(conn.host.now)
    state_changes.set_state(conn, State.ESTABLISHED, "SYN|ACK arrives")
    establishing.init_transfer(conn)
    if conn.scoreboard is not None:
        conn.scoreboard.recovery.wrote_at = conn.host.now
    keepalive.begin(conn)
    if not conn.snd.wscale:
        header_prediction.switch_on(conn)
    conn.host.wake(conn.socket)


def _crossed(conn: Connection, segment: Segment, offer: SynOptions) -> None:
    """Simultaneous open: answer with SYN|ACK, which from now on is what is sent again."""
    own_shift = conn.rcv.wscale
    _agree(conn, segment, offer)
    # The kernel keeps its own scale here, whether the peer scales or not.
    conn.rcv.wscale = own_shift
    state_changes.set_state(conn, State.SYN_RECV, "SYN arrives: simultaneous open")
    segment_size.sync_mss(conn)
    establishing.init_rcv_mss(conn)
    conn.ack.last_data_at = -conn.host.uptime(0)  # never yet: since the machine started
    assert conn.scoreboard
    conn.scoreboard.sack = conn.sack_ok
    entry = conn.scoreboard[0]
    entry.flags = SYN | ACK
    entry.sent_at = conn.host.now  # a round trip is measured from here
    transmit.transmit(conn, entry.flags, conn.snd.iss, b"", reasons.SENT_SYN_ACK_CROSSED)
