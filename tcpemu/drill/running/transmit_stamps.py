"""SO_TIMESTAMPING for what is sent: when the last octet of each call was queued, sent and acknowledged.

As over a device without a queue: it is queued and sent at the same time. net/ipv4/tcp.c: tcp_tx_timestamp;
net/core/skbuff.c: __skb_tstamp_tx (Linux 6.18).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tcpemu.stack import NotEmulatedError
from tcpemu.stack.base.sequence_numbers import MASK, before
from tcpemu.stack.records.connection import Connection

SENT, SCHEDULED, ACKNOWLEDGED = 0, 1, 2
"""SCM_TSTAMP_SND and the like: what a stamp is of."""
_TX_SOFTWARE, _SOFTWARE, _OPT_ID, _TX_SCHED, _TX_ACK = 1 << 1, 1 << 4, 1 << 7, 1 << 8, 1 << 9
_EMULATED = _TX_SOFTWARE | _SOFTWARE | _OPT_ID | _TX_SCHED | _TX_ACK


@dataclass(frozen=True, slots=True)
class Stamp:
    """One entry of the error queue."""

    kind: int
    key: int
    """The octet, counted from what was unacknowledged when the option was set; 0 without SOF_TIMESTAMPING_OPT_ID."""
    at: int
    """Nanoseconds of the host's clock."""


@dataclass(slots=True, eq=False)
class _Octet:
    """The last octet of a call: the sequence number behind it, and whether it was sent."""

    end: int
    sent: bool = False


@dataclass(slots=True, eq=False)
class TransmitStamps:
    """What one socket asks for, and the stamps that wait."""

    bits: int
    first: int
    """The sequence number that octets count from."""
    waiting: deque[Stamp] = field(default_factory=deque)
    _octets: list[_Octet] = field(default_factory=list)

    def wrote(self, conn: Connection) -> None:
        """A call has written up to here."""
        self._octets.append(_Octet(conn.snd.write_seq))

    def look(self, conn: Connection, now: int) -> None:
        """See what was sent or acknowledged since the last look."""
        for octet in self._octets:
            if not octet.sent and not before(conn.snd.nxt, octet.end):
                octet.sent = True
                self._stamp(_TX_SCHED, SCHEDULED, octet, now)
                self._stamp(_TX_SOFTWARE, SENT, octet, now)
        acknowledged = [octet for octet in self._octets if not before(conn.snd.una, octet.end)]
        for octet in acknowledged:
            self._stamp(_TX_ACK, ACKNOWLEDGED, octet, now)
            self._octets.remove(octet)

    def _stamp(self, bit: int, kind: int, octet: _Octet, now: int) -> None:
        if self.bits & bit and self.bits & _SOFTWARE:
            key = (octet.end - 1 - self.first) & MASK if self.bits & _OPT_ID else 0
            self.waiting.append(Stamp(kind, key, now))


def stamps_for(conn: Connection | None, bits: int) -> TransmitStamps | None:
    """What setsockopt() with these bits begins; None for no bits. NotEmulatedError for other bits."""
    if not bits:
        return None
    if bits & ~_EMULATED or conn is None:
        raise NotEmulatedError(
            "SO_TIMESTAMPING is emulated for what a connection sends: TX_SCHED, TX_SOFTWARE, TX_ACK, SOFTWARE, OPT_ID"
        )
    return TransmitStamps(bits, conn.snd.una)
