"""A scenario's text, run: what the page shows of it, or all that is wrong with it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any, TypeAlias

from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.run_digest import RunDigest, digest_of
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.report.report_data import PageData, run_data
from tcpemu.explain.report.report_page import about_pages
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.explain.told_page import pages_of, told_page, watch_for_page
from tcpemu.explain.told_run import capture_in_pieces
from tcpemu.explain.told_story import told_state, told_story
from tcpemu.playground.browser.moved_controls import controls
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.load_scenario import from_file_text, runs, tables_of
from tcpemu.scenario.format.problems import Problem, ScenarioError
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import Document
from tcpemu.scenario.running import build, summary
from tcpemu.scenario.running.result import Result
from tcpemu.scenario.running.summary import Summary
from tcpemu.wire import pcapng
from tcpemu.wire.visible_text import visible

Told: TypeAlias = dict[str, Any]
"""Plain data for the page."""
WIDTH = 100
"""Of texts, in characters: as the commands print them into a pipe."""


@dataclass(frozen=True)
class RunScenario:
    """A scenario that was run, with all of its runs."""

    name: str
    """Of its file."""
    text: str
    scenario: Scenario
    results: Sequence[Result]
    pages: Sequence[PageData]

    @cached_property
    def summaries(self) -> list[Summary]:
        """The numbers of each run."""
        return [summary.summarize(result) for result in self.results]

    @cached_property
    def digests(self) -> list[RunDigest]:
        """What each run is compared by, with the run before it and then with the one after it."""
        return [digest_of(result.record, SERVER) for result in self.results]

    def document(self) -> Document:
        """Its tables, to be changed."""
        return tables_of(self.text, self.name)


def run_text(name: str, text: str) -> RunScenario:
    """Run all of its runs. Raises ScenarioError with all mistakes at once, each with its line."""
    scenario = from_file_text(text, name)
    results, pages = [], []
    for one in runs(scenario):
        watches: list[SocketWatch] = []
        result = build.run(one, watch=watch_for_page(watches))
        results.append(result)
        pages.append(run_data(result, watches[0].changes))
    return RunScenario(name, text, scenario, results, pages)


def told(ran: RunScenario) -> Told:
    """All that the page shows of it."""
    return {
        "name": ran.name,
        "title": ran.scenario.title,
        "text": ran.text,
        "about": about_pages(pages_of(ran.name, ran.results, ran.pages)),
        "runs": list(ran.pages),
        "controls": [asdict(control) for control in controls(ran.scenario)],
        "numbers": [asdict(each) for each in ran.summaries],
        "troubles": list(_troubles(ran.document())),
        "idle": _idle(ran),
        "groups": [group.name for group in ran.scenario.clients if not group.raw],
    }


def _troubles(document: Document) -> list[Told]:
    """What is lost on purpose and what else goes wrong, each with its place in the file."""
    found = [
        {"table": "faults", "place": place, "words": _words(fault)}
        for place, fault in enumerate(document.get("faults", ()))
    ]
    for path, link in _links(document):
        for place, rule in enumerate(link.get("drop", ())):
            found.append(
                {"table": f"{path}.drop", "place": place, "words": f"lost on the {path}: {_words(rule)}"}
            )
    return found


def _links(document: Document) -> list[tuple[str, Document]]:
    links = [("link", document.get("link", {}))]
    return links + [
        (f"clients.{group.get('name')}.link", group.get("link", {})) for group in document.get("clients", ())
    ]


def _words(table: Document) -> str:
    return ", ".join(
        str(value) if key in ("what", "role") else f"{key} {value}" for key, value in table.items()
    )


def _idle(ran: RunScenario) -> list[str]:
    """What stands in the file and met nothing."""
    found = []
    for result in ran.results:
        found += [f"a rule to drop packets, {words}" for words in result.network.idle_rules()]
        found += [fault.unmet_words for fault in result.network.unmet_faults]
    return list(dict.fromkeys(found))


def mistakes(error: ScenarioError) -> list[Told]:
    """All that is wrong with a text."""
    return [_mistake(problem) for problem in error.problems]


def _mistake(problem: Problem) -> Told:
    return {"line": problem.line, "words": visible(str(problem))}


# What can be taken away.


def capture(ran: RunScenario, run: int) -> bytes:
    """The same octets as `tcpemu run NAME -o x.pcapng` writes for that run."""
    path = PurePath("x.pcapng")
    pieces = capture_in_pieces(ran.name, ran.results[run], path, SeenBy.SERVER)
    return b"".join(pcapng.pieces(pieces.head, pieces.packets()))


def report(ran: RunScenario) -> str:
    """The same page as `tcpemu report NAME -o x.html` writes."""
    return told_page(ran.name, ran.results, ran.pages)


def story(ran: RunScenario, run: int) -> str:
    """As `tcpemu explain NAME` prints it."""
    return lines_text(told_story(ran.name, ran.results[run], WIDTH))


def state(ran: RunScenario, run: int, at: int) -> str:
    """As `tcpemu state NAME --at TIME` prints it: the run is run again, up to that time."""
    result = build.run(runs(ran.scenario)[run], at)
    return lines_text(told_state(ran.name, result, at, WIDTH))
