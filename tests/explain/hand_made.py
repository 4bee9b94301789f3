"""Records written by hand, entry by entry, as a network would write them."""

from tcpemu.network.record import Call, HostEvent, PacketSeen, Point, Record
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Counted, QueueChanged, Sent, StateChanged, TimerFired, Verdict
from tcpemu.stack.base.states import State
from tcpemu.wire.options import mss, wscale
from tcpemu.wire.segment import Segment, address, flags_of

SECOND, MS = 10**9, 10**6
CLIENT, SERVER = address("10.0.0.2"), address("10.0.0.1")
CLIENT_ISN, SERVER_ISN = 0xFFFFFFF0, 7000
SYN_OPTIONS = (mss(1460), wscale(10))


class Script:
    """Writes a record. One client host, one server host that listens on port 80; packets travel 5 ms."""

    delay = 5 * MS

    def __init__(self):
        self.record = Record()
        self.queues = (0, 0, 1)

    def call(self, at, node, text, result="", application=""):
        self.record.add(Call(at, node, application or node, text, result))

    def event(self, at, node, event, packet=None):
        self.record.add(HostEvent(at, node, event, packet))

    def listens(self, at=0, backlog=1):
        self.call(at, "server", f"listen(80, backlog {backlog})")
        self.queue(at, 0, 0, backlog)

    def queue(self, at, accept, syn, backlog=1, packet=None):
        self.queues = (accept, syn, backlog)
        self.event(at, "server", QueueChanged(at, 80, accept, syn, backlog), packet)

    def client_sends(self, at, port, flags, seq=0, ack=0, *, reason=None, repeat=0, **fields):
        segment = Segment(
            CLIENT,
            port,
            SERVER,
            80,
            CLIENT_ISN + seq & 0xFFFFFFFF,
            SERVER_ISN + ack if "A" in flags else 0,
            flags_of(flags),
            fields.pop("window", 64240 if "S" in flags else 63),
            **fields,
        )
        return self._send(at, "client", segment, reason, repeat)

    def server_sends(self, at, port, flags, seq=0, ack=0, *, reason=None, repeat=0, **fields):
        segment = Segment(
            SERVER,
            80,
            CLIENT,
            port,
            SERVER_ISN + seq,
            CLIENT_ISN + ack & 0xFFFFFFFF if "A" in flags else 0,
            flags_of(flags),
            fields.pop("window", 65160),
            **fields,
        )
        return self._send(at, "server", segment, reason, repeat)

    def _send(self, at, node, segment, reason, repeat):
        number = self.record.number()
        if reason is not None:
            self.event(at, node, Sent(at, segment, reason, repeat), number)
        self.record.add(PacketSeen(at, node, Point.SENT, number, segment))
        return number

    def segment_of(self, number):
        return next(seen.segment for seen in self.record.packets() if seen.number == number)

    def arrives(self, at, node, number, reason=None):
        segment = self.segment_of(number)
        self.record.add(PacketSeen(at, node, Point.RECEIVED, number, segment))
        if reason is not None:
            self.event(at, node, Verdict(at, segment, reason.outcome, reason), number)

    def copy_arrives(self, at, node, number, reason=None):
        """A copy of the packet, which a link made."""
        copy, segment = self.record.number(), self.segment_of(number)
        self.record.add(PacketSeen(at, node, Point.RECEIVED, copy, segment, copy_of=number))
        if reason is not None:
            self.event(at, node, Verdict(at, segment, reason.outcome, reason), copy)

    def lost(self, at, node, number, why):
        self.record.add(PacketSeen(at, node, Point.LOST, number, self.segment_of(number), why))

    def counts(self, at, node, packet, *names):
        for name in names:
            self.event(at, node, Counted(at, name, 1), packet)

    def client_state(self, at, port, old, new, packet=None):
        flow = (SERVER, 80, CLIENT, port)
        self.event(at, "client", StateChanged(at, flow, old, new, ""), packet)

    def server_state(self, at, port, old, new, packet=None):
        flow = (CLIENT, port, SERVER, 80)
        self.event(at, "server", StateChanged(at, flow, old, new, ""), packet)

    def timer(self, at, port, reason):
        self.event(at, "server", TimerFired(at, (CLIENT, port, SERVER, 80), reason))

    def throws_out(self, at, port, packet):
        """The server makes room: the half-open connection from that port goes as the packet arrives."""
        accept, waiting, backlog = self.queues
        self.event(at, "server", TimerFired(at, (CLIENT, port, SERVER, 80), reasons.REQUEST_EVICTED), packet)
        self.queue(at, accept, waiting - 1, backlog, packet=packet)
        self.server_state(at, port, State.SYN_RECV, State.CLOSE, packet=packet)

    # Longer pieces.

    def syn(self, at, port):
        """connect(), the SYN and the SYN|ACK to it; gives the SYN|ACK's number, which is on its way."""
        accept, waiting, backlog = self.queues
        self.call(at, "client", "connect(10.0.0.1:80)", "waits")
        self.client_state(at, port, State.CLOSE, State.SYN_SENT)
        syn = self.client_sends(at, port, "S", options=SYN_OPTIONS, reason=reasons.SENT_SYN)
        at += self.delay
        self.arrives(at, "server", syn, reasons.SYN_QUEUED)
        self.queue(at, accept, waiting + 1, backlog, packet=syn)
        self.server_state(at, port, State.LISTEN, State.SYN_RECV, packet=syn)
        return self.server_sends(at, port, "SA", 0, 1, options=SYN_OPTIONS, reason=reasons.SENT_SYN_ACK)

    def handshake(self, at, port):
        """A whole handshake; gives the time at which the final ACK arrived."""
        syn_ack = self.syn(at, port)
        at += 2 * self.delay
        ack = self.syn_ack_arrives(at, port, syn_ack)
        at += self.delay
        accept, waiting, backlog = self.queues
        self.arrives(at, "server", ack, reasons.HANDSHAKE_DONE)
        self.queue(at, accept + 1, waiting - 1, backlog, packet=ack)
        self.server_state(at, port, State.SYN_RECV, State.ESTABLISHED, packet=ack)
        return at

    def syn_ack_arrives(self, at, port, syn_ack):
        """The client is connected and sends its final ACK; gives its number."""
        self.arrives(at, "client", syn_ack, reasons.CONNECTED)
        self.client_state(at, port, State.SYN_SENT, State.ESTABLISHED, packet=syn_ack)
        return self.client_sends(at, port, "A", 1, 1, reason=reasons.SENT_ACK)

    def ack_ignored(self, at, ack):
        self.arrives(at, "server", ack, reasons.ACCEPT_QUEUE_FULL)
        self.counts(at, "server", ack, "InSegs", "ListenOverflows", "ListenDrops")


