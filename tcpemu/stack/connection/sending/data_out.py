"""What may be sent now: data as both windows, Nagle and the pace allow; PSH where a buffer ends, and then FIN.

Data waits in the buffers of `snd.queue`, which send() fills (`write_buffers.py`), and moves to the scoreboard piece by
piece. A piece is what the kernel would give to the network card at once (TSO): several segments, if the windows let
them out and a millisecond at the connection's pace takes them (`pacing_rate.py`). Where pieces end shows on the wire,
for the last segment of each has PSH, and in what is sent again. For each piece, in the kernel's order: is there room
in the congestion window (`_cwnd_quota`), in the peer's window, and does Nagle let it go; would a larger piece go soon
(`_defers`).

tcp_output.c: tcp_write_xmit, tcp_nagle_check, tcp_tso_should_defer, tcp_send_fin (Linux 6.18).
"""

from __future__ import annotations

from collections import deque

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import add, after, distance
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.connection.measures import segment_size, send_buffer_space
from tcpemu.stack.connection.sending import mtu_probe, pacing, probe_timers, transmit
from tcpemu.stack.control import busy_times, cwnd_validation, delivery_rate, pacing_rate
from tcpemu.stack.control.cwnd_changes import with_cwnd
from tcpemu.stack.records.connection import Connection, MtuSearch, WriteTimer
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.send_buffer import SendBuffer
from tcpemu.stack.records.sent_pieces import Unacked, new_piece
from tcpemu.stack.recovery import congestion_states, write_timer
from tcpemu.wire.segment import ACK, FIN, PSH

_RECOVERY, _LOSS_PROBE = CaState.RECOVERY, WriteTimer.LOSS_PROBE
_SENDS_NOTHING = (*OPENING, State.CLOSE)

_MOST_DEFERRED = 3
"""Segments for which a piece waits, where no share of the window is said (tcp_max_tso_deferred_mss)."""


def push_pending(conn: Connection) -> None:
    """Send what may be sent now (tcp_data_snd_check)."""
    if conn.snd.has_unsent:
        push(conn)


def push(conn: Connection, nagle: bool = True, cork: bool = False) -> None:
    """Send what windows and Nagle allow; where nothing may go, probe the window later."""
    if not write_xmit(conn, nagle, cork=cork) and not conn.scoreboard and conn.snd.has_unsent:
        probe_timers.start_window_probes(conn)


def write_xmit(
    conn: Connection, nagle: bool, probe: bool = False, one: bool = False, cork: bool = False
) -> int:
    """Send segments while congestion window, peer's window and Nagle allow; how many (tcp_write_xmit).

    Without `nagle` neither Nagle's rule nor a cork holds anything back (TCP_NAGLE_OFF); with `cork` a part of a segment
    waits, as with TCP_CORK. A tail loss probe is one piece, whatever the congestion window; `one` stops after a piece
    too.
    """
    if conn.state in _SENDS_NOTHING and not conn.opened_early:
        return 0
    snd = conn.snd
    mss = segment_size.current_mss(conn)
    if conn.scoreboard is None:
        pacing_rate.begin(conn)
    sent = _look_for_mtu(conn, probe or one)
    if sent < 0:
        return 0
    defers = full = False
    most = pacing_rate.burst(conn, mss)
    while snd.has_unsent and not (snd.paced and pacing.must_wait(conn)):
        quota = min(_cwnd_quota(conn), most) or int(probe or _fin_is_free(conn))
        if quota <= 0:
            break
        _grow_head(conn, quota * mss)
        waiting = snd.head_length
        if not _window_takes(conn, waiting, mss):
            full = True
            break
        if waiting <= mss:
            if nagle and waiting < mss and _last_waits(conn, cork):
                snd.held = snd.held or not (cork or conn.options.cork)
                break
        elif not (probe or one) and _defers(conn, most):
            defers = _cwnd_room(conn) < window_room(conn) and _cwnd_room(conn) <= waiting
            break
        gone = _send_new(conn, _split_point(conn, mss, quota, nagle, cork), mss)
        sent += gone
        if probe or one or not gone:
            break
    busy_times.window_found(conn, full)
    cwnd_validation.validate(conn, sent, defers)
    if sent and not probe:
        probe_timers.schedule_loss_probe(conn)
    return sent


