"""The retransmission timer and the reordering timer fire: what is sent again, how long to wait next, when to give up.

tcp_timer.c: tcp_retransmit_timer, tcp_write_timeout; tcp_recovery.c: tcp_rack_reo_timeout (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.congestion_hooks import INFINITE
from tcpemu.stack.base.events import GivenUp, Reason
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.connection.lifetime import closing, orphans, probes
from tcpemu.stack.connection.measures import blackhole, ipv6_header, mtu_search, round_trip_time
from tcpemu.stack.connection.sending import data_out, probe_timers, retransmission
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.recovery import congestion_states, write_timer

_THIN_LINEAR_RETRIES = 6
"""Time-outs in a row that do not double in a thin stream (tcp.h: TCP_THIN_LINEAR_RETRIES)."""
_SENDING = (State.ESTABLISHED, State.FIN_WAIT1, State.CLOSING, State.CLOSE_WAIT, State.LAST_ACK)


def write_timer_fired(conn: Connection) -> None:
    """The write timer is due: do what it was set for (tcp_timer.c: tcp_write_timer_handler)."""
    if conn.state is State.CLOSE or conn.state is State.LISTEN:
        return
    pending = conn.rtx.timer_is_for
    if pending is WriteTimer.LOSS_PROBE:
        probes.send_loss_probe(conn)
        return
    if pending is WriteTimer.REORDERING:
        _reordering_timer(conn)
        return
    conn.rtx.timer_is_for = WriteTimer.NOTHING
    if pending is WriteTimer.RETRANS:
        retransmission_timer(conn)
    elif pending is WriteTimer.WINDOW_PROBE:
        probes.window_probe_timer(conn)


def pacing_timer_fired(conn: Connection) -> None:
    """The next piece may leave: what is lost first, then new data (tcp_output.c: tcp_tsq_write)."""
    if conn.state not in _SENDING:
        return
    board = conn.scoreboard
    if board is not None and board.lost_out > board.retrans_out and conn.congestion.cwnd > board.in_flight:
        retransmission.send_lost(conn, board, reasons.SENT_FAST)
    data_out.write_xmit(conn, nagle=True)


def retransmission_timer(conn: Connection) -> None:
    """The oldest segment was not acknowledged in time (tcp_retransmit_timer)."""
    board = conn.scoreboard
    if not board:
        return
    host = conn.host
    if not conn.snd.wnd and not conn.orphan and conn.state not in OPENING:
        # The peer took its window back: what is sent again only asks for a window.
        if _window_never_came_back(conn):
            _give_up(conn, reasons.SHUT_WINDOW_TIMED_OUT, _shut_window_limit(conn))
            return
        congestion_states.enter_loss(conn, board)
        retransmission.send_again(conn, board, board[0], 1, reasons.SENT_AGAIN)
        _back_off(conn)
        return
    if host.generation.sending.counts_time_outs:
        host.count("TCPTimeouts")
    if host.sysctls.tcp_mtu_probing and _suspects_the_path(conn):
        mtu_search.suspect_black_hole(conn)
    if conn.orphan and conn.state not in OPENING and orphans.ended_early(conn, _peer_may_live(conn)):
        return
    tried_enough = _tried_enough(conn)
    if conn.fast_open is not None:
        blackhole.timed_out(conn, tried_enough)
    if tried_enough:
        _give_up(conn, _what_timed_out(conn), _what_decided(conn))
        return
    if conn.options.txrehash:
        host.count("TcpTimeoutRehash")
        conn.rtx.rehashes += 1
        conn.flow_label = ipv6_header.new_flow_label(host, conn.key, conn.options)
    _count_failure(conn, board)
    congestion_states.enter_loss(conn, board)
    if conn.state in OPENING:
        conn.rtx.syn_timed_out = True
    count_timeout(conn)
    retransmission.send_again(conn, board, board[0], 1, reasons.SENT_AGAIN)
    if host.takes_nothing:
        write_timer.set_timer(conn, WriteTimer.RETRANS, probe_timers.RESOURCE_PROBE_INTERVAL)
        return
    _back_off(conn)


def count_timeout(conn: Connection) -> None:
    """One more in a row; the first begins the time of a recovery (tcp_update_rto_stats)."""
    rtx = conn.rtx
    if not rtx.retransmits:
        rtx.rto_recoveries += 1
        rtx.rto_began = conn.host.now
    rtx.retransmits += 1
    rtx.total_rto += 1


def _count_failure(conn: Connection, board: Scoreboard) -> None:
    """What the time-out has put an end to (tcp_retransmit_timer)."""
    if conn.rtx.retransmits:
        return
    state = board.recovery.state
    if state is CaState.RECOVERY:
        conn.host.count("TCPSackRecoveryFail" if board.sack else "TCPRenoRecoveryFail")
    elif state is CaState.LOSS:
        conn.host.count("TCPLossFailures")
    elif state is CaState.DISORDER or board.sacked_out:
        conn.host.count("TCPSackFailures" if board.sack else "TCPRenoFailures")
    elif not conn.host.generation.sending.counts_time_outs:
        conn.host.count("TCPTimeouts")


def _reordering_timer(conn: Connection) -> None:
    """What was overtaken has not come in time (tcp_recovery.c: tcp_rack_reo_timeout)."""
    board = conn.scoreboard
    if not board:
        return
    if congestion_states.reordering_timer_fired(conn, board):
        retransmission.send_lost(conn, board, reasons.SENT_AFTER_REORDERING)
    if conn.rtx.timer_is_for is not WriteTimer.RETRANS:
        write_timer.rearm(conn)


def _window_never_came_back(conn: Connection) -> bool:
    """Nothing heard for twice the longest time-out while a lost window was asked for (tcp_rtx_probe0_timed_out)."""
    assert conn.scoreboard
    now, limit = conn.host.now, 2 * conn.options.rto_max
    waited = _waited(conn)
    user_limit = conn.options.user_timeout * MILLISECOND
    if user_limit:
        if waited > user_limit:
            return True
        limit = min(limit, user_limit)
    return now - conn.rtx.heard_at > limit and waited > limit


def _back_off(conn: Connection) -> None:
    """Wait twice as long next time; the first SYNs do not (tcp_syn_linear_timeouts)."""
    host = conn.host
    waits = _syn_waits(conn)
    if waits:
        conn.rtt.rto = waits[min(conn.rtx.total_rto, len(waits) - 1)]
    elif _stays_linear(conn):
        conn.rtt.backoff = 0
        conn.rtt.rto = max(round_trip_time.measured_rto(conn), conn.options.rto_min_us * MICROSECOND)
    elif conn.state is not State.SYN_SENT or conn.rtx.total_rto > host.sysctls.tcp_syn_linear_timeouts:
        conn.rtt.backoff += 1
        conn.rtt.rto = min(conn.rtt.rto << 1, conn.options.rto_max)
    write_timer.set_timer(conn, WriteTimer.RETRANS, _within_user_timeout(conn))


def _stays_linear(conn: Connection) -> bool:
    """Few segments under way, past the first slow start: so few losses are not of congestion (tcp_stream_is_thin)."""
    if not (conn.host.sysctls.tcp_thin_linear_timeouts or conn.options.thin_linear_timeouts):
        return False
    thin = conn.scoreboard is not None and conn.scoreboard.packets_out < 4
    in_first_slow_start = conn.congestion.ssthresh >= INFINITE
    few = conn.rtx.retransmits <= _THIN_LINEAR_RETRIES
    return conn.state is State.ESTABLISHED and thin and not in_first_slow_start and few


def _syn_waits(conn: Connection) -> tuple[int, ...]:
    """The waits of a SYN, where the kernel has them other than by doubling."""
    if conn.state is not State.SYN_SENT:
        return ()
    return conn.host.generation.syn.waits(conn.options.syncnt or conn.host.sysctls.tcp_syn_retries)


def _within_user_timeout(conn: Connection) -> int:
    """The RTO, or what is left until TCP_USER_TIMEOUT (tcp_timer.c: tcp_clamp_rto_to_user_timeout)."""
    limit = conn.options.user_timeout * MILLISECOND
    if not limit or conn.rtx.retrans_stamp is None:
        return conn.rtt.rto
    left = limit - (conn.host.now - conn.rtx.retrans_stamp)
    return min(conn.rtt.rto, left) if left > 0 else conn.host.jiffy


def _waited(conn: Connection) -> int:
    """Nanoseconds since the oldest piece that is not acknowledged was sent for the first time, as far as known."""
    assert conn.scoreboard
    stamp = conn.rtx.retrans_stamp
    return conn.host.now - (conn.scoreboard[0].sent_at if stamp is None else stamp)


def _tried_enough(conn: Connection) -> bool:
    """Whether it has been tried often or long enough (tcp_write_timeout)."""
    sysctls = conn.host.sysctls
    waits = _syn_waits(conn)
    if waits:
        return conn.rtx.retransmits >= len(waits) - 1
    if conn.state in OPENING:
        tries = conn.options.syncnt or sysctls.tcp_syn_retries
        most = tries + (sysctls.tcp_syn_linear_timeouts if conn.state is State.SYN_SENT else 0)
        if conn.rtx.retransmits >= most:
            return True
    else:
        tries = _tries(conn)
    return _timed_out(conn, tries)


def _tries(conn: Connection) -> int:
    """How many doubling time-outs data or a FIN is given."""
    if not conn.orphan:
        return conn.host.sysctls.tcp_retries2
    # At the longest time-out the peer is taken for dead: an orphan has no further try.
    alive = conn.rtt.rto < conn.options.rto_max
    return probes.orphan_retries(conn, alive)


def _peer_may_live(conn: Connection) -> bool:
    """Whether an orphan's peer is worth a RST: the RTO is not at its longest, or has not been for long."""
    return conn.rtt.rto < conn.options.rto_max or not _timed_out(conn, _tries(conn))


