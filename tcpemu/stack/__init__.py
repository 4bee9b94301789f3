"""One host's TCP, pure: no clock, no file, no network, nothing outside the standard library.

Start at `host.py`. Each room uses only those before it here:

    base/        what all know: numbers, time, states, reasons, events, settings, the generation
    records/     what a connection, a request, a listener, a TIME_WAIT bucket is
    control/     the congestion window: reno, cubic
    recovery/    what is lost and may be sent again: SACK, RACK, PRR, F-RTO, undo
    connection/  a segment arrives, data goes out, timers fire, the end
    listening/   SYNs, requests, cookies, both queues
    sockets/     the calls, options, ports, readiness
    host_arguments.py  what a user may give to a host
    dispatch.py  which rule a segment meets, and which a timer
    host.py      the five verbs, over all of these
"""

from tcpemu.stack.base.errors import ConfigurationError, NotEmulatedError, SocketError
from tcpemu.stack.base.events import (
    Counted,
    Event,
    Outcome,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    TimerFired,
    Verdict,
)
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.reasons import REASONS
from tcpemu.stack.base.states import State
from tcpemu.stack.base.sysctls import SYSCTLS
from tcpemu.stack.host import Host
from tcpemu.stack.sockets.armed_timers import PendingTimer
from tcpemu.stack.sockets.socket import Socket
from tcpemu.stack.sockets.ss_table import SocketRow

__all__ = [
    "REASONS",
    "SYSCTLS",
    "ConfigurationError",
    "Counted",
    "Event",
    "Generation",
    "Host",
    "NotEmulatedError",
    "Outcome",
    "PendingTimer",
    "QueueChanged",
    "Reason",
    "Sent",
    "Socket",
    "SocketError",
    "SocketRow",
    "State",
    "StateChanged",
    "TimerFired",
    "Verdict",
]
