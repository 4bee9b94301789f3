"""A bench for one host, so that tests read like traces.

    host = listening(backlog=0, syncookies=0)
    host.send("S", at=100 * MS)
    host.expect("0.1 SA seq 0 ack 1")

`send` gives the host a segment from a peer and returns the name of the verdict. `expect` names every segment
that the host has sent since the last `expect`, one text each; one too many or too few fails. Of a segment
its time (seconds), flags, peer port (`to`, 41001 unless said) and length (`len`, 0 unless said) are always compared,
and of the rest what the text names: `seq ack win ttl tos ecn`, and the options in `<...>`, in order.

Sequence numbers are relative to each side's first; so are timestamps that the host sends.
An absolute zero in a RST is `zero`.

Whatever a test does, the bench checks that each arrival has one verdict, that what is dropped is not answered
and what is answered is, that each segment sent has its event, and that states change only as `TRANSITIONS` allows.
"""

import errno
from contextlib import contextmanager
from decimal import Decimal

import pytest

from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import SYSCTLS, Counted, Host, Outcome, Sent, SocketError, State, StateChanged, Verdict
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.states import TRANSITIONS
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.options import NOP, SACK_OK, Mss, Nop, Sack, SackOk, Timestamps, WScale
from tcpemu.wire.segment import RST, SYN, Segment, address, flag_letters, flags_of

GENERATION = generation(DEFAULT)
HOST, PEER = "10.0.0.1", "10.0.0.2"
PORT, CLIENT = 8080, 41001
"""The port that the host listens on, and the port of a peer that says nothing else."""
MSS = (Mss(1460),)
FULL = (Mss(1460), SACK_OK, Timestamps(100, 0), NOP, WScale(7))
"""What a Linux client offers; the peer's clock of timestamps stands at 100."""
TS = (Mss(1460), NOP, NOP, Timestamps(100, 0))
SACK = (Mss(1460), NOP, NOP, SACK_OK)
MASK = 0xFFFFFFFF
QUIET = {"InSegs", "OutSegs", "CurrEstab"}
"""Counters that move all the time and say little."""
ALLOWED = {
    **{old: set(new) for old, new in TRANSITIONS.items()},
    # A request has no socket, so the table of a socket's transitions does not begin with one.
    State.CLOSE: {*TRANSITIONS[State.CLOSE], State.SYN_RECV},
}


@contextmanager
def fails(name):
    """The call fails with this errno, told by its name."""
    with pytest.raises(SocketError) as caught:
        yield
    assert caught.value.name == name


class Flow:
    """The first numbers of one flow."""

    def __init__(self, port):
        self.peer_isn = 1_000_000 + port
        self.isn = None
        self.stamp = None


