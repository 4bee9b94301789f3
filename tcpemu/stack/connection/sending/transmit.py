"""One segment of a connection leaves, with the headers that belong to it: data, ACK, RST, SYN.

tcp_output.c: __tcp_transmit_skb, __tcp_send_ack, tcp_send_active_reset (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import IPV4_LENGTH
from tcpemu.stack.base.sequence_numbers import add, after, before, distance
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import established_options, syn_options, with_fast_open
from tcpemu.stack.connection.measures import ipv6_header, segment_size
from tcpemu.stack.connection.measures.receive_window import select_window
from tcpemu.stack.connection.sending import pacing
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import ATO_MIN, SCHEDULED
from tcpemu.stack.records.fast_open import FastOpenState
from tcpemu.stack.records.sent_pieces import Unacked
from tcpemu.stack.recovery import congestion_states
from tcpemu.wire.options import FastOpen, Option, Timestamps, timestamps
from tcpemu.wire.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment, make_segment

_ECT0 = 2
_SYN_ACK = SYN | ACK


def transmit_piece(conn: Connection, entry: Unacked, reason: Reason) -> None:
    """Send a piece segment by segment; the last of several has PSH, and FIN if there is one.

    It has not left where the device takes nothing (`HostServices.takes_nothing`).
    """
    prior = conn.snd.departed_at
    if entry.pcount == 1:
        transmit(conn, entry.flags, entry.seq, entry.payload, reason, entry.repeats)
        if conn.snd.paced and not conn.host.takes_nothing:
            pacing.departed(conn, entry, prior)
        return
    conn.snd.departed_at = max(prior, conn.host.now)
    options = _options(conn)
    urgent = _urgent_pointer(conn, entry.seq) if conn.snd.up is not None else 0
    for start in range(0, len(entry.payload), entry.mss):
        flags = entry.flags & ~(FIN | PSH)
        if start + entry.mss >= len(entry.payload):
            # The kernel sets PSH on whatever is several segments, so that the peer's GRO passes it on at once.
            flags = entry.flags | PSH if conn.host.generation.sending.pushes_pieces else entry.flags
        payload = entry.payload[start : start + entry.mss]
        # Each segment of a piece has the first one's urgent pointer: that is how the kernel cuts it.
        transmit(conn, flags, add(entry.seq, start), payload, reason, entry.repeats, options, urgent)
    if conn.snd.paced and not conn.host.takes_nothing:
        pacing.departed(conn, entry, prior)


def transmit(
    conn: Connection,
    flags: int,
    seq: int,
    payload: bytes,
    reason: Reason,
    repeat: int = 0,
    options: tuple[Option, ...] | None = None,
    urgent: int = -1,
    ack: int = -1,
) -> None:
    """Give one segment to the network with the headers that belong to it (__tcp_transmit_skb).

    An `ack` other than RCV.NXT repeats what had been received earlier; then an ACK is still owed.
    """
    host, snd = conn.host, conn.snd
    if snd.departed_at < host.now:
        snd.departed_at = host.now
    remote, remote_port, local, local_port = conn.key
    ip_id, df = conn.ip_id, True
    if len(remote) == IPV4_LENGTH:
        tos, ttl = conn.options.tos, conn.options.ttl or host.sysctls.ip_default_ttl
        df = snd.df and (host.generation.wire.dont_fragment or not flags & SYN)
        conn.ip_id = ip_id + 1 & 0xFFFF
    else:
        tos, ttl = conn.options.tclass, ipv6_header.hop_limit(host, conn.options)
    if flags & SYN:
        window = _syn_window(conn, flags, repeat)
        options = own_syn_options(conn, flags)
    else:
        window = select_window(conn)
        options = _options(conn) if options is None else options
        if conn.ecn_ok:
            if payload and not repeat:
                tos |= _ECT0
                flags |= _says_reduced(conn)
            if conn.ack.demand_cwr:
                flags |= ECE
    if snd.up is not None and urgent < 0:
        urgent = _urgent_pointer(conn, seq)
    flags |= URG if urgent > 0 else 0
    acknowledged = ack
    if ack < 0:
        acknowledged = conn.rcv.nxt if flags & ACK else 0
    segment = make_segment(
        local, local_port, remote, remote_port, seq, acknowledged, flags, window, options,
        payload, max(urgent, 0), ttl, tos, ip_id, df, 0, b"", conn.flow_label,
    )  # fmt: skip
    snd.segs_out += 1
    _give(conn, segment, reason, repeat)
    if payload:
        snd.bytes_sent += len(payload)
        _data_sent(conn)
    if flags & ACK:
        _ack_sent(conn, ack < 0)


def _give(conn: Connection, segment: Segment, reason: Reason, repeat: int) -> None:
    """The segment leaves by the route that there is now (ip_output.c: __ip_queue_xmit)."""
    host = conn.host
    conn.no_route = False
    if host.with_old_route:
        host.with_old_route.pop(conn, None)
    host.send(segment, reason, repeat, not repeat and segment.flags & _SYN_ACK != _SYN_ACK)
    if host.takes_nothing:
        # Congestion of the host's own device is congestion too.
        board = conn.scoreboard
        if board is None:
            board = congestion_states.new_scoreboard(conn)
        congestion_states.enter_cwr(conn, board)


def _urgent_pointer(conn: Connection, seq: int) -> int:
    """The urgent pointer of a segment that begins there; 0 for none (__tcp_transmit_skb)."""
    up = conn.snd.up
    assert up is not None
    if not before(seq, up):
        return 0
    if before(up, add(seq, 0x10000)):
        return distance(seq, up)
    return 0xFFFF if after(add(seq, 0xFFFF), conn.snd.nxt) else 0


def _syn_window(conn: Connection, flags: int, repeat: int) -> int:
    """The window of a SYN: some kernels' first, or repeated, one has another than their SYN|ACK."""
    wire = conn.host.generation.wire
    own = 0 if flags & ACK else wire.syn_again_window if repeat else wire.syn_window
    return own or min(conn.rcv.wnd, 65535)


