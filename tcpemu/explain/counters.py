"""What each counter of `Tcp` and `TcpExt` counts, in a few words, and how they are printed."""

import textwrap
from collections.abc import Mapping

from tcpemu.explain.style import Line, Role, Span

TCP_GROUP = frozenset(
    {
        "ActiveOpens",
        "PassiveOpens",
        "AttemptFails",
        "EstabResets",
        "CurrEstab",
        "InSegs",
        "OutSegs",
        "RetransSegs",
        "InErrs",
        "OutRsts",
        "InCsumErrors",
    }
)
"""The counters of `Tcp` in /proc/net/snmp; every other one stands in `TcpExt` of /proc/net/netstat."""

MEANING = {
    "ActiveOpens": "connect() sent a SYN",
    "PassiveOpens": "handshakes that a listener completed",
    "AttemptFails": "handshakes that failed",
    "EstabResets": "connections that ended by a reset",
    "CurrEstab": "connections that are established now",
    "InSegs": "segments that arrived",
    "OutSegs": "segments sent; what a connection sends again is not counted",
    "RetransSegs": "segments sent again",
    "InErrs": "segments that arrived broken, or made no sense",
    "InCsumErrors": "segments with a wrong checksum",
    "OutRsts": "resets sent",
    "ListenOverflows": "the accept queue was full: a SYN or a final ACK was ignored",
    "ListenDrops": "a listener dropped a SYN or a final ACK, for any reason",
    "TCPReqQFullDrop": "the SYN queue was full: a SYN was dropped",
    "TCPReqQFullDoCookies": "the SYN queue was full: a SYN was answered by a cookie",
    "SyncookiesSent": "SYN cookies sent",
    "SyncookiesRecv": "SYN cookies that came back good",
    "SyncookiesFailed": "SYN cookies that came back wrong or too old",
    "EmbryonicRsts": "requests that a reset removed",
    "TCPSynRetrans": "SYNs and SYN|ACKs sent again",
    "TcpTimeoutRehash": "another way was tried because of a time-out",
    "TCPTimeouts": "retransmission timers that came due",
    "TCPLostRetransmit": "segments whose repeat was lost too",
    "TCPLossProbes": "tail loss probes sent",
    "TCPLossProbeRecovery": "losses that a tail loss probe mended",
    "TCPSlowStartRetrans": "segments sent again in slow start",
    "TCPFastRetrans": "segments sent again without waiting for a timer",
    "TCPRetransFail": "repeats that could not be sent",
    "TCPDeferAcceptDrop": "bare ACKs dropped because TCP_DEFER_ACCEPT waits for data",
    "TCPAbortOnData": "connections reset by SO_LINGER 0, or by data after close()",
    "TCPAbortOnClose": "connections reset because close() left data unread",
    "TCPAbortOnMemory": "connections given up for want of memory",
    "TCPAbortOnTimeout": "connections given up after too many repeats",
    "TCPAbortOnLinger": "connections given up in FIN-WAIT-2",
    "TCPAbortFailed": "resets that could not be sent",
    "TCPBacklogDrop": "segments dropped because the socket was busy too long",
    "TCPACKSkippedSynRecv": "ACKs held back by the rate limit, for a request",
    "TCPACKSkippedPAWS": "ACKs held back by the rate limit, old timestamp",
    "TCPACKSkippedSeq": "ACKs held back by the rate limit, sequence number out of window",
    "TCPACKSkippedFinWait2": "ACKs held back by the rate limit, in FIN-WAIT-2",
    "TCPACKSkippedTimeWait": "ACKs held back by the rate limit, in TIME-WAIT",
    "TCPACKSkippedChallenge": "challenge ACKs held back by the rate limit",
    "TCPChallengeACK": "challenge ACKs sent",
    "TCPSYNChallenge": "SYNs on a connection that exists, answered by a challenge ACK",
    "TCPMigrateReqSuccess": "requests moved to another listener",
    "TCPMigrateReqFailure": "requests that could not move to another listener",
    "TCPFastOpenPassive": "Fast Open connections taken",
    "TCPFastOpenPassiveFail": "Fast Open attempts refused",
    "TCPFastOpenListenOverflow": "Fast Open attempts beyond the limit",
    "TCPFastOpenCookieReqd": "Fast Open cookies given out",
    "PAWSActive": "SYN|ACKs refused for their timestamp",
    "PAWSEstab": "segments refused for their timestamp",
    "PAWSOldAck": "old ACKs refused for their timestamp",
    "TSEcrRejected": "segments refused for the timestamp they echo",
    "OutOfWindowIcmps": "ICMP errors about a sequence number that is not in use",
    "DelayedACKs": "delayed ACKs sent",
    "DelayedACKLocked": "delayed ACKs put off because the socket was busy",
    "DelayedACKLost": "repeats that arrived because our ACK was late or lost",
    "TW": "connections that went into TIME-WAIT",
    "TWRecycled": "TIME-WAIT connections that a new SYN took over",
    "TWKilled": "connections that went into a short TIME-WAIT",
    "TCPPureAcks": "ACKs without data that arrived",
    "TCPHPHits": "data that took the short way in",
    "TCPHPAcks": "ACKs that took the short way in",
    "TCPOFOQueue": "segments kept because an earlier one is missing",
    "TCPOFOMerge": "segments kept that overlapped others",
    "TCPOFODrop": "segments ahead of a hole, dropped for want of room",
    "TCPRcvCoalesce": "segments joined with the one before",
    "TCPDSACKOldSent": "duplicates reported to the sender",
    "TCPDSACKOfoSent": "duplicates ahead of a hole reported to the sender",
    "TCPDSACKRecv": "duplicates that the receiver reported",
    "TCPSackRecovery": "losses found by SACK",
    "TCPRenoRecovery": "losses found by duplicate ACKs",
    "TCPTSReorder": "reorderings found by timestamps",
    "TCPSACKReorder": "reorderings found by SACK",
    "TCPSpuriousRTOs": "time-outs that turned out needless",
    "TCPRcvCollapsed": "segments squeezed together for want of room",
    "TCPRcvQDrop": "segments dropped because the receive buffer was full",
    "TCPZeroWindowDrop": "segments dropped because the window was closed",
    "TCPToZeroWindowAdv": "the window was closed",
    "TCPFromZeroWindowAdv": "the window was opened again",
    "TCPWantZeroWindowAdv": "the window would have been closed",
    "TCPWinProbe": "zero-window probes sent",
    "TCPKeepAlive": "keepalives sent",
    "TCPAutoCorking": "small segments held back to be joined",
    "TCPOrigDataSent": "segments with data sent for the first time",
    "TCPDelivered": "segments that the peer acknowledged",
    "TCPDeliveredCE": "segments acknowledged that met congestion",
}

