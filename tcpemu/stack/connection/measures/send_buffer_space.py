"""The send buffer: how much memory it may take, and how much it takes.

As for receiving, the kernel counts memory and not octets: each buffer that waits or is under way takes what an empty
one does besides its data. tcp_input.c: tcp_sndbuf_expand; sock.h: sk_stream_wspace.
"""

from __future__ import annotations

from functools import lru_cache

from tcpemu.stack.base.congestion_hooks import INITIAL_WINDOW
from tcpemu.stack.base.sequence_numbers import before, distance
from tcpemu.stack.control import busy_times
from tcpemu.stack.records.connection import Connection, MtuSearch

_SHARED_INFO, _SK_BUFF = 320, 256
"""struct skb_shared_info, struct sk_buff."""


def used(conn: Connection) -> int:
    """Octets of memory that unsent and unacknowledged data takes (sk_wmem_queued)."""
    snd, board = conn.snd, conn.scoreboard
    empty = conn.host.generation.sending.buffer_memory
    waiting = conn.send_q + (len(snd.queue) * empty if snd.queue else 0)
    if snd.mtu_search is not None and snd.mtu_search.held:
        waiting += _held_by_probes(conn, snd.mtu_search)
    if board is None or not board.queue:
        return waiting
    # What is acknowledged of a single segment is given back with the rest of it, or when it is sent again.
    first = board.queue[0]
    return waiting + len(board.queue) * empty + distance(first.began, first.seq)


def _held_by_probes(conn: Connection, search: MtuSearch) -> int:
    """What was cut off buffers for MTU probes takes memory as long as their rest does (tcp_mtu_probe)."""
    board = conn.scoreboard
    begin = board.queue[0].began if board is not None and board.queue else conn.snd.una
    search.held = [entry for entry in search.held if not before(entry[0], begin)]
    return sum([octets for _, octets in search.held])


def is_free(conn: Connection) -> bool:
    """Whether another buffer may be begun (sk_stream_memory_free)."""
    if used(conn) >= conn.snd.buffer:
        return False
    return conn.snd.unsent < _not_sent_limit(conn)


def _not_sent_limit(conn: Connection) -> int:
    """Octets that may wait unsent: TCP_NOTSENT_LOWAT, or the sysctl (tcp.h: tcp_notsent_lowat)."""
    return conn.options.notsent_lowat or conn.host.sysctls.tcp_notsent_lowat


def is_writable(conn: Connection) -> bool:
    """Whether poll() calls it writable: a third of the buffer is free (sock.h: __sk_stream_is_writeable)."""
    taken = used(conn)
    return conn.snd.buffer - taken >= taken >> 1 and 2 * conn.snd.unsent < _not_sent_limit(conn)


def has_room(conn: Connection) -> bool:
    """Whether it is writable; where it is not, whoever asked is woken when it is (tcp_poll sets SOCK_NOSPACE)."""
    if is_writable(conn):
        return True
    conn.snd.no_space = True
    return False


def expand(conn: Connection) -> None:
    """Make room for twice the congestion window, each segment in memory of its own (tcp_sndbuf_expand)."""
    snd = conn.snd
    if conn.options.sndbuf_locked:
        return
    board = conn.scoreboard
    reordering = conn.host.sysctls.tcp_reordering if board is None else board.recovery.reordering
    headers = conn.host.generation.header_room
    wanted = _memory(max(snd.mss_clamp, snd.mss_cache) + headers, conn.congestion.cwnd, reordering)
    if conn.congestion.controls:
        # BBR may grow like slow start in a recovery too (sndbuf_expand).
        wanted = wanted // 2 * 3
    if snd.buffer < wanted:
        most = conn.host.sysctls.tcp_wmem[2]
        snd.buffer = wanted if wanted < most else most


@lru_cache(maxsize=4096)
def _memory(length: int, cwnd: int, reordering: int) -> int:
    """Twice the congestion window, in segments whose memory is a power of two, each with its sk_buff."""
    segment = 1 << (length + _SHARED_INFO - 1).bit_length()
    return 2 * max(INITIAL_WINDOW, cwnd, reordering + 1) * (segment + _SK_BUFF)


def space_may_have_come(conn: Connection) -> None:
    """Something was acknowledged: let the buffer grow where the window leaves room, and wake who waits for it.

    tcp_input.c: tcp_check_space, tcp_new_space.
    """
    if not conn.snd.no_space:
        return
    in_flight = 0 if conn.scoreboard is None else conn.scoreboard.in_flight
    if in_flight < conn.congestion.cwnd:
        expand(conn)
    if is_writable(conn):
        conn.snd.no_space = False
        if conn.snd.busy_with == busy_times.SEND_BUFFER:
            busy_times.stop(conn, busy_times.SEND_BUFFER)
        conn.host.wake(conn.socket)
