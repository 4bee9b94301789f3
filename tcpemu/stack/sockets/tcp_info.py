"""TCP_INFO: what `ss -ti` shows of a connection, as a record and in the octets of struct tcp_info.

net/ipv4/tcp.c: tcp_get_info; include/uapi/linux/tcp.h (Linux 6.18, 280 octets). The first 104 octets are what most
programs know. What is not counted here is None in the record; octets that would have it are refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from typing import NamedTuple

from tcpemu.stack.base.congestion_hooks import NO_RTT
from tcpemu.stack.base.errors import NotEmulatedError
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.connection.sending.delayed_acks import longest_delay
from tcpemu.stack.control import busy_times
from tcpemu.stack.control.bbr import Bbr
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.listener import Listener

TIMESTAMPS, SACK, WSCALE, ECN, ECN_SEEN, SYN_DATA = 1, 2, 4, 8, 16, 32
"""Bits of `tcpi_options`."""
_LAYOUT = "<8B24I4Q6IQ3Q2I2Q6I2HI"
_USED = struct.calcsize(_LAYOUT)
_LENGTH = 280
"""Octets of the structure; what is beyond the fields here is about AccECN, and zero without it."""


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """struct tcp_info, each field named as in Linux without `tcpi_`. None where the emulator does not count it."""

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
    SYN_DATA 32 (Fast Open; data on the SYN was taken)."""
    wscales: int
    """Two numbers of 4 bits: the peer's window scale low, our own high."""
    delivery_rate_app_limited: int | None
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
    pacing_rate: int | None = None
    max_pacing_rate: int | None = None
    bytes_acked: int | None = None
    bytes_received: int | None = None
    segs_out: int | None = None
    segs_in: int | None = None
    notsent_bytes: int | None = None
    min_rtt: int | None = None
    """Microseconds."""
    data_segs_in: int | None = None
    data_segs_out: int | None = None
    delivery_rate: int | None = None
    busy_time: int | None = None
    """Microseconds with data to send or under way, the next two among them."""
    rwnd_limited: int | None = None
    """Microseconds in which the peer's window held data back."""
    sndbuf_limited: int | None = None
    """Microseconds in which all was sent and the send buffer had no room for more."""
    delivered: int | None = None
    """Segments delivered, the SYN among them."""
    delivered_ce: int | None = None
    bytes_sent: int | None = None
    bytes_retrans: int | None = None
    dsack_dups: int | None = None
    reord_seen: int | None = None
    rcv_ooopack: int | None = None
    snd_wnd: int | None = None
    rcv_wnd: int | None = None
    rehash: int | None = None
    total_rto: int | None = None
    total_rto_recoveries: int | None = None
    total_rto_time: int | None = None
    fastopen_client_fail: int = 0
    """Why Fast Open failed as a client: 1 no cookie yet, 2 the SYN's data was not acknowledged, 3 the SYN timed out."""

    def octets(self, length: int) -> bytes:
        """The structure as C has it, cut to `length`. NotEmulatedError where that takes in what is not counted.

        Differs: the bit delivery_rate_app_limited is 0 once data was sent. It says how to take the delivery rate, which
        lies beyond what is given.
        """
        room = min(length, _LENGTH)
        values: list[int] = []
        for field, start in zip(fields(self)[:-1], _STARTS, strict=True):
            value = getattr(self, field.name)
            if value is None and field.name != "delivery_rate_app_limited" and start < room:
                raise NotEmulatedError(
                    f"tcpi_{field.name} of TCP_INFO is not emulated: ask for fewer than {start + 1} octets, "
                    "or for `tcp_info()` of the socket"
                )
            if field.name == "delivery_rate_app_limited":
                value = (value or 0) | self.fastopen_client_fail << 1  # both are bits of one octet
            values.append(value or 0)
        return struct.pack(_LAYOUT, *values).ljust(_LENGTH, b"\0")[:room]


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
_STARTS = tuple(sum(_SIZES[:number]) for number in range(len(_SIZES)))


def of_listener(listener: Listener) -> TcpInfo:
    """Of a listener only its accept queue is told, and what a connection begins with."""
    nothing = dict.fromkeys((field.name for field in fields(TcpInfo)), 0)
    cwnd = listener.host.first_congestion.cwnd
    return TcpInfo(
        **{
            **nothing,
            "state": int(State.LISTEN),
            "unacked": listener.accepting,
            "sacked": listener.backlog,
            "snd_cwnd": cwnd,
            "reordering": listener.host.sysctls.tcp_reordering,
            "pacing_rate": listener.options.max_pacing_rate,
            "max_pacing_rate": listener.options.max_pacing_rate,
        }
    )


def of_connection(conn: Connection) -> TcpInfo:
    """All that is known of a connection now."""
    host, snd, rcv, rtt, board = conn.host, conn.snd, conn.rcv, conn.rtt, conn.scoreboard
    opening = conn.state in OPENING and not conn.opened_early
    sent = board.recovery.wrote_at if board is not None else 0
    return TcpInfo(
        state=int(conn.state),
        ca_state=int(board.recovery.state) if board is not None else 0,
        retransmits=conn.rtx.retransmits,
        probes=conn.rtx.probes_out,
        backoff=rtt.backoff,
        options=0 if opening else _options(conn),
        wscales=0 if opening else snd.wscale | rcv.wscale << 4,
        delivery_rate_app_limited=1 if board is None or opening else None,
        rto=-(-rtt.rto // host.jiffy) * host.jiffy // MICROSECOND,
        ato=min(conn.ack.ato, longest_delay(conn)) // MICROSECOND,
        snd_mss=snd.mss_cache,
        rcv_mss=conn.ack.rcv_mss,
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
        total_retrans=conn.rtx.total_retrans,
        bytes_acked=snd.bytes_acked,
        bytes_received=0 if opening else rcv.nxt - rcv.irs - 1 & MASK,
        notsent_bytes=snd.write_seq - snd.nxt & MASK,
        min_rtt=_min_rtt(conn),
        delivered=0 if opening else (1 if board is None else board.delivered) - conn.opened_early,
        delivered_ce=0 if board is None else board.delivered_ce,
        dsack_dups=0 if board is None else board.recovery.dsack_dups,
        reord_seen=0 if board is None else board.recovery.reordering_seen,
        snd_wnd=snd.wnd,
        rcv_wnd=rcv.wnd,
        total_rto=conn.rtx.total_rto,
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
    if conn.state in OPENING:
        return conn.host.uptime() // MILLISECOND & MASK
    return (conn.host.now - max(at, conn.opened_at)) // MILLISECOND


def _min_rtt(conn: Connection) -> int | None:
    """The least round trip, in microseconds; that of the handshake alone is not kept here."""
    board = conn.scoreboard
    if not conn.rtt.srtt:
        return NO_RTT
    return None if board is None else board.min_rtt


def _options(conn: Connection) -> int:
    taken = SYN_DATA if conn.fast_open is not None and conn.fast_open.data_acked else 0
    scales = conn.snd.wscale or conn.rcv.wscale
    ecn = (ECN if conn.ecn_ok else 0) | (ECN_SEEN if conn.ack.ecn_seen else 0)
    agreed = (TIMESTAMPS if conn.ts.ok else 0) | (SACK if conn.sack_ok else 0) | (WSCALE if scales else 0)
    return taken | ecn | agreed


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
