"""What a connection sends: segments with their headers, data as windows allow, FIN, ACK and RST.

tcp_output.c: __tcp_transmit_skb, tcp_write_xmit, tcp_send_fin, __tcp_send_ack (Linux 6.18).
Data waits in `unsent` and moves to `rtx_queue`, the scoreboard, piece by piece.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tcpemu.stack import acks, reasons, retransmit, usage
from tcpemu.stack.events import Reason
from tcpemu.stack.options import DEFAULT_MSS, TIMESTAMPS_LENGTH, established_options, syn_options
from tcpemu.stack.recovery_state import CaState
from tcpemu.stack.scoreboard import Scoreboard, Unacked
from tcpemu.stack.seq import MASK, add, after, before, distance
from tcpemu.stack.states import State
from tcpemu.stack.units import MICROSECOND, MILLISECOND
from tcpemu.stack.window import select_window
from tcpemu.wire.options import Option, Timestamps
from tcpemu.wire.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_LEAST_SENT_MSS = 48
_ECT0 = 2
_SYN_ACK = SYN | ACK
_LARGEST_PIECE = 65_200
_WINDOW_SHARES = 3
"""Of so many parts of the window one is enough to be sent at once (tcp_tso_win_divisor)."""


# --- one segment ----------------------------------------------------------------------------------


def transmit_piece(conn: Connection, entry: Unacked, reason: Reason) -> None:
    """Send a piece segment by segment; the last of several is marked PSH."""
    if entry.pcount == 1:
        transmit(conn, entry.flags, entry.seq, entry.payload, reason, entry.repeats)
        return
    options = _options(conn)
    for start in range(0, len(entry.payload), entry.mss):
        flags = entry.flags & ~(FIN | PSH)
        if start + entry.mss >= len(entry.payload):
            flags = entry.flags | PSH
        payload = entry.payload[start : start + entry.mss]
        transmit(conn, flags, add(entry.seq, start), payload, reason, entry.repeats, options)


def transmit(
    conn: Connection,
    flags: int,
    seq: int,
    payload: bytes,
    reason: Reason,
    repeat: int = 0,
    options: tuple[Option, ...] | None = None,
) -> None:
    """Give one segment to the network with the headers that belong to it (__tcp_transmit_skb)."""
    host = conn.host
    tos = conn.options.tos
    if flags & SYN:
        window = _syn_window(conn, flags, repeat)
        options = own_syn_options(conn, flags)
    else:
        window = select_window(conn)
        options = _options(conn) if options is None else options
        if conn.ecn:
            if payload and not repeat:
                tos |= _ECT0
                flags |= _says_reduced(conn)
            if conn.demand_cwr:
                flags |= ECE
    host.send(
        Segment(
            conn.local,
            conn.local_port,
            conn.remote,
            conn.remote_port,
            seq,
            conn.rcv_nxt if flags & ACK else 0,
            flags,
            window,
            options,
            payload,
            0,
            conn.options.ttl or host.sysctls.ip_default_ttl,
            tos,
            conn.ip_id,
            host.generation.wire.dont_fragment or not flags & SYN,
        ),
        reason,
        repeat,
        not repeat and flags & _SYN_ACK != _SYN_ACK,
    )
    conn.ip_id = conn.ip_id + 1 & 0xFFFF
    if payload:
        _data_sent(conn)
    if flags & ACK:
        acks.sent(conn)


def _syn_window(conn: Connection, flags: int, repeat: int) -> int:
    """The window of a SYN: some kernels' first, or repeated, one has another than their SYN|ACK."""
    wire = conn.host.generation.wire
    own = 0 if flags & ACK else wire.syn_again_window if repeat else wire.syn_window
    return own or min(conn.rcv_wnd, 65535)


def _says_reduced(conn: Connection) -> int:
    """CWR on the first new data after the window came down (RFC 3168; tcp_ecn_send)."""
    board = conn.rtx_queue
    if board is None or not board.recovery.queue_cwr:
        return 0
    board.recovery.queue_cwr = False
    return CWR


def _data_sent(conn: Connection) -> None:
    """Data sent soon after data came in makes a conversation (tcp_event_data_sent)."""
    if conn.host.now - conn.lrcvtime < conn.ato:
        conn.pingpong = min(conn.pingpong + 1, 255)


def _stamps(conn: Connection) -> Timestamps:
    return Timestamps(conn.host.stamp_clock() + conn.ts_offset & MASK, conn.ts_recent)


def _options(conn: Connection) -> tuple[Option, ...]:
    blocks = conn.sacks
    if conn.dsack is not None:
        blocks, conn.dsack = (conn.dsack, *blocks), None
    return established_options(_stamps(conn) if conn.ts_ok else None, blocks)