def ignored_ack():
    """One connection waits with backlog 0; the next one's final ACK is ignored, and its request dies."""
    script = Script()
    script.listens(backlog=0)
    script.handshake(10 * MS, 40001)
    syn_ack = script.syn(100 * MS, 40002)
    ack = script.syn_ack_arrives(110 * MS, 40002, syn_ack)
    script.ack_ignored(115 * MS, ack)
    again = script.server_sends(
        1105 * MS, 40002, "SA", 0, 1, options=SYN_OPTIONS, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1
    )
    script.arrives(1110 * MS, "client", again, reasons.CHALLENGE_SYN)
    challenge = script.client_sends(1110 * MS, 40002, "A", 1, 1, reason=reasons.SENT_CHALLENGE_ACK)
    script.ack_ignored(1115 * MS, challenge)
    script.timer(3105 * MS, 40002, reasons.REQUEST_EXPIRED)
    script.server_state(3105 * MS, 40002, State.SYN_RECV, State.CLOSE)
    script.queue(3105 * MS, 1, 0, 0)
    script.call(4000 * MS, "client", "send(5 octets)")
    data = script.client_sends(4000 * MS, 40002, "PA", 1, 1, payload=b"hello", reason=reasons.SENT_DATA)
    script.arrives(4005 * MS, "server", data, reasons.LISTENER_ACK)
    reset = script.server_sends(4005 * MS, 40002, "R", 1, window=0, reason=reasons.SENT_RST)
    script.arrives(4010 * MS, "client", reset, reasons.RESET)
    script.client_state(4010 * MS, 40002, State.ESTABLISHED, State.CLOSE, packet=reset)
    script.call(4010 * MS, "client", "recv(100)", "ECONNRESET")
    return script.record


def evictions(*gone, delay=Script.delay):
    """Two SYNs fill a queue; each further one, a second later, throws out the connection from one of these ports."""
    script = Script()
    script.listens(backlog=2)
    script.syn(0, 40001)
    script.syn(10 * MS, 40002)
    for number, port in enumerate(gone, 1):
        at = number * SECOND
        syn = script.client_sends(at, 40002 + number, "S")
        script.arrives(at + delay, "server", syn, reasons.SYN_QUEUED)
        script.throws_out(at + delay, port, syn)
        script.queue(at + delay, 0, 2, 2, packet=syn)
        script.server_state(at + delay, 40002 + number, State.LISTEN, State.SYN_RECV, packet=syn)
    return script.record


def handshake_with_losses():
    """The first SYN and the first SYN|ACK are lost."""
    script = Script()
    syn = script.client_sends(0, 40001, "S", options=SYN_OPTIONS, reason=reasons.SENT_SYN)
    script.lost(1 * MS, "client", syn, "lost by chance (10 %)")
    again = script.client_sends(1000 * MS, 40001, "S", reason=reasons.SENT_SYN_AGAIN, repeat=1)
    script.arrives(1005 * MS, "server", again, reasons.SYN_QUEUED)
    script.queue(1005 * MS, 0, 1, 5, packet=again)
    answer = script.server_sends(1005 * MS, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK)
    script.lost(1006 * MS, "server", answer, "lost by chance (10 %)")
    return script