def _says_reduced(conn: Connection) -> int:
    """CWR on the first new data after the window came down (RFC 3168; tcp_ecn_send)."""
    board = conn.scoreboard
    if board is None or not board.recovery.queue_cwr:
        return 0
    board.recovery.queue_cwr = False
    return CWR


def _data_sent(conn: Connection) -> None:
    """Data sent soon after data came in: the conversation goes back and forth, so ACKs may wait for data.

    tcp_output.c: tcp_event_data_sent; inet_csk_inc_pingpong_cnt.
    """
    conn.snd.data_segs_out += 1
    ack = conn.ack
    if conn.host.tick(conn.host.now) - ack.last_data_at < ack.ato and ack.pingpong < 255:
        ack.pingpong += 1


def _ack_sent(conn: Connection, all_of_it: bool) -> None:
    """An ACK has gone, alone or with data (tcp_output.c: tcp_event_ack_sent)."""
    ack = conn.ack
    if ack.compressed:
        conn.host.count("TCPAckCompressed", ack.compressed)
        ack.compressed = 0
        if conn.compression_timer is not None:
            conn.host.timers.cancel(conn.compression_timer)
    if not all_of_it:
        return
    if ack.quick:
        if ack.quick <= (1 if ack.pending & SCHEDULED else 0):
            ack.quick = 0
            ack.ato = ATO_MIN
        elif ack.pending & SCHEDULED:
            ack.quick -= 1
    ack.pending = 0
    if conn.delayed_ack_timer is not None:
        conn.host.timers.cancel(conn.delayed_ack_timer)


def _stamps(conn: Connection) -> Timestamps:
    snd, at = conn.snd, conn.ts.clock_at
    if snd.departed_at > conn.host.now:
        at = snd.departed_at
    return timestamps(conn.host.tsval(conn.ts.offset, at), conn.ts.recent)


def _options(conn: Connection) -> tuple[Option, ...]:
    blocks = conn.rcv.sacks
    if conn.rcv.dsack is not None:
        blocks, conn.rcv.dsack = (conn.rcv.dsack, *blocks), None
    return established_options(_stamps(conn) if conn.ts.ok else None, blocks)


def own_syn_options(conn: Connection, flags: int) -> tuple[Option, ...]:
    """The options of an active open's SYN, and of its SYN|ACK when SYNs cross: all that we can (tcp_syn_options)."""
    sysctls, wire = conn.host.sysctls, conn.host.generation.wire
    plain = wire.plain_syn and not flags & ACK
    stamps = None
    if sysctls.tcp_timestamps and not plain:
        stamps = Timestamps(conn.host.tsval(conn.ts.offset, conn.ts.clock_at), conn.ts.recent)
    shift = conn.rcv.wscale if sysctls.tcp_window_scaling and not plain else None
    own_mss = segment_size.advertised_mss(conn.host, conn.options.maxseg, conn.key[0])
    conn.rcv.advmss = own_mss = min(conn.rcv.advmss, own_mss)
    order = wire.syn_ack_order or wire.order if flags & ACK else wire.order
    options = syn_options(own_mss, shift, bool(sysctls.tcp_sack), stamps, order)
    if conn.fast_open is not None and conn.fast_open.option is not None:
        return _asking(conn.fast_open, conn.fast_open.option, options)
    return options


def _asking(state: FastOpenState, said: FastOpen, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """The options of a SYN with what it says of Fast Open, where that fits."""
    together = with_fast_open(options, said)
    if together != options:
        state.asked, state.asked_experimentally = True, said.experimental
    return together


def acceptable_seq(conn: Connection) -> int:
    """The number for a segment without data: not beyond the peer's window (tcp_acceptable_seq).

    A window that seems taken back by less than the scale's grain was only rounded down.
    """
    edge = conn.snd.window_end
    if not before(edge, conn.snd.nxt) or (
        distance(edge, conn.snd.nxt) < 1 << conn.rcv.wscale and conn.rcv.wscale
    ):
        return conn.snd.nxt
    return edge


def send_ack(conn: Connection, reason: Reason, ack: int = -1) -> None:
    """An ACK alone, of all that was received, or up to `ack` (__tcp_send_ack)."""
    if conn.state is not State.CLOSE:
        transmit(conn, ACK, acceptable_seq(conn), b"", reason, ack=ack)


def send_active_reset(conn: Connection, reason: Reason) -> None:
    """RST: tell the peer that the connection is over (tcp_send_active_reset)."""
    conn.host.count("OutRsts")
    transmit(conn, RST | ACK, acceptable_seq(conn), b"", reason)
