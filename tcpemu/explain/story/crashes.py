"""Hosts that crash, and that start again: a paragraph for each."""

from collections.abc import Iterator

from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.network.record import CRASHES, STARTS_AGAIN, Call, HostEvent, Record
from tcpemu.stack.base.events import StateChanged
from tcpemu.stack.base.states import State

CRASH, START = "HOST_CRASHES", "HOST_STARTS_AGAIN"
"""The reasons of these paragraphs."""


def crashes(record: Record) -> Iterator[TurningPoint]:
    """Each crash with what it took, and each start after one."""
    down: dict[str, Call] = {}
    lost: dict[str, int] = {}
    for entry in record.each(Call, StateChanged):
        if isinstance(entry, HostEvent):
            if entry.node in down and entry.at == down[entry.node].at and _was_connection(entry):
                lost[entry.node] = lost.get(entry.node, 0) + 1
        elif isinstance(entry, Call) and not entry.application and entry.text == CRASHES:
            down[entry.node], lost[entry.node] = entry, 0
        elif isinstance(entry, Call) and not entry.application and entry.text == STARTS_AGAIN:
            yield _crash(down.pop(entry.node), lost[entry.node], entry.at)
            yield _start(entry, lost[entry.node])
    for call in down.values():
        yield _crash(call, lost[call.node], None)


def _was_connection(entry: HostEvent) -> bool:
    return isinstance(entry.event, StateChanged) and entry.event.old is not State.LISTEN


def _crash(call: Call, lost: int, until: int | None) -> TurningPoint:
    with_it = f", and with it {count(lost, 'connection')}" if lost else ""
    how_long = "any more" if until is None else f"for {span_words(until - call.at)}"
    text = (
        f"{call.node} stops without a word: what runs on it is gone{with_it}. Nothing is sent to its peers, and "
        f"nothing reaches it {how_long}."
    )
    return TurningPoint(call.at, CRASH, f"{call.node} crashes", text, "")


def _start(call: Call, lost: int) -> TurningPoint:
    text = f"{call.node} is there again."
    if lost:
        known = count(lost, "connection")
        text += f" It knows nothing of {known} of before: what still comes of them it answers with a RST."
    return TurningPoint(call.at, START, f"{call.node} starts again", text, "")
