"""How fast two hosts talk, a millisecond apart, both ends counted: in bulk, and one question after the other.

What is on its way may be lost, each so manieth, or wait in front of a slow link, in a queue that has an end.
"""

import errno
from collections import deque
from collections.abc import Callable
from time import process_time

from _bench_traffic import PORT, SERVER, listening

from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import Host, Socket, SocketError
from tcpemu.wire import Segment, address

_CLIENT = address("192.0.2.2")
_DELAY = 1_000_000
_PACKET = 12_000
"""Nanoseconds that the slow link takes for a packet, about 1 Gbit/s."""
_PIECE = bytes(65536)
_QUESTION = bytes(100)


class _Pair:
    """A client and a server, with what is on its way between them."""

    def __init__(self, lost: int, queue: int) -> None:
        self.server, self.listener = listening(1)
        self.client = Host([_CLIENT], generation(DEFAULT), seed=1, observe=False)
        self.sender = self.client.socket()
        self.reader: Socket | None = None
        self.lost, self.queue = lost, queue
        self.flying: deque[tuple[int, Host, Segment]] = deque()
        self.leaving: deque[int] = deque()
        """When each packet that waits in front of the slow link leaves it."""
        self.now = self.received = self.segments = self.data = self.dropped = 0

    def connect(self) -> None:
        try:
            self.sender.connect(SERVER, PORT, 0)
        except SocketError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        self.send_all()

    def send_all(self) -> None:
        """Give the network what both hosts have for it."""
        for segment in self.client.transmit():
            self.segments += 1
            if (leaves := self._leaves(segment)) is not None:
                self.flying.append((leaves + _DELAY, self.server, segment))
        for segment in self.server.transmit():
            self.segments += 1
            self.flying.append((self.now + _DELAY, self.client, segment))
        if self.queue:
            self.flying = deque(sorted(self.flying, key=lambda each: each[0]))

    def _leaves(self, segment: Segment) -> int | None:
        """When it leaves the client's side; None where it is lost."""
        if not segment.payload:
            return self.leaving[-1] if self.leaving else self.now
        self.data += 1
        if self.lost and not self.data % self.lost:
            self.dropped += 1
            return None
        if not self.queue:
            return self.now
        while self.leaving and self.leaving[0] <= self.now:
            self.leaving.popleft()
        if len(self.leaving) >= self.queue:
            self.dropped += 1
            return None
        self.leaving.append((self.leaving[-1] if self.leaving else self.now) + _PACKET)
        return self.leaving[-1]

    def step(self) -> None:
        """Time goes on to whatever comes next: a segment arrives, or a timer fires."""
        timers = [due for host in (self.client, self.server) if (due := host.next_timer()) is not None]
        arrives = [self.flying[0][0]] if self.flying else []
        self.now = now = max(self.now, min(timers + arrives))
        for host in (self.client, self.server):
            host.advance(now)
        while self.flying and self.flying[0][0] <= now:
            _, host, segment = self.flying.popleft()
            host.receive(segment, now)

    def accepted(self) -> Socket | None:
        """The server's end, once there is one."""
        if self.reader is None:
            try:
                self.reader = self.listener.accept(self.now)
            except SocketError as error:
                _only_again(error)
        return self.reader

    def read(self, socket: Socket) -> int:
        """All that there is to read; how much it was."""
        size = 0
        try:
            while octets := socket.recv(1 << 20, self.now):
                size += len(octets)
        except SocketError as error:
            _only_again(error)
        return size

    def run(self, applications: Callable[[], bool]) -> float:
        """Segments per second of CPU, sent by both ends, until the applications have done."""
        begin = process_time()
        self.connect()
        going = True
        while going:
            self.step()
            going = applications()
            self.send_all()
        return self.segments / (process_time() - begin)


def bulk_rate(octets: int, lost: int = 0, queue: int = 0) -> float:
    """Until so many octets have been read: the client writes all there is room for, the server reads all there is."""
    pair = _Pair(lost, queue)

    def applications() -> bool:
        reader = pair.accepted()
        if reader is None:
            return True
        pair.received += pair.read(reader)
        try:
            while pair.sender.send(_PIECE, pair.now):
                pass
        except SocketError as error:
            _only_again(error)
        return pair.received < octets

    rate = pair.run(applications)
    if lost and pair.dropped != pair.data // lost:
        raise RuntimeError(f"{pair.dropped} of {pair.data} segments were lost, and not each {lost}th")
    return rate


def echo_pair_rate(turns: int, lost: int = 0) -> float:
    """Until so many questions of 100 octets have come back to the client, one after the other."""
    pair = _Pair(lost, 0)
    asked = 0

    def applications() -> bool:
        nonlocal asked
        reader = pair.accepted()
        if reader is None:
            return True
        if size := pair.read(reader):
            reader.send(bytes(size), pair.now)
        pair.received += pair.read(pair.sender)
        if pair.received >= asked * len(_QUESTION):
            pair.sender.send(_QUESTION, pair.now)
            asked += 1
        return pair.received < turns * len(_QUESTION)

    return pair.run(applications)


def _only_again(error: SocketError) -> None:
    if error.errno != errno.EAGAIN:
        raise error
