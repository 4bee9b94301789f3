"""Everything that `tcpemu compare` prints: the runs side by side, and where and why they differ."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.compare.digest_cells import digest_cells
from tcpemu.explain.compare.first_difference import Difference, first_differences
from tcpemu.explain.compare.number_table import LabelledCells
from tcpemu.explain.compare.word_table import word_table
from tcpemu.explain.facts.run_digest import RunDigest, digest_of
from tcpemu.explain.lines.heading import Heading, heading_lines
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.lines.wrapping import hanging
from tcpemu.network.record import Record


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run of a comparison."""

    name: str
    record: Record
    kernel: str
    """The server's."""
    about: str
    """What its kernel is."""
    unverified: tuple[str, ...] = ()
    """What is not certain about its kernel."""


@dataclass(frozen=True, slots=True)
class KernelRules:
    """The rules in which the kernels of a comparison differ."""

    kernels: Sequence[str]
    rows: Sequence[LabelledCells]
    """A rule, and what it is in each of them."""


def comparison_lines(
    runs: Sequence[ComparedRun],
    server: str,
    numbers: Sequence[LabelledCells],
    notes: Sequence[str],
    heading: Heading,
    width: int = 100,
    rules: KernelRules | None = None,
) -> Iterator[Line]:
    """All of it: heading, table, notes, and where each run first behaves differently from the first one.

    `server` is the name of the server's host; `numbers` are further rows of the table, the first ones;
    `rules` are those in which kernels that were asked differ.
    """
    digests = [digest_of(run.record, server) for run in runs]
    yield from heading_lines(heading, width)
    yield ()
    yield from word_table([run.name for run in runs], [*numbers, *digest_cells(digests)], width)
    for note in notes:
        yield from hanging("  *", note, 4, width, Role.QUIET)
    yield from _Parting(runs, digests, width).lines()
    if rules is not None:
        yield from _rule_lines(rules, width)


def _rule_lines(rules: KernelRules, width: int) -> Iterator[Line]:
    """A table of them, with what the letters in it stand for."""
    yield ()
    if not rules.rows:
        names = " and ".join(rules.kernels)
        yield line(f"No rule that was told apart differs between {names}", Role.TITLE)
        return
    told = " ".join(cell for _, cells in rules.rows for cell in cells)
    letters = [words for letter, words in _LETTERS.items() if re.search(rf"\b{letter}\b", told)]
    legend = f" ({', '.join(letters)})" if letters else ""
    yield line(f"Rules that differ between these kernels{legend}", Role.TITLE)
    yield from word_table(rules.kernels, rules.rows, width, LONGEST_RULE)


_LETTERS = {"N": "N: backlog", "Q": "Q: half-open connections"}
LONGEST_RULE = 44
"""Of the names of rules, so that two kernels stand beside them in one line."""
BEHAVES, LOOKS = "first behaves differently from", "same decision, other fields than"


class _Parting:
    """The part below the table."""

    def __init__(self, runs: Sequence[ComparedRun], digests: Sequence[RunDigest], width: int) -> None:
        self._runs, self._digests, self._width = runs, digests, width
        self._introduced: set[str] = set()
        self._several = len({run.kernel for run in runs}) > 1
        self._looks: dict[Difference, str] = {}

    def lines(self) -> Iterator[Line]:
        yield ()
        yield from self._title()
        if hint := self._hint():
            yield from hanging("  *", hint, 4, self._width, Role.QUIET)
        for number, run in enumerate(self._runs):
            below = [*self._kernel(run), *self._against_first(number)]
            if below:
                yield ()
                yield line(run.name, Role.TITLE)
                yield from below

    def _title(self) -> Iterator[Line]:
        if len(self._runs) > 1:
            before = ", and from the one before it" if len(self._runs) > 2 else ""
            text = f"Where each first behaves differently from {self._runs[0].name}{before}"
            yield from (line(each, Role.TITLE) for each in textwrap.wrap(text, self._width))

    def _hint(self) -> str:
        """Where congestion controls of the server are compared and it sends no data: whose to set in their place."""
        setting = "net.ipv4.tcp_congestion_control"
        names = [run.name for run in self._runs]
        if len(names) < 2 or not all("tcp_congestion_control" in name and ":" not in name for name in names):
            return ""
        senders = {row.sender for digest in self._digests for row in digest.rows if row.segment.payload}
        clients = sorted(senders - {self._digests[0].server})
        if not clients or len(clients) < len(senders):
            return ""
        return (
            f"{setting} is set for {self._digests[0].server}, which sends no data here; the sender is "
            f"{clients[0]}: set {clients[0]}:{setting}"
        )

    def _kernel(self, run: ComparedRun) -> Iterator[Line]:
        """What the kernel is, once for each, where they are not all the same."""
        if run.kernel in self._introduced:
            return
        self._introduced.add(run.kernel)
        if self._several:
            yield from self._indented(run.about)
        if run.unverified:
            yield from self._indented(f"unverified: {'; '.join(run.unverified)}")

    def _indented(self, text: str) -> Iterator[Line]:
        for each in textwrap.wrap(text, self._width - 2):
            yield line(f"  {each}", Role.QUIET)

    def _against_first(self, here: int) -> Iterator[Line]:
        """Where a run first behaves differently from the first one, and then from the one before it."""
        if here == 0:
            return
        found = first_differences(self._digests[0], self._digests[here])
        if found.looks:
            yield from self._look(here, found.looks)
        if found.behaviour is None:
            yield from self._alike(0, looks=found.looks is not None)
            return
        yield from self._difference(BEHAVES, 0, here, found.behaviour)
        if here > 1:
            yield from self._against_previous(here)

    def _against_previous(self, here: int) -> Iterator[Line]:
        found = first_differences(self._digests[here - 1], self._digests[here])
        if found.behaviour:
            yield from self._difference(BEHAVES, here - 1, here, found.behaviour)
        else:
            yield from self._alike(here - 1, looks=found.looks is not None)

    def _alike(self, there: int, *, looks: bool) -> Iterator[Line]:
        other = self._runs[there].name
        said = f"same decisions as {other}, at the same times" if looks else f"no packet differs from {other}"
        yield from hanging("", said, 2, self._width)

    def _look(self, here: int, difference: Difference) -> Iterator[Line]:
        """How it looks different from the first; in short if another one has looked so."""
        known = self._looks.setdefault(difference, self._runs[here].name)
        if known == self._runs[here].name:
            yield from self._difference(LOOKS, 0, here, difference)
        else:
            text = f"{LOOKS} {self._runs[0].name}, as in {known}"
            yield from hanging("", text, 2, self._width)

    def _difference(self, how: str, there: int, here: int, difference: Difference) -> Iterator[Line]:
        names = self._runs[there].name, self._runs[here].name
        indent = max(map(len, names)) + 6
        head = f"{how} {names[0]} at {moment(difference.at)}: {difference.packet}"
        yield from hanging("", head, 2, self._width)
        for name, words in zip(names, (difference.there, difference.here), strict=True):
            yield from hanging(f"    {name}", words, indent, self._width)