class Bench:
    """One host, its clock, and the peers that talk to it."""

    def __init__(
        self,
        *,
        seed=0,
        hz=None,
        mtu=1500,
        observe=True,
        routes=None,
        generation=GENERATION,
        ip=HOST,
        **sysctls,
    ):
        self.host = Host(
            [address(ip)],
            generation,
            sysctls={sysctl(name): value for name, value in sysctls.items()},
            seed=seed,
            hz=hz,
            mtu=mtu,
            observe=observe,
            routes=routes,
        )
        self.now = 0
        self.flows = {}
        self.out = []
        """(time, segment) that nobody has expected yet."""
        self.events = []
        self.conn = None
        """The connection that a constructor of a state has made."""
        self.listener = None
        self._counted = {}

    # --- time and segments ---------------------------------------------------------------------------

    def run(self, until):
        """Let time pass; timers fire, each when it is due."""
        host = self.host
        assert until >= self.now, "time does not run backwards"
        while (due := host.next_timer()) is not None and due <= until:
            self.now = max(due, self.now)
            host.advance(self.now)
            self.drain()
        self.now = until

    def send(self, flags, seq=0, ack=None, *, at=None, ts=None, **fields):
        """A segment reaches the host; the name of its verdict.

        `ack` is relative to the host's first number, absolute where it has none. `ts` is (TSval, TSecr), the
        latter relative to the host's first timestamp of the flow; None for zero. `sack` are blocks, each with
        its two edges relative to the host's first number.
        """
        self.run(self.now if at is None else at)
        return self.give(self.segment(flags, seq, ack, ts=ts, **fields))

    def segment(
        self,
        flags,
        seq=0,
        ack=None,
        *,
        port=CLIENT,
        lport=PORT,
        ip=PEER,
        data=b"",
        opts=(),
        ts=None,
        sack=(),
        win=65535,
        **rest,
    ):
        """The segment that `send` sends."""
        flow = self.flow(port, lport, ip)
        if sack:
            blocks = tuple(tuple((flow.isn or 0) + edge & MASK for edge in block) for block in sack)
            opts = (*opts, NOP, NOP, Sack(blocks))
        if ts is not None:
            echo = 0 if ts[1] is None else (flow.stamp or 0) + ts[1] & MASK
            opts = (NOP, NOP, Timestamps(ts[0] & MASK, echo), *opts)
        return Segment(
            address(ip),
            port,
            address(HOST),
            lport,
            flow.peer_isn + seq & MASK,
            0 if ack is None else (flow.isn or 0) + ack & MASK,
            flags_of(flags),
            win,
            tuple(opts),
            pattern(data) if isinstance(data, int) else data,
            **rest,
        )

    def give(self, segment):
        """The same for any segment, and for octets that are none."""
        before, waiting = len(self.events), len(self.out)
        self.host.receive(segment, self.now)
        self.drain()
        if not self.host.observe:
            return None
        verdicts = [event for event in self.events[before:] if isinstance(event, Verdict)]
        assert len(verdicts) == 1, f"{len(verdicts)} verdicts for one segment"
        [verdict] = verdicts
        assert (verdict.at, verdict.outcome) == (self.now, verdict.reason.outcome)
        assert verdict.segment is segment
        answers = len(self.out) - waiting
        if verdict.outcome is Outcome.DROPPED:
            assert not answers, f"{verdict.reason.name} is answered"
        elif verdict.outcome is Outcome.ANSWERED:
            flow = self.host.tables.host.flows.get(segment[:4])
            assert answers or getattr(flow, "ack_pending", 0), f"{verdict.reason.name} is not answered"
        return verdict.reason.name

    def drain(self):
        """Take what the host has for the network, and check its account of it."""
        segments, events = self.host.transmit(), self.host.events()
        self.out += [(self.now, segment) for segment in segments]
        for segment in segments:
            self._note(segment)
        if self.host.observe:
            assert [event.segment for event in events if isinstance(event, Sent)] == segments
        for event in events:
            if isinstance(event, StateChanged):
                assert event.new in ALLOWED[event.old], f"{event} is no transition"
        self.events += events

    def flow(self, port=CLIENT, lport=PORT, ip=PEER):
        return self.flows.setdefault((address(ip), port, lport), Flow(port))

    def _note(self, segment):
        flow = self.flows.setdefault((segment.dst, segment.dport, segment.sport), Flow(segment.dport))
        if segment.flags & SYN:
            flow.isn = segment.seq
        stamps = [option for option in segment.options if isinstance(option, Timestamps)]
        if stamps and flow.stamp is None:
            flow.stamp = stamps[0].val

    # --- what was sent ------------------------------------------------------------------------------

    def expect(self, *texts, tolerance=0):
        """These segments were sent since the last time, and nothing else."""
        out, self.out = self.out, []
        shown = [self.shown(at, segment) for at, segment in out]
        told = "\n".join(map(text_of, shown)) or "nothing"
        assert len(texts) == len(out), f"{len(out)} segments sent instead of {len(texts)}:\n{told}"
        for text, (at, _), fields in zip(texts, out, shown, strict=True):
            wanted = parsed(text)
            due = wanted.pop("at")
            assert abs(at - due) <= tolerance, f"wanted {text!r}; sent were\n{told}"
            got = {name: fields[name] for name in wanted}
            assert got == wanted, f"wanted {text!r}; sent were\n{told}"

    def taken(self):
        """What was sent since the last time, as (time, segment), for a test that looks for itself."""
        out, self.out = self.out, []
        return out

    def times(self, flags):
        """When these flags were sent since the last time, in seconds, if nothing else was."""
        out = self.taken()
        assert {flag_letters(segment.flags) for _, segment in out} <= {flags}
        return [at / SECOND for at, _ in out]

    def shown(self, at, segment):
        """The fields of a segment as `expect` names them."""
        flow = self.flows[segment.dst, segment.dport, segment.sport]
        zero = segment.flags & RST and not segment.seq
        return {
            "at": at,
            "flags": flag_letters(segment.flags),
            "to": segment.dport,
            "seq": "zero" if zero else segment.seq - (flow.isn or 0) & MASK,
            "ack": segment.ack - flow.peer_isn & MASK if segment.ack else "zero",
            "len": len(segment.payload),
            "win": segment.window,
            "ttl": segment.ttl,
            "tos": segment.tos,
            "<>": [option_text(option, flow) for option in segment.options],
        }

    # --- calls ----------------------------------------------------------------------------------------

    def socket(self):
        return App(self)

    def listen(self, backlog, port=PORT, options=()):
        """A socket that listens on all addresses. `options` are (level, name, value)."""
        listener = App(self)
        listener.bind(port)
        for option in options:
            listener.setsockopt(*option)
        listener.listen(backlog)
        return listener

    def accept(self):
        """The next connection of the listener that a constructor has made."""
        return self.listener.accept()

    # --- whole states ---------------------------------------------------------------------------------

    def table(self):
        """The rows of `ss -tan`, as text: state, queues, local port, peer port."""
        return sorted(
            f"{row.state.ss_name} {row.recv_q} {row.send_q} {row.local[1]} {row.remote[1] if row.remote else '*'}"
            for row in self.host.sockets()
        )

    def queues(self, port=PORT):
        """Accept queue, SYN queue and backlog of the listener on a port; None when there is none."""
        for listener in self.host.tables.listeners.get(port, ()):
            return len(listener.accept_queue), listener.syn_queue, listener.backlog
        return None

    def moved(self):
        """The counters that have moved since the last time, but for the quiet ones."""
        now = self.host.counters
        moved = {name: now[name] - self._counted.get(name, 0) for name in now if name not in QUIET}
        self._counted = dict(now)
        return {name: by for name, by in moved.items() if by}

    def fresh(self):
        """Forget what has been sent and counted so far."""
        self.out, self._counted = [], dict(self.host.counters)
        return self

    def changes(self):
        """The changes of state so far, as (old, new)."""
        return [(event.old.name, event.new.name) for event in self.events if isinstance(event, StateChanged)]

    def counted(self):
        """The counters as the events tell them."""
        total = {}
        for event in self.events:
            if isinstance(event, Counted):
                total[event.name] = total.get(event.name, 0) + event.by
        return total


