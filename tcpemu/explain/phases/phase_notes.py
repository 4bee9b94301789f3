"""Phases as notes on the packets at which they begin and end: what a ladder says under their lines."""

from collections.abc import Iterator, Sequence

from tcpemu.explain.facts.row_notes import Note
from tcpemu.explain.lines.style import Role
from tcpemu.explain.phases import phase_words
from tcpemu.explain.phases.flow_history import Mark
from tcpemu.explain.phases.followed_transfers import FollowedTransfer
from tcpemu.explain.phases.transfer_phases import Phase, Recovery, SlowStart, Why


def phase_notes(transfers: Sequence[FollowedTransfer]) -> dict[int, list[Note]]:
    """By the number of the packet that arrived at the sender then, or that its timer sent."""
    found: dict[int, list[Note]] = {}
    for transfer in transfers:
        for phase in transfer.phases:
            for mark, text in _told(phase):
                if mark is not None and mark.number is not None:
                    note = Note(f"{transfer.node}: {text}", Role.STATE)
                    found.setdefault(mark.number, []).append(note)
    return found


def _told(phase: Phase) -> Iterator[tuple[Mark | None, str]]:
    if isinstance(phase, SlowStart) and phase.why is Why.LAST:
        return
    if words := phase_words.short_words(phase):
        yield phase.mark, words
    if words := phase_words.short_end(phase):
        yield phase.over, words


def phase_headlines(transfers: Sequence[FollowedTransfer]) -> dict[int, list[str]]:
    """The same in a few words, of what begins a phase, and of a recovery that is over."""
    found: dict[int, list[str]] = {}
    for transfer in transfers:
        for phase in transfer.phases:
            last = isinstance(phase, SlowStart) and phase.why is Why.LAST
            over = "recovery is over" if isinstance(phase, Recovery) and phase.end is Why.ACKNOWLEDGED else ""
            for mark, words in (
                (phase.mark, "" if last else phase_words.headline(phase)),
                (phase.over, over),
            ):
                if words and mark is not None and mark.number is not None:
                    found.setdefault(mark.number, []).append(words)
    return found
