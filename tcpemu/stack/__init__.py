"""One host's TCP, pure: no clock, no file, no network, nothing outside the standard library.

Where a rule lives:

    the host        host.py: the five verbs, the table of flows, resets · socket.py, calls.py: system calls ·
                    ports.py · metrics.py · table.py: `ss` ·
                    pending.py: timers that wait
    listening       listener.py: the two queues · syn.py: a SYN arrives · request.py: a half-open connection,
                    its timer, the final ACK · cookies.py
    a connection    connection.py: what it knows, begins and ends · active.py: connect() · incoming.py: is a
                    segment acceptable, RST, SYN · ack.py: the acknowledgment · text.py, reassembly.py: data
                    and FIN · acks.py: when to acknowledge · output.py: what is sent · retransmit.py: time-outs
                    and probes · rtt.py · congestion.py · window.py: the receive window · timewait.py
    everywhere      options.py: TCP options · limits.py: rate limits · seq.py · timers.py · secrets.py · units.py
    what may vary   generation.py: kernels · sysctl.py · sockopt.py
    what is told    events.py · reasons.py: every rule by name, in words, with its place in the kernel · states.py ·
                    errors.py
"""

from tcpemu.stack.errors import ConfigurationError, SocketError
from tcpemu.stack.events import (
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
from tcpemu.stack.generation import Generation
from tcpemu.stack.host import Host
from tcpemu.stack.pending import PendingTimer
from tcpemu.stack.reasons import REASONS
from tcpemu.stack.socket import Socket
from tcpemu.stack.states import State
from tcpemu.stack.sysctl import SYSCTLS
from tcpemu.stack.table import SocketRow

__all__ = [
    "REASONS",
    "SYSCTLS",
    "ConfigurationError",
    "Counted",
    "Event",
    "Generation",
    "Host",
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