class App:
    """An application's socket, whose calls happen when the bench's clock says."""

    def __init__(self, bench, sock=None):
        self.bench = bench
        self.sock = bench.host.socket() if sock is None else sock

    def _done(self):
        self.bench.drain()

    def bind(self, port=0, ip=None):
        self.sock.bind(None if ip is None else address(ip), port)

    def listen(self, backlog):
        self.sock.listen(backlog, self.bench.now)
        self._done()

    def accept(self):
        child = App(self.bench, self.sock.accept(self.bench.now))
        self._done()
        return child

    def connect(self, port=CLIENT, ip=PEER):
        try:
            self.sock.connect(address(ip), port, self.bench.now)
        finally:
            self._done()

    def send(self, data):
        taken = self.sock.send(pattern(data) if isinstance(data, int) else data, self.bench.now)
        self._done()
        return taken

    def recv(self, size=65536):
        data = self.sock.recv(size, self.bench.now)
        self._done()
        return data

    def shutdown(self, how):
        try:
            self.sock.shutdown(how, self.bench.now)
        finally:
            self._done()

    def close(self):
        self.sock.close(self.bench.now)
        self._done()

    def abort(self):
        """close() with SO_LINGER on and 0 seconds."""
        self.sock.linger(True, 0)
        self.close()

    def setsockopt(self, level, name, value):
        self.sock.setsockopt(level, name, value, self.bench.now)
        self._done()

    def getsockopt(self, level, name):
        return self.sock.getsockopt(level, name)

    @property
    def state(self):
        return self.sock.state.name

    @property
    def error(self):
        """The pending error by its name, or an empty text."""
        return errno.errorcode.get(self.sock.error, "")


