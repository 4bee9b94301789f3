"""What became of the clients of several runs, in cells that stand side by side."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from tcpemu.explain.compare.transfer_cells import transfer_rows
from tcpemu.explain.facts.client_outcomes import ApplicationOutcome
from tcpemu.explain.facts.run_digest import (
    ClientEnd,
    RunDigest,
    SentReset,
)
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import MOMENTS_LISTED, moment, seconds

CLIENTS_ONE_BY_ONE = 6
"""Clients that are told one by one; of more, those with the same outcome are counted."""


RESETS_ONE_BY_ONE = 3


def digest_cells(digests: Sequence[RunDigest]) -> Iterator[tuple[str, list[str]]]:
    """Labels, and for each a cell for each run."""
    telling = most_repeated_to(digests)
    if telling:
        label = f"SYN|ACK retransmissions to {_name_of(telling, digests)} (s after the SYN)"
        yield label, [_again_words(digest.syn_ack_repeats.get(telling)) for digest in digests]
    if any(digest.resets for digest in digests):
        yield "RSTs, and to what", [_reset_words(digest) for digest in digests]
    yield from transfer_rows(digests)
    yield from _client_rows(digests)


def most_repeated_to(digests: Sequence[RunDigest]) -> ClientEnd | None:
    """The client to whom SYN|ACKs were sent again most often, in all runs together; None if to none."""
    sums: Counter[ClientEnd] = Counter()
    for digest in digests:
        sums.update({client: len(times) for client, times in digest.syn_ack_repeats.items()})
    client, most = max(sums.items(), key=lambda item: item[1], default=(None, 0))
    return client if most else None


def _name_of(client: ClientEnd, digests: Sequence[RunDigest]) -> str:
    rows = ((digest, row) for digest in digests for row in digest.rows)
    return next(digest.client_of(row) for digest, row in rows if digest.end_of(row) == client)


def _again_words(times: Sequence[int] | None) -> str:
    if times is None:
        return "no SYN|ACK"
    words = [seconds(time, 3).rstrip("0").rstrip(".") for time in times[:MOMENTS_LISTED]]
    more = [f"{len(times) - MOMENTS_LISTED} more"] if len(times) > MOMENTS_LISTED else []
    return ", ".join(words + more) or "never"


def _reset_words(digest: RunDigest) -> str:
    def kind(reset: SentReset) -> tuple[str, str]:
        return reset.sender, reset.answers

    resets = sorted(digest.resets, key=kind)
    parts = [_resets_alike(digest, list(alike)) for _, alike in groupby(resets, kind)]
    return "; ".join(parts) or "none"


def _resets_alike(digest: RunDigest, resets: Sequence[SentReset]) -> str:
    """Those of one sender that answer the same kind of segment."""
    one = resets[0]
    theirs = one.sender == digest.server
    answered = f"to {one.answers}" if one.answers else "on its own"
    head = answered if theirs else f"by {one.sender} {answered}"
    if len(resets) > RESETS_ONE_BY_ONE:
        return f"{count(len(resets), 'RST')} {head}, {moment(one.at)} to {moment(resets[-1].at)}"
    each = [f"of {reset.client} {moment(reset.at)}" if theirs else moment(reset.at) for reset in resets]
    return f"{head} {', '.join(each)}"


def _client_rows(digests: Sequence[RunDigest]) -> Iterator[tuple[str, list[str]]]:
    names = list(dict.fromkeys(outcome.application for digest in digests for outcome in digest.outcomes))
    if len(names) > CLIENTS_ONE_BY_ONE:
        yield "outcome for clients", [_crowd_words(digest.outcomes) for digest in digests]
        return
    for name in names:
        outcomes = [
            {outcome.application: outcome for outcome in digest.outcomes}.get(name) for digest in digests
        ]
        yield f"outcome for {name}", [_outcome_words(outcome) for outcome in outcomes]


def _outcome_words(outcome: ApplicationOutcome | None) -> str:
    if outcome is None:
        return "-"
    known = [] if outcome.connected is None else [f"connected {moment(outcome.connected)}"]
    if outcome.error:
        known.append(f"{outcome.error} {moment(outcome.failed or 0)}")
    return ", ".join(known) or "never"


def _crowd_words(outcomes: Sequence[ApplicationOutcome]) -> str:
    """How many came to know what, and from when to when."""
    connected = [outcome.connected for outcome in outcomes if outcome.connected is not None]
    parts = [_span("connected", connected)] if connected else []
    for error in sorted({outcome.error for outcome in outcomes if outcome.error}):
        times = [outcome.failed or 0 for outcome in outcomes if outcome.error == error]
        parts.append(_span(error, times))
    silent = sum(outcome.connected is None and not outcome.error for outcome in outcomes)
    return "; ".join([*parts, f"{silent:,} never"] if silent else parts)


def _span(what: str, times: Sequence[int]) -> str:
    first, last = min(times), max(times)
    when = moment(first) if first == last else f"{moment(first)} to {moment(last)}"
    return f"{len(times):,} {what}, {when}"
