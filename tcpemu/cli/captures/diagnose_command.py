"""`tcpemu diagnose`: what is in a capture, what happened and why."""

import json as json_text
import sys
from collections.abc import Callable
from pathlib import Path

from tcpemu.cli.printing import show, width
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose.flows.survey import Survey, survey
from tcpemu.diagnose.reading.capture_reading import CaptureFacts
from tcpemu.diagnose.telling.survey_json import survey_data
from tcpemu.diagnose.telling.survey_lines import survey_lines


def show_diagnosis(path: Path, *, whole: bool, json: bool) -> None:
    """Print what is found in the capture."""
    found = surveyed(path)
    if json:
        json_text.dump(survey_data(found), sys.stdout, indent=1, ensure_ascii=True)
        sys.stdout.write("\n")
        return
    show(survey_lines(found, width(), whole=whole))


def surveyed(path: Path) -> Survey:
    """The capture, read while its progress is shown."""
    check_file(path)
    facts = [CaptureFacts()]
    with Progress().of(_how_far(path, facts)):
        return survey(path, lambda own: facts.__setitem__(0, own))


def check_file(path: Path) -> None:
    """Find out before the work that there is no such file, or that it is none to be read twice."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name a capture in it")
    if not path.exists():
        raise UsageError(f"{path}: there is no such file; name a pcap or pcapng file")
    if not path.is_file():
        raise UsageError(f"{path} is no file; write the packets to one first")


def _how_far(path: Path, facts: list[CaptureFacts]) -> Callable[[], ProgressOfRun]:
    size = max(path.stat().st_size, 1)

    def look() -> ProgressOfRun:
        file = facts[0].file
        share = min(file.octets_read / size, 1.0)
        return ProgressOfRun(f"reading {path.name}", share, f"{file.frames:,} frames")

    return look
