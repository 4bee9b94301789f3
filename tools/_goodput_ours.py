"""A transfer between two emulated hosts, in virtual time."""

import hashlib
from dataclasses import dataclass
from random import Random
from typing import Any

from tcpemu.network import SECOND, Conditions, Network
from tcpemu.network.recorded.transfers import FiguresChanged

PORT = 8080
SERVER, CLIENT = "10.0.0.1", "10.0.0.2"
LONGEST = 3600
"""Seconds after which a transfer is given up."""


@dataclass(frozen=True, slots=True)
class Path:
    """Both directions of the way between the hosts; each transfer has one of its own."""

    loss: float
    """Probability that a packet is lost, ACKs included."""
    delay: int
    """Nanoseconds one way."""
    rate: int
    """Bits per second."""
    queue: int
    """Packets that wait for the rate."""
    mark: int
    """Packets in that queue from which on ECN-capable ones are marked, where dctcp runs."""

    def conditions(self, marks: bool) -> Conditions:
        return Conditions(
            self.delay, rate=self.rate, queue=self.queue, loss=self.loss, mark=self.mark if marks else None
        )


@dataclass(frozen=True, slots=True)
class Transfer:
    """What came of one."""

    seconds: float
    """From connect() to the last octet that was read."""
    intact: bool

    def goodput(self, octets: int) -> float:
        """Megabits per second."""
        return octets * 8 / self.seconds / 1e6


def content(seed: int, octets: int) -> bytes:
    """What is sent in the transfer with this seed."""
    return Random(seed).randbytes(octets)


def sysctls_for(sack: bool) -> dict[str, int]:
    """Whether there is SACK; and no transfer learns from an earlier one."""
    return {"net.ipv4.tcp_sack": int(sack), "net.ipv4.tcp_no_metrics_save": 1}


def transfer(
    path: Path, control: str, sack: bool, seed: int, octets: int, watched: list[FiguresChanged] | None = None
) -> Transfer:
    """Send so much from one emulated host to another; what changes of the sender's figures is added to `watched`."""
    network = Network(seed)
    transfers = network.watch_transfers() if watched is not None else None
    sysctls = {**sysctls_for(sack), "net.ipv4.tcp_congestion_control": control}
    ends = (("server", SERVER), ("client", CLIENT))
    server, client = (
        network.host(name, address, sysctls=sysctls, hz=250, observe=False) for name, address in ends
    )
    network.link(client, server, path.conditions(marks=control == "dctcp"))
    data, digest, ended = content(seed, octets), hashlib.sha256(), [0]

    async def serve(node: Any) -> None:
        connection = await node.listen(PORT, backlog=1).accept()
        while part := await connection.recv(1 << 16):
            digest.update(part)
            ended[0] = node.now
        connection.close()

    async def send(node: Any) -> None:
        connection = await node.connect(SERVER, PORT)
        await connection.send(data)
        connection.close()

    network.spawn(server, serve)
    network.spawn(client, send)
    network.run(until=LONGEST * SECOND)
    if transfers is not None and watched is not None:
        watched += next(changes for name, _, changes in transfers if name == "client")
    return Transfer(ended[0] / SECOND or LONGEST, digest.digest() == hashlib.sha256(data).digest())
