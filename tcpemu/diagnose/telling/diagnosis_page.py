"""A diagnosis as a page to step through: the capture on the left, on the right what the best explanation sent.

The clients stand between the two servers, the real one and the emulated one, so that each row has the frame on one
side and on the other what Linux made of it, or sent as well. It is the page of `tcpemu report`, with these rows as its
scenes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.claims.sureness import Claim
from tcpemu.diagnose.flows.survey import Survey
from tcpemu.diagnose.replay.answering_host import Answer, Conversation
from tcpemu.diagnose.replay.program_conduct import Called, Looked
from tcpemu.diagnose.reproducing.explained_host import ExplainedRun
from tcpemu.diagnose.telling.beside_rows import BesideRow, beside_rows, counted, first_parting
from tcpemu.diagnose.telling.claim_lines import claim_words, fit_words, frames_words, where_taken
from tcpemu.diagnose.telling.quality_lines import what_it_lacks
from tcpemu.explain.facts.flow_numbers import InitialNumbers, Relative
from tcpemu.explain.facts.queue_limits import queue_limits
from tcpemu.explain.facts.row_notes import drop_word
from tcpemu.explain.ladder.ladder_lines import role_of_segment
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.segment_words import flag_words, state_word
from tcpemu.explain.report.report_data import PageData, answered_word, segment_fields, without_empty
from tcpemu.explain.report.report_page import Page, page_of
from tcpemu.stack import Outcome, QueueChanged, State, StateChanged, TimerFired, Verdict
from tcpemu.wire.segment import FIN, SYN, FlowKey, Segment, address_text, endpoint_text

_CAPTURED, _CLIENTS, _EMULATED = 0, 1, 2
"""The columns."""
_TITLES = {
    "story": "What is claimed, and how sure that is",
    "clients": "Settings, and how sure they are",
    "sockets": "Sockets of the emulated server (ss -tan)",
    "counters": "Counters of the emulated server that moved (nstat)",
}


def diagnosis_page(survey: Survey, diagnosis: Diagnosis, run: ExplainedRun) -> str:
    """The page, as text."""
    found = diagnosis.found
    assert found is not None
    rows = beside_rows(run, survey.facts.ends)
    parting = first_parting(rows)
    supposed = run.supposed
    facts = (
        f"{supposed.kernel}, {supposed.words()}",
        f"taken {where_taken(diagnosis.vantage)}",
        fit_words(found),
        count(sum(row.seen is not None for row in rows), "frame"),
    )
    heading = Heading("", _look_at(parting), facts)
    data = _Builder(survey, diagnosis, run, rows, parting).data()
    return page_of(
        f"{survey.path.name}: {diagnosis.server}", [Page(heading, _about(survey, diagnosis), data)]
    )


def _look_at(parting: BesideRow | None) -> str:
    if parting is None:
        return "the capture and the best explanation part nowhere, but perhaps for ACKs of data"
    where = f"frame {parting.frame}" if parting.frame else "a segment that only the emulated server sends"
    return f"where the capture and the best explanation part first: {where}"


def _about(survey: Survey, diagnosis: Diagnosis) -> str:
    """What speaks against certainty."""
    lacks = list(what_it_lacks(survey.facts, survey.flows, survey.not_kept))
    parts = [
        "On the left is the server as it was captured, on the right an emulated one with the kernel and the settings "
        "of the cheapest explanation; both are sent what the clients sent. Programs of the emulated one accept as late "
        "as the capture allows, and send and close when the real ones did. Only the listen path was searched: how data "
        "goes on is shown, but nothing is claimed of it.",
        *(["Nothing is certain: " + "; ".join(diagnosis.doubts) + "."] if diagnosis.doubts else []),
        *(["What the capture lacks: " + " ".join(lacks)] if lacks else []),
    ]
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class _Turn:
    """An entry of the list of claims."""

    scene: int
    title: str
    text: str
    decides: str = ""


class _Builder:
    """Numbers packets, sockets and scenes, as the page has them."""

    def __init__(
        self,
        survey: Survey,
        diagnosis: Diagnosis,
        run: ExplainedRun,
        rows: list[BesideRow],
        parting: BesideRow | None,
    ) -> None:
        self._survey, self._diagnosis, self._run = survey, diagnosis, run
        self._rows, self._parting = rows, parting
        self._begins = survey.facts.begins
        self._numbers = InitialNumbers()
        self._packets: list[PageData] = []
        self._sockets: dict[FlowKey | None, int] = {}
        self._limits = queue_limits(run.host)
        self._flow_numbers = {flow.begins.frame: flow for flow in survey.flows}
        self._scene_of = {row.frame: place for place, row in enumerate(rows) if row.frame}
        self._again = frozenset(frame for told in run.conversations for frame in _sent_again(told))
        self._claims: dict[int, list[Claim]] = {}
        for claim in diagnosis.claims:
            for frame in claim.frames:
                self._claims.setdefault(frame, []).append(claim)

    def data(self) -> PageData:
        scenes = [self._scene(place, row) for place, row in enumerate(self._rows)]
        server = self._diagnosis.server
        ends = max((row.at for row in self._rows), default=self._begins) - self._begins
        clients = {told.life.client.address for told in self._run.conversations}
        where = (
            address_text(next(iter(clients)))
            if len(clients) == 1
            else count(len(clients), "address", "addresses")
        )
        return {
            "name": server,
            "ended": ends,
            "titles": _TITLES,
            "hosts": [
                {"name": "captured", "address": server, "right": False},
                {"name": "clients", "address": where, "right": False},
                {"name": self._run.supposed.kernel, "address": "emulated", "right": True},
            ],
            "listeners": [
                {
                    "host": _EMULATED,
                    "port": self._run.port,
                    **({"one_queue": True} if self._limits.one_queue else {}),
                }
            ],
            "sockets": [self._socket(flow) for flow in self._sockets],
            "scenes": scenes,
            "packets": self._packets,
            "windows": [],
            "story": [
                without_empty(
                    at=scenes[turn.scene]["at"],
                    scene=turn.scene,
                    title=turn.title,
                    text=turn.text,
                    decides=turn.decides,
                )
                for turn in self._turns()
            ],
            "clients": [
                f"{claim.sure.value}: {claim.what}" + (f" ({claim.why})" if claim.why else "")
                for claim in self._diagnosis.claims
                if not claim.frames
            ],
        }

    # Rows.

    def _scene(self, place: int, row: BesideRow) -> PageData:
        verdict = next((entry for entry in reversed(row.entries) if isinstance(entry, Verdict)), None)
        called = next(
            (entry for entry in row.entries if isinstance(entry, Called) and entry.verb != "recv"), None
        )
        queues = [
            [
                0,
                entry.accept,
                entry.syn,
                entry.backlog,
                self._limits.accept(entry.backlog),
                self._limits.syn(entry.backlog),
            ]
            for entry in row.entries
            if isinstance(entry, QueueChanged)
        ]
        ours = not row.frame and not row.answers
        return without_empty(
            at=row.at - self._begins,
            host=_EMULATED if row.entries or row.answers else _CAPTURED,
            kind="call" if ours and called is not None else "timer" if ours else "send",
            text=f"{called.verb}()" if called is not None else "",
            says=self._says(row),
            frame=row.frame,
            parts="first" if row is self._parting else "here" if row.parts else "",
            sent=self._arrows(place, row),
            states=[state_word(entry.new) for entry in row.entries if isinstance(entry, StateChanged)],
            ignored=drop_word(verdict) or ("not sent" if row.parts and row.outbound and not row.lost else ""),
            answered=answered_word(verdict),
            note=self._note(row, verdict),
            queues=queues[-1:],
            sockets=[
                change
                for entry in row.entries
                if isinstance(entry, Looked)
                for change in self._changes(entry)
            ],
            counted=counted(row),
        )

    def _changes(self, looked: Looked) -> Iterator[list[object]]:
        for flow, row in looked.rows:
            number = self._sockets.setdefault(flow, len(self._sockets))
            yield [number] if row is None else [number, row.state.ss_name, row.recv_q, row.send_q]

    def _socket(self, flow: FlowKey | None) -> PageData:
        port = self._run.port
        if flow is None:
            return {
                "host": _EMULATED,
                "local": f"*:{port}",
                "remote": "0.0.0.0:*",
                "port": port,
                "listens": True,
            }
        remote, remote_port, own, own_port = flow
        return {
            "host": _EMULATED,
            "local": endpoint_text((own, own_port)),
            "remote": endpoint_text((remote, remote_port)),
            "port": own_port,
            "who": f":{remote_port}",
        }

    def _says(self, row: BesideRow) -> str:
        what = self._what(row)
        if row.lost:
            return f"{what}: in the best explanation it does not come to TCP"
        if row.seen is None and row.answers:
            return f"{what}: only {self._run.supposed.kernel} sends it"
        if row.outbound and not row.answers:
            return f"{what}: only the capture has it"
        if row.outbound:
            return f"{what}: both send it" + (
                f", {self._run.supposed.kernel} with {row.unlike}" if row.unlike else ""
            )
        return what

    def _what(self, row: BesideRow) -> str:
        flow = "" if row.told is None else f" of flow {self._number(row.told)}"
        if row.seen is not None:
            whose = "server" if row.outbound else "client"
            return f"Frame {row.frame}{flow}: {flag_words(row.seen.segment.flags)} of the {whose}"
        if row.answers:
            return f"{flag_words(row.answers[0].segment.flags)}{flow}"
        called = next((entry for entry in row.entries if isinstance(entry, Called)), None)
        kernel = self._run.supposed.kernel
        if called is not None:
            return (
                f"a program of {kernel} calls {called.verb}(){flow}, as the capture shows that it had by now"
            )
        return f"a timer of {kernel} is due"

    def _number(self, told: Conversation) -> int:
        flow = self._flow_numbers.get(told.life.begins.frame)
        return told.life.number if flow is None else flow.number

    def _note(self, row: BesideRow, verdict: Verdict | None) -> str:
        """What is claimed of the frame; else what the emulated host did, and by which rule."""
        claims = [_claim_words(claim) for claim in self._claims.get(row.frame, ())]
        if claims:
            return " ".join(claims)
        if verdict is not None:
            reason = verdict.reason
            what = "" if verdict.outcome is Outcome.ACCEPTED else f" ({verdict.outcome.value})"
            return f"In the best explanation{what}: {reason.text} [{reason.source}]"
        fired = next((entry for entry in row.entries if isinstance(entry, TimerFired)), None)
        if fired is not None and not row.answers:
            return f"{fired.reason.text} [{fired.reason.source}]"
        return row.answers[0].because if row.answers else ""

    # Arrows.

    def _arrows(self, place: int, row: BesideRow) -> list[int]:
        """The packets of a row, each of which leaves and arrives in it; those that have a card of their own."""
        shown = []
        if row.seen is not None and row.told is not None:
            segment = row.seen.whole
            relative = self._numbers.relative(segment)
            again = row.frame in self._again
            ends = (_CAPTURED, _CLIENTS) if row.outbound else (_CLIENTS, _CAPTURED)
            shown.append(self._packet(place, row, segment, relative, ends, "captured", again=again))
            if not row.outbound:
                lost = "in the best explanation it does not come to TCP" if row.lost else ""
                self._packet(
                    place, row, segment, relative, (_CLIENTS, _EMULATED), "captured", again=again, lost=lost
                )
        for answer in row.answers if row.told is not None else ():
            relative = self._numbers.relative(answer.segment)
            shown.append(
                self._packet(
                    place,
                    row,
                    answer.segment,
                    relative,
                    (_EMULATED, _CLIENTS),
                    "emulated",
                    answer,
                    again=bool(answer.repeat),
                )
            )
        return shown

    def _packet(
        self,
        place: int,
        row: BesideRow,
        segment: Segment,
        relative: Relative,
        ends: tuple[int, int],
        what: str,
        answer: Answer | None = None,
        *,
        again: bool = False,
        lost: str = "",
    ) -> int:
        assert row.told is not None
        at = (row.at if answer is None else answer.at + self._run.away) - self._begins
        self._packets.append(
            segment_fields(segment, relative)
            | without_empty(
                sender=ends[0],
                receiver=ends[1],
                at=at,
                row=place,
                what=what,
                lost=lost,
                role=role_of_segment(segment, again=again).value,
                repeat=answer.repeat if answer is not None and answer.repeat else "",
                who=str(self._number(row.told)),
                comment="" if answer is None else answer.because,
            )
        )
        return len(self._packets) - 1

    # Claims.

    def _turns(self) -> Iterator[_Turn]:
        turns = [
            _Turn(
                self._place(claim.frames[0]),
                f"{claim.sure.value}: {_short(claim)}",
                _claim_words(claim) + (f" {claim.why.capitalize()}." if claim.why else ""),
                claim.decides,
            )
            for claim in self._diagnosis.claims
            if claim.frames
        ]
        turns += self._repeats()
        turns += self._given_up()
        if self._parting is not None:
            place = self._rows.index(self._parting)
            turns.append(
                _Turn(
                    place, "here the capture and the best explanation part", self._says(self._parting) + "."
                )
            )
        yield from sorted(turns, key=lambda turn: turn.scene)

    def _repeats(self) -> Iterator[_Turn]:
        """What is sent again by the emulated server: once for each connection and rule."""
        groups: dict[tuple[int, str], list[tuple[int, Answer]]] = {}
        for place, row in enumerate(self._rows):
            for answer in row.answers if row.told is not None else ():
                if answer.repeat and row.told is not None:
                    groups.setdefault((self._number(row.told), answer.source), []).append((place, answer))
        for (flow, source), some in groups.items():
            kind = flag_words(some[0][1].segment.flags)
            frames = [self._rows[place].frame for place, _ in some]
            where = frames_words([frame for frame in frames if frame])
            alone = sum(not frame for frame in frames)
            beside = f", and {count(alone, 'time')} where the capture has none" if alone else ""
            yield _Turn(
                some[0][0],
                f"flow {flow}: {kind} again, {count(len(some), 'time')}",
                f"In the best explanation: {where}{some[0][1].why}{beside} [{source}].",
            )

    def _given_up(self) -> Iterator[_Turn]:
        """Where the emulated server gives something up, and says nothing."""
        for place, row in enumerate(self._rows):
            fired = next((entry for entry in row.entries if isinstance(entry, TimerFired)), None)
            gone = any(isinstance(entry, StateChanged) and entry.new is State.CLOSE for entry in row.entries)
            if fired is not None and gone and not row.answers:
                text = (
                    f"In the best explanation: {fired.reason.text} [{fired.reason.source}]. Nothing is sent."
                )
                yield _Turn(place, "silence: given up", text)

    def _place(self, frame: int) -> int:
        """The row of a frame, or the last one before it."""
        if frame in self._scene_of:
            return self._scene_of[frame]
        return max((place for other, place in self._scene_of.items() if other < frame), default=0)


def _sent_again(told: Conversation) -> Iterator[int]:
    """The frames whose SYN or data has been there before."""
    seen_before: set[tuple[bool, int, int, int]] = set()
    for seen, outbound in sorted(told.seen, key=lambda each: each[0].frame):
        flags = seen.segment.flags & (SYN | FIN)
        what = (outbound, flags, seen.segment.seq, seen.length)
        if (flags & SYN or seen.length) and what in seen_before:
            yield seen.frame
        seen_before.add(what)


def _short(claim: Claim) -> str:
    words = f"{frames_words(claim.frames[:1])}{claim.what}"
    return words if len(words) <= 90 else words[:89].rsplit(" ", 1)[0] + " …"


def _claim_words(claim: Claim) -> str:
    return claim_words(claim, frames_words(claim.frames, claim.at_least))