def pattern(size):
    """So many octets, of which no two neighbours are equal and none is for nothing."""
    return bytes(n % 251 for n in range(size))


def sysctl(name):
    """The full name: `syncookies` is net.ipv4.tcp_syncookies, `somaxconn` net.core.somaxconn."""
    found = [full for full in SYSCTLS if full.rpartition(".")[2] in (name, f"tcp_{name}")]
    assert len(found) == 1, f"{name} stands for {found}"
    return found[0]


def option_text(option, flow):
    match option:
        case Timestamps(val, ecr):
            return f"TS {val - (flow.stamp or 0) & MASK} {ecr}"
        case Mss(value):
            return f"mss {value}"
        case WScale(shift):
            return f"ws {shift}"
        case SackOk():
            return "sackOK"
        case Nop():
            return "nop"
        case Sack(blocks):
            edges = (
                f"{left - flow.peer_isn & MASK}-{right - flow.peer_isn & MASK}" for left, right in blocks
            )
            return " ".join(("sack", *edges))
    raise AssertionError(option)


def text_of(fields):
    at, flags = fields["at"] / SECOND, fields["flags"]
    rest = " ".join(f"{name} {value}" for name, value in fields.items() if name not in ("at", "flags", "<>"))
    return f"{at:.9g} {flags} {rest} <{', '.join(fields['<>'])}>"


def parsed(text):
    """'1.5 SA seq 0 ack 1 <mss 1460>' as fields."""
    wanted = {"to": CLIENT, "len": 0}
    if "<" in text:
        text, _, options = text.rstrip(">").partition("<")
        wanted["<>"] = [option.strip() for option in options.split(",") if option.strip()]
    at, flags, *pairs = text.split()
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        wanted[name] = value if value == "zero" else int(value)
    return {"at": int(Decimal(at) * SECOND), "flags": flags, **wanted}


# --- a constructor for each state -----------------------------------------------------------------------


def listening(backlog=5, options=(), **settings):
    """A host that listens on port 8080 since 0 s."""
    host = Bench(**settings)
    host.listener = host.listen(backlog, options=options)
    return host.fresh()


def syn_recv(backlog=5, opts=MSS, options=(), **settings):
    """The same, with a request from port 41001 that came at 1 s; its SYN|ACK has been taken."""
    host = listening(backlog, options, **settings)
    host.send("S", at=1 * SECOND, opts=opts)
    return host.fresh()


def ack_of(opts):
    """The timestamps that go with the later segments of a peer with these options."""
    return (110, 0) if any(isinstance(option, Timestamps) for option in opts) else None


def unaccepted(backlog=5, opts=MSS, options=(), win=65535, **settings):
    """A connection that is complete at 1.01 s and waits for accept(); the peer's window is `win`."""
    host = syn_recv(backlog, opts, options, **settings)
    host.send("A", 1, 1, at=1010 * MS, ts=ack_of(opts), win=win)
    return host.fresh()