BULK = frozenset(
    {
        "InSegs",
        "OutSegs",
        "TCPPureAcks",
        "TCPHPHits",
        "TCPHPAcks",
        "TCPOrigDataSent",
        "TCPDelivered",
        "TCPAutoCorking",
        "DelayedACKs",
    }
)
"""Counters that move in every run, whatever happens."""


def group(name: str) -> str:
    """`Tcp` or `TcpExt`, as nstat puts it before the name."""
    return "Tcp" if name in TCP_GROUP else "TcpExt"


def counter_lines(counters: Mapping[str, int], width: int = 100) -> list[Line]:
    """A line for each counter that is not nought: group, name, value, what it counts."""
    moved = sorted((name for name, value in counters.items() if value), key=_order)
    longest = max(map(len, moved), default=0)
    digits = max((len(f"{counters[name]:,}") for name in moved), default=0)
    return [_counter_line(name, counters[name], longest, digits, width) for name in moved]


def counters_in_short(host: str, counters: Mapping[str, int], width: int = 100) -> list[Line]:
    """The same for a host at the edge of the story: names and values in a paragraph, without the bulk."""
    moved = sorted((name for name, value in counters.items() if value and name not in BULK), key=_order)
    words = ", ".join(f"{name}\N{NO-BREAK SPACE}{counters[name]:,}" for name in moved)
    if not words:
        return []
    wrapped = textwrap.wrap(f"{host}: {words}", width, initial_indent="  ", subsequent_indent="    ")
    return [(Span(each.replace("\N{NO-BREAK SPACE}", " ")),) for each in wrapped]


def _order(name: str) -> tuple[int, str]:
    """What belongs to the listen path comes first, the bulk last."""
    if name.startswith(("Listen", "TCPReqQ", "Syncookies")):
        return 0, name
    return 2 if name in BULK else 1, name


def _counter_line(name: str, value: int, longest: int, digits: int, width: int) -> Line:
    head = f"  {group(name):<6}  {name:<{longest}}  {value:>{digits},}"
    room = width - len(head) - 2
    words = MEANING.get(name, "")
    shown = words if len(words) <= room else words[: max(room - 1, 0)].rstrip() + "…"
    return Span(head), Span(f"  {shown}", Role.QUIET)
