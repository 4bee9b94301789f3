"""Linux kernels."""

from tcpemu.stack.generation import Generation


def _unsigned_clamp(backlog: int, somaxconn: int) -> int:
    """A negative backlog is a huge one, so it becomes somaxconn (net/socket.c: __sys_listen_socket)."""
    return backlog if 0 <= backlog <= somaxconn else somaxconn


def _more_than(waiting: int, backlog: int) -> bool:
    """Full at one more than the backlog: a backlog of 0 holds one."""
    return waiting > backlog


LINUX_6_18 = Generation(
    name="linux-6.18",
    about="Linux 6.18 (2025), as measured on 6.18.44",
    clamp_backlog=_unsigned_clamp,
    accept_queue_full=_more_than,
    syn_queue_full=_more_than,
)