def _timed_out(conn: Connection, tries: int) -> bool:
    """Whether as much time has passed as `tries` time-outs would take, each twice the last.

    The kernel counts time and not repeats: a long RTO gives up after fewer (tcp_timer.c: retransmits_timed_out).
    """
    if not conn.rtx.retransmits or conn.rtx.retrans_stamp is None:
        return False
    return conn.host.now - conn.rtx.retrans_stamp >= _allowed(conn, tries)


def _suspects_the_path(conn: Connection) -> bool:
    """Whether data was sent again for as long as tcp_retries1 says."""
    if conn.state in OPENING or not conn.rtx.retransmits or conn.rtx.retrans_stamp is None:
        return False
    waited = conn.host.now - conn.rtx.retrans_stamp
    return waited >= _doubling(conn, conn.host.sysctls.tcp_retries1)


def _allowed(conn: Connection, tries: int) -> int:
    """The time that so many doubling time-outs take, or TCP_USER_TIMEOUT, in nanoseconds."""
    return conn.options.user_timeout * MILLISECOND or _doubling(conn, tries)


def _doubling(conn: Connection, tries: int) -> int:
    """The time that so many doubling time-outs take from the least one on (tcp_model_timeout)."""
    generation = conn.host.generation
    base = generation.initial_rto if conn.state in OPENING else generation.rto_min
    rto_max = conn.options.rto_max
    linear = (rto_max // base).bit_length() - 1
    # base * (1 + 2 + 4 .. + 2**tries), and rto_max for each wait that doubling would take beyond it.
    return ((2 << min(tries, linear)) - 1) * base + max(tries - linear, 0) * rto_max


# What is told of it.


def _give_up(conn: Connection, reason: Reason, decided: GivenUp) -> None:
    """End it with ETIMEDOUT, and say what decided that (tcp_write_err)."""
    conn.host.timer_fired(conn.key, reason, decided)
    closing.give_up(conn, f"no answer in time{closing.setting_words(conn.host, decided.setting)}")
    conn.host.count("TCPAbortOnTimeout")


def _what_timed_out(conn: Connection) -> Reason:
    if conn.state in OPENING:
        return reasons.SYN_TIMED_OUT
    return reasons.ORPHAN_TIMED_OUT if conn.orphan else reasons.TIMED_OUT


def _what_decided(conn: Connection) -> GivenUp:
    """The setting by which `_tried_enough` gave up."""
    options, sysctls, waited = conn.options, conn.host.sysctls, _waited(conn)
    opening = conn.state in OPENING
    syn_tries = options.syncnt or sysctls.tcp_syn_retries
    if options.user_timeout and not (opening and conn.rtx.retransmits >= syn_tries):
        return GivenUp("TCP_USER_TIMEOUT", options.user_timeout, waited, options.user_timeout * MILLISECOND)
    if opening:
        return GivenUp("TCP_SYNCNT" if options.syncnt else "net.ipv4.tcp_syn_retries", syn_tries, waited)
    if conn.orphan:
        setting, value = "net.ipv4.tcp_orphan_retries", sysctls.tcp_orphan_retries
    else:
        setting, value = "net.ipv4.tcp_retries2", sysctls.tcp_retries2
    return GivenUp(setting, value, waited, _allowed(conn, _tries(conn)))


def _shut_window_limit(conn: Connection) -> GivenUp:
    """The limit by which `_window_never_came_back` gave up."""
    longest, own = 2 * conn.options.rto_max, conn.options.user_timeout
    if own and own * MILLISECOND < longest:
        return GivenUp("TCP_USER_TIMEOUT", own, _waited(conn), own * MILLISECOND)
    rto_max = conn.options.rto_max // MILLISECOND
    return GivenUp("net.ipv4.tcp_rto_max_ms", rto_max, _waited(conn), longest)
