"""TCP_INFO: what `ss -ti` shows of a connection, as a record and in the octets of struct tcp_info.

net/ipv4/tcp.c: tcp_get_info; include/uapi/linux/tcp.h (Linux 6.18, 280 octets). The first 104 octets are what most
programs know.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from typing import NamedTuple

from tcpemu.stack.base.congestion_hooks import INFINITE, NO_RTT
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, LEAST_MSS
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.connection.sending.delayed_acks import longest_delay
from tcpemu.stack.control import busy_times, delivery_rate, pacing_rate
from tcpemu.stack.control.bbr import Bbr
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.stack.recovery import congestion_states

TIMESTAMPS, SACK, WSCALE, ECN, ECN_SEEN, SYN_DATA, TFO_CHILD = 1, 2, 4, 8, 16, 32, 128
"""Bits of `tcpi_options`."""
_LAYOUT = "<8B24I4Q6IQ3Q2I2Q6I2HI"
_USED = struct.calcsize(_LAYOUT)
_LENGTH = 280
"""Octets of the structure; what is beyond the fields here is about AccECN, and zero without it."""


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """struct tcp_info, each field named as in Linux without `tcpi_`."""

    state: int
    """1 is ESTABLISHED, as in `tcpemu.State`."""
    ca_state: int
    """0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss."""
    retransmits: int
    """Time-outs in a row."""
    probes: int
    """Keepalive and window probes without an answer."""
    backoff: int
    """How often the RTO was doubled."""
    options: int
    """TIMESTAMPS 1, SACK 2, WSCALE 4, ECN 8 where it is agreed, ECN_SEEN 16 once data came in an ECN-capable packet,
    SYN_DATA 32 (Fast Open; data on the SYN was taken), TFO_CHILD 128 (the SYN alone has opened it)."""
    wscales: int
    """Two numbers of 4 bits: the peer's window scale low, our own high."""
    delivery_rate_app_limited: int
    """Whether `delivery_rate` was limited by the application; 1 before the first data."""
    rto: int
    """Microseconds."""
    ato: int
    """How long a delayed ACK waits, microseconds."""
    snd_mss: int
    rcv_mss: int
    unacked: int
    """Segments under way; of a listener the connections that wait for accept()."""
    sacked: int
    """Segments that are SACKED; of a listener the backlog."""
    lost: int
    retrans: int
    """Segments sent again and not acknowledged yet."""
    fackets: int
    """0 since Linux 4.15."""
    last_data_sent: int
    """Milliseconds since then, as the next three."""
    last_ack_sent: int
    """Linux does not tell it: 0."""
    last_data_recv: int
    last_ack_recv: int
    pmtu: int
    rcv_ssthresh: int
    rtt: int
    """Smoothed round-trip time, microseconds."""
    rttvar: int
    """Mean deviation, microseconds."""
    snd_ssthresh: int
    snd_cwnd: int
    """Segments."""
    advmss: int
    reordering: int
    rcv_rtt: int
    """The receiver's round-trip time, microseconds."""
    rcv_space: int
    """The most octets that the application read in a round trip."""
    total_retrans: int
    pacing_rate: int = 0
    """Octets per second."""
    max_pacing_rate: int = 0
    bytes_acked: int = 0
    """Octets that the peer has acknowledged; of who connects the SYN counts as one."""
    bytes_received: int = 0
    """Octets that came in order; a FIN counts as one."""
    segs_out: int = 0
    """Segments sent, ACKs and repeats too."""
    segs_in: int = 0
    """Segments that came in."""
    notsent_bytes: int = 0
    """Octets that wait to be sent for the first time."""
    min_rtt: int = 0
    """Microseconds."""
    data_segs_in: int = 0
    """Those of `segs_in` that had data, and of `segs_out`."""
    data_segs_out: int = 0
    delivery_rate: int = 0
    """Octets per second, as the last ACKs showed it; 0 before that."""
    busy_time: int = 0
    """Microseconds with data to send or under way, the next two among them."""
    rwnd_limited: int = 0
    """Microseconds in which the peer's window held data back."""
    sndbuf_limited: int = 0
    """Microseconds in which all was sent and the send buffer had no room for more."""
    delivered: int = 0
    """Segments delivered, the SYN among them."""
    delivered_ce: int = 0
    bytes_sent: int = 0
    """Octets of data sent, repeats too, and those of repeats alone."""
    bytes_retrans: int = 0
    dsack_dups: int = 0
    reord_seen: int = 0
    rcv_ooopack: int = 0
    """Segments that came ahead of what was missing."""
    snd_wnd: int = 0
    rcv_wnd: int = 0
    rehash: int = 0
    """Time-outs that have chosen another path."""
    total_rto: int = 0
    """Time-outs; rows of them; and milliseconds until what they lost was repaired."""
    total_rto_recoveries: int = 0
    total_rto_time: int = 0
    fastopen_client_fail: int = 0
    """Why Fast Open failed as a client: 1 no cookie yet, 2 the SYN's data was not acknowledged, 3 the SYN timed out."""

    def octets(self, length: int) -> bytes:
        """The structure as C has it, cut to `length`. A number that is too large for its place wraps."""
        values = []
        for field, size in zip(fields(self)[:-1], _SIZES, strict=True):
            value: int = getattr(self, field.name)
            if field.name == "delivery_rate_app_limited":
                value |= self.fastopen_client_fail << 1  # both are bits of one octet
            values.append(value & (1 << 8 * size) - 1)
        return struct.pack(_LAYOUT, *values).ljust(_LENGTH, b"\0")[: min(length, _LENGTH)]