def _grow_head(conn: Connection, wanted: int) -> None:
    """Fill the first buffer up out of the one behind it, since Linux 6.10 (tcp_grow_skb)."""
    queue = conn.snd.queue
    if queue is None or len(queue) < 2 or not conn.host.generation.sending.fills_first:
        return
    head, following = queue[0], queue[1]
    if len(head.payload) >= wanted or head.eor:
        return
    part = wanted - len(head.payload)
    head.payload += following.payload[:part]
    following.payload = following.payload[part:]
    if not following.payload:
        head.push = head.push or following.push
        head.eor = following.eor
        del queue[1]


def _fin_is_free(conn: Connection) -> bool:
    """Whether nothing but a FIN waits, which before Linux 6.10 the congestion window does not hold back."""
    return conn.snd.fin_queued and not conn.host.generation.sending.fin_needs_room and conn.snd.unsent <= 0


def _cwnd_quota(conn: Connection) -> int:
    """What the congestion window lets out, at most half of it in one piece (tcp_output.c: tcp_cwnd_test)."""
    window = conn.congestion.cwnd
    return min(max(window >> 1, 1), max(window - in_flight(conn), 0))


def _defers(conn: Connection, most: int) -> bool:
    """Wait for the next ACK, which is due, to send a larger piece then (tcp_output.c: tcp_tso_should_defer)."""
    board = conn.scoreboard
    now = conn.host.now
    if not board or board.recovery.state >= _RECOVERY or now - conn.snd.departed_at > MILLISECOND:
        return False
    limit = min(window_room(conn), _cwnd_room(conn))
    if limit >= most * conn.snd.mss_cache or _is_large_share(conn, limit):
        return False
    if not _ack_is_due(conn, now - board[0].sent_at):
        return False
    return limit <= conn.snd.head_length or not (
        (conn.snd.fin_queued and conn.snd.head_is_last) or conn.snd.head_ends_record
    )


def _ack_is_due(conn: Connection, age: int) -> bool:
    """Whether the next ACK is near: so long ago left what it is for."""
    round_trip = (conn.rtt.srtt >> 3) * MICROSECOND
    if conn.host.generation.sending.ack_is_due_by_round_trip:
        return round_trip - age <= min(round_trip >> 1, MILLISECOND)
    return age >= (conn.rtt.srtt >> 4) * MICROSECOND


def _is_large_share(conn: Connection, limit: int) -> bool:
    """Whether a piece as large as `limit` need not wait for more (tcp_tso_win_divisor)."""
    shares = conn.host.sysctls.tcp_tso_win_divisor
    if shares:
        return limit >= min(conn.snd.wnd, conn.congestion.cwnd * conn.snd.mss_cache) // shares
    return limit > _MOST_DEFERRED * conn.snd.mss_cache


def window_room(conn: Connection) -> int:
    """Octets for which the peer's window still has room."""
    return distance(conn.snd.nxt, conn.snd.window_end)


def _cwnd_room(conn: Connection) -> int:
    """Octets for which the congestion window still has room."""
    return (conn.congestion.cwnd - in_flight(conn)) * conn.snd.mss_cache


def in_flight(conn: Connection) -> int:
    """Segments in the network: under way, and neither SACKED nor lost (tcp.h: tcp_packets_in_flight)."""
    return conn.scoreboard.in_flight if conn.scoreboard is not None else 0


