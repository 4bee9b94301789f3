"""Ends that stay open to the end, though the other end is gone: nothing is on its way, and no timer runs that would
find it out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.flow_memory import FlowEnd
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.story.settings_advice import LONE, SettingsCase, settings_advice
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.network.application_sockets import GONE
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import WAITS, Call, HostEvent, Record
from tcpemu.stack.base.events import StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import Address, FlowKey

_OPEN = frozenset({State.ESTABLISHED, State.FIN_WAIT2})


@dataclass(frozen=True, slots=True)
class _Lone:
    """An end that is alone."""

    node: str
    flow: FlowKey
    state: State
    peer: str
    gone: Call | StateChanged
    """How the other end went."""


def lone_ends(record: Record, hosts: Mapping[str, KnownHost]) -> Iterator[TurningPoint]:
    """A paragraph for each host that holds connections whose peers of one host are gone, unnoticed."""
    finder = _Finder(record, hosts)
    kinds: dict[tuple[str, str], list[_Lone]] = {}
    for one in finder.found():
        kinds.setdefault((one.node, one.peer), []).append(one)
    for (node, _), some in kinds.items():
        some.sort(key=lambda one: one.gone.at)
        case = SettingsCase(LONE, hosts[node], node, None)
        change = settings_advice(case)
        yield TurningPoint(
            some[0].gone.at,
            LONE,
            f"Nothing tells {node} that its peer is gone",
            finder.text(some),
            change,
            len(some),
        )


class _Finder:
    def __init__(self, record: Record, hosts: Mapping[str, KnownHost]) -> None:
        self._hosts = hosts
        self._owners: dict[Address, str] = {
            address: name for name, host in hosts.items() for address in host.addresses
        }
        self._gone: dict[FlowEnd, Call | StateChanged] = {}
        self._waits: dict[FlowEnd, Call] = {}
        for entry in record.each(Call, StateChanged):
            if isinstance(entry, Call):
                self._called(entry)
            elif isinstance(entry, HostEvent) and isinstance(entry.event, StateChanged):
                self._changed(entry.node, entry.event)

    def _called(self, call: Call) -> None:
        if call.flow is None:
            return
        here = call.node, call.flow
        if call.text == GONE:
            self._gone[here] = call
        elif call.result == WAITS:
            self._waits[here] = call
        else:
            self._waits.pop(here, None)

    def _changed(self, node: str, change: StateChanged) -> None:
        if change.new is State.CLOSE:
            self._gone.setdefault((node, change.flow), change)

    def found(self) -> Iterator[_Lone]:
        """Each such end."""
        for name, host in self._hosts.items():
            busy = {timer.flow for timer in host.pending()}
            for row in host.sockets():
                if row.state not in _OPEN or row.remote is None or row.send_q:
                    continue
                flow = (*row.remote, *row.local)
                peer = self._owners.get(flow[0])
                if flow in busy or peer is None or (name, flow) in self._gone:
                    continue
                gone = self._gone.get((peer, (*row.local, *row.remote)))
                if gone is not None:
                    yield _Lone(name, flow, row.state, peer, gone)

    def text(self, some: Sequence[_Lone]) -> str:
        first = some[0]
        how = (
            f"{first.peer} is gone without a word since {moment(first.gone.at)}"
            if isinstance(first.gone, Call)
            else f"{first.peer} has no such connection since {moment(first.gone.at)} ({first.gone.cause})"
        )
        waits = self._waits.get((first.node, first.flow))
        waiting = (
            f" Its program has waited in {waits.text.partition('(')[0]}() since {moment(waits.at)}."
            if waits
            else ""
        )
        more = f" So have {count(len(some) - 1, 'more connection')} to {first.peer}." if len(some) > 1 else ""
        return (
            f"{first.node}: the connection to {first.peer} stays {first.state.ss_name} to the end of the run, and "
            f"would for ever: {how}, and {first.node} has nothing to send that would go unanswered.{waiting}{more}"
        )
