"""One host's TCP, pure: no clock, no file, no network. See `host.py` for the five verbs."""

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