def _split_point(conn: Connection, mss: int, quota: int, nagle: bool, cork: bool) -> int:
    """Octets of the first buffer that go out as one piece, at most `quota` segments (tcp_mss_split_point).

    While urgent data is not acknowledged each segment is a piece of its own (tcp_write_xmit).
    """
    if conn.snd.up is not None:
        quota = 1
    waiting, room, most = conn.snd.head_length, window_room(conn), quota * mss
    if waiting <= mss:
        return waiting
    length = min(waiting, room)
    if most <= length:
        return most
    if (
        length % mss
        and nagle
        and _small_waits(conn, cork)
        and not (conn.snd.head_is_last and length == waiting and conn.snd.fin_queued)
    ):
        return length - length % mss
    return length


def _last_waits(conn: Connection, cork: bool) -> bool:
    """Whether the last segment, which is small, is held back; a FIN takes it along (tcp_nagle_test)."""
    snd = conn.snd
    return snd.head_is_last and not snd.fin_queued and _small_waits(conn, cork)


def _small_waits(conn: Connection, cork: bool) -> bool:
    """Whether a small segment is held back: by TCP_CORK or MSG_MORE, or by Nagle's rule (tcp_nagle_test)."""
    if cork:
        return conn.snd.up is None
    if conn.snd.nagle_push or conn.snd.up is not None:
        return False
    return conn.options.cork or (not conn.options.nodelay and _small_under_way(conn))


def window_takes_next(conn: Connection) -> bool:
    """Whether the peer's window has room for the next segment (tcp_snd_wnd_test)."""
    return _window_takes(conn, conn.snd.head_length, segment_size.current_mss(conn))


def _window_takes(conn: Connection, waiting: int, mss: int) -> bool:
    room = window_room(conn)
    fin = conn.snd.fin_queued and waiting <= mss and conn.snd.head_is_last
    # More than half of all numbers is a negative distance: SND.NXT lies beyond a window that was taken back.
    return room <= 0x7FFFFFFF and min(waiting, mss) + fin <= room


def _small_under_way(conn: Connection) -> bool:
    """A small segment is not acknowledged yet, so the next waits (RFC 9293 section 3.7.4; tcp_nagle_check)."""
    # As Minshall has it: only a small segment holds the next one back, not a full one (tcp_minshall_check).
    if not conn.scoreboard:
        return False
    return after(conn.snd.sml, conn.snd.una) and not after(conn.snd.sml, conn.snd.nxt)


def _send_new(conn: Connection, length: int, mss: int, push: bool = False) -> int:
    """Send the next `length` octets as one piece; how many segments that took, 0 where the device takes none."""
    snd, host = conn.snd, conn.host
    ends_record = snd.head_ends_record and length == snd.head_length
    payload, flags = _take(conn, length)
    if push:
        flags |= PSH
    at = max(host.now, snd.departed_at)
    entry = new_piece(snd.nxt, payload, flags, (at, host.turn), mss)
    entry.eor = ends_record
    if payload:
        _sending_starts(conn)
    transmit.transmit_piece(conn, entry, _why(conn, payload))
    if host.takes_nothing:
        _put_back(conn, entry)
        return 0
    snd.nxt = entry.end
    queue_unacked(conn, entry)
    if (length % mss or not length) and not push:
        snd.sml = entry.end  # a probe holds nothing back afterwards (tcp_minshall_update is not asked)
    return entry.pcount


def _put_back(conn: Connection, entry: Unacked) -> None:
    """The device has not taken a piece: it waits again, before all others, as a buffer of its own."""
    snd = conn.snd
    if entry.payload:
        if snd.queue is None:
            snd.queue = deque()
        snd.queue.appendleft(SendBuffer(entry.payload, bool(entry.flags & PSH), entry.eor))


def _look_for_mtu(conn: Connection, single: bool) -> int:
    """Send a probe of the path's MTU if one is due; how many segments that took, -1 where it waits for room."""
    search = conn.snd.mtu_search
    if search is None or single:
        return 0
    size = mtu_probe.wanted(conn, search)
    if size == mtu_probe.WAIT:
        return -1
    if size > 0:
        return _send_mtu_probe(conn, search, size)
    return 0


