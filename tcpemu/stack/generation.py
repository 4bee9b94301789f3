"""What may differ from one kernel to the next: numbers, and a few rules that have names.

A generation is a value. The stack asks it and never looks at its name; the values themselves live in the
room above, `tcpemu.generations`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tcpemu.stack.units import SECOND


@dataclass(frozen=True, slots=True)
class Generation:
    """One family of kernels. Times are nanoseconds."""

    name: str
    about: str
    clamp_backlog: Callable[[int, int], int]
    """(backlog given to listen(), net.core.somaxconn) -> the limit in force."""
    accept_queue_full: Callable[[int, int], bool]
    """(completed connections that wait, limit) -> whether one more is refused."""
    syn_queue_full: Callable[[int, int], bool]
    """(requests that wait, limit) -> whether one more needs a cookie or is dropped."""
    sysctls: Mapping[str, int | tuple[int, int, int]] = field(default_factory=dict)
    """Defaults that are not those of the table in `tcpemu.stack.sysctl`."""
    initial_rto: int = SECOND
    rto_min: int = SECOND // 5
    rto_max: int = 120 * SECOND
    fallback_rto: int = 3 * SECOND
    """RTO after a handshake that gave no round-trip time."""
    time_wait: int = 60 * SECOND
    initial_cwnd: int = 10
    cookie_mss: tuple[int, ...] = (536, 1300, 1440, 1460)
    cookie_minutes: int = 2
    """A SYN cookie is good while its minute counter has advanced fewer than this many times."""
    cookie_overflow: int = 120 * SECOND
    """How long after the last cookie was sent ACKs are still tried as cookies."""
    challenge_inexact_rst: bool = True
    """An in-window RST that does not hit RCV.NXT of a request draws a challenge ACK and kills nothing."""
    check_tsecr: bool = True
    """A final ACK whose TSecr no SYN/ACK has sent is not taken."""
    beyond_window: bool = True
    """Data that ends beyond the window is refused while the application has unread data."""
