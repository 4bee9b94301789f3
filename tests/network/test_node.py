"""A node and its host: steps, packet numbers, timers, and calls that wait. The host is a stand-in."""

import errno

import pytest

from tcpemu.network import (
    MILLISECOND,
    SECOND,
    WAITS,
    Call,
    Conditions,
    ConnectedSocket,
    HostEvent,
    Network,
    PacketSeen,
    Point,
)
from tcpemu.stack.base.errors import ConfigurationError, SocketError
from tcpemu.stack.base.events import Counted, Outcome, QueueChanged, Reason, Sent, Verdict
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import Segment, address, flags_of

A, B = address("10.0.0.1"), address("10.0.0.2")
WHY = Reason("TEST", "for the test", "here")


def seg(flags="A", payload=b"", src=A, dst=B):
    return Segment(src, 1000, dst, 80, 0, 0, flags_of(flags), 1000, payload=payload)


class StandIn:
    """Answers every packet with a RST, sends `b"tick"` at each of `ticks`, and has one socket for all."""

    def __init__(self, *ticks, observe=True):
        self.ticks = list(ticks)
        self.observe = observe
        self.counters = {}
        self.advanced = []
        self.one = StandInSocket(self)
        self._out, self._events, self.woke = [], [], []

    def receive(self, segment, now):
        self._note(Counted(now, "InSegs", 1))
        self._note(Verdict(now, segment, Outcome.ANSWERED, WHY))
        self.one.readable_data += segment.payload
        self.woke.append(self.one)
        self.send(seg("R", src=segment.dst, dst=segment.src), now)

    def send(self, segment, now):
        self._out.append(segment)
        self._note(Sent(now, segment, WHY))

    def _note(self, event):
        if self.observe:
            self._events.append(event)

    def advance(self, now):
        self.advanced.append(now)
        while self.ticks and self.ticks[0] <= now:
            self.ticks.pop(0)
            self.send(seg("PA", b"tick"), now)

    def next_timer(self):
        return self.ticks[0] if self.ticks else None

    def transmit(self):
        out, self._out = self._out, []
        return out

    def events(self):
        events, self._events = self._events, []
        return events

    def woken(self):
        woke, self.woke = self.woke, []
        return woke

    def socket(self, datagram=False):
        return self.one

    def sockets(self):
        return []


class StandInSocket:
    local, remote, state = (A, 1000), (B, 80), State.ESTABLISHED
    flow = (B, 80, A, 1000)

    def __init__(self, host):
        self.host = host
        self.readable_data = b""
        self.room = 4
        self.closed = False
        self.fails = 0

    def recv(self, n, now):
        if self.fails:
            raise SocketError(self.fails)
        if self.closed:
            raise SocketError(errno.EBADF)
        if not self.readable_data:
            raise SocketError(errno.EAGAIN)
        data, self.readable_data = self.readable_data[:n], self.readable_data[n:]
        return data

    def send(self, data, now):
        if not self.room:
            raise SocketError(errno.EAGAIN)
        taken, self.room = data[: self.room], 0
        self.host.send(seg("PA", taken), now)
        return len(taken)

    def accept(self, now):
        raise SocketError(errno.EAGAIN)

    def connect(self, address, port, now):
        self.state = State.SYN_SENT
        self.host.send(seg("S"), now)
        raise SocketError(errno.EINPROGRESS)

    def getsockopt(self, level, name):
        return self.fails

    def setsockopt(self, level, name, value, now=0):
        raise SocketError(errno.ENOPROTOOPT)

    def bind(self, address, port):
        pass

    def listen(self, backlog, now):
        self.host._note(QueueChanged(now, 80, 0, 0, backlog))

    lingering = False

    def close(self, now, exiting=False):
        self.closed = True


def pair(host, seed=0):
    """A network of `host` at 10.0.0.1 and a raw peer at 10.0.0.2, 10 ms apart."""
    network = Network(seed)
    node = network.attach("host", host, "10.0.0.1")
    peer = network.raw("peer", "10.0.0.2")
    network.link(node, peer, Conditions(delay=10 * MILLISECOND))
    return network, node, peer


