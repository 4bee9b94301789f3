"""How long a connection was busy, and what held it back: the peer's window, or its own send buffer.

One thing at a time: what is found first counts as busy, and the stronger limit in place of the weaker. tcp_output.c:
tcp_chrono_start, tcp_chrono_stop, tcp_chrono_set; tcp.c: tcp_get_info_chrono_stats (Linux 6.12).

Differs: times are exact, where the kernel's go by its ticks.
"""

from __future__ import annotations

from tcpemu.stack.records.connection import Connection, Sending

IDLE, BUSY, PEERS_WINDOW, SEND_BUFFER = 0, 1, 2, 3
"""What the time counts for now; a larger number comes before a smaller one."""


def start(conn: Connection, what: int) -> None:
    """From now on the time counts for this, unless it does for something stronger."""
    if what > conn.snd.busy_with:
        _turn(conn, what)


def stop(conn: Connection, what: int) -> None:
    """It is over: the connection is busy no more if nothing is left to send or to be acknowledged."""
    snd, board = conn.snd, conn.scoreboard
    if not snd.busy_with:
        return
    if not snd.has_unsent and (board is None or not board.queue):
        _turn(conn, IDLE)
    elif what == snd.busy_with:
        _turn(conn, BUSY)


def window_found(conn: Connection, full: bool) -> None:
    """The peer's window holds data back, or does not any more (tcp_write_xmit)."""
    if full:
        start(conn, PEERS_WINDOW)
    elif conn.snd.busy_with == PEERS_WINDOW:
        stop(conn, PEERS_WINDOW)


def _turn(conn: Connection, what: int) -> None:
    snd, now = conn.snd, conn.host.now
    passed = now - snd.busy_since
    if snd.busy_with == BUSY:
        snd.busy_time += passed
    elif snd.busy_with == PEERS_WINDOW:
        snd.window_limited += passed
    elif snd.busy_with == SEND_BUFFER:
        snd.buffer_limited += passed
    snd.busy_with, snd.busy_since = what, now


def spent(snd: Sending, what: int, now: int) -> int:
    """Nanoseconds that count for this so far."""
    done = (0, snd.busy_time, snd.window_limited, snd.buffer_limited)[what]
    return done + (now - snd.busy_since if snd.busy_with == what else 0)