def _send_mtu_probe(conn: Connection, search: MtuSearch, size: int) -> int:
    """Send so much of what waits as one segment, in place of two of the window's; 1, -1 where the device takes none.

    tcp_mtu_probe.
    """
    snd, host = conn.snd, conn.host
    payload, flags = b"", ACK
    whole, part = True, b""
    while len(payload) < size:
        length = min(size - len(payload), snd.head_length)
        whole = length == snd.head_length
        part, those = _take(conn, length)
        payload += part
        flags |= those
    entry = new_piece(snd.nxt, payload, flags, (max(host.now, snd.departed_at), host.turn), size)
    _sending_starts(conn)
    transmit.transmit_piece(conn, entry, reasons.SENT_MTU_PROBE)
    if host.takes_nothing:
        _put_back(conn, entry)
        return -1
    snd.nxt = entry.end
    if not whole:
        search.held.append((snd.nxt, len(part)))
    conn.congestion = with_cwnd(conn.congestion, conn.congestion.cwnd - 1)
    queue_unacked(conn, entry)
    mtu_probe.sent(search, conn, entry.seq, size)
    return 1


def _why(conn: Connection, payload: bytes) -> Reason:
    """Why new data goes out now; what Nagle's algorithm held back goes with it."""
    held, conn.snd.held = conn.snd.held, False
    if not payload:
        return reasons.SENT_FIN
    return reasons.SENT_HELD_DATA if held else reasons.SENT_DATA


def _take(conn: Connection, length: int) -> tuple[bytes, int]:
    """Octets off the first buffer, and the flags that go with them: PSH and FIN belong to its end (tcp_fragment)."""
    queue, flags, payload = conn.snd.queue, ACK, b""
    if queue:
        head = queue[0]
        payload = head.payload
        if length < len(payload):
            payload, head.payload = payload[:length], payload[length:]
            return payload, flags
        queue.popleft()
        flags |= PSH if head.push else 0
    if conn.snd.fin_queued and not queue:
        flags |= FIN
    return payload, flags


def _sending_starts(conn: Connection) -> None:
    """Tell the congestion control of data that goes out while nothing is under way (tcp_event_data_sent)."""
    board = conn.scoreboard
    if board is None or board.in_flight:
        return
    if conn.congestion.controls:
        path = delivery_rate.path_of(conn, board)
        conn.congestion = conn.congestion.sending_restarts(path)
        delivery_rate.take_over(conn, board, path)
    else:
        jiffy = conn.host.jiffy
        conn.congestion = conn.congestion.sending_starts(
            conn.host.now // jiffy, board.recovery.wrote_at // jiffy
        )


def queue_unacked(conn: Connection, entry: Unacked) -> None:
    """Keep a piece until it is acknowledged, with the timer running (tcp_event_new_data_sent)."""
    board = conn.scoreboard
    if board is None:
        board = congestion_states.new_scoreboard(conn)
    idle = not board.queue
    board.append(entry)
    if entry.payload:
        board.recovery.wrote_at = entry.sent_at
    if idle or conn.rtx.timer_is_for is _LOSS_PROBE:
        write_timer.rearm(conn)
    if conn.snd.no_space:
        send_buffer_space.space_may_have_come(conn)


def send_fin(conn: Connection) -> None:
    """Queue FIN after what is not sent yet, and push all of it (tcp_send_fin)."""
    if not conn.snd.queue and not conn.snd.busy_with:
        busy_times.start(conn, busy_times.BUSY)
    conn.snd.fin_queued = True
    conn.snd.write_seq = add(conn.snd.write_seq, 1)
    push(conn, nagle=False)


def send_up_to(conn: Connection, length: int) -> None:
    """Send a piece of what waits, marked PSH, to fill a small window (tcp_write_wakeup)."""
    end = add(conn.snd.nxt, conn.snd.head_length)
    if after(end, conn.snd.pushed_seq):
        conn.snd.pushed_seq = end
    _send_new(conn, min(length, conn.snd.head_length), max(length, 1), push=True)
