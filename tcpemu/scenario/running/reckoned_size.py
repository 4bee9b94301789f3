"""How much memory a run will take, reckoned before it begins: clients, their packets, what these carry."""

from itertools import islice
from random import Random

from tcpemu.scenario.format.actions import Act
from tcpemu.scenario.format.scenario_file import ClientGroup, Scenario
from tcpemu.scenario.running.start_times import each_start

PACKET, CLIENT, SYN = 100, 4_000, 1_000
"""Octets of the record for each packet, beside what it carries; of a client with its connection, at both ends; of a
bare SYN."""
_SEGMENT = 1448
_BESIDE_DATA = 10
"""Packets that open and close a connection, and some that are sent again."""
_BARE_SYN = 3
"""Packets for a SYN that nobody answers for: SYN|ACKs are sent again."""
_LEAST = 1_000_000
FEW_CLIENTS, A_TRANSFER = 20, 4000
"""So many clients are few; so many octets in one send() make a transfer."""


def reckoned_octets(scenario: Scenario, until: int | None = None) -> int:
    """Octets, roughly: nothing for a run of a moment, and of a large one within half and twice of it."""
    end = scenario.duration if until is None else min(until, scenario.duration)
    octets = sum(_of_group(scenario, group, end) for group in scenario.clients)
    return octets if octets >= _LEAST else 0


def has_few_transfers(scenario: Scenario, least: int = A_TRANSFER) -> bool:
    """Whether few clients send or ask for so much, `least` octets at once, that their windows are worth following."""
    clients = 0
    for group in scenario.clients:
        clients += sum(1 for _ in islice(each_start(group, Random(0)), FEW_CLIENTS + 1))
    doing = [*scenario.server.do, *(action for group in scenario.clients for action in group.do)]
    sends = any(isinstance(action, Act) and _sent_by(action) >= least for action in doing)
    return sends and clients <= FEW_CLIENTS


def _of_group(scenario: Scenario, group: ClientGroup, end: int) -> int:
    clients = sum(at <= end for at in each_start(group, Random(0)))
    if group.raw:
        return clients * (SYN + _BARE_SYN * PACKET)
    data = sum(_sent_by(action) for action in group.do if isinstance(action, Act))
    if scenario.server.answer == "echo":
        data *= 2
    packets = _BESIDE_DATA + -(-data // _SEGMENT) * 3 // 2
    return clients * (CLIENT + packets * PACKET + data)


def _sent_by(action: Act) -> int:
    if action.send is None:
        return 0
    return len(action.send.encode()) if isinstance(action.send, str) else action.send
