"""What a kernel says of a reason: the function that has the rule there, and words that fit its settings.

`tcpemu.stack.base.reasons` names the functions of Linux 6.18. Here stands what they are called in other kernels. Where
a kernel has no such function, or what it does after the handshake was not looked into, Linux 6.18's is named as
that: the rule that ran is Linux 6.18's then.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from tcpemu.generations.linux_sysctls import Version
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.reasons import REASONS

_NOT_HERE = ""
_BEFORE: tuple[tuple[Version, Mapping[str, str]], ...] = (
    ((6, 1), {"tcp.c: __tcp_cleanup_rbuf": "tcp.c: tcp_cleanup_rbuf"}),
    ((4, 19), {"tcp_output.c: __tcp_send_ack": "tcp_output.c: tcp_send_ack"}),
    (
        (4, 4),
        {
            "tcp_input.c: tcp_conn_request": "tcp_ipv4.c: tcp_v4_conn_request",
            "inet_connection_sock.c: reqsk_timer_handler": "inet_connection_sock.c: inet_csk_reqsk_queue_prune",
            "inet_timewait_sock.c: tw_timer_handler": "inet_timewait_sock.c: inet_twdr_hangman",
        },
    ),
    (
        (3, 10),
        {
            "tcp_input.c: tcp_data_queue_ofo": "tcp_input.c: tcp_data_queue",
            "tcp_timer.c: tcp_delack_timer_handler": "tcp_timer.c: tcp_delack_timer",
            "tcp_input.c: tcp_send_challenge_ack": _NOT_HERE,
            "tcp_output.c: tcp_send_loss_probe": _NOT_HERE,
        },
    ),
    (
        (2, 6, 32),
        {
            "tcp_input.c: tcp_validate_incoming": "tcp_input.c: tcp_rcv_established",
            "inet_connection_sock.c: reqsk_timer_handler": "tcp_timer.c: tcp_synack_timer",
            "inet_timewait_sock.c: tw_timer_handler": "tcp_minisocks.c: tcp_twkill",
            "tcp_ipv4.c: tcp_v4_reqsk_send_ack": "tcp_ipv4.c: tcp_v4_or_send_ack",
            "tcp.c: __tcp_cleanup_rbuf": "tcp.c: cleanup_rbuf",
        },
    ),
    (
        (2, 4),
        {
            "tcp_minisocks.c: tcp_check_req": "tcp_input.c: tcp_check_req",
            "tcp_minisocks.c: tcp_timewait_state_process": "tcp_input.c: tcp_timewait_state_process",
            "tcp_input.c: tcp_rcv_synsent_state_process": "tcp_input.c: tcp_rcv_state_process",
            "tcp_input.c: tcp_send_dupack": "tcp_output.c: tcp_send_ack",
            "inet_connection_sock.c: reqsk_timer_handler": "tcp_timer.c: tcp_syn_recv_timer",
            "inet_timewait_sock.c: tw_timer_handler": "tcp_timer.c: tcp_twkill",
            "tcp_ipv4.c: tcp_v4_reqsk_send_ack": _NOT_HERE,
            "tcp_ipv4.c: tcp_v4_timewait_ack": _NOT_HERE,
        },
    ),
)
"""What functions of Linux 6.18 were called before the version of Linux from which on they have that name here."""

_AT_LISTENER = ("LISTENER_RST", "LISTENER_ACK", "LISTENER_ACK_RST", "LISTENER_SYN_FIN", "LISTENER_FLAGS")
_QUEUEING = ("SYN_QUEUED", "QUEUE_FULL_SYN", "SYN_QUEUE_FULL", "ACCEPT_QUEUE_FULL_SYN", "NO_ROUTE")
_NOWHERE = ("NO_SOCKET", "NO_SOCKET_RST")
_AGAIN = ("DUPLICATE_SYN", "DUPLICATE_SYN_IGNORED", "SYN_ACK_DUPLICATE")
_HANDSHAKE = (
    "HANDSHAKE_DONE",
    "REQUEST_BAD_ACK",
    "REQUEST_PAWS",
    "REQUEST_OUT_OF_WINDOW",
    "REQUEST_REFUSED_QUIETLY",
    "REQUEST_RST",
    "REQUEST_SYN",
    "REQUEST_NO_ACK",
)
_RESETS = ("RESET", "SYN_RESETS", "REFUSED")
_TIMED_OUT = ("SYN_TIMED_OUT", "TIMED_OUT", "ORPHAN_TIMED_OUT")
_CHALLENGES = ("CHALLENGE_SYN", "CHALLENGE_RST", "CHALLENGE_LIMITED")


def _table(*rows: tuple[str, tuple[str, ...]], of: str = "") -> dict[str, str]:
    """A source for each reason, of a system that is named first where it is not Linux."""
    return {name: f"{of}, {source}" if of else source for source, names in rows for name in names}


SOURCES_IN_LINUX_2_2 = {
    "ACCEPT_QUEUE_FULL": "tcp_ipv4.c: tcp_v4_syn_recv_sock",
    "REQUEST_RST": "tcp_ipv4.c: tcp_v4_rst_req",
}
"""Besides what was called otherwise: who tests the accept queue, and who takes a RST for a request."""

SOURCES_IN_LINUX_2_0 = _table(
    ("tcp_input.c: tcp_conn_request", _QUEUEING),
    ("tcp_input.c: tcp_rcv", (*_AT_LISTENER, *_NOWHERE, *_AGAIN, *_HANDSHAKE, *_RESETS)),
    ("tcp_input.c: tcp_rcv", ("TCP_CSUM", "PKT_TOO_SMALL", "CONNECTED", "CROSSED_SYN", "SYN_SENT_BAD_ACK")),
    ("tcp_input.c: tcp_ack", ("HANDSHAKE_DONE",)),
    ("tcp_output.c: tcp_send_synack", ("SYN_ACK",)),
    ("tcp_output.c: tcp_send_reset", ("RST",)),
    ("tcp_timer.c: tcp_retransmit_timer", ("SYN_ACK_AGAIN", "SYN_AGAIN", "RETRANSMIT")),
    ("tcp_timer.c: tcp_write_timeout", ("REQUEST_EXPIRED", *_TIMED_OUT)),
    ("tcp.c: tcp_connect", ("SYN",)),
)
SOURCES_IN_LINUX_1_2 = _table(
    ("tcp.c: tcp_conn_request", (*_QUEUEING, "SYN_ACK")),
    ("tcp.c: tcp_rcv", (*_AT_LISTENER, *_NOWHERE, *_AGAIN, *_HANDSHAKE, *_RESETS)),
    ("tcp.c: tcp_rcv", ("TCP_CSUM", "PKT_TOO_SMALL", "CONNECTED", "CROSSED_SYN", "SYN_SENT_BAD_ACK")),
    ("tcp.c: tcp_ack", ("HANDSHAKE_DONE",)),
    ("tcp.c: tcp_reset", ("RST",)),
    ("tcp.c: retransmit_timer", ("SYN_ACK_AGAIN", "SYN_AGAIN", "RETRANSMIT")),
    ("tcp.c: tcp_write_timeout", ("REQUEST_EXPIRED", *_TIMED_OUT)),
    ("tcp.c: tcp_connect", ("SYN",)),
)
SOURCES_IN_BSD_4_4 = _table(
    ("tcp_input.c: tcp_input", ("SYN_QUEUED", *_AT_LISTENER, *_NOWHERE, *_AGAIN, *_HANDSHAKE, *_RESETS)),
    ("uipc_socket2.c: sonewconn1", ("QUEUE_FULL_SYN", "ACCEPT_QUEUE_FULL_SYN", "SYN_QUEUE_FULL")),
    ("tcp_output.c: tcp_output", ("SYN", "SYN_ACK")),
    ("tcp_subr.c: tcp_respond", ("RST",)),
    ("tcp_timer.c: tcp_timers", ("SYN_ACK_AGAIN", "SYN_AGAIN")),
    ("tcp_subr.c: tcp_drop", ("REQUEST_EXPIRED", "REQUEST_EXPIRED_RST", "RST_AT_END", *_TIMED_OUT)),
    of="4.4BSD",
)
SOURCES_IN_FREEBSD = _table(
    ("tcp_syncache.c: syncache_add", (*_QUEUEING, *_AGAIN)),
    ("tcp_syncache.c: syncache_expand", (*_HANDSHAKE, "LISTENER_ACK", "ACCEPT_QUEUE_FULL_RST")),
    (
        "tcp_syncache.c: syncache_chkrst",
        ("REQUEST_RST", "REQUEST_RST_INEXACT", "LISTENER_RST", "LISTENER_ACK_RST"),
    ),
    ("tcp_syncache.c: syncache_respond", ("SYN_ACK",)),
    ("tcp_syncache.c: syncache_timer", ("SYN_ACK_AGAIN", "REQUEST_EXPIRED")),
    ("tcp_input.c: tcp_input", (*_NOWHERE, "LISTENER_SYN_FIN", "LISTENER_FLAGS")),
    ("tcp_input.c: tcp_do_segment", (*_RESETS, *_CHALLENGES)),
    ("tcp_input.c: tcp_dropwithreset", ("RST",)),
    of="FreeBSD",
)
SOURCES_IN_XNU = _table(
    ("tcp_input.c: tcp_input", ("SYN_QUEUED", *_AT_LISTENER, *_NOWHERE, *_AGAIN, *_HANDSHAKE, *_RESETS)),
    ("tcp_input.c: tcp_input", _CHALLENGES),
    ("uipc_socket2.c: sonewconn_internal", ("QUEUE_FULL_SYN", "ACCEPT_QUEUE_FULL_SYN", "SYN_QUEUE_FULL")),
    ("tcp_input.c: tcp_dropdropablreq", ("REQUEST_EVICTED",)),
    ("tcp_output.c: tcp_output", ("SYN", "SYN_ACK")),
    ("tcp_subr.c: tcp_respond", ("RST",)),
    ("tcp_timer.c: tcp_timers", ("SYN_ACK_AGAIN", "SYN_AGAIN")),
    ("tcp_subr.c: tcp_drop", ("REQUEST_EXPIRED", "REQUEST_EXPIRED_RST", "RST_AT_END", *_TIMED_OUT)),
    of="XNU",
)
SOURCES_IN_ILLUMOS = _table(
    ("tcp_input.c: tcp_input_listener", (*_QUEUEING, *_AT_LISTENER)),
    ("tcp_input.c: tcp_drop_q0", ("REQUEST_EVICTED",)),
    ("tcp_input.c: tcp_input_data", (*_AGAIN, *_HANDSHAKE, *_RESETS)),
    ("tcp_output.c: tcp_xmit_listeners_reset", _NOWHERE),
    ("tcp_output.c: tcp_xmit_early_reset", ("RST",)),
    ("tcp_output.c: tcp_xmit_mp", ("SYN", "SYN_ACK")),
    (
        "tcp_timers.c: tcp_timer",
        ("SYN_ACK_AGAIN", "SYN_AGAIN", "REQUEST_EXPIRED", "REQUEST_EXPIRED_RST", "RST_AT_END", *_TIMED_OUT),
    ),
    of="illumos",
)
SOURCES_IN_WINDOWS = _table(
    ("whose source is not public", (*_QUEUEING, *_AT_LISTENER, *_NOWHERE, *_AGAIN, *_HANDSHAKE, *_RESETS)),
    ("whose source is not public", ("SYN_REFUSED", "SYN", "SYN_ACK", "SYN_ACK_AGAIN", "SYN_AGAIN")),
    ("whose source is not public", ("REQUEST_EXPIRED", "RST", *_TIMED_OUT)),
    of="Windows",
)

_WITHOUT = {
    "SYN_QUEUE_FULL": ("net.ipv4.tcp_syncookies", "the SYN queue is full, so the SYN is dropped"),
    "DUPLICATE_SYN_LIMITED": (
        "net.ipv4.tcp_invalid_ratelimit",
        "a repeated SYN, too soon after the last answer",
    ),
    "OUT_OF_WINDOW_LIMITED": (
        "net.ipv4.tcp_invalid_ratelimit",
        "outside the window; not answered again so soon",
    ),
    "CHALLENGE_LIMITED": (
        "net.ipv4.tcp_invalid_ratelimit",
        "the limit of challenge ACKs for this second is used up",
    ),
    "TIME_WAIT_LIMITED": (
        "net.ipv4.tcp_invalid_ratelimit",
        "TIME-WAIT has answered a moment ago, and does not again so soon",
    ),
}
"""Reasons whose words name a sysctl, with what they are where there is none."""


def linux(version: Version, missing: Collection[str]) -> dict[str, Reason]:
    """The reasons as a Linux of this version has them, by name: those that are not as in Linux 6.18."""
    if version < (2, 2):
        return other(SOURCES_IN_LINUX_2_0 if version >= (2,) else SOURCES_IN_LINUX_1_2, missing)
    functions: dict[str, str] = {}
    for since, names in _BEFORE:
        if version < since:
            functions |= names
    sources = {
        reason.name: functions[reason.source] or _of_6_18(reason.source)
        for reason in REASONS.values()
        if reason.source in functions
    }
    return _told({**sources, **(SOURCES_IN_LINUX_2_2 if version < (2, 4) else {})}, missing)


def other(sources: Mapping[str, str], missing: Collection[str]) -> dict[str, Reason]:
    """The reasons of a kernel whose functions are those of the table, and Linux 6.18's where that has none."""
    return _told(
        {name: sources.get(name) or _of_6_18(reason.source) for name, reason in REASONS.items()}, missing
    )


def _of_6_18(source: str) -> str:
    """A function that the kernel does not have, but Linux 6.18, or another system, which is named already."""
    return source if ", " in source else f"as in Linux 6.18: {source}"


def _told(sources: Mapping[str, str], missing: Collection[str]) -> dict[str, Reason]:
    told = {name: replace(REASONS[name], source=source) for name, source in sources.items()}
    for name, (sysctl, text) in _WITHOUT.items():
        if sysctl in missing:
            told[name] = replace(told.get(name, REASONS[name]), text=text)
    return told
