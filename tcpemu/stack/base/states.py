"""The states of a TCP endpoint, with Linux's names and numbers (include/net/tcp_states.h).

Rules that each segment runs through read a member once, when their module is imported (`_CLOSE = State.CLOSE`), and
likewise those of other enumerations: until Python 3.12 reading one through its class takes several times as long.
"""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """A state of RFC 9293, numbered as Linux numbers it."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11

    @property
    def ss_name(self) -> str:
        """The name that `ss` prints."""
        return _SS_NAMES[self]


_SS_NAMES = {
    State.ESTABLISHED: "ESTAB",
    State.SYN_SENT: "SYN-SENT",
    State.SYN_RECV: "SYN-RECV",
    State.FIN_WAIT1: "FIN-WAIT-1",
    State.FIN_WAIT2: "FIN-WAIT-2",
    State.TIME_WAIT: "TIME-WAIT",
    State.CLOSE: "UNCONN",
    State.CLOSE_WAIT: "CLOSE-WAIT",
    State.LAST_ACK: "LAST-ACK",
    State.LISTEN: "LISTEN",
    State.CLOSING: "CLOSING",
}
TRANSITIONS: dict[State, dict[State, str]] = {
    State.CLOSE: {
        State.LISTEN: "listen()",
        State.SYN_SENT: "connect() sends SYN",
    },
    State.LISTEN: {State.CLOSE: "close() or shutdown()"},
    State.SYN_SENT: {
        State.ESTABLISHED: "SYN|ACK arrives",
        State.SYN_RECV: "SYN arrives: simultaneous open",
        State.CLOSE: "RST, time-out or close()",
    },
    State.SYN_RECV: {
        State.ESTABLISHED: "the final ACK is good",
        State.FIN_WAIT1: "close()",
        State.CLOSE: "RST, time-out or close()",
    },
    State.ESTABLISHED: {
        State.FIN_WAIT1: "close() or shutdown() sends FIN",
        State.CLOSE_WAIT: "FIN arrives",
        State.CLOSE: "RST, time-out or abort",
    },
    State.FIN_WAIT1: {
        State.FIN_WAIT2: "our FIN is acknowledged",
        State.CLOSING: "FIN arrives first",
        State.TIME_WAIT: "FIN arrives and ours is acknowledged",
        State.CLOSE: "RST, time-out or abort",
    },
    State.FIN_WAIT2: {
        State.TIME_WAIT: "FIN arrives",
        State.CLOSE: "RST, time-out or abort",
    },
    State.CLOSING: {
        State.TIME_WAIT: "our FIN is acknowledged",
        State.CLOSE: "RST, time-out or abort",
    },
    State.CLOSE_WAIT: {
        State.LAST_ACK: "close() or shutdown() sends FIN",
        State.CLOSE: "RST, time-out or abort",
    },
    State.LAST_ACK: {State.CLOSE: "our FIN is acknowledged, RST or time-out"},
    State.TIME_WAIT: {State.CLOSE: "60 s have passed, RST, or a new SYN takes the flow"},
}
"""Every transition that a socket may make, and its cause: what the diagram in the documentation is drawn from."""
OPENING = (State.SYN_SENT, State.SYN_RECV)
