"""Whether something on the way swallows Fast Open: then a host connects without it for a while.

Some firewalls drop a SYN with data, or what follows it. So after the third time-out in a row, or a FIN or RST out of
order before any data, no SYN carries data or asks for a cookie for net.ipv4.tcp_fastopen_blackhole_timeout_sec; each
time that happens again, for twice as long, up to 64 times that. tcp_fastopen.c: tcp_fastopen_active_disable,
tcp_fastopen_active_should_disable, tcp_fastopen_active_detect_blackhole (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.ip_families import is_loopback
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices

_MOST_DOUBLINGS = 6
_THIRD_TIME_OUT = 2


def disable(host: HostServices) -> None:
    """It is not tried for a while, where the sysctl says for how long."""
    if host.sysctls.tcp_fastopen_blackhole_timeout_sec:
        host.fast_open.disabled_at = host.now
        host.fast_open.disabled_times += 1
        host.count("TCPFastOpenBlackhole")


def disabled(conn: Connection) -> bool:
    """Whether it is not tried now; the first one that tries again shows how things are."""
    host = conn.host
    seconds, times = host.sysctls.tcp_fastopen_blackhole_timeout_sec, host.fast_open.disabled_times
    if not seconds or not times:
        return False
    until = host.fast_open.disabled_at + (seconds << min(times - 1, _MOST_DOUBLINGS)) * SECOND
    if host.now < until:
        return True
    if conn.fast_open is not None:
        conn.fast_open.probing = True
    return False


def timed_out(conn: Connection, expired: bool) -> None:
    """A retransmission time-out; `expired` is the last one."""
    fast_open, times = conn.fast_open, conn.rtx.retransmits
    if fast_open is None or not (fast_open.asked or fast_open.syn_data or fast_open.data_acked):
        return
    if times == _THIRD_TIME_OUT or (times < _THIRD_TIME_OUT and expired):
        disable(conn.host)
        conn.host.count("TCPFastOpenActiveFail")


def out_of_order(conn: Connection) -> None:
    """A RST beside the edge is the first that comes (tcp_validate_incoming)."""
    fast_open = conn.fast_open
    if fast_open is None or not fast_open.asked or fast_open.data_came:
        return
    if conn.state is State.ESTABLISHED:
        disable(conn.host)


def at_end(conn: Connection) -> None:
    """A FIN beyond a hole was all that came; or data did, and all is well (tcp_fastopen_active_disable_ofo_check)."""
    fast_open, client = conn.fast_open, conn.host.fast_open
    if fast_open is None or not fast_open.asked:
        return
    if not fast_open.data_came:
        kept = conn.rcv.out_of_order
        if kept is not None and len(kept) == 1 and kept[0].fin:
            disable(conn.host)
    elif fast_open.probing and client.disabled_times and not is_loopback(conn.key[0]):
        client.disabled_times = 0
