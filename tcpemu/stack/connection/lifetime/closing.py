"""A connection ends: done, failed, reset, aborted, or left to a TIME_WAIT bucket.

An orphan in FIN_WAIT2 waits for the peer's FIN for `fin_time`, in one of two forms: usually as a bucket (`time_wait`),
for which `time_wait_bucket.py` answers; but as a whole connection with a timer of its own (`wait_for_fin`) where the
segment that acknowledged our FIN carries the peer's, which may lie beyond a hole. In Linux that timer is also
keepalive's (tcp_timer.c: tcp_keepalive_timer).
"""

from __future__ import annotations

import errno

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import LEAST_MSS
from tcpemu.stack.base.timer_queue import Timer, TimerKind
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.connection.lifetime import error_queue, fast_open_end, state_changes
from tcpemu.stack.connection.measures import blackhole, orphan_limit, receive_window, remembered_peers
from tcpemu.stack.connection.sending import transmit
from tcpemu.stack.control import pacing_rate
from tcpemu.stack.records.connection import BOTH_SHUTDOWN, Connection, WriteTimer
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.stack.recovery import congestion_states

SHORT_WAIT = 4 * SECOND
"""Up to so long a wait is counted as TWKilled, and not as TW."""
_NEEDS_RESET = frozenset(
    (State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT1, State.FIN_WAIT2, State.SYN_RECV)
)


def done(conn: Connection, cause: str, shown: State | None = None) -> None:
    """No more of it on the wire (tcp.c: tcp_done)."""
    if conn.orphan and conn.state is not State.CLOSE:
        orphan_limit.ends(conn.host)
    if conn.state in (State.SYN_SENT, State.SYN_RECV):
        conn.host.count("AttemptFails")
    state_changes.set_state(conn, State.CLOSE, cause, shown)
    stop_timers(conn)
    if conn.fast_open is not None:
        fast_open_end.remove(conn)
        if conn.orphan:
            blackhole.at_end(conn)
    _let_go(conn)
    conn.shutdown = BOTH_SHUTDOWN
    conn.host.wake(conn.socket)


def fail(conn: Connection, number: int, cause: str) -> None:
    """End it with an error for the application (tcp_input.c: tcp_done_with_error)."""
    conn.error = number
    purge(conn)
    done(conn, cause)


def give_up(conn: Connection, cause: str) -> None:
    """End it with ETIMEDOUT, or with what ICMP said of the path meanwhile (tcp_timer.c: tcp_write_err)."""
    fail(conn, conn.rtx.soft_error or errno.ETIMEDOUT, cause)


def reset_by_peer(conn: Connection, cause: str = "RST arrives") -> None:
    """End it as a RST does that is accepted (tcp_input.c: tcp_reset); `cause` is what did, where it was no RST."""
    numbers = {State.SYN_SENT: errno.ECONNREFUSED, State.CLOSE_WAIT: errno.EPIPE}
    fail(conn, numbers.get(conn.state, errno.ECONNRESET), cause)


def disconnect(conn: Connection, cause: str, reason: Reason = reasons.SENT_ACTIVE_RST) -> None:
    """Abort: RST where the peer may think that the connection lives (tcp.c: tcp_disconnect)."""
    old = conn.state
    if old is not State.CLOSE:
        state_changes.set_state(conn, State.CLOSE, cause)
    blackhole.at_end(conn)
    if old in _NEEDS_RESET or (conn.snd.has_unsent and old in (State.CLOSING, State.LAST_ACK)):
        transmit.send_active_reset(conn, reason)
        conn.error = errno.ECONNRESET
    elif old is State.SYN_SENT:
        conn.error = errno.ECONNRESET
    stop_timers(conn)
    purge(conn)
    conn.rcv.queue = conn.rcv.out_of_order = conn.rcv.search_tree = None
    conn.rcv.rmem = 0
    conn.rcv.copied_seq = conn.rcv.nxt
    if conn.fast_open is not None:
        fast_open_end.remove(conn)
        conn.fast_open.deferred = conn.fast_open.trying = False
        conn.fast_open.client_fail = 0
    conn.shutdown = 0
    conn.no_route = True
    conn.rcv.window_clamp = 0
    conn.saved_syn = b""
    _forget_for_info(conn)


def _forget_for_info(conn: Connection) -> None:
    """What TCP_INFO no longer tells after connect() with AF_UNSPEC, and what it tells as of a new socket."""
    host, snd, rcv, rtt, rtx = conn.host, conn.snd, conn.rcv, conn.rtt, conn.rtx
    board = conn.scoreboard
    if board is None:
        board = congestion_states.new_scoreboard(conn)
    board.recovery.state, board.recovery.dsack_dups, board.recovery.reordering_seen = CaState.OPEN, 0, 0
    board.delivered = board.delivered_ce = board.sacked_out = board.lost_out = board.retrans_out = 0
    board.rate_limited = True
    rtt.rto, rtt.srtt, rtt.mdev, rtt.backoff = host.generation.initial_rto, 0, 0, 0
    rtx.probes_out = rtx.total_retrans = rtx.bytes_retrans = 0
    rtx.total_rto = rtx.rto_recoveries = rtx.rto_time = 0
    rtx.rto_began = None
    conn.congestion = host.first_congestion
    conn.ack.ato, conn.ack.rcv_mss, conn.ack.last_data_at = 0, LEAST_MSS, -host.uptime(0)
    conn.ack.pingpong = conn.ack.quick = 0
    conn.ecn_ok = conn.ack.ecn_seen = False
    snd.beyond = snd.max_window + 2
    snd.pacing_rate = pacing_rate.told(conn)
    snd.agreed = snd.scaled = False
    snd.segs_out = snd.data_segs_out = snd.bytes_sent = snd.bytes_acked = 0
    rcv.segs_in = rcv.data_segs_in = rcv.segs_ahead = 0


