"""What became of the clients of several runs, in cells that stand side by side."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from tcpemu.explain.facts.client_outcomes import ClientOutcome
from tcpemu.explain.facts.run_digest import (
    ClientEnd,
    RunDigest,
    SentReset,
)
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import MOMENTS_LISTED, moment, seconds

CLIENTS_ONE_BY_ONE = 6
"""Clients that are told one by one; of more, those with the same fate are counted."""


RESETS_ONE_BY_ONE = 3


def digest_cells(stories: Sequence[RunDigest]) -> Iterator[tuple[str, list[str]]]:
    """Labels, and for each a cell for each story."""
    telling = most_repeated_to(stories)
    if telling:
        label = f"SYN|ACK to {_name_of(telling, stories)} again, s after its SYN"
        yield label, [_again_words(story.again.get(telling)) for story in stories]
    if any(story.resets for story in stories):
        yield "RSTs, and to what", [_reset_words(story) for story in stories]
    yield from _client_rows(stories)


def most_repeated_to(stories: Sequence[RunDigest]) -> ClientEnd | None:
    """The client to whom SYN|ACKs were sent again most often, in all stories together; None if to none."""
    sums: Counter[ClientEnd] = Counter()
    for story in stories:
        sums.update({client: len(times) for client, times in story.again.items()})
    client, most = max(sums.items(), key=lambda item: item[1], default=(None, 0))
    return client if most else None


def _name_of(client: ClientEnd, stories: Sequence[RunDigest]) -> str:
    rows = ((story, row) for story in stories for row in story.rows)
    return next(story.client_of(row) for story, row in rows if story.end_of(row) == client)


def _again_words(times: Sequence[int] | None) -> str:
    if times is None:
        return "no SYN|ACK"
    words = [seconds(time, 3).rstrip("0").rstrip(".") for time in times[:MOMENTS_LISTED]]
    more = [f"{len(times) - MOMENTS_LISTED} more"] if len(times) > MOMENTS_LISTED else []
    return ", ".join(words + more) or "never"


def _reset_words(story: RunDigest) -> str:
    def kind(reset: SentReset) -> tuple[str, str]:
        return reset.sender, reset.answers

    resets = sorted(story.resets, key=kind)
    parts = [_resets_alike(story, list(alike)) for _, alike in groupby(resets, kind)]
    return "; ".join(parts) or "none"


def _resets_alike(story: RunDigest, resets: Sequence[SentReset]) -> str:
    """Those of one sender that answer the same kind of segment."""
    one = resets[0]
    theirs = one.sender == story.server
    answered = f"to {one.answers}" if one.answers else "on its own"
    head = answered if theirs else f"by {one.sender} {answered}"
    if len(resets) > RESETS_ONE_BY_ONE:
        return f"{count(len(resets), 'RST')} {head}, {moment(one.at)} to {moment(resets[-1].at)}"
    each = [f"of {reset.client} {moment(reset.at)}" if theirs else moment(reset.at) for reset in resets]
    return f"{head} {', '.join(each)}"


def _client_rows(stories: Sequence[RunDigest]) -> Iterator[tuple[str, list[str]]]:
    names = list(dict.fromkeys(fate.application for story in stories for fate in story.fates))
    if len(names) > CLIENTS_ONE_BY_ONE:
        yield "when clients knew", [_crowd_words(story.fates) for story in stories]
        return
    for name in names:
        fates = [{fate.application: fate for fate in story.fates}.get(name) for story in stories]
        yield f"when {name} knew", [_fate_words(fate) for fate in fates]


def _fate_words(fate: ClientOutcome | None) -> str:
    if fate is None:
        return "-"
    known = [] if fate.connected is None else [f"connected {moment(fate.connected)}"]
    if fate.error:
        known.append(f"{fate.error} {moment(fate.failed or 0)}")
    return ", ".join(known) or "never"


def _crowd_words(fates: Sequence[ClientOutcome]) -> str:
    """How many came to know what, and from when to when."""
    connected = [fate.connected for fate in fates if fate.connected is not None]
    parts = [_span("connected", connected)] if connected else []
    for error in sorted({fate.error for fate in fates if fate.error}):
        times = [fate.failed or 0 for fate in fates if fate.error == error]
        parts.append(_span(error, times))
    silent = sum(fate.connected is None and not fate.error for fate in fates)
    return "; ".join([*parts, f"{silent:,} never"] if silent else parts)


def _span(what: str, times: Sequence[int]) -> str:
    first, last = min(times), max(times)
    when = moment(first) if first == last else f"{moment(first)} to {moment(last)}"
    return f"{len(times):,} {what}, {when}"