def calls(network, application=None):
    return [
        (call.at // MILLISECOND, call.text, call.result) for call in network.record.calls("host", application)
    ]


# Steps.


def test_a_packet_its_verdict_and_the_answer():
    network, _, peer = pair(StandIn())
    probe, reset = seg("S", src=B, dst=A), seg("R")
    peer.send(probe)
    network.run(SECOND)
    at = 10 * MILLISECOND
    assert network.record.entries == [
        PacketSeen(0, "peer", Point.SENT, 1, probe),
        PacketSeen(at, "host", Point.RECEIVED, 1, probe),
        HostEvent(at, "host", Counted(at, "InSegs", 1), 1),
        HostEvent(at, "host", Verdict(at, probe, Outcome.ANSWERED, WHY), 1),
        HostEvent(at, "host", Sent(at, reset, WHY), 2),
        PacketSeen(at, "host", Point.SENT, 2, reset),
        PacketSeen(2 * at, "peer", Point.RECEIVED, 2, reset),
    ]
    assert {number: verdict.segment for number, verdict in network.record.verdicts().items()} == {1: probe}
    assert {number: sent.segment for number, sent in network.record.reasons_sent().items()} == {2: reset}


def test_a_host_that_says_nothing_still_has_its_packets_recorded():
    network, _, peer = pair(StandIn(observe=False))
    peer.send(seg(src=B, dst=A))
    network.run(SECOND)
    assert [(e.node, e.point.value, e.number) for e in network.record] == [
        ("peer", "sent", 1),
        ("host", "received", 1),
        ("host", "sent", 2),
        ("peer", "received", 2),
    ]


def test_a_host_that_sends_what_it_does_not_say_is_found_out():
    host = StandIn()
    network, _, peer = pair(host)
    host.transmit = lambda: [seg("F")]
    peer.send(seg(src=B, dst=A))
    with pytest.raises(RuntimeError, match="the host says it sent"):
        network.run(SECOND)


def test_timers_fire_when_they_are_due_and_time_jumps_between():
    host = StandIn(SECOND, 3 * SECOND, 63 * SECOND)
    network, node, _ = pair(host)
    node.listen(80, 5)  # the node has not looked at its host's timers before
    network.run(62 * SECOND)
    assert (host.advanced, network.now) == ([SECOND, 3 * SECOND], 62 * SECOND)
    network.run(63 * SECOND)
    assert [e.at for e in network.record.packets("host", Point.SENT)] == [SECOND, 3 * SECOND, 63 * SECOND]


def test_an_earlier_timer_takes_the_place_of_a_later_one():
    host = StandIn(5 * SECOND)
    network, node, _ = pair(host)
    node.listen(80, 5)
    network.run(SECOND)
    host.ticks = [2 * SECOND, 5 * SECOND]
    node.listen(80, 5)
    network.run(10 * SECOND)
    assert [e.at for e in network.record.packets("host", Point.SENT)] == [2 * SECOND, 5 * SECOND]
    assert host.advanced == [2 * SECOND, 5 * SECOND]


def test_a_timer_that_was_put_off_fires_at_its_new_time_only():
    host = StandIn(2 * SECOND)
    network, node, _ = pair(host)
    node.listen(80, 5)
    host.ticks = [4 * SECOND]
    network.run(10 * SECOND)
    assert [e.at for e in network.record.packets("host", Point.SENT)] == [4 * SECOND]


def test_a_timer_that_stays_due_is_an_error_and_no_endless_loop():
    host = StandIn(SECOND)
    host.advance = lambda now: None
    network, node, _ = pair(host)
    node.listen(80, 5)
    with pytest.raises(RuntimeError, match="still due after it was fired"):
        network.run(2 * SECOND)


# Calls that wait.


def test_recv_waits_until_there_is_something():
    network, node, peer = pair(StandIn())
    got = []

    async def reader(node):
        connection = ConnectedSocket(node.calls, node.host.socket())
        got.append(await connection.recv(10))
        got.append(await connection.recv(10))

    network.spawn(node, reader)
    network.at(SECOND, peer.send, seg("PA", b"hello", src=B, dst=A))
    network.at(2 * SECOND, peer.send, seg("PA", b"again", src=B, dst=A))
    network.run(3 * SECOND)
    assert got == [b"hello", b"again"]
    assert calls(network, "reader") == [
        (0, "recv(10)", WAITS),
        (1010, "recv(10)", "5 octets"),
        (1010, "recv(10)", WAITS),
        (2010, "recv(10)", "5 octets"),
        (2010, "ends", ""),
    ]


def test_send_waits_until_all_is_taken():
    host = StandIn()
    network, node, peer = pair(host)

    async def writer(node):
        await ConnectedSocket(node.calls, host.one).send(b"sixsix")

    def make_room():
        host.one.room = 4
        peer.send(seg(src=B, dst=A))

    task = network.spawn(node, writer)
    network.at(SECOND, make_room)
    network.run(SECOND)
    assert not task.done
    network.run(2 * SECOND)
    assert task.done
    data = [e.segment.payload for e in network.record.packets("host", Point.SENT) if e.segment.payload]
    assert data == [b"sixs", b"ix"]
    assert calls(network, "writer") == [
        (0, "send(6 octets)", WAITS),
        (1010, "send(6 octets)", ""),
        (1010, "ends", ""),
    ]


@pytest.mark.parametrize(
    ("state", "error", "result"),
    [
        (State.ESTABLISHED, 0, "connected"),
        (State.CLOSE, errno.ETIMEDOUT, "ETIMEDOUT"),
        (State.CLOSE, errno.ECONNREFUSED, "ECONNREFUSED"),
        (State.CLOSE, 0, "ECONNABORTED"),
    ],
)
def test_connect_waits_for_its_outcome(state, error, result):
    host = StandIn()
    network, node, peer = pair(host)

    async def client(node):
        await node.connect("10.0.0.2", 80)

    def decide():
        host.one.state, host.one.fails = state, error
        peer.send(seg(src=B, dst=A))

    task = network.spawn(node, client)
    network.at(MILLISECOND, peer.send, seg(src=B, dst=A))  # wakes it too early
    network.at(SECOND, decide)
    network.run(2 * SECOND)
    assert calls(network, "client")[:2] == [
        (0, "connect(10.0.0.2:80)", WAITS),
        (1010, "connect(10.0.0.2:80)", result),
    ]
    assert task.error is None if result == "connected" else task.error.name == result


def test_a_timeout_ends_the_wait_with_eagain_and_is_not_felt_later():
    network, node, peer = pair(StandIn())
    outcomes = []

    async def reader(node):
        connection = ConnectedSocket(node.calls, node.host.socket())
        for _ in range(2):
            try:
                outcomes.append((await connection.recv(10, timeout=SECOND), node.now))
            except SocketError as error:
                outcomes.append((error.name, node.now))
        outcomes.append((await connection.recv(10), node.now))

    network.spawn(node, reader)
    network.at(1500 * MILLISECOND, peer.send, seg("PA", b"x", src=B, dst=A))
    network.at(5 * SECOND, peer.send, seg("PA", b"y", src=B, dst=A))
    network.run(10 * SECOND)
    assert outcomes == [("EAGAIN", SECOND), (b"x", 1510 * MILLISECOND), (b"y", 5010 * MILLISECOND)]


def test_close_wakes_whoever_waits():
    network, node, _ = pair(StandIn())
    connection = ConnectedSocket(node.calls, node.host.socket())

    async def reader(node):
        await connection.recv(10)

    async def closer(node):
        await node.sleep(SECOND)
        connection.close()

    task = network.spawn(node, reader)
    network.spawn(node, closer)
    network.run(2 * SECOND)
    assert task.error.name == "EBADF"
    assert calls(network) == [
        (0, "recv(10)", WAITS),
        (1000, "close()", ""),
        (1000, "ends", ""),
        (1000, "recv(10)", "EBADF"),
        (1000, "ends", "EBADF"),
    ]


def test_waiting_applications_are_served_in_turn():
    network, node, peer = pair(StandIn())
    got = []

    def reader(name):
        async def run(node):
            connection = ConnectedSocket(node.calls, node.host.socket())
            while True:
                got.append((name, await connection.recv(1)))

        return run

    for name in "abc":
        network.spawn(node, reader(name), name)
    for index in range(4):
        network.at(index * SECOND, peer.send, seg("PA", b"x", src=B, dst=A))
    network.run(10 * SECOND)
    assert [name for name, _ in got] == ["a", "b", "c", "a"]


def test_a_call_with_a_timeout_does_not_push_another_aside():
    network, node, peer = pair(StandIn())

    def reader(timeout):
        async def run(node):
            return await ConnectedSocket(node.calls, node.host.socket()).recv(1, timeout)

        return run

    patient = network.spawn(node, reader(None))
    hasty = network.spawn(node, reader(10 * SECOND))
    for _ in range(2):
        peer.send(seg("PA", b"x", src=B, dst=A))
    network.run(SECOND)
    assert (patient.result, hasty.result) == (b"x", b"x")


# Applications.


def test_an_uncaught_socket_error_ends_the_application_and_is_recorded():
    network, node, _ = pair(StandIn())

    async def broken(node):
        node.listen(80, 5, {(6, 9): 1})

    task = network.spawn(node, broken, at=SECOND)
    network.run(2 * SECOND)
    assert task.done
    assert task.error.name == "ENOPROTOOPT"
    stands_for = (address("10.0.0.2"), 80, address("10.0.0.1"), 1000)
    assert network.record.entries == [
        Call(SECOND, "host", "broken", "setsockopt(6, 9, 1)", "ENOPROTOOPT", stands_for),
        Call(SECOND, "host", "broken", "ends", "ENOPROTOOPT"),
    ]


def test_another_exception_comes_out_of_run_and_says_where():
    network, node, _ = pair(StandIn())

    async def buggy(node):
        await node.sleep(1500 * MILLISECOND)
        raise ZeroDivisionError

    network.spawn(node, buggy, "the bug")
    with pytest.raises(ZeroDivisionError) as caught:
        network.run(2 * SECOND)
    assert caught.value.__notes__ == ["in application 'the bug' on node 'host', at 1.5 s of virtual time"]
    network.run(3 * SECOND)
    assert network.now == 3 * SECOND


def test_an_application_may_await_nothing_of_another_framework():
    import asyncio

    network, node, _ = pair(StandIn())

    async def stranger(node):
        await asyncio.sleep(0)

    network.spawn(node, stranger)
    with pytest.raises(TypeError, match="does not run in virtual time"):
        network.run(SECOND)


def test_what_an_application_returns_is_its_result():
    network, node, _ = pair(StandIn())

    async def answer(node):
        await network.sleep(SECOND)
        return 42

    task = network.spawn(node, answer)
    network.run(2 * SECOND)
    assert (task.result, task.error) == (42, None)


def test_sleep_wants_nanoseconds():
    network, node, _ = pair(StandIn())

    async def sleeper(node):
        await node.sleep(0.5)

    network.spawn(node, sleeper)
    with pytest.raises(ConfigurationError, match=r"sleep=0\.5: time is a whole number of nanoseconds"):
        network.run(SECOND)


def test_an_application_that_never_starts_leaves_nothing_behind():
    network, node, _ = pair(StandIn())

    async def late(node):
        raise AssertionError

    task = network.spawn(node, late, at=SECOND)
    network.run(SECOND - 1)
    assert (task.done, network.record.entries) == (False, [])


def test_a_finally_block_does_not_write_in_a_record_that_outlives_its_network():
    import gc

    network, node, _ = pair(StandIn())

    async def tidy(node):
        connection = ConnectedSocket(node.calls, node.host.socket())
        try:
            await connection.recv(1)
        finally:
            connection.close()

    network.spawn(node, tidy)
    network.run(SECOND)
    record, before = network.record, list(network.record.entries)
    del network, node, _
    gc.collect()
    assert record.entries == before