def purge(conn: Connection) -> None:
    """Forget what was to be sent; what was counted on the way stays for TCP_INFO (tcp_write_queue_purge)."""
    error_queue.buffers_gone(conn)
    conn.snd.queue = None
    conn.rtt.backoff = 0
    board = conn.scoreboard
    if board is not None:
        board.sent_order.unlink()
        board.queue.clear()
        board.highest_sack = board.hint = None
        board.packets_out = 0


def _let_go(conn: Connection) -> None:
    """What refers to the connection and to which it refers: gone, it needs no garbage collector to be freed."""
    conn.write_timer = conn.delayed_ack_timer = conn.compression_timer = None
    conn.keepalive_timer = conn.pacing_timer = None
    if conn.scoreboard is not None:
        conn.scoreboard.sent_order.unlink()


def stop_timers(conn: Connection) -> None:
    """Cancel whatever is armed."""
    for timer in (conn.write_timer, conn.delayed_ack_timer, conn.keepalive_timer, conn.pacing_timer):
        if timer is not None:
            conn.host.timers.cancel(timer)
    conn.rtx.timer_is_for = WriteTimer.NOTHING


def fin_time(conn: Connection) -> int:
    """How long an orphan waits in FIN_WAIT2 (tcp.h: tcp_fin_time)."""
    wanted = conn.options.linger2 or conn.host.sysctls.tcp_fin_timeout
    return max(wanted * SECOND, _three_and_a_half(conn))


def fin_wait2_cause(host: HostServices, waited: int) -> str:
    """Why an orphan's FIN_WAIT2 ended: the time that passed, and what set it."""
    seconds = waited / SECOND
    own = waited == host.sysctls.tcp_fin_timeout * SECOND
    return f"{seconds:g} s in FIN-WAIT-2 have passed" + (
        setting_words(host, "net.ipv4.tcp_fin_timeout") if own else ""
    )


def setting_words(host: HostServices, setting: str) -> str:
    """` (net.ipv4.tcp_fin_timeout)`: what set a limit, where this kernel has such a setting."""
    return "" if setting in host.generation.missing else f" ({setting})"


def _three_and_a_half(conn: Connection) -> int:
    """The least that a bucket waits: 3.5 times the RTO (tcp.h: tcp_fin_time; tcp_minisocks.c: tcp_time_wait)."""
    return conn.rtt.rto * 7 // 2


def time_wait(conn: Connection, state: State, wait: int = 0) -> None:
    """Put a small bucket in the place of a connection (tcp_minisocks.c: tcp_time_wait).

    `wait` is that of FIN_WAIT2, in nanoseconds; how long TIME_WAIT is, the kernel says. Where there are too many, the
    connection is simply over.
    """
    host = conn.host
    wait = host.generation.time_wait if state is State.TIME_WAIT else max(wait, _three_and_a_half(conn))
    remembered_peers.remember(host.metrics, conn)
    cause = "FIN arrives" if state is State.TIME_WAIT else "closed"
    if host.time_waits >= host.sysctls.tcp_max_tw_buckets:
        host.count("TCPTimeWaitOverflow")
        done(conn, f"{cause}, and there are as many TIME-WAITs as net.ipv4.tcp_max_tw_buckets allows")
        return
    bucket = _bucket(conn, state)
    bucket.waits = max(wait, fin_time(conn)) if state is State.FIN_WAIT2 else wait
    done(conn, cause, shown=state)
    host.flows[conn.key] = bucket
    host.time_waits += 1
    host.timers.arm(bucket, host.now + wait, host.now)
    bucket.short = wait <= SHORT_WAIT
    if not host.generation.counts_time_wait_at_end:
        host.count(bucket.counter)


def _bucket(conn: Connection, state: State) -> TimeWait:
    """What is kept of it."""
    return TimeWait(
        conn.key,
        None,
        conn.host,
        state,
        conn.rcv.nxt,
        conn.snd.nxt,
        receive_window.receive_window(conn),
        conn.rcv.wscale,
        conn.options.tclass if is_ipv6(conn.key[0]) else conn.options.tos,
        conn.options.reuseaddr,
        conn.ts.ok,
        conn.ts.recent,
        conn.ts.recent_at,
        conn.ts.offset,
        conn.host.now,
        ipv6=conn.options.ipv6,
        flow_label=conn.flow_label,
    )


def set_keepalive_timer(conn: Connection, wait: int) -> None:
    """Set the timer that keepalive and FIN_WAIT2 share, whatever it was set for (inet_csk_reset_keepalive_timer)."""
    host = conn.host
    if conn.keepalive_timer is None:
        conn.keepalive_timer = Timer(TimerKind.KEEPALIVE, conn)
    host.timers.arm(conn.keepalive_timer, host.now + wait, host.now)


def wait_in_fin_wait2(conn: Connection, whole: bool) -> bool:
    """An orphan waits for the peer's FIN: as a small bucket, which is true, or as a whole connection with a timer.

    It stays whole for what goes beyond the time of TIME_WAIT, and where `whole` says that its FIN is yet to be
    looked at (tcp_input.c: tcp_rcv_state_process; tcp.c: __tcp_close).
    """
    wait, longest = fin_time(conn), conn.host.generation.time_wait
    if wait > longest:
        set_keepalive_timer(conn, wait - longest)
    elif whole:
        set_keepalive_timer(conn, wait)
    else:
        time_wait(conn, State.FIN_WAIT2, wait)
        return True
    return False
