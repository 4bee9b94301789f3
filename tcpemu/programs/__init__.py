"""Real Python programs on the hosts of a network: blocking code in threads, asyncio, sockets, in virtual time.

Where things are:

    put together    driver.py: programs and coroutines on the hosts of a network, run to their end
    who runs        waiting/: one thread at a time; what a call does that waits; what is stuck
    what is open    files/: what descriptors lead to; readiness
    what is called  calls/: what stands in for the standard library while programs run
    what is run     launching/: files, modules and functions as programs, and what comes of them
    coroutines      event_loop/: asyncio over the same sockets, without threads
"""

from tcpemu.programs.driver import Driver
from tcpemu.programs.launching.program import Program
from tcpemu.programs.waiting.computers import StuckError

__all__ = ["Driver", "Program", "StuckError"]
