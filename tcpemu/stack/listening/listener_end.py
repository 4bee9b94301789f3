"""The end of a listener, by close() or shutdown() (inet_connection_sock.c: inet_csk_listen_stop)."""

from __future__ import annotations

from collections import deque

from tcpemu.stack.base.states import State
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.listening import queues, request_timer
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request


def stop(listener: Listener) -> None:
    """Stop listening: reset what nobody has accepted; requests vanish when their timer or a segment comes."""
    if listener.state is not State.LISTEN:
        return
    listener.state = State.CLOSE
    listener.host.state_changed(listener.key, State.LISTEN, State.CLOSE, "the listener is closed")
    queued, listener.accept_queue = listener.accept_queue, deque()
    for conn in queued:
        closing.disconnect(conn)
    if not listener.host.generation.synack.outlive_listener:
        for flow in list(listener.host.flows.values()):
            if isinstance(flow, Request) and flow.listener is listener:
                request_timer.remove(flow)
    queues.queue_changed(listener)