def own_syn_options(conn: Connection, flags: int) -> tuple[Option, ...]:
    """The options of an active open's SYN, and of its SYN|ACK when SYNs cross: all that we can (tcp_syn_options)."""
    sysctls, wire = conn.host.sysctls, conn.host.generation.wire
    plain = wire.plain_syn and not flags & ACK
    stamps = None
    if sysctls.tcp_timestamps and not plain:
        stamps = Timestamps(
            conn.host.stamp_clock() + conn.ts_offset & MASK, conn.ts_recent if flags & ACK else 0
        )
    shift = conn.rcv_shift if sysctls.tcp_window_scaling and not plain else None
    own_mss = conn.host.advertised_mss(conn.options.maxseg)
    order = wire.syn_ack_order or wire.order if flags & ACK else wire.order
    return syn_options(own_mss, shift, bool(sysctls.tcp_sack), stamps, order)


def acceptable_seq(conn: Connection) -> int:
    """The number for a segment without data: not beyond the peer's window (tcp_acceptable_seq)."""
    edge = add(conn.snd_una, conn.snd_wnd)
    if not before(edge, conn.snd_nxt) or (
        distance(edge, conn.snd_nxt) < 1 << conn.rcv_shift and conn.rcv_shift
    ):
        return conn.snd_nxt
    return edge


def send_ack(conn: Connection, reason: Reason) -> None:
    """An ACK alone (__tcp_send_ack)."""
    if conn.state is not State.CLOSE:
        transmit(conn, ACK, acceptable_seq(conn), b"", reason)


def send_active_reset(conn: Connection) -> None:
    """Tell the peer that it is over (tcp_send_active_reset)."""
    conn.host.count("OutRsts")
    transmit(conn, RST | ACK, acceptable_seq(conn), b"", reasons.SENT_ACTIVE_RST)


# --- data -----------------------------------------------------------------------------------------


def sync_mss(conn: Connection, before_syn: bool = False) -> None:
    """The payload of a full segment (tcp_sync_mss)."""
    timestamps = conn.ts_ok or (before_syn and bool(conn.host.sysctls.tcp_timestamps))
    conn.mss_cache = _full_payload(
        conn.host.mtu - conn.host.generation.wire.mss_headers, conn.mss_clamp, timestamps, conn.max_window
    )


@lru_cache(maxsize=4096)
def _full_payload(room: int, peer_mss: int, timestamps: bool, largest_window: int) -> int:
    """The peer's MSS or what the link holds, less options, and at most half of the peer's window."""
    size = max(min(room, peer_mss), _LEAST_SENT_MSS)
    header = 20
    if timestamps:
        size -= TIMESTAMPS_LENGTH
        header += TIMESTAMPS_LENGTH
    limit = largest_window >> 1 if largest_window > DEFAULT_MSS else largest_window
    if limit and size > limit:
        size = max(limit, 68 - header)
    return size


def current_mss(conn: Connection) -> int:
    """The same, less the SACK blocks that go along (tcp_current_mss)."""
    blocks = len(conn.sacks) + (conn.dsack is not None)
    return conn.mss_cache - (4 + 8 * min(blocks, 3 if conn.ts_ok else 4) if blocks else 0)


def has_unsent(conn: Connection) -> bool:
    return conn.snd_nxt != conn.write_seq


def push_pending(conn: Connection) -> None:
    """Send what may be sent now (tcp_data_snd_check)."""
    if conn.snd_nxt != conn.write_seq:
        push(conn)


def push(conn: Connection, nagle: bool = True) -> None:
    """Send what windows and Nagle allow; where nothing may go, probe the window later."""
    sent = write_xmit(conn, nagle and not conn.options.nodelay)
    if sent:
        retransmit.schedule_loss_probe(conn)
    elif not conn.rtx_queue and has_unsent(conn):
        retransmit.start_window_probes(conn)


def write_xmit(conn: Connection, nagle: bool, probe: bool = False) -> int:
    """Send segments while congestion window, peer's window and Nagle allow; how many (tcp_write_xmit).

    A tail loss probe is one piece, whatever the congestion window.
    """
    if conn.state in (State.SYN_SENT, State.SYN_RECV, State.CLOSE):
        return 0
    mss = current_mss(conn)
    most = burst(conn, mss)
    sent, defers = 0, False
    while has_unsent(conn):
        quota = min(_cwnd_quota(conn), most) or int(probe)
        if quota <= 0:
            break
        length = _allowed(conn, mss, nagle, quota)
        if length is None:
            break
        if len(conn.unsent) > mss and not probe and _defers(conn, most):
            defers = _cwnd_room(conn) < _room(conn) and _cwnd_room(conn) <= len(conn.unsent)
            break
        sent += _send_new(conn, length, mss)
        if probe:
            break
    usage.note(conn, sent, defers)
    return sent


def _cwnd_quota(conn: Connection) -> int:
    """What the congestion window lets out, at most half of it in one piece (tcp_output.c: tcp_cwnd_test)."""
    window = conn.congestion.window
    return min(max(window >> 1, 1), max(window - in_flight(conn), 0))


