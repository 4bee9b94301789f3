"""All transfers of a run that was followed: each sender of data with its history and its phases."""

from collections.abc import Iterable
from dataclasses import dataclass

from tcpemu.explain.facts.rows import Row
from tcpemu.explain.phases.bbr_phases import BBR, bbr_phases
from tcpemu.explain.phases.flow_history import FlowHistory, histories_of
from tcpemu.explain.phases.transfer_phases import Phase, phases_of
from tcpemu.network.record import Record
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.wire.segment import FlowKey


@dataclass(frozen=True, slots=True)
class FollowedTransfer:
    """One sender of data on one connection."""

    node: str
    flow: FlowKey
    """Remote address and port, local address and port."""
    control: str
    """Its congestion control."""
    history: FlowHistory
    phases: list[Phase]


def followed_transfers(
    record: Record, rows: Iterable[Row], transfers: Transfers | None, ended: int
) -> list[FollowedTransfer]:
    """Each sender with its phases, in the order of their first data; none where nobody followed them."""
    if transfers is None:
        return []
    found = []
    for (node, flow), history in histories_of(record, rows, transfers, ended).items():
        control, changes = transfers.control_of(node, flow), transfers.of(node, flow)
        phases = phases_of(changes, history, by_model=control == BBR)
        if control == BBR:
            phases = sorted([*bbr_phases(changes, history), *phases], key=lambda phase: phase.at)
        found.append(FollowedTransfer(node, flow, control, history, phases))
    return found
