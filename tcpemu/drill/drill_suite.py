"""Many scripts: which there are in a folder, and what became of them as JUnit XML and as captures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from pathlib import Path

from tcpemu.drill.drill_outcome import DrillOutcome
from tcpemu.version import __version__
from tcpemu.wire.capture_values import Capture, Interface

SUFFIX = ".pkt"
"""Of scripts."""


def scripts_in(places: Iterable[Path]) -> list[Path]:
    """Files as they are, and of each folder all `.pkt` files in it and below, in order."""
    found: list[Path] = []
    for place in places:
        found += sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
    return found


def junit_xml(outcomes: Sequence[DrillOutcome]) -> str:
    """What became of the scripts, as tools of continuous integration read it. Times are seconds of real time."""
    mistakes = sum(1 for outcome in outcomes if outcome.mistake)
    failures = sum(1 for outcome in outcomes if not outcome.passed) - mistakes
    took = f"{sum(outcome.took for outcome in outcomes):.3f}"
    counts = {"tests": str(len(outcomes)), "failures": str(failures), "errors": str(mistakes), "time": took}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "tcpemu drill", **counts})
    for outcome in outcomes:
        path = Path(outcome.name)
        names = {"classname": str(path.parent), "name": path.name, "time": f"{outcome.took:.3f}"}
        case = ET.SubElement(suite, "testcase", names)
        if not outcome.passed:
            kind = "error" if outcome.mistake else "failure"
            told = ET.SubElement(case, kind, {"message": _xml(outcome.reason)})
            told.text = _xml(outcome.message)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter if letter in "\t\n\r" or letter >= " " else "?" for letter in text)


def capture_of_outcome(outcome: DrillOutcome) -> Capture:
    """All packets of a script, each with its line or the host's reason; times count from the first event."""
    result = "passed" if outcome.passed else f"failed: {outcome.reason}"
    return Capture(
        tuple(Interface(name, description="the host under test") for name in outcome.interfaces),
        tuple(sorted(outcome.packets, key=lambda packet: packet.at)),
        f"tcpemu {__version__}",
        (f"{outcome.name} {result}",),
    )