def info_of_octets(octets: bytes) -> TcpInfo:
    """The structure as a kernel gives it; what an older one leaves out is 0."""
    numbers = list(struct.unpack(_LAYOUT, octets[:_USED].ljust(_USED, b"\0")))
    limited, numbers[7] = numbers[7], numbers[7] & 1  # both are bits of one octet
    values = {field.name: number for field, number in zip(fields(TcpInfo)[:-1], numbers, strict=True)}
    return TcpInfo(**values, fastopen_client_fail=limited >> 1 & 3)


NO_MODE = -1
"""`FlowFigures.bbr_mode` where no BBR is at work."""


class FlowFigures(NamedTuple):
    """What changes from one segment of a connection to the next, for whoever follows it. Windows are as TCP_INFO has
    them: `cwnd` and what is under way in segments, `snd_wnd` and `rcv_wnd` in octets.
    """

    cwnd: int
    """The congestion window (snd_cwnd), in segments."""
    ssthresh: int
    """The slow start threshold, in segments; 2147483647 before the first loss."""
    ca_state: int
    """0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss."""
    in_flight: int
    """Segments in the network: unacked - sacked - lost + retrans (tcp_packets_in_flight)."""
    unacked: int
    """Segments sent and not acknowledged (packets_out)."""
    sacked: int
    """Segments of those that the peer has SACKed; without SACK, that its duplicate ACKs stand for."""
    lost: int
    """Segments of those that are taken for lost."""
    retrans: int
    """Segments of those that were sent again."""
    total_retrans: int
    """Segments sent again, over all."""
    srtt: int
    """Smoothed round-trip time, in microseconds; 0 before the first."""
    rttvar: int
    """Its mean deviation, in microseconds, as `ss -ti` prints it; the RTO takes four times the largest of late."""
    rto: int
    """Retransmission time-out with its doubling, in microseconds."""
    backoff: int
    """How often it was doubled."""
    snd_wnd: int
    """The peer's window, in octets."""
    rcv_wnd: int
    """The window last offered to the peer, in octets."""
    notsent: int
    """Octets that wait to be sent for the first time."""
    acked: int
    """Octets that the peer has acknowledged, over all (bytes_acked); of who connects the SYN counts as one."""
    received: int
    """Octets of data that came in order, over all."""
    mss: int
    """Payload of a full segment, in octets."""
    bbr_mode: int = NO_MODE
    """Of BBR: 0 startup, 1 drain, 2 probe_bw, 3 probe_rtt; -1 with another congestion control, and before it begins."""
    bbr_rate: int = 0
    """Of BBR: the rate at which it takes the path to deliver (bbr_bw), in octets a second."""
    bbr_min_rtt: int = 0
    """Of BBR: the shortest round-trip time of the last ten seconds, in microseconds."""


_SIZES = (*(1,) * 8, *(4,) * 24, *(8,) * 4, *(4,) * 6, *(8,) * 4, *(4,) * 2, *(8,) * 2, *(4,) * 6, 2, 2, 4)


def of_listener(listener: Listener) -> TcpInfo:
    """Of a listener only its accept queue is told, and what a connection begins with."""
    told = {"state": int(State.LISTEN), "unacked": listener.accepting, "sacked": listener.backlog}
    return _without_connection(listener.host, listener.options, told)


