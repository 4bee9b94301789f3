"""How fast bulk goes: one host sends as fast as its windows let it, another reads, a millisecond apart."""

import errno
from collections import deque
from time import process_time

from _bench_traffic import PORT, SERVER, listening

from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import Host, Socket, SocketError
from tcpemu.wire import Segment, address

_CLIENT = address("192.0.2.2")
_DELAY = 1_000_000
_PIECE = bytes(65536)


class _Pair:
    """A client that sends and a server that reads, with what is on its way between them."""

    def __init__(self, lost: int) -> None:
        self.server, self.listener = listening(1)
        self.client = Host([_CLIENT], generation(DEFAULT), seed=1, observe=False)
        self.sender = self.client.socket()
        self.reader: Socket | None = None
        self.lost = lost
        self.flying: deque[tuple[int, Host, Segment]] = deque()
        self.now = self.received = self.segments = self.data = 0

    def send_all(self) -> None:
        """Give the network what both hosts have for it; each `lost`-th segment with data goes nowhere."""
        for host, other in ((self.client, self.server), (self.server, self.client)):
            for segment in host.transmit():
                self.segments += 1
                if segment.payload:
                    self.data += 1
                    if self.lost and not self.data % self.lost:
                        continue
                self.flying.append((self.now + _DELAY, other, segment))

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

    def applications(self) -> None:
        """The server reads all there is; the client writes all there is room for."""
        if self.reader is None:
            try:
                self.reader = self.listener.accept(self.now)
            except SocketError:
                return
        try:
            while octets := self.reader.recv(1 << 20, self.now):
                self.received += len(octets)
        except SocketError as error:
            _only_again(error)
        try:
            while self.sender.send(_PIECE, self.now):
                pass
        except SocketError as error:
            _only_again(error)


def bulk_rate(octets: int, lost: int = 0) -> float:
    """Segments per second of CPU, sent by both ends, until so many octets have been read."""
    pair = _Pair(lost)
    try:
        pair.sender.connect(SERVER, PORT, 0)
    except SocketError as error:
        if error.errno != errno.EINPROGRESS:
            raise
    begin = process_time()
    pair.send_all()
    while pair.received < octets:
        pair.step()
        pair.applications()
        pair.send_all()
    return pair.segments / (process_time() - begin)


def _only_again(error: SocketError) -> None:
    if error.errno != errno.EAGAIN:
        raise error
