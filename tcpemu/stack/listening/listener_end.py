"""The end of a listener, by close() or shutdown() (inet_connection_sock.c: inet_csk_listen_stop)."""

from __future__ import annotations

from collections import deque

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import LISTENER_GONE
from tcpemu.stack.base.states import State
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.listening import queues, request_timer
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request


def stop(listener: Listener, call: str) -> None:
    """Stop listening by this call: reset what nobody accepted; requests vanish when a timer or a segment comes."""
    if listener.state is not State.LISTEN:
        return
    listener.state = State.CLOSE
    listener.host.state_changed(listener.key, State.LISTEN, State.CLOSE, call)
    listener.fast_open.closed = True
    queued, listener.accept_queue = listener.accept_queue, deque()
    listener.accepting = 0
    for conn in queued:
        closing.disconnect(conn, f"{call} on the listener", reasons.SENT_UNACCEPTED_RST)
    if not listener.host.generation.synack.outlive_listener:
        for flow in list(listener.host.flows.values()):
            if isinstance(flow, Request) and flow.listener is listener:
                request_timer.remove(flow, LISTENER_GONE)
    queues.queue_changed(listener)