def of_nothing(host: HostServices, options: SocketOptions, listened: bool) -> TcpInfo:
    """Of a socket that neither listens nor has begun to connect, `listened` if it did (tcp_init_sock)."""
    since_boot = host.uptime() // MILLISECOND & MASK
    rto = host.generation.initial_rto // MICROSECOND
    told = {
        "state": int(State.CLOSE),
        "delivery_rate_app_limited": 1,
        "rto": rto,
        "rttvar": rto >> 2,
        "snd_mss": DEFAULT_MSS,
        "rcv_mss": LEAST_MSS if listened else 0,
        **dict.fromkeys(("last_data_sent", "last_data_recv", "last_ack_recv"), since_boot),
        "snd_ssthresh": INFINITE,
        "notsent_bytes": 2 if listened else 0,
        "min_rtt": NO_RTT,
    }
    return _without_connection(host, options, told)


def _without_connection(host: HostServices, options: SocketOptions, told: dict[str, int]) -> TcpInfo:
    """What is told, what a connection would begin with, and else 0."""
    nothing = dict.fromkeys((field.name for field in fields(TcpInfo)), 0)
    beginning = {
        "snd_cwnd": host.first_congestion.cwnd,
        "reordering": host.sysctls.tcp_reordering,
        "pacing_rate": options.max_pacing_rate,
        "max_pacing_rate": options.max_pacing_rate,
    }
    return TcpInfo(**(nothing | beginning | told))