def _defers(conn: Connection, most: int) -> bool:
    """Wait for the next ACK, which is due, to send a larger piece then (tcp_output.c: tcp_tso_should_defer)."""
    board = conn.rtx_queue
    now = conn.host.now
    if not board or board.recovery.state >= CaState.RECOVERY or now - board.recovery.wrote_at > MILLISECOND:
        return False
    limit = min(_room(conn), _cwnd_room(conn))
    share = min(conn.snd_wnd, conn.congestion.window * conn.mss_cache) // _WINDOW_SHARES
    if limit >= most * conn.mss_cache or limit >= share:
        return False
    round_trip = (conn.srtt >> 3) * MICROSECOND
    if board[0].sent_at + round_trip - now > min(round_trip >> 1, MILLISECOND):
        return False
    return limit <= len(conn.unsent) or not conn.fin_queued


def _room(conn: Connection) -> int:
    """Octets that the peer's window takes yet."""
    return distance(conn.snd_nxt, add(conn.snd_una, conn.snd_wnd))


def _cwnd_room(conn: Connection) -> int:
    """Octets that the congestion window takes yet."""
    return (conn.congestion.window - in_flight(conn)) * conn.mss_cache


def burst(conn: Connection, mss: int) -> int:
    """Segments that go out in one piece: what a millisecond takes at the pace of the connection.

    tcp_output.c: tcp_tso_autosize; tcp_input.c: tcp_update_pacing_rate.
    """
    octets = _LARGEST_PIECE
    if conn.srtt:
        slow_start = conn.congestion.window < conn.congestion.threshold >> 1
        rate = conn.mss_cache * 80_000 * (200 if slow_start else 120)
        out = conn.rtx_queue.packets_out if conn.rtx_queue is not None else 0
        rate = rate * max(conn.congestion.window, out) // conn.srtt
        halvings = (conn.srtt >> 3) >> 9
        octets = min((rate >> 10) + (_LARGEST_PIECE >> halvings), _LARGEST_PIECE)
    return max(octets // mss, 2)


def in_flight(conn: Connection) -> int:
    """Segments under way and not taken for lost."""
    return conn.rtx_queue.in_flight if conn.rtx_queue is not None else 0


def _allowed(conn: Connection, mss: int, nagle: bool, quota: int) -> int | None:
    """Octets that may go out next, at most `quota` segments of them; None to wait.

    A window that ends inside the first segment stops it (tcp_snd_wnd_test); a longer piece may fill the
    window up (tcp_mss_split_point).
    """
    if not window_takes_next(conn):
        return None
    waiting, room = len(conn.unsent), _room(conn)
    small_waits = conn.options.cork or (nagle and _small_under_way(conn))
    if waiting <= mss:
        return None if waiting < mss and small_waits and not conn.fin_queued else waiting
    length = min(waiting, room)
    if quota * mss <= length:
        return quota * mss
    if length % mss and small_waits and not (conn.fin_queued and length == waiting):
        return length - length % mss
    return length


def window_takes_next(conn: Connection) -> bool:
    """Whether the peer's window has room for the next segment (tcp_snd_wnd_test)."""
    waiting, mss, room = len(conn.unsent), current_mss(conn), _room(conn)
    return room <= 0x7FFFFFFF and min(waiting, mss) + (waiting <= mss and conn.fin_queued) <= room


def _small_under_way(conn: Connection) -> bool:
    """A small segment is not acknowledged yet, so the next waits (RFC 9293 section 3.7.4; tcp_nagle_check)."""
    if not conn.rtx_queue:
        return False
    return after(conn.snd_sml, conn.snd_una) and not after(conn.snd_sml, conn.snd_nxt)


def _send_new(conn: Connection, length: int, mss: int, push: bool = False) -> int:
    """Send so many octets as one piece; how many segments."""
    payload, conn.unsent = conn.unsent[:length], conn.unsent[length:]
    flags = ACK | PSH if push else ACK
    if not conn.unsent:
        if payload:
            flags |= PSH
        if conn.fin_queued:
            flags |= FIN
    entry = Unacked(conn.snd_nxt, payload, flags, (conn.host.now, conn.host.turn), mss)
    conn.snd_nxt = entry.end
    transmit_piece(conn, entry, reasons.SENT_DATA if payload else reasons.SENT_FIN)
    queue_unacked(conn, entry)
    if length % mss or not length:
        conn.snd_sml = entry.end
    return entry.pcount


def queue_unacked(conn: Connection, entry: Unacked) -> None:
    """Keep a piece until it is acknowledged, with the timer running (tcp_event_new_data_sent)."""
    if conn.rtx_queue is None:
        conn.rtx_queue = Scoreboard(conn)
    idle = not conn.rtx_queue
    conn.rtx_queue.append(entry)
    conn.rtx_queue.recovery.wrote_at = entry.sent_at
    if idle or conn.pending is retransmit.LOSS_PROBE:
        retransmit.rearm(conn)


def send_fin(conn: Connection) -> None:
    """Queue FIN behind what is not sent yet, and push all of it (tcp_send_fin)."""
    conn.fin_queued = True
    conn.write_seq = add(conn.write_seq, 1)
    push(conn, nagle=False)


def send_up_to(conn: Connection, length: int) -> None:
    """Send a piece of what waits, marked PSH, to fill a small window (tcp_write_wakeup)."""
    _send_new(conn, length, max(length, 1), push=True)
