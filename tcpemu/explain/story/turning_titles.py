"""What each turning point is called."""

from tcpemu.explain.facts.row_notes import NOBODY
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
    "SYN_ACK_AGAIN": "A SYN|ACK is sent again",
    "SYN_AGAIN": "A client sends its SYN again",
    "RETRANSMIT": "Data is sent again",
    "DATA_AHEAD": "Data comes after a hole",
    "DUP_ACK": "An ACK says again what is expected",
    "OUT_OF_WINDOW": "Something comes that is known already, or too far ahead",
    "TIME_WAIT_ACK": "TIME-WAIT answers",
    "TIME_WAIT_QUIET": "Something meets TIME-WAIT",
    "TW_ACK": "TIME-WAIT repeats its last ACK",
    "FAST_RETRANSMIT": "A loss is found by what comes after it",
    "REORDERING_RETRANSMIT": "A loss is found by waiting for it",
    "SLOW_START_RETRANSMIT": "What was lost is sent again after a time-out",
    "LOSS_PROBE": "A tail loss probe",
    "CHALLENGE_SYN": "A SYN meets a connection that is open",
    "DEFER_ACCEPT": "A bare ACK waits for its data",
    "REQUEST_EXPIRED": "The server forgets a half-open connection",
    "REQUEST_EXPIRED_RST": "The server gives up a half-open connection",
    "REQUEST_ORPHANED": "A half-open connection has lost its listener",
    "REQUEST_EVICTED": "A half-open connection is thrown out",
    "LISTENER_ACK": "A RST for what the server does not know",
    "NO_SOCKET": "A RST from a port where nobody listens",
    "REQUEST_RST": "A client resets its half-open connection",
    "RESET": "A RST ends a connection",
    "REFUSED": "A RST refuses a connection",
    "TIMED_OUT": "A client gives up",
}
"""What a turning point is called, by the reason behind it."""


UNTROUBLED_TITLES = {
    HANDSHAKE: "A connection is opened",
    PUT_OFF_DONE: "A put-off handshake completes",
}
"""The same, where nothing goes wrong."""