def of_connection(conn: Connection) -> TcpInfo:
    """All that is known of a connection now.

    Differs: notsent_bytes is 0 while connect() waits for the first data (TCP_FASTOPEN_CONNECT), where the kernel tells
    the first sequence number, if it is below 2**31.
    """
    host, snd, rcv, rtt, board = conn.host, conn.snd, conn.rcv, conn.rtt, conn.scoreboard
    opening = not snd.agreed or conn.opening
    sent = board.recovery.wrote_at if board is not None else 0
    return TcpInfo(
        state=int(conn.state),
        ca_state=int(board.recovery.state) if board is not None else 0,
        retransmits=conn.rtx.retransmits,
        probes=conn.rtx.probes_out,
        backoff=rtt.backoff,
        options=_options(conn) if snd.agreed else 0,
        wscales=snd.wscale | rcv.wscale << 4 if snd.scaled else 0,
        delivery_rate_app_limited=1 if board is None else int(board.rate_limited),
        rto=-(-rtt.rto // host.jiffy) * host.jiffy // MICROSECOND,
        ato=min(conn.ack.ato, longest_delay(conn)) // MICROSECOND,
        snd_mss=snd.mss_cache,
        rcv_mss=0 if conn.fast_open is not None and conn.fast_open.deferred else conn.ack.rcv_mss,
        **_scoreboard_fields(conn),
        fackets=0,
        last_data_sent=_since(conn, sent),
        last_ack_sent=0,
        last_data_recv=_since(conn, conn.ack.last_data_at),
        last_ack_recv=_since(conn, conn.rtx.heard_at),
        pmtu=snd.path_mtu,
        rcv_ssthresh=rcv.ssthresh,
        rtt=rtt.srtt >> 3,
        rttvar=(rtt.mdev or host.generation.initial_rto // MICROSECOND) >> 2,
        snd_ssthresh=conn.congestion.ssthresh,
        snd_cwnd=conn.congestion.cwnd,
        advmss=rcv.advmss,
        rcv_rtt=rcv.rtt >> 3,
        rcv_space=rcv.space,
        pacing_rate=pacing_rate.told(conn),
        max_pacing_rate=conn.options.max_pacing_rate,
        **_traffic(conn),
        bytes_acked=snd.bytes_acked,
        bytes_received=0 if opening else rcv.nxt - rcv.irs - 1 & MASK,
        notsent_bytes=(snd.write_seq - snd.nxt & MASK) + snd.beyond,
        min_rtt=_min_rtt(conn),
        delivered=0 if opening else (1 if board is None else board.delivered) - conn.opened_early,
        delivered_ce=0 if board is None else board.delivered_ce,
        dsack_dups=0 if board is None else board.recovery.dsack_dups,
        reord_seen=0 if board is None else board.recovery.reordering_seen,
        snd_wnd=snd.wnd,
        rcv_wnd=rcv.wnd,
        busy_time=sum(busy_times.spent(snd, what, host.now) for what in (1, 2, 3)) // MICROSECOND,
        rwnd_limited=busy_times.spent(snd, busy_times.PEERS_WINDOW, host.now) // MICROSECOND,
        sndbuf_limited=busy_times.spent(snd, busy_times.SEND_BUFFER, host.now) // MICROSECOND,
        fastopen_client_fail=0 if conn.fast_open is None else conn.fast_open.client_fail,
    )


def figures_of(conn: Connection) -> FlowFigures:
    """The figures of a connection now."""
    snd, rcv, rtt, board = conn.snd, conn.rcv, conn.rtt, conn.scoreboard
    under_way = (0, 0, 0, 0, 0, 0)
    if board is not None:
        counts = board.packets_out, board.sacked_out, board.lost_out, board.retrans_out
        under_way = (int(board.recovery.state), board.in_flight, *counts)
    mode, rate, min_rtt = NO_MODE, 0, 0
    if isinstance(conn.congestion, Bbr) and conn.congestion.model is not None:
        model = conn.congestion.model
        mode, rate = int(model.mode), model.octets_per_second(snd.mss_cache)
        min_rtt = 0 if model.min_rtt == NO_RTT else model.min_rtt
    return FlowFigures(
        conn.congestion.cwnd,
        conn.congestion.ssthresh,
        *under_way,
        conn.rtx.total_retrans,
        rtt.srtt >> 3,
        rtt.mdev >> 2,
        rtt.rto // MICROSECOND,
        rtt.backoff,
        snd.wnd,
        rcv.wnd,
        snd.unsent,
        snd.bytes_acked,
        0 if conn.state in OPENING else rcv.nxt - rcv.irs - 1 & MASK,
        snd.mss_cache,
        mode,
        rate,
        min_rtt,
    )


def _since(conn: Connection, at: int) -> int:
    """Milliseconds since then, or since it opened; of one that is opening since the machine started, as in Linux."""
    if conn.opening or not conn.opened_at:
        return conn.host.uptime() // MILLISECOND & MASK
    return (conn.host.now - (at if at < 0 else max(at, conn.opened_at))) // MILLISECOND & MASK


def _min_rtt(conn: Connection) -> int:
    """The least round trip, in microseconds."""
    shortest = None if conn.scoreboard is None else conn.scoreboard.min_rtt
    if shortest is not None:
        return shortest
    return conn.rtt.srtt >> 3 if conn.rtt.srtt else NO_RTT


def _options(conn: Connection) -> int:
    taken = SYN_DATA if conn.fast_open is not None and conn.fast_open.data_acked else 0
    ecn = (ECN if conn.ecn_ok else 0) | (ECN_SEEN if conn.ack.ecn_seen else 0)
    agreed = (
        (TIMESTAMPS if conn.ts.ok else 0) | (SACK if conn.sack_ok else 0) | (WSCALE if conn.snd.scaled else 0)
    )
    opened_by_syn = TFO_CHILD if conn.fast_open is not None and conn.fast_open.queue is not None else 0
    return opened_by_syn | taken | ecn | agreed


def _traffic(conn: Connection) -> dict[str, int]:
    """What went both ways, and what of it went again."""
    snd, rcv, rtx = conn.snd, conn.rcv, conn.rtx
    return {
        "segs_out": snd.segs_out,
        "segs_in": rcv.segs_in,
        "data_segs_in": rcv.data_segs_in,
        "data_segs_out": snd.data_segs_out,
        "bytes_sent": snd.bytes_sent,
        "bytes_retrans": rtx.bytes_retrans,
        "delivery_rate": delivery_rate.rate_told(conn),
        "rcv_ooopack": rcv.segs_ahead,
        "rehash": rtx.rehashes,
        "total_retrans": rtx.total_retrans,
        "total_rto": rtx.total_rto,
        "total_rto_recoveries": rtx.rto_recoveries,
        "total_rto_time": congestion_states.rto_time(conn),
    }


def _scoreboard_fields(conn: Connection) -> dict[str, int]:
    board = conn.scoreboard
    if board is None:
        return {
            "unacked": 0,
            "sacked": 0,
            "lost": 0,
            "retrans": 0,
            "reordering": conn.host.sysctls.tcp_reordering,
        }
    return {
        "unacked": board.packets_out,
        "sacked": board.sacked_out,
        "lost": board.lost_out,
        "retrans": board.retrans_out,
        "reordering": board.recovery.reordering,
    }
