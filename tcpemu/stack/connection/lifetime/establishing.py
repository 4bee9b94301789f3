"""A connection begins: what it is at first, and how SYN_RECV becomes ESTABLISHED."""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE
from tcpemu.stack.base.ip_families import IPV4_LENGTH
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, LEAST_MSS, TIMESTAMPS_LENGTH
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.connection.lifetime import chosen_control, fast_open_end, state_changes
from tcpemu.stack.connection.measures import (
    header_prediction,
    mtu_search,
    path_mtu,
    receive_window,
    round_trip_time,
    segment_size,
    send_buffer_space,
)
from tcpemu.stack.connection.sending import data_out
from tcpemu.stack.control import pacing_rate
from tcpemu.stack.records.connection import (
    SEND_SHUTDOWN,
    Acknowledging,
    Connection,
    FirstSizes,
    Receiving,
    Retransmission,
    RoundTrips,
    Sending,
    Timestamping,
)
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import FlowKey, Segment

_ESTABLISHED = State.ESTABLISHED


def new_connection(host: HostServices, key: FlowKey, options: SocketOptions, state: State) -> Connection:
    """A connection of which nothing is known yet but its flow and its options."""
    conn = Connection(
        key,
        None,
        host,
        options,
        state,
        Sending(options.sndbuf),
        Receiving(options.rcvbuf),
        Acknowledging(host.tick(host.now)),
        Timestamping(),
        RoundTrips(host.generation.initial_rto),
        Retransmission(),
        host.first_congestion,
        host.secrets.draw.getrandbits(16) if len(key[0]) == IPV4_LENGTH else 0,
    )
    if options.congestion or options.paced:
        chosen_control.take_choice(conn)
    if options.mtu_discover is not None or host.path_mtus or host.sysctls.ip_no_pmtu_disc:
        conn.snd.df = path_mtu.dont_fragment(conn)
    return conn


def establish(
    conn: Connection, segment: Segment, stamps: Timestamps | None, sizes: FirstSizes | None = None
) -> None:
    """SYN_RECV to ESTABLISHED (tcp_rcv_state_process); `sizes` are those of all that begin like it."""
    if not conn.rtt.srtt:
        handshake_rtt(conn)
    shorter = TIMESTAMPS_LENGTH if conn.ts.ok else 0
    stamps_count = conn.host.generation.windows.stamps_count
    if stamps_count:
        conn.rcv.advmss -= shorter
    if conn.fast_open is not None and conn.opened_early:
        fast_open_end.answered(conn)
    else:
        if conn.rtx.retrans_stamp is not None:
            undo_spurious_timeout(conn, stamps)
            conn.rtx.retrans_stamp = None
        init_transfer(conn, sizes)
    if not stamps_count:
        conn.rcv.advmss -= shorter
    if conn.scoreboard is not None:
        conn.scoreboard.recovery.wrote_at = conn.host.now
    if conn.snd.pacing_rate != UNLIMITED_RATE:
        pacing_rate.update(conn)
    state_changes.set_state(conn, _ESTABLISHED, "the final ACK is good")
    conn.snd.wnd = segment.window << conn.snd.wscale
    conn.snd.wl1 = segment.seq
    init_rcv_mss(conn)
    header_prediction.switch_on(conn)
    if conn.shutdown & SEND_SHUTDOWN:
        state_changes.set_state(conn, State.FIN_WAIT1, "close() or shutdown() sends FIN")
        data_out.send_fin(conn)
    if conn.socket is not None:
        conn.host.wake(conn.socket)


def undo_spurious_timeout(conn: Connection, stamps: Timestamps | None) -> None:
    """The first SYN|ACK had arrived after all (tcp_try_undo_spurious_syn)."""
    if stamps is not None and conn.ts.ok and conn.rtx.retrans_stamp is not None:
        first = conn.host.tsval(conn.ts.offset, conn.rtx.retrans_stamp)
        if stamps.ecr == first:
            conn.rtx.syn_timed_out = False


def handshake_rtt(conn: Connection) -> None:
    """The first round-trip time: of a SYN|ACK sent once, else by the timestamp (tcp_synack_rtt_meas)."""
    began = conn.rtt.handshake_began
    if began is not None:
        round_trip_time.sample(conn, (conn.host.now - began) // MICROSECOND)
    elif conn.ts.ecr:
        round_trip_time.sample_by_timestamp(conn)


def init_transfer(conn: Connection, sizes: FirstSizes | None = None) -> None:
    """Ready for data: MSS, RTO and windows (tcp_input.c: tcp_init_transfer).

    `sizes` are those of all that begin like it: taken from there, or told there for the next.
    """
    host = conn.host
    conn.opened_at = host.now
    if sizes is not None and sizes.path_mtu:
        _take_sizes(conn, sizes)
    else:
        segment_size.sync_mss(conn)
    if not conn.rtt.srtt or host.metrics.srtt:
        round_trip_time.init_metrics(conn)
    if (
        conn.congestion.begins
        or conn.options.tos & 3
        or conn.rtx.total_retrans
        or conn.rtx.syn_timed_out
        or conn.fast_open is not None
        or host.routes_to
    ):
        chosen_control.begin_after_handshake(conn)
    if host.sysctls.tcp_mtu_probing:
        mtu_search.begin(conn)
    if sizes is None:
        receive_window.init_buffer_space(conn)
        send_buffer_space.expand(conn)
    elif not sizes.path_mtu:
        receive_window.init_buffer_space(conn)
        send_buffer_space.expand(conn)
        _tell_sizes(conn, sizes)
    conn.snd.pushed_seq = conn.snd.write_seq


def _take_sizes(conn: Connection, sizes: FirstSizes) -> None:
    snd, rcv = conn.snd, conn.rcv
    snd.path_mtu, snd.mss_cache, snd.buffer = sizes.path_mtu, sizes.mss_cache, sizes.sndbuf
    rcv.window_clamp, rcv.ssthresh, rcv.space = sizes.window_clamp, sizes.ssthresh, sizes.space
    rcv.buffer = sizes.rcvbuf


def _tell_sizes(conn: Connection, sizes: FirstSizes) -> None:
    snd, rcv = conn.snd, conn.rcv
    sizes.path_mtu, sizes.mss_cache, sizes.sndbuf = snd.path_mtu, snd.mss_cache, snd.buffer
    sizes.window_clamp, sizes.ssthresh, sizes.space = rcv.window_clamp, rcv.ssthresh, rcv.space
    sizes.rcvbuf = rcv.buffer


def init_rcv_mss(conn: Connection) -> None:
    """A first guess at the peer's segments (tcp_input.c: tcp_initialize_rcv_mss)."""
    hint = DEFAULT_MSS
    rcv, mss = conn.rcv, conn.snd.mss_cache
    if rcv.wnd < 2 * hint or rcv.advmss < hint or mss < hint:
        hint = max(min(rcv.advmss, mss, rcv.wnd // 2), LEAST_MSS)
    conn.ack.rcv_mss = hint