def established(backlog=5, opts=MSS, options=(), win=65535, **settings):
    """The same, accepted: `host.conn`. Its round-trip time is 10 ms, so its RTO is 210 ms."""
    host = unaccepted(backlog, opts, options, win, **settings)
    host.conn = host.accept()
    assert host.conn.state == "ESTABLISHED"
    return host.fresh()


def closed_window(**settings):
    """A host that has no room for more, and the peer's next number."""
    host = established(options=[(sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, 1)], **settings)
    seq, window = 1, 500
    while window:
        host.send("PA", seq, 1, data=min(window, 500))
        host.run(host.now + 100 * MS)
        [*_, (_, last)] = host.taken()
        seq, window = last.ack - host.flow().peer_isn, last.window
    return host.fresh(), seq


def close_wait(**settings):
    """The peer has closed at 2 s and the host has acknowledged it."""
    host = established(**settings)
    host.send("FA", 1, 1, at=2 * SECOND, ts=ack_of(settings.get("opts", MSS)))
    host.run(2100 * MS)
    assert host.conn.state == "CLOSE_WAIT"
    return host.fresh()


def last_ack(**settings):
    """The same, and the host has closed at 2.1 s."""
    host = close_wait(**settings)
    host.conn.close()
    return host.fresh()


def fin_wait1(orphan=False, **settings):
    """The host has closed at 2 s, by shutdown() or for good; nothing was acknowledged."""
    host = established(**settings)
    host.run(2 * SECOND)
    if orphan:
        host.conn.close()
    else:
        host.conn.shutdown(1)
        assert host.conn.state == "FIN_WAIT1"
    return host.fresh()


def fin_wait2(orphan=False, **settings):
    """The same, and the peer has acknowledged it at 2.01 s."""
    host = fin_wait1(orphan, **settings)
    host.send("A", 1, 2, at=2010 * MS, ts=ack_of(settings.get("opts", MSS)))
    return host.fresh()


def closing(**settings):
    """Both have closed at 2 s, and neither FIN is acknowledged by the peer."""
    host = fin_wait1(**settings)
    host.send("FA", 1, 1, at=2010 * MS)
    assert host.conn.state == "CLOSING"
    return host.fresh()


def time_wait(opts=MSS, **settings):
    """The host has closed first and is in TIME_WAIT since 2.02 s. Next numbers: the peer's 2, its own 2."""
    host = fin_wait2(orphan=True, opts=opts, **settings)
    ts = ack_of(opts)
    host.send("FA", 1, 2, at=2020 * MS, ts=None if ts is None else (ts[0] + 1, ts[1]))
    assert host.table()[-1].startswith("TIME-WAIT")
    return host.fresh()


def syn_sent(options=(), **settings):
    """A host that has called connect() from port 8080 at 1 s; its SYN has been taken."""
    host = Bench(**settings)
    host.run(1 * SECOND)
    host.conn = host.socket()
    host.conn.bind(PORT)
    for option in options:
        host.conn.setsockopt(*option)
    with fails("EINPROGRESS"):
        host.conn.connect()
    return host.fresh()


def crossed(opts=MSS, **settings):
    """The same, and the peer's SYN crossed ours at 1.01 s."""
    host = syn_sent(**settings)
    host.send("S", 0, at=1010 * MS, opts=opts)
    assert host.conn.state == "SYN_RECV"
    return host.fresh()


def connected(opts=MSS, **settings):
    """A client that is connected at 1.01 s."""
    host = syn_sent(**settings)
    ts = tuple(
        Timestamps(option.val, host.flow().stamp) if isinstance(option, Timestamps) else option
        for option in opts
    )
    host.send("SA", 0, 1, at=1010 * MS, opts=ts)
    assert host.conn.state == "ESTABLISHED"
    return host.fresh()
