"""What happened in a host and why: the values that `Host.events()` gives, in order.

Each segment that arrives gets one `Verdict`; each that leaves, one `Sent`. What they share is a `Reason`,
which names the rule and where the kernel has it.

Nobody changes an event. Those that are made by the million are not frozen all the same, for to set the fields of a
frozen dataclass takes three times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import FlowKey, Segment, flow_text


class Outcome(Enum):
    """What became of a segment that arrived."""

    ACCEPTED = "accepted"
    """It changed something or was taken in."""
    ANSWERED = "answered"
    """It changed nothing here, but a segment went back because of it."""
    DROPPED = "dropped"
    """It changed nothing and nothing was said."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was done: a rule of the stack. It is the same one in every kernel that has it, so two with one
    name are equal, whatever source and words they have.
    """

    name: str
    """In capitals, as the kernel names its drop reasons: ACCEPT_QUEUE_FULL."""
    text: str = field(compare=False)
    """In words, without a full stop: 'the accept queue is full, so the ACK is ignored'."""
    source: str = field(compare=False)
    """Where the kernel decides it: 'tcp_minisocks.c: tcp_check_req'."""
    outcome: Outcome = field(default=Outcome.ACCEPTED, compare=False)
    """What became of a segment for this reason; it means nothing for one that is sent."""


class _Told:
    """What shows itself as the sentence that it says."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


@dataclass(slots=True, unsafe_hash=True, repr=False)
class Verdict(_Told):
    """A segment arrived, and this became of it."""

    at: int
    segment: Segment | Refused
    outcome: Outcome
    reason: Reason

    def __str__(self) -> str:
        return f"{_when(self.at)} {self.outcome.value}: {self.segment}: {self.reason.text}"


@dataclass(slots=True, unsafe_hash=True, repr=False)
class Sent(_Told):
    """A segment was given to the network."""

    at: int
    segment: Segment
    reason: Reason
    repeat: int = 0
    """0 for the first time, k when it is sent again for the k-th time."""

    def __str__(self) -> str:
        return f"{_when(self.at)} sent: {self.segment}: {self.reason.text}"


@dataclass(slots=True, unsafe_hash=True, repr=False)
class StateChanged(_Told):
    """A socket, or a request that waits in the SYN queue, changed its state."""

    at: int
    flow: FlowKey
    """Remote address, remote port, local address, local port."""
    old: State
    new: State
    cause: str

    def __str__(self) -> str:
        return f"{_when(self.at)} {flow_text(self.flow)}: {self.old.name} to {self.new.name}: {self.cause}"


LISTENER_GONE = "its listener is gone"
"""The cause of the end of a request whose listener has ended."""


@dataclass(slots=True, unsafe_hash=True, repr=False)
class QueueChanged(_Told):
    """A queue of a listener got longer or shorter, or listen() set its limit."""

    at: int
    port: int
    accept: int
    """Completed connections that wait for accept()."""
    syn: int
    """Requests that wait for the final ACK."""
    backlog: int
    """The limit in force. Linux 6.18 holds one more than that in each queue."""

    def __str__(self) -> str:
        queues = f"accept queue {self.accept}, SYN queue {self.syn}, backlog {self.backlog}"
        return f"{_when(self.at)} listener on port {self.port}: {queues}"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What decided that a timer had waited long enough."""

    setting: str
    """The sysctl or socket option whose value decided: `net.ipv4.tcp_retries2`, `TCP_USER_TIMEOUT`."""
    value: int
    """What it was, in its own unit."""
    waited: int
    """Nanoseconds since the first retransmission, or the first SYN: from where the kernel counts."""
    allowed: int | None = None
    """Nanoseconds from which on the timer gives up; None where it counts tries."""


@dataclass(slots=True, unsafe_hash=True, repr=False)
class TimerFired(_Told):
    """A timer came due and did something."""

    at: int
    flow: FlowKey
    reason: Reason
    given_up: GivenUp | None = None
    """For one that gave up: what decided that."""

    def __str__(self) -> str:
        return f"{_when(self.at)} timer of {flow_text(self.flow)}: {self.reason.text}"


@dataclass(slots=True, unsafe_hash=True)
class IcmpArrived:
    """An ICMP error arrived, and why it did what it did."""

    at: int
    error: IcmpError
    reason: Reason

    def __str__(self) -> str:
        return f"{_when(self.at)} ICMP: {self.error}: {self.reason.text}"


@dataclass(slots=True, unsafe_hash=True, repr=False)
class Counted(_Told):
    """A MIB counter moved."""

    at: int
    name: str
    by: int

    def __str__(self) -> str:
        return f"{_when(self.at)} {self.name} +{self.by}"


def _when(at: int) -> str:
    """Seconds, as `1.003000000 s`."""
    return f"{at / SECOND:.9f} s"


Event: TypeAlias = Verdict | Sent | StateChanged | QueueChanged | TimerFired | IcmpArrived | Counted
"""Anything that a host tells."""
