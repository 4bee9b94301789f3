"""Rules about a listener's queues, each named for what it says. A is what waits for accept(), Q the half-open
connections, Y those among them that are young, N the backlog.
"""

from tcpemu.stack.base.generation import Queues


def clamp_unsigned(backlog: int, somaxconn: int) -> int:
    """A negative backlog is a huge one, so it becomes somaxconn (Linux, net/socket.c: __sys_listen_socket)."""
    return backlog if 0 <= backlog <= somaxconn else somaxconn


def clamp_16_bits(backlog: int, somaxconn: int) -> int:
    """The same, held in 16 bits: a somaxconn of 65536 gives a backlog of 0 (Linux before 3.19)."""
    return clamp_unsigned(backlog, somaxconn) & 0xFFFF


def clamp_zero_to_one(backlog: int, somaxconn: int) -> int:
    """Linux 2.2: 0 becomes 1."""
    return clamp_unsigned(backlog, somaxconn) or 1


def clamp_zero_to_most(backlog: int, somaxconn: int) -> int:
    """Linux 2.0 and XNU: 0 and whatever is out of range become the most there is."""
    return backlog if 0 < backlog <= somaxconn else somaxconn


def clamp_negative_to_zero(backlog: int, somaxconn: int) -> int:
    """4.4BSD: a negative backlog is 0."""
    return min(max(backlog, 0), somaxconn)


def clamp_negative_to_one(backlog: int, somaxconn: int) -> int:
    """Solaris: a negative backlog is 1, the least that it tests for, and 0 stays (illumos, tcp.c: tcp_do_listen)."""
    return 1 if backlog < 0 else min(backlog, somaxconn)


def never(_queues: Queues) -> bool:
    """The place was taken when the SYN came."""
    return False


def never_half_open(_queues: Queues, _limit: int) -> bool:
    """Half-open connections are not counted, or with the others."""
    return False


def accepting_more_than(queues: Queues) -> bool:
    """A > N: full at one more than the backlog (include/net/sock.h: sk_acceptq_is_full)."""
    return queues.accepting > queues.backlog


def accepting_at_least(queues: Queues) -> bool:
    """A >= N: exactly the backlog."""
    return queues.accepting >= queues.backlog


def accepting_three_halves(queues: Queues) -> bool:
    """A > 3N/2 (FreeBSD, uipc_socket.c: solisten_clone)."""
    return queues.accepting > 3 * queues.backlog // 2


def accepting_and_young(queues: Queues) -> bool:
    """A > N and Y > 1: one young request is let in all the same (Linux 2.4 to 4.9)."""
    return queues.accepting > queues.backlog and queues.young > 1


def together_at_least(queues: Queues) -> bool:
    """A + Q >= N: one queue holds both."""
    return queues.accepting + queues.syn_queue >= queues.backlog


def together_three_halves(queues: Queues) -> bool:
    """A + Q > 3N/2: one queue holds both, with room to spare (4.4BSD, uipc_socket2.c: sonewconn1)."""
    return queues.accepting + queues.syn_queue > 3 * queues.backlog // 2


def half_open_more_than(queues: Queues, _limit: int) -> bool:
    """Q > N: since 6.13 and stable kernels of 2025 (inet_connection_sock.h: inet_csk_reqsk_queue_is_full)."""
    return queues.syn_queue > queues.backlog


def half_open_at_least(queues: Queues, _limit: int) -> bool:
    """Q >= N: Linux 4.4 to 6.12. With a backlog of 0 every SYN needs a cookie."""
    return queues.syn_queue >= queues.backlog


def half_open_fill_table(queues: Queues, _limit: int) -> bool:
    """Q >= the table's entries (Linux 2.4 to 4.3, request_sock.h: reqsk_queue_is_full)."""
    return queues.syn_queue >= queues.table


def half_open_more_than_limit(queues: Queues, limit: int) -> bool:
    """Q > tcp_max_syn_backlog, whatever the backlog (Linux 2.2)."""
    return queues.syn_queue > limit


def half_open_thousand_more(queues: Queues, _limit: int) -> bool:
    """Q >= N + tcp_conn_req_max_q0, 1024 (illumos, tcp_input.c: tcp_input_listener)."""
    return queues.syn_queue >= queues.backlog + 1024


def table_by_limit(_backlog: int, limit: int) -> int:
    """A power of two not below tcp_max_syn_backlog, 64 at least (Linux 2.4, tcp.c: tcp_listen_start)."""
    return max(64, 1 << (max(limit, 1) - 1).bit_length())


def table_by_backlog(backlog: int, limit: int) -> int:
    """A power of two above the backlog and tcp_max_syn_backlog, 16 at least (request_sock.c: reqsk_queue_alloc)."""
    return 1 << max(8, min(backlog, limit)).bit_length()


def half_of_backlog(queues: Queues) -> bool:
    """2Q > max(8, N): old requests crowd the queue (inet_connection_sock.c: reqsk_timer_handler)."""
    return queues.syn_queue << 1 > max(8, queues.backlog)


def half_of_table(queues: Queues) -> bool:
    """Q >= half the table (inet_connection_sock.c: inet_csk_reqsk_queue_prune)."""
    return queues.syn_queue >= queues.table >> 1
