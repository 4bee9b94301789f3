"""`tcpemu diagnose`: what is in a capture, what happened and why."""

import json as json_text
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tcpemu.cli.captures.diagnosis_files import check_files, write_files
from tcpemu.cli.printing import patience, show, width
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis, diagnose_server, servers_of
from tcpemu.diagnose.claims.vantage import At
from tcpemu.diagnose.flows.survey import Survey, survey
from tcpemu.diagnose.reading.capture_reading import CaptureFacts
from tcpemu.diagnose.replay.known_settings import known_settings
from tcpemu.diagnose.telling.claim_lines import diagnosis_lines
from tcpemu.diagnose.telling.survey_json import diagnosis_data, survey_data
from tcpemu.diagnose.telling.survey_lines import survey_lines
from tcpemu.generations import generation
from tcpemu.wire.segment import address, endpoint_text


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a capture, as it was typed."""

    server: str | None = None
    at: str | None = None
    kernel: str | None = None
    nstat: Path | None = None
    ss: Path | None = None
    sysctl: Path | None = None


def show_diagnosis(
    path: Path, question: Question, outputs: Sequence[Path], *, whole: bool, json: bool
) -> int:
    """Print what is found in the capture, and write the files that are asked for; gives the exit status, which is 1
    where one of them cannot be made.
    """
    kernel = _checked(question)
    check_files(outputs, path)
    found = surveyed(path)
    diagnosis = diagnosis_of(found, question, kernel)
    _print(found, diagnosis, whole=whole, json=json)
    return write_files(outputs, found, diagnosis, sys.stderr if json else None)


def _print(found: Survey, diagnosis: Diagnosis | None, *, whole: bool, json: bool) -> None:
    if json:
        data = survey_data(found) | {"servers": [diagnosis_data(diagnosis)] if diagnosis else []}
        json_text.dump(data, sys.stdout, indent=1, ensure_ascii=True)
        sys.stdout.write("\n")
        return
    show(survey_lines(found, width(), whole=whole))
    if diagnosis is not None:
        show([()])
        show(diagnosis_lines(diagnosis, width()))


def _checked(question: Question) -> str | None:
    """Mistakes come before the work. The name of the kernel that is asked for."""
    if question.at is not None and question.at not in {at.value for at in At}:
        raise UsageError(f"--at {question.at}: it must be server, client or middle")
    return None if question.kernel is None else generation(question.kernel).name


def diagnosis_of(found: Survey, question: Question, kernel: str | None) -> Diagnosis | None:
    """What is claimed of the server that is asked about, or of the one that was asked most."""
    servers = servers_of(found)
    if question.server is not None:
        end = endpoint_of(question.server)
        if end not in servers:
            there = ", ".join(endpoint_text(one) for one in servers[:5]) or "no server at all"
            raise UsageError(
                f"--server {question.server}: the capture has no connection to it; it has {there}"
            )
    elif servers:
        end = servers[0]
    else:
        return None
    known = known_settings(question.nstat, question.ss, question.sysctl, end[1])
    with patience(f"trying kernels and settings of {endpoint_text(end)}"):
        return diagnose_server(found, *end, at=question.at, known=known, kernel=kernel)


def endpoint_of(text: str) -> tuple[bytes, int]:
    """The address and port of `10.0.0.1:80` or `[2001:db8::1]:80`. Raises UsageError."""
    host, _, port = text.rpartition(":")
    with suppress(ValueError):
        if port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16:
            return address(host.strip("[]")), int(port)
    raise UsageError(f"{text}: write an address and a port, as 10.0.0.1:80 or [2001:db8::1]:80")


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
