"""What poll() says in each situation: as this machine's kernel says it of real sockets on loopback, and by numbers."""

import select
import socket
import struct
import sys
import time
from contextlib import suppress

import pytest

from tcpemu.stack import Host
from tcpemu.stack.base.socket_constants import SHUT_RD, SHUT_RDWR, SHUT_WR, SO_RCVLOWAT, SOL_SOCKET
from tcpemu.stack.sockets.poll_bits import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP
from tcpemu.testing.bench.bench_values import GENERATION
from tcpemu.wire.segment import address

ALL = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP
LOCAL = "127.0.0.1"


class Emulated:
    """A listener, a client and the accepted child on one emulated host that reaches itself."""

    def __init__(self):
        self.host = Host([address("10.0.0.1")], GENERATION)
        self.now = 0
        self.listener = self.host.socket()
        self.listener.bind(None, 80)
        self.listener.listen(5, 0)
        self.client = self.host.socket()
        self.child = None

    def carry(self):
        while out := self.host.transmit():
            for segment in out:
                self.now += 1000
                self.host.receive(segment, self.now)

    def connect(self, port=80):
        with suppress(OSError):
            self.client.connect(address("10.0.0.1"), port, self.now)
        self.carry()

    def accept(self):
        self.child = self.listener.accept(self.now)

    def act(self, who, what, *arguments):
        one = getattr(self, who)
        if what == "reset":
            one.linger(True, 0)
            one.close(self.now)
        elif what == "setsockopt":
            one.setsockopt(*arguments, self.now)
        else:
            with suppress(OSError):
                getattr(one, what)(*arguments, self.now)
        self.carry()

    def fill(self, who):
        with suppress(OSError):
            while True:
                getattr(self, who).send(b"x" * 65536, self.now)
                self.carry()

    def poll(self, who):
        return getattr(self, who).poll() & ALL


class Real:
    """The same on this machine's loopback."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind((LOCAL, 0))
        self.listener.listen(5)
        self.client = socket.socket()
        self.client.setblocking(False)
        self.child = None

    def connect(self, port=80):
        where = self.listener.getsockname() if port == 80 else (LOCAL, 1)
        with suppress(BlockingIOError, ConnectionRefusedError):
            self.client.connect(where)
        time.sleep(0.01)

    def accept(self):
        self.child, _ = self.listener.accept()
        self.child.setblocking(False)

    def act(self, who, what, *arguments):
        one = getattr(self, who)
        if what == "reset":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
        else:
            with suppress(OSError):
                getattr(one, what)(*arguments)
        time.sleep(0.01)

    def fill(self, who):
        with suppress(OSError):
            while True:
                getattr(self, who).send(b"x" * 65536)
        time.sleep(0.01)

    def poll(self, who):
        poll = select.poll()
        poll.register(getattr(self, who), ALL)
        found = poll.poll(0)
        return found[0][1] if found else 0

    def close(self):
        for one in (self.listener, self.client, self.child):
            if one is not None:
                one.close()


def fresh(_):
    pass


def waiting(world):
    world.connect()


def refused(world):
    world.connect(port=1)


def opened(world):
    world.connect()
    world.accept()


def data(world):
    opened(world)
    world.act("client", "send", b"hello")


def too_little(world):
    opened(world)
    world.act("child", "setsockopt", SOL_SOCKET, SO_RCVLOWAT, 100)
    world.act("client", "send", b"hello")


def read_all(world):
    data(world)
    world.act("child", "recv", 100)


def half_closed(world):
    opened(world)
    world.act("client", "shutdown", SHUT_WR)


def closed_by_peer(world):
    opened(world)
    world.act("client", "close")


def both_closed(world):
    half_closed(world)
    world.act("child", "shutdown", SHUT_WR)


def deaf(world):
    opened(world)
    world.act("child", "shutdown", SHUT_RD)


def shut(world):
    opened(world)
    world.act("child", "shutdown", SHUT_RDWR)


def reset(world):
    opened(world)
    world.act("client", "reset")


def full(world):
    opened(world)
    world.fill("child")


def deaf_listener(world):
    world.act("listener", "shutdown", SHUT_RD)


IN, OUT, HUP, RDHUP, ERR = POLLIN, POLLOUT, POLLHUP, POLLRDHUP, POLLERR
SITUATIONS = [
    (fresh, "listener", 0),
    (fresh, "client", OUT | HUP),
    (waiting, "listener", IN),
    (waiting, "client", OUT),
    (refused, "client", IN | OUT | ERR | HUP | RDHUP),
    (opened, "child", OUT),
    (data, "child", IN | OUT),
    (too_little, "child", OUT),
    (read_all, "child", OUT),
    (half_closed, "client", OUT),
    (half_closed, "child", IN | OUT | RDHUP),
    (closed_by_peer, "child", IN | OUT | RDHUP),
    (both_closed, "client", IN | OUT | HUP | RDHUP),
    (both_closed, "child", IN | OUT | HUP | RDHUP),
    (deaf, "child", IN | OUT | RDHUP),
    (shut, "child", IN | OUT | HUP | RDHUP),
    (reset, "child", IN | OUT | ERR | HUP | RDHUP),
    (full, "child", 0),
    (deaf_listener, "listener", OUT | HUP),
]
IDS = [f"{situation.__name__}-{who}" for situation, who, _ in SITUATIONS]


@pytest.mark.parametrize(("situation", "who", "bits"), SITUATIONS, ids=IDS)
def test_the_bits_are_these(situation, who, bits):
    world = Emulated()
    situation(world)
    assert world.poll(who) == bits


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel of this machine")
@pytest.mark.parametrize(("situation", "who", "bits"), SITUATIONS, ids=IDS)
def test_the_kernel_of_this_machine_says_the_same(situation, who, bits):
    world = Real()
    try:
        situation(world)
        assert world.poll(who) == bits
    finally:
        world.close()
