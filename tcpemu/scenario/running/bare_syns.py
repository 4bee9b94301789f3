"""Bare SYNs, from addresses where nobody is: what floods are made of."""

import ipaddress
from functools import cache
from random import Random

from tcpemu.network import RawNode
from tcpemu.scenario.format.actions import Act, Word
from tcpemu.scenario.format.scenario_file import ClientGroup
from tcpemu.stack.base.ip_families import IPV4_LENGTH
from tcpemu.wire.options import mss
from tcpemu.wire.segment import ACK, RST, SYN, Segment, address

FIRST_PORT = 1024
ETHERNET_MSS, ETHERNET_MSS_OF_IPV6 = 1460, 1440


class SynSource:
    """Sends a SYN, perhaps several times, and does nothing with the answer."""

    def __init__(self, segment: Segment, actions: tuple[Word | Act, ...]) -> None:
        self._segment, self._actions = segment, actions

    async def run(self, node: RawNode) -> None:
        for action in self._actions:
            if not isinstance(action, Act):
                node.send(self._segment)
            elif action.wait is not None:
                await node.sleep(action.wait)
            elif action.wait_until is not None:
                await node.sleep(max(0, action.wait_until - node.now))


def make_syn(
    group: ClientGroup, source: str, target: tuple[str, int], number: int, random: Random
) -> Segment:
    """The SYN of the group's client of that number; a spoofed one has a random address and port."""
    if group.spoof is None:
        src, sport = address(source), FIRST_PORT + number % (65536 - FIRST_PORT)
    else:
        src, sport = _somebody(group.spoof, random), random.randrange(FIRST_PORT, 65536)
    size = ETHERNET_MSS if len(src) == IPV4_LENGTH else ETHERNET_MSS_OF_IPV6
    return Segment(
        src, sport, address(target[0]), target[1], random.getrandbits(32), 0, SYN, 65535, (mss(size),)
    )


def _somebody(subnet: str, random: Random) -> bytes:
    network = _network(subnet)
    return network[random.randrange(network.num_addresses)].packed


@cache
def _network(subnet: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Kept, as a flood asks for the same one ten thousand times."""
    return ipaddress.ip_network(subnet)


def reset_answers(node: RawNode, segment: Segment, _: int) -> None:
    """What a kernel does with a SYN|ACK to a SYN that it has not sent: a RST at the number that was acknowledged."""
    if segment.flags & (SYN | ACK) == SYN | ACK:
        node.send(Segment(segment.dst, segment.dport, segment.src, segment.sport, segment.ack, 0, RST, 0))
