"""What a connection sends: segments with their headers, data as windows allow, FIN, ACK and RST.

tcp_output.c: __tcp_transmit_skb, tcp_write_xmit, tcp_send_fin, __tcp_send_ack (Linux 6.18).
Data waits in `unsent` and moves to `rtx_queue` segment by segment.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING

from tcpemu.stack import acks, reasons, retransmit
from tcpemu.stack.events import Reason
from tcpemu.stack.options import DEFAULT_MSS, TIMESTAMPS_LENGTH, established_options, syn_options
from tcpemu.stack.seq import MASK, add, after, before, distance
from tcpemu.stack.states import State
from tcpemu.stack.window import select_window
from tcpemu.wire.options import Option, Timestamps
from tcpemu.wire.segment import ACK, ECE, FIN, PSH, RST, SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_LEAST_SENT_MSS = 48
_ECT0 = 2
_SYN_ACK = SYN | ACK
_LARGEST_PIECE = 65_200


class Unacked:
    """A segment that was sent and is not acknowledged yet."""

    __slots__ = ("again", "end", "flags", "lost", "payload", "repeats", "sent_at", "seq")

    def __init__(self, seq: int, payload: bytes, flags: int, sent_at: int) -> None:
        self.seq = seq
        self.payload = payload
        self.flags = flags
        self.end = add(seq, len(payload) + (1 if flags & (SYN | FIN) else 0))
        self.sent_at = sent_at
        self.repeats = 0
        """Times sent again."""
        self.lost = False
        """Taken for lost, and not sent again since."""
        self.again = False
        """Sent again by the retransmission timer, and not taken for lost since."""


# --- one segment ----------------------------------------------------------------------------------


def transmit(conn: Connection, flags: int, seq: int, payload: bytes, reason: Reason, repeat: int = 0) -> None:
    """Give one segment to the network with the headers that belong to it (__tcp_transmit_skb)."""
    host = conn.host
    tos = conn.options.tos
    if flags & SYN:
        window = _syn_window(conn, flags, repeat)
        options = own_syn_options(conn, flags)
    else:
        window = select_window(conn)
        options = _options(conn)
        if conn.ecn:
            if payload and not repeat:
                tos |= _ECT0
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


def write_xmit(conn: Connection, nagle: bool, at_most: int | None = None) -> int:
    """Send segments while congestion window, peer's window and Nagle allow; how many (tcp_write_xmit)."""
    if conn.state in (State.SYN_SENT, State.SYN_RECV, State.CLOSE):
        return 0
    mss = current_mss(conn)
    sent = 0
    while has_unsent(conn) and (at_most is None or sent < at_most):
        quota = at_most or min(_cwnd_quota(conn), _burst(conn, mss))
        length = _allowed(conn, mss, nagle, quota) if quota > 0 else None
        if length is None:
            break
        sent += _send_burst(conn, length, mss)
    return sent


def _cwnd_quota(conn: Connection) -> int:
    """What the congestion window lets out, at most half of it in one piece (tcp_output.c: tcp_cwnd_test)."""
    window = conn.congestion.window
    return min(max(window >> 1, 1), window - in_flight(conn))


def _burst(conn: Connection, mss: int) -> int:
    """Segments that go out in one piece: what a millisecond takes at the pace of the connection.

    tcp_output.c: tcp_tso_autosize; tcp_input.c: tcp_update_pacing_rate.
    """
    octets = _LARGEST_PIECE
    if conn.srtt:
        slow_start = conn.congestion.window < conn.congestion.threshold >> 1
        rate = conn.mss_cache * 80_000 * (200 if slow_start else 120)
        rate = rate * max(conn.congestion.window, len(conn.rtx_queue or ())) // conn.srtt
        halvings = (conn.srtt >> 3) >> 9
        octets = min((rate >> 10) + (_LARGEST_PIECE >> halvings), _LARGEST_PIECE)
    return max(octets // mss, 2)


def in_flight(conn: Connection) -> int:
    """Segments under way and not taken for lost."""
    queue = conn.rtx_queue
    return sum(not entry.lost for entry in queue) if queue else 0


def _allowed(conn: Connection, mss: int, nagle: bool, quota: int) -> int | None:
    """Octets that may go out next, at most `quota` segments of them; None to wait.

    A window that ends inside the first segment stops it (tcp_snd_wnd_test); a longer piece may fill the
    window up (tcp_mss_split_point).
    """
    waiting = len(conn.unsent)
    room = distance(conn.snd_nxt, add(conn.snd_una, conn.snd_wnd))
    first = min(waiting, mss) + (1 if waiting <= mss and conn.fin_queued else 0)
    if room > 0x7FFFFFFF or first > room:
        return None
    small_waits = conn.options.cork or (nagle and _small_under_way(conn))
    if waiting <= mss:
        return None if waiting < mss and small_waits and not conn.fin_queued else waiting
    length = min(waiting, room)
    if quota * mss <= length:
        return quota * mss
    if length % mss and small_waits and not (conn.fin_queued and length == waiting):
        return length - length % mss
    return length


def _small_under_way(conn: Connection) -> bool:
    """A small segment is not acknowledged yet, so the next waits (RFC 9293 section 3.7.4; tcp_nagle_check)."""
    if not conn.rtx_queue:
        return False
    return after(conn.snd_sml, conn.snd_una) and not after(conn.snd_sml, conn.snd_nxt)


def _send_burst(conn: Connection, length: int, mss: int) -> int:
    """Send so many octets segment by segment; the last of several is marked PSH. How many segments."""
    sizes = [min(mss, length - start) for start in range(0, length, mss)] or [0]
    for index, size in enumerate(sizes):
        _send_new(conn, size, mss, push=0 < index == len(sizes) - 1)
    return len(sizes)


def _send_new(conn: Connection, length: int, mss: int, push: bool = False) -> None:
    payload, conn.unsent = conn.unsent[:length], conn.unsent[length:]
    flags = ACK | PSH if push else ACK
    if not conn.unsent:
        if payload:
            flags |= PSH
        if conn.fin_queued:
            flags |= FIN
    entry = Unacked(conn.snd_nxt, payload, flags, conn.host.now)
    conn.snd_nxt = entry.end
    transmit(conn, flags, entry.seq, payload, reasons.SENT_DATA if payload else reasons.SENT_FIN)
    queue_unacked(conn, entry)
    if length < mss:
        conn.snd_sml = entry.end


def queue_unacked(conn: Connection, entry: Unacked) -> None:
    """Keep a segment until it is acknowledged, with the timer running (tcp_event_new_data_sent)."""
    if conn.rtx_queue is None:
        conn.rtx_queue = deque()
    idle = not conn.rtx_queue
    conn.rtx_queue.append(entry)
    if idle or conn.pending is retransmit.LOSS_PROBE:
        retransmit.rearm(conn)


def trim(conn: Connection) -> None:
    """Forget the acknowledged start of the first segment (tcp_tso_acked)."""
    queue = conn.rtx_queue
    if queue and before(queue[0].seq, conn.snd_una):
        head = queue[0]
        head.payload = head.payload[distance(head.seq, conn.snd_una) :]
        head.seq = conn.snd_una


def send_fin(conn: Connection) -> None:
    """Queue FIN behind what is not sent yet, and push all of it (tcp_send_fin)."""
    conn.fin_queued = True
    conn.write_seq = add(conn.write_seq, 1)
    push(conn, nagle=False)


def send_up_to(conn: Connection, length: int) -> None:
    """Send a piece of what waits, marked PSH, to fill a small window (tcp_write_wakeup)."""
    _send_new(conn, length, length, push=True)
