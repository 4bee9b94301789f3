"""Urgent data that arrives: where the urgent octet lies, and what becomes of it (RFC 6093).

The urgent pointer is taken as BSD has it, so that it points behind the urgent octet, unless tcp_stdurg is set. There
is one urgent octet at a time: a newer pointer makes an octet of the stream of the one before.
tcp_input.c: tcp_urg, tcp_check_urg.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import MASK, add, after, before, distance
from tcpemu.stack.connection.measures import header_prediction
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.received_data import NO_OCTET, UrgentOctet
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.options import encode_options
from tcpemu.wire.segment import URG, Segment


def note(conn: Connection, segment: Segment) -> None:
    """Learn of urgent data from a segment: that there will be some, or the octet itself (tcp_urg)."""
    if segment.flags & URG:
        _new_pointer(conn, segment)
    urgent = conn.rcv.urgent
    if urgent is not None and urgent.octet == NO_OCTET:
        _find_octet(conn, urgent, segment)


def _new_pointer(conn: Connection, segment: Segment) -> None:
    """Where the urgent octet lies, unless that is known, or was read (tcp_check_urg)."""
    pointer = segment.urgent
    if pointer and not conn.host.sysctls.tcp_stdurg:
        pointer -= 1
    rcv, place = conn.rcv, add(segment.seq, pointer)
    if after(rcv.copied_seq, place) or before(place, rcv.nxt):
        return
    if rcv.urgent is not None and not after(place, rcv.urgent.seq):
        return
    if rcv.urgent is not None and rcv.urgent.seq == rcv.copied_seq and not conn.options.oobinline:
        _skip_the_last_one(conn)
    rcv.urgent = UrgentOctet(place)
    rcv.predicted = -1
    conn.host.wake(conn.socket)


def _skip_the_last_one(conn: Connection) -> None:
    """The urgent octet before is the next to be read: it leaves the stream all the same."""
    rcv = conn.rcv
    if rcv.copied_seq == rcv.nxt:
        return
    rcv.copied_seq = add(rcv.copied_seq, 1)
    if not rcv.queue:
        return
    first = rcv.queue[0]
    first.payload = first.payload[1:]
    if not first.payload:
        rcv.queue.popleft()
        header_prediction.give_memory_back(conn, first.memory)


def _find_octet(conn: Connection, urgent: UrgentOctet, segment: Segment) -> None:
    """Keep the urgent octet if it is in this segment.

    The kernel looks for it at so many octets from where the TCP header ends, in front of that too: what lies in the
    header is taken for it.
    """
    header = 20 + len(encode_options(segment.options))
    place = distance(segment.seq, urgent.seq) + header & MASK
    if place >= header + len(segment.payload):
        return
    ahead = place - header
    urgent.octet = segment.payload[ahead] if ahead >= 0 else encode(segment)[ahead - len(segment.payload)]
    conn.host.wake(conn.socket)
