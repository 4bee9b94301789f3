"""One buffer of data that waits to be sent: the kernel's sk_buff, as tcp_sendmsg_locked fills it.

Its borders decide what goes out: a piece never reaches beyond its buffer, PSH belongs to its end, and memory is
counted by buffers and not by octets.
"""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class SendBuffer:
    """Data that waits, written by one send() or several."""

    payload: bytes = b""
    push: bool = False
    """Its last segment carries PSH (tcp_mark_push)."""
    eor: bool = False
    """A record ends here (MSG_EOR): nothing joins it from behind, neither here nor once it was sent."""
