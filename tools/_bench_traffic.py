"""The traffic of the benchmarks: clients as Linux makes them, and the host that they meet.

Segments are made beforehand, so that a measurement times the host and not its clients.
"""

from collections.abc import Iterable

from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import Host, Socket
from tcpemu.wire import ACK, NOP, PSH, SACK_OK, SYN, FlowKey, Mss, Segment, Timestamps, WScale, address

SERVER, PORT = address("192.0.2.1"), 80
CLIENT_NETWORK = 10 << 24
PORTS_EACH = 50_000
FIRST_PORT = 10_000
IRS = 1_000_000
STAMP = 5_000_000
PAYLOAD = 1448
UNLIMITED = 2**31 - 1
GAP = 100
"""Nanoseconds from one segment to the next: a million arrive before the first timer is due."""


def listening(backlog: int, *, observe: bool = False) -> tuple[Host, Socket]:
    """A host with room for so many requests and connections, none of which needs a cookie."""
    sysctls = {
        "net.core.somaxconn": backlog,
        "net.ipv4.tcp_max_syn_backlog": UNLIMITED,
        "net.ipv4.tcp_syncookies": 0,
    }
    host = Host([SERVER], generation(DEFAULT), sysctls=sysctls, observe=observe)
    socket = host.socket()
    socket.bind(None, PORT)
    socket.listen(backlog, 0)
    return host, socket


def syn(number: int) -> Segment:
    """The SYN of the client of that number, with the options that Linux sends."""
    where, port = divmod(number, PORTS_EACH)
    source = (CLIENT_NETWORK + 1 + where).to_bytes(4, "big")
    options = (Mss(1460), SACK_OK, Timestamps(STAMP, 0), NOP, WScale(7))
    return Segment(source, FIRST_PORT + port, SERVER, PORT, IRS, 0, SYN, 64240, options)


def syns(count: int, first: int = 0) -> list[Segment]:
    return [syn(number) for number in range(first, first + count)]


def final_ack(answer: Segment) -> Segment:
    """The ACK that completes the handshake of this SYN|ACK."""
    return _reply(answer, IRS + 1, answer.seq + 1)


def final_acks(answers: Iterable[Segment]) -> list[Segment]:
    return [final_ack(answer) for answer in answers]


def data(answer: Segment, turn: int, size: int, answered: bool) -> Segment:
    """The client's data of one turn; `answered` says that as much came back each time and is acknowledged."""
    done = turn * size
    ack = answer.seq + 1 + (done if answered else 0)
    return _reply(answer, IRS + 1 + done, ack, ACK | PSH, bytes(size))


def _reply(answer: Segment, seq: int, ack: int, flags: int = ACK, payload: bytes = b"") -> Segment:
    source, sport, destination, dport = client_of(answer)
    stamp = next(option for option in answer.options if type(option) is Timestamps)
    options = (NOP, NOP, Timestamps(STAMP + 1, stamp.val))
    return Segment(
        source, sport, destination, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, flags, 502, options, payload
    )


def client_of(answer: Segment) -> FlowKey:
    """The flow of a segment that the host sent, as the host sees it."""
    return answer.dst, answer.dport, answer.src, answer.sport
