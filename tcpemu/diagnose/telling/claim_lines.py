"""Claims, laid out."""

from collections.abc import Iterator, Sequence

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.claims.sureness import Claim, Sure
from tcpemu.diagnose.claims.vantage import At, Vantage
from tcpemu.diagnose.replay.explanation_search import Explanation
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.wrapping import hanging

_FRAMES_LISTED = 8
_WIDTH = 13
_ROLES = {
    Sure.CERTAIN: Role.STATE,
    Sure.LIKELY: Role.OPEN,
    Sure.POSSIBLE: Role.AGAIN,
    Sure.CANNOT_TELL: Role.QUIET,
}


def diagnosis_lines(diagnosis: Diagnosis, width: int) -> Iterator[Line]:
    """All that is claimed of one server."""
    vantage, found = diagnosis.vantage, diagnosis.found
    yield line(f"Server {diagnosis.server}", Role.TITLE)
    yield from hanging("", f"The capture was taken {where_taken(vantage)} ({vantage.why}).", 2, width)
    if diagnosis.doubts:
        yield from hanging("", f"Nothing is certain: {'; '.join(diagnosis.doubts)}.", 2, width)
    if found is not None:
        tries = count(found.tries, "combination")
        steps = count(len(diagnosis.path.steps) if diagnosis.path else 0, "segment")
        yield from hanging(
            "",
            f"{tries} of kernel and settings were tried on the {steps} of its handshakes; the best "
            f"{fit_words(found)}. Data transfer is not replayed, only described.",
            2,
            width,
        )
    yield ()
    for claim in diagnosis.claims:
        yield from claim_lines(claim, width)
    if not diagnosis.claims:
        yield line("  Nothing is worth a word.")


def fit_words(found: Explanation) -> str:
    """How well the best explanation fits: `takes 2 unseen events`."""
    cost = found.best.cost
    return f"takes {count(cost, 'unseen event')}" if cost else "explains all of it"


def where_taken(vantage: Vantage) -> str:
    """`at the server`."""
    return {At.SERVER: "at the server", At.CLIENT: "at the client", At.MIDDLE: "between both ends"}[
        vantage.at
    ]


def claim_lines(claim: Claim, width: int) -> Iterator[Line]:
    """One claim: how sure, where, what, the rule, why, and what would decide it."""
    places = frames_words(claim.frames, claim.at_least)
    text = f"{places}{claim.what}"
    yield from hanging(f"  {claim.sure.value}", text, 2 + _WIDTH, width, _ROLES[claim.sure])
    blank = " " * (2 + _WIDTH)
    if claim.rule:
        yield from hanging(blank, f"[{claim.rule}]", 2 + _WIDTH, width, Role.QUIET)
    if claim.why:
        yield from hanging(blank, claim.why, 2 + _WIDTH, width, Role.QUIET)
    if claim.decides:
        yield from hanging(blank, f"what would decide: {claim.decides}", 2 + _WIDTH, width, Role.QUIET)


def claim_words(claim: Claim, places: str = "") -> str:
    """In one sentence: how sure, where, what, and the rule."""
    rule = f" [{claim.rule}]" if claim.rule else ""
    return f"{claim.sure.value.capitalize()}: {places}{claim.what}{rule}."


def frames_words(frames: Sequence[int], at_least: int = 0) -> str:
    """`frames 9, 11, 13: `, or `at least 2 of frames 9, 11, 13: `; nothing for none."""
    if not frames:
        return ""
    listed = ", ".join(map(str, frames[:_FRAMES_LISTED]))
    more = f" and {len(frames) - _FRAMES_LISTED} more" if len(frames) > _FRAMES_LISTED else ""
    least = f"at least {at_least} of " if at_least else ""
    return f"{least}{'frame' if len(frames) == 1 else 'frames'} {listed}{more}: "
