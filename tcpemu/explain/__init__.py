"""What happened in a run, told to people: rooms that turn a record into something to read.

| room or file | what it decides |
| --- | --- |
| `lines/` | what any text is made of: coloured spans, headings, times, flags and counts in words, breaking to a width |
| `facts/` | what a record says, without layout: steps, rows, notes, sides, clients, queues, counters |
| `phases/` | what a transfer goes through: slow start, recoveries, time-outs, and what began each |
| `tables/` | sockets, counters and timers as `ss` and `nstat` show them, at the end or at any moment |
| `ladder/` | a run as a ladder: one line for each packet |
| `capture/` | a run as a capture file with comments, and one frame of such a file |
| `story/` | the story of a run: its turning points, and the settings that would have changed them |
| `compare/` | several runs side by side, and where they part |
| `plots/` | pictures of runs |
| `report/` | a run as an HTML page to step through |
| `catalogue/` | what there is without a run: kernels, the keys of scenario files, claims and their verdicts |
| `as_json.py` | a run for programs: JSON, and what its keys mean |
| `scenario_run.py` | a scenario run from Python, and what is told of it |
| `told_run.py` | a run under its scenario's name: heading, capture |
| `told_story.py` | its story, how each host stands |
| `told_page.py` | its page |
| `run_overview.py` | everything that `tcpemu run` prints of a run |

Arrows between rooms go up this list only. The names below are what a user of the library needs first; each is
loaded when it is first asked for, so that a small command does not load all rooms.

>>> from tcpemu.explain import client_outcomes, counter_lines, json_data, ladder_text, lines_text
>>> from tcpemu.scenario import load, run_all
>>> (result,) = run_all(load("ignored-ack"))
>>> ladder = ladder_text(result.record)
>>> "tcp_minisocks.c: tcp_check_req" in ladder
True
>>> json_data("ignored-ack", [result])["runs"][0]["hosts"][0]["counters"]["ListenOverflows"]
6
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcpemu.explain.as_json import json_data, json_text
    from tcpemu.explain.capture.annotated_capture import capture_of
    from tcpemu.explain.capture.packet_comments import comment_on
    from tcpemu.explain.capture.seen_by import SeenBy
    from tcpemu.explain.compare.comparison_lines import ComparedRun, comparison_lines
    from tcpemu.explain.facts.client_outcomes import ApplicationOutcome, client_outcomes
    from tcpemu.explain.facts.rows import CallRow, IcmpRow, PacketRow, Row, TimerRow, rows_of
    from tcpemu.explain.ladder.ladder_lines import ladder_lines, ladder_text
    from tcpemu.explain.lines.heading import Heading
    from tcpemu.explain.lines.style import Line, Role, Span, lines_text
    from tcpemu.explain.run_overview import FinishedRun, overview_lines
    from tcpemu.explain.scenario_run import ScenarioRun, run_scenario
    from tcpemu.explain.story.story_lines import story_lines
    from tcpemu.explain.story.story_paragraph import TurningPoint
    from tcpemu.explain.story.turning_points import turning_points
    from tcpemu.explain.tables.counter_table import counter_lines
    from tcpemu.explain.tables.socket_table import socket_lines

_HOMES = {
    "Line": "tcpemu.explain.lines.style",
    "Role": "tcpemu.explain.lines.style",
    "Span": "tcpemu.explain.lines.style",
    "lines_text": "tcpemu.explain.lines.style",
    "Heading": "tcpemu.explain.lines.heading",
    "CallRow": "tcpemu.explain.facts.rows",
    "PacketRow": "tcpemu.explain.facts.rows",
    "Row": "tcpemu.explain.facts.rows",
    "IcmpRow": "tcpemu.explain.facts.rows",
    "TimerRow": "tcpemu.explain.facts.rows",
    "rows_of": "tcpemu.explain.facts.rows",
    "ApplicationOutcome": "tcpemu.explain.facts.client_outcomes",
    "client_outcomes": "tcpemu.explain.facts.client_outcomes",
    "socket_lines": "tcpemu.explain.tables.socket_table",
    "counter_lines": "tcpemu.explain.tables.counter_table",
    "ladder_lines": "tcpemu.explain.ladder.ladder_lines",
    "ladder_text": "tcpemu.explain.ladder.ladder_lines",
    "capture_of": "tcpemu.explain.capture.annotated_capture",
    "SeenBy": "tcpemu.explain.capture.seen_by",
    "comment_on": "tcpemu.explain.capture.packet_comments",
    "TurningPoint": "tcpemu.explain.story.story_paragraph",
    "turning_points": "tcpemu.explain.story.turning_points",
    "story_lines": "tcpemu.explain.story.story_lines",
    "ComparedRun": "tcpemu.explain.compare.comparison_lines",
    "comparison_lines": "tcpemu.explain.compare.comparison_lines",
    "json_data": "tcpemu.explain.as_json",
    "json_text": "tcpemu.explain.as_json",
    "FinishedRun": "tcpemu.explain.run_overview",
    "overview_lines": "tcpemu.explain.run_overview",
    "ScenarioRun": "tcpemu.explain.scenario_run",
    "run_scenario": "tcpemu.explain.scenario_run",
}

__all__ = [
    "ApplicationOutcome",
    "CallRow",
    "ComparedRun",
    "FinishedRun",
    "Heading",
    "IcmpRow",
    "Line",
    "PacketRow",
    "Role",
    "Row",
    "ScenarioRun",
    "SeenBy",
    "Span",
    "TimerRow",
    "TurningPoint",
    "capture_of",
    "client_outcomes",
    "comment_on",
    "comparison_lines",
    "counter_lines",
    "json_data",
    "json_text",
    "ladder_lines",
    "ladder_text",
    "lines_text",
    "overview_lines",
    "rows_of",
    "run_scenario",
    "socket_lines",
    "story_lines",
    "turning_points",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tcpemu.explain' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What help() and completion show, before any of it is loaded."""
    return sorted({*globals(), *__all__})
