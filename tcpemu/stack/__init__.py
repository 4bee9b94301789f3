"""One host's TCP, pure: no clock, no file, no network, nothing outside the standard library.

Start at `host.py`. Each room uses only those before it here:

    base/        what all know: numbers, time, states, reasons, events, settings, the generation
    records/     what a connection, a request, a listener, a TIME_WAIT bucket is
    control/     the congestion window and the pace: reno, cubic, bbr, dctcp
    recovery/    what is lost and may be sent again: SACK, RACK, PRR, F-RTO, undo
    connection/  a segment arrives, data goes out, timers fire, the end
    listening/   SYNs, requests, cookies, both queues
    sockets/     the calls, options, ports, readiness
    dispatch.py  which rule a segment meets, and which a timer
    host.py      the five verbs, over all of these

Each rule names its function in the kernel's source, as `tcp_input.c: tcp_ack`: read in Linux 6.12, and where a
generation is of another version, in its own. What it does was asked of running kernels, of 6.18 above all; where the
two differ the kernel that ran is right, and the generation says so.

A driver gives a `Host` segments and time, and takes from it what it sends and says. Times are nanoseconds:

>>> from tcpemu.generations import generation
>>> from tcpemu.stack import Host, Verdict
>>> from tcpemu.wire import Segment, address, flag_letters, flags_of
>>> host = Host([address("192.0.2.1")], generation("linux-6.18"), sysctls={"net.ipv4.tcp_syncookies": 0})
>>> listener = host.socket()
>>> listener.bind(None, 80)
>>> listener.listen(1, now=0)
>>> syn = Segment(address("198.51.100.7"), 40000, address("192.0.2.1"), 80, 1000, 0, flags_of("S"), 65535)
>>> host.receive(syn, now=0)
>>> [flag_letters(segment.flags) for segment in host.transmit()]
['SA']
>>> host.next_timer()  # nobody answers: the SYN|ACK is due again
1000000000
>>> [event.reason.name for event in host.events() if isinstance(event, Verdict)]
['SYN_QUEUED']
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
