"""What each turning point is called."""

from tcpemu.explain.facts.row_notes import (
    KEEPALIVE,
    KEEPALIVE_ANSWERED,
    NOBODY,
    PROBE,
    PROBE_ANSWERED,
    PROBE_NOT_ANSWERED,
    ZERO_WINDOW,
)
from tcpemu.explain.story.opening_and_closing import HANDSHAKE, PUT_OFF_DONE

LOSS = "LOSS"
"""Stands for the reason of what the network lost."""


TITLES = {
    LOSS: "The network loses a packet",
    NOBODY: "A packet goes to an address that no host has",
    "ACCEPT_QUEUE_FULL": "A final ACK is ignored",
    "ABORT_ON_OVERFLOW": "A final ACK is answered with a RST",
    "ACCEPT_QUEUE_FULL_RST": "A final ACK is answered with a RST",
    "ACCEPT_QUEUE_FULL_SYN": "A SYN is dropped",
    "SYN_QUEUE_FULL": "A SYN is dropped",
    "QUEUE_FULL_SYN": "A SYN is dropped",
    "SYN_BACKLOG_LAST_QUARTER": "A SYN is dropped",
    "SYN_REFUSED": "A SYN is answered with a RST",
    "SYN_COOKIE": "SYN cookies begin",
    "SYN_COOKIE_ALWAYS": "SYN cookies begin",
    "COOKIE_GOOD": "A SYN cookie comes back",
    "COOKIE_ACCEPT_QUEUE_FULL": "The ACK to a SYN cookie is ignored",
    "SYN_ACK_AGAIN": "SYN|ACK retransmission",
    "SYN_AGAIN": "SYN retransmission",
    "RETRANSMIT": "Retransmission time-out (RTO)",
    "DATA_AHEAD": "Data arrives out of order",
    "DUP_ACK": "Duplicate ACK",
    "OUT_OF_WINDOW": "A segment outside the window",
    "TIME_WAIT_ACK": "TIME-WAIT answers with an ACK",
    "TIME_WAIT_QUIET": "TIME-WAIT ignores a segment",
    "TW_ACK": "TIME-WAIT repeats its last ACK",
    "FAST_RETRANSMIT": "Fast retransmit",
    "REORDERING_RETRANSMIT": "RACK timer: retransmit",
    "SLOW_START_RETRANSMIT": "Slow start after a time-out: retransmit",
    "LOSS_PROBE": "Tail loss probe",
    "CHALLENGE_SYN": "A SYN reaches an open connection: challenge ACK",
    "DEFER_ACCEPT": "A bare ACK waits for its data",
    "REQUEST_EXPIRED": "The server forgets a half-open connection",
    "REQUEST_CROWDED_OUT": "The server forgets a half-open connection early",
    "REQUEST_EXPIRED_RST": "The server gives up a half-open connection",
    "REQUEST_SILENT": "A SYN|ACK is not sent again",
    "REQUEST_ORPHANED": "A half-open connection has lost its listener",
    "REQUEST_EVICTED": "A half-open connection is thrown out",
    "LISTENER_ACK": "A RST for an ACK of no connection",
    "NO_SOCKET": "A RST from a port where nobody listens",
    "REQUEST_RST": "A client resets its half-open connection",
    "RESET": "A RST ends a connection",
    "REFUSED": "A RST refuses a connection",
    "SYN_TIMED_OUT": "connect() gives up: no answer to the SYN",
    "TIMED_OUT": "A connection is given up: no ACK in time",
    "ORPHAN_TIMED_OUT": "An orphaned connection is given up",
    "PROBES_TIMED_OUT": "A connection is given up: zero window probes without an answer",
    "CLOSED_WINDOW_TIMED_OUT": "A connection is given up: its window stayed closed",
    "SHUT_WINDOW_TIMED_OUT": "A connection is given up: its window closed over data under way",
    KEEPALIVE: "A keepalive probe",
    KEEPALIVE_ANSWERED: "A keepalive probe is answered",
    "KEEPALIVE_OVER": "A connection is given up: keepalive probes without an answer",
    "KEEPALIVE_RST": "A RST after keepalive",
    "FIN_WAIT2_OVER": "FIN-WAIT-2 is given up",
    "UNREAD_RST": "close() with data unread sends a RST",
    "UNACCEPTED_RST": "A listener ends with connections in its accept queue",
    "ACTIVE_RST": "An abort sends a RST",
    "LINGER2_RST": "TCP_LINGER2 sends a RST",
    "ABORT_ON_DATA": "Data for a socket that is closed",
    "TIME_WAIT_RST": "Data for a socket that is closed",
    "SYN_QUEUED_KNOWN_PEER": "A known peer gets a place of the reserved quarter",
    "TIME_WAIT_SYN_NEWER_NUMBER": "A SYN takes the flow over from TIME-WAIT",
    "TIME_WAIT_SYN_NEWER_TIMESTAMP": "A SYN takes the flow over from TIME-WAIT",
    "TIME_WAIT_OLD_SYN": "TIME-WAIT answers a SYN with an ACK",
    "TIME_WAIT_SYN_UNHEARD": "TIME-WAIT answers a SYN with an ACK",
    ZERO_WINDOW: "The receive window is 0",
    PROBE: "A zero window probe",
    PROBE_ANSWERED: "A zero window probe is answered",
    PROBE_NOT_ANSWERED: "A zero window probe is not answered",
    "HELD_DATA_SENT": "Nagle's algorithm held data back",
}
"""What a turning point is called, by the reason behind it."""


UNTROUBLED_TITLES = {
    HANDSHAKE: "A connection is opened",
    PUT_OFF_DONE: "A put-off handshake completes",
}
"""The same, where nothing goes wrong."""
