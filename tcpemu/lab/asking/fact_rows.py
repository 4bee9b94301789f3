"""The tables that queries are asked of: one class a table, one field a column.

Times are seconds: `time` as Wireshark's column Time shows it, since the first packet of the student's capture; `at` and
all others since the run began. A flag is 0 or 1. Numbers are relative, as Wireshark shows them: a SYN is 0.
"""

from typing import Any, NamedTuple


class PacketFact(NamedTuple):
    """Each packet of the run, seen by the student or not; `frames` has those of the capture alone, in order."""

    number: int
    """In the order in which packets were sent."""
    frame: int | None
    """Its number in the student's capture; null if it is not there."""
    time: float | None
    """When it stands there; null if it does not."""
    at: float
    """When it was sent."""
    arrived: float | None
    """When it arrived; null if it was lost."""
    lost: str
    """How it was lost; empty if it was not."""
    kind: str
    """tcp or icmp."""
    sender: str
    """Its host."""
    receiver: str
    """The host it goes to; empty if nobody has the address."""
    src: str
    dst: str
    sport: int
    dport: int
    port: int
    """The port of the end that does not listen: which connection it belongs to."""
    flags: str
    """Letters of FSRPAUEC, in this order: SYN and ACK are SA."""
    is_syn: int
    is_ack: int
    is_fin: int
    is_rst: int
    seq: int
    ack: int | None
    """Null without the ACK flag."""
    raw_seq: int
    """The sequence number as it stands in the header."""
    raw_ack: int
    window: int
    """In octets: scaled, if both SYNs agreed on that."""
    len: int
    """Octets of data."""
    repeat: int
    """0 for the first time, k for the k-th time that it is sent again."""
    sent_because: str
    """The reason of the sender, by its name: SYN, SYN_ACK_AGAIN, FAST_RETRANSMIT ... (docs/reference/reasons.md)."""
    fate: str
    """What its receiver did with it: accepted, answered or dropped; empty if it did not arrive."""
    fate_because: str
    """The reason, by its name: ACCEPT_QUEUE_FULL, SYN_COOKIE, RESET ..."""
    fate_why: str
    """The same in words."""
    receiver_state: str
    """The receiver's state of the connection behind it, as ss has it: ESTAB, SYN-RECV ...; empty if there is none."""


class StateFact(NamedTuple):
    """Each change of a connection's state."""

    at: float
    host: str
    remote_port: int
    local_port: int
    old: str
    """As ss has it: ESTAB, TIME-WAIT ...; UNCONN is closed."""
    new: str
    cause: str


class TimerFact(NamedTuple):
    """Each timer that fired and was about a connection."""

    at: float
    host: str
    remote_port: int
    local_port: int
    because: str
    """The reason, by its name."""
    why: str
    """The same in words."""


class QueueFact(NamedTuple):
    """Each change of a listener's queues."""

    at: float
    host: str
    port: int
    accept: int
    """Connections that wait for accept()."""
    syn: int
    """Half-open ones."""
    backlog: int
    """The limit in force."""


class CallFact(NamedTuple):
    """Each call of an application."""

    at: float
    host: str
    application: str
    text: str
    """As `connect(10.0.0.1:80)`."""
    result: str
    """`waits`, the name of an errno, or what came of it."""
    local_port: int | None
    remote_port: int | None


class CounterFact(NamedTuple):
    """Each counter that moved, at the end."""

    host: str
    name: str
    """As nstat has it, without its prefix: ListenOverflows."""
    value: int


class HostFact(NamedTuple):
    """Each host."""

    name: str
    address: str


class ClientFact(NamedTuple):
    """Each client of a scenario; a flood of bare SYNs has none."""

    name: str
    """The group's name, with a number behind it if the group has several."""
    team: str
    """The group's name."""
    port: int | None
    """Its own port; null if it never got one."""
    started: float
    connected: float | None
    """When its side of the handshake was complete; null if it never was."""
    sent: int
    """Octets that its host took."""
    received: int
    """Octets that it read."""
    error: str
    """The errno that ended it; empty if none did."""
    ended: float | None
    """When the error came, or when it had done all; null if neither."""
    accepted: float | None
    """When accept() gave its connection to the server; null if it did not."""


class SocketFact(NamedTuple):
    """Each socket at the end of the run."""

    host: str
    state: str
    recv_q: int
    send_q: int
    local_port: int
    remote_port: int | None
    """Null for a listener."""


class FigureFact(NamedTuple):
    """Each change of a connection's windows, round-trip times and recovery: what `ss -ti` shows."""

    at: float
    host: str
    remote_port: int
    local_port: int
    cwnd: int
    """Segments."""
    ssthresh: int
    """Segments; 2147483647 before the first loss."""
    ca_state: int
    """0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss."""
    in_flight: int
    """Segments."""
    srtt: float
    """Seconds."""
    rto: float
    """Seconds."""
    backoff: int
    snd_wnd: int
    """The peer's window, in octets."""
    notsent: int
    """Octets."""
    total_retrans: int
    """Segments sent again, over all."""
    acked: int
    """Octets."""
    mss: int
    """Octets."""


class ProgramFact(NamedTuple):
    """Each program, where programs run."""

    name: str
    host: str
    status: int | None
    """Its exit status; null if it was still running."""
    output: str
    errors: str


TABLES: dict[str, type[tuple[Any, ...]]] = {
    "packets": PacketFact,
    "states": StateFact,
    "timers": TimerFact,
    "queues": QueueFact,
    "calls": CallFact,
    "counters": CounterFact,
    "hosts": HostFact,
    "clients": ClientFact,
    "sockets": SocketFact,
    "figures": FigureFact,
    "programs": ProgramFact,
}
"""Each table's rows, by its name. `frames` is a view of `packets`. `figures` is empty unless the run was watched."""
