"""A SYN with a Fast Open cookie, or that asks for one: whether its data is taken at once (RFC 7413 section 4.2).

If it is, a connection is made of the SYN alone. It waits in the accept queue as any other, may be read and written, and
is still in SYN_RECV: `fast_open_child.py` has what it does until the final ACK. If not, the SYN makes a request, its
data is not acknowledged, and the client sends that again after the handshake. tcp_fastopen.c: tcp_try_fastopen
(Linux 6.18).
"""

from __future__ import annotations

from dataclasses import replace

from tcpemu.stack.base import reasons
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import SynOptions
from tcpemu.stack.connection.arriving import handshake_data
from tcpemu.stack.connection.lifetime import establishing
from tcpemu.stack.listening import child, queues, syn_ack
from tcpemu.stack.listening.fast_open_cookie import cookie, keys_of
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.fast_open import ALL_LISTENERS, SERVER, SERVER_NO_COOKIE, FastOpenState
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.stack.recovery import write_timer
from tcpemu.wire.options import FastOpen
from tcpemu.wire.segment import Segment

_NEEDED = SERVER | ALL_LISTENERS


def options_at_listen(host: HostServices, options: SocketOptions, backlog: int) -> SocketOptions:
    """With 0x400 in net.ipv4.tcp_fastopen every listener takes it, as many as its backlog (__inet_listen_sk)."""
    if options.fastopen or host.sysctls.tcp_fastopen & _NEEDED != _NEEDED:
        return options
    return replace(options, fastopen=host.generation.clamp_backlog(backlog, host.sysctls.somaxconn))


def take(
    listener: Listener, request: Request, segment: Segment, offer: SynOptions
) -> tuple[Connection | None, FastOpen | None]:
    """The connection, where one is made at once; and the cookie that the SYN|ACK is to give (tcp_try_fastopen)."""
    host, shown = listener.host, offer.fast_open
    if shown is not None and not shown.cookie:
        host.count("TCPFastOpenCookieReqd")
    if not host.sysctls.tcp_fastopen & SERVER or not _has_room(listener):
        return None, None
    if host.sysctls.tcp_fastopen & SERVER_NO_COOKIE or listener.options.fastopen_no_cookie:
        return _new_child(listener, request, segment), None
    if shown is None:
        return None, None
    cookies = [cookie(key, segment.src, segment.dst) for key in keys_of(listener)]
    answer = replace(shown, cookie=cookies[0])
    if not shown.cookie:
        return None, answer
    if shown.cookie not in cookies:
        host.count("TCPFastOpenPassiveFail")
        return None, answer
    made = _new_child(listener, request, segment)
    if shown.cookie == cookies[0]:
        return made, None
    host.count("TCPFastOpenPassiveAltKey")
    return made, answer


def _has_room(listener: Listener) -> bool:
    """Whether one more may wait for its final ACK; the oldest that a RST ended goes after a minute.

    tcp_fastopen.c: tcp_fastopen_queue_check.
    """
    limit, queue = listener.options.fastopen, listener.fast_open
    if not limit:
        return False
    if queue.pending < limit:
        return True
    if not queue.resets or queue.resets[0] > listener.host.now:
        listener.host.count("TCPFastOpenListenOverflow")
        return False
    queue.resets.popleft()
    queue.pending -= 1
    return True


def _new_child(listener: Listener, request: Request, segment: Segment) -> Connection:
    """A connection is made of the SYN, with its data (tcp_fastopen_create_child)."""
    host = listener.host
    host.count("PassiveOpens")
    conn = child.from_request(request, segment, None)
    conn.fast_open = FastOpenState(request, listener.fast_open)
    listener.fast_open.pending += 1
    # The window of a SYN is not scaled.
    conn.snd.wnd = conn.snd.max_window = segment.window
    write_timer.set_timer(conn, WriteTimer.RETRANS, host.generation.initial_rto)
    establishing.init_transfer(conn)
    establishing.init_rcv_mss(conn)
    handshake_data.take(conn, segment)
    conn.fast_open.taken = segment.length - 1
    conn.rcv.data_segs_in = int(bool(segment.payload))
    conn.rcv.wup = conn.rcv.nxt
    host.count("TCPFastOpenPassive")
    return conn


def queue(listener: Listener, conn: Connection, request: Request, answer: FastOpen | None) -> None:
    """Answer the SYN, and queue the connection for accept() (tcp_conn_request)."""
    host = listener.host
    host.state_changed(
        conn.key, State.CLOSE, State.SYN_RECV, "a SYN arrives, with data that is taken at once"
    )
    assert conn.fast_open is not None
    syn_ack.send_syn_ack(request, reasons.SENT_SYN_ACK_FAST_OPEN, 0, conn.fast_open.taken, answer)
    host.flows[conn.key] = conn
    queues.let_wait(listener, conn)
    host.wake(listener.socket)
