"""The files that `tcpemu diagnose -o` writes: the ending of a file's name says what is in it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from tcpemu.cli.printing import check_not_read, check_place, patience, show
from tcpemu.cli.user_mistakes import UsageError, complain
from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.flows.survey import Survey
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError
from tcpemu.diagnose.reproducing.explained_host import ExplainedRun, explained_run
from tcpemu.diagnose.reproducing.explained_scenario import explained_scenario
from tcpemu.diagnose.reproducing.explained_script import explained_script
from tcpemu.diagnose.reproducing.explained_trace import explained_trace
from tcpemu.diagnose.telling.commented_capture import write_commented
from tcpemu.diagnose.telling.diagnosis_page import diagnosis_page
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import line
from tcpemu.generations import DEFAULT
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.capture_values import CaptureError

NOT_MADE = 1
"""The exit status where a file could not be made."""
_PAGES = (".html", ".htm")
_COMMENTED = ".pcapng"


def check_files(outputs: Sequence[Path], capture: Path) -> None:
    """Find out before the work what would be wrong after it. Raises UsageError."""
    for output in outputs:
        check_place(output, (_COMMENTED, *_MAKERS))
        check_not_read(output, [capture])
    if len({output.resolve() for output in outputs}) < len(outputs):
        raise UsageError("two of the files to be written are one; give each a name of its own")


def write_files(
    outputs: Sequence[Path], found: Survey, diagnosis: Diagnosis | None, stream: TextIO | None = None
) -> int:
    """Write each that can be made, and say of the others why not; gives the exit status."""
    run: ExplainedRun | None = None
    status = 0
    for output in outputs:
        ending = output.suffix.lower()
        try:
            with patience(f"making {output}"):
                if ending == _COMMENTED:
                    number = write_commented(found.path, output, diagnosis, found.facts.file.interfaces)
                    what = f", with comments on {count(number, 'frame')}"
                else:
                    if diagnosis is None:
                        raise CannotMakeError("no connection is in the capture")  # noqa: TRY301
                    run = run or explained_run(diagnosis, segments_of(found.path, CaptureFacts()))
                    text, what = _MAKERS[ending](found, diagnosis, run)
                    write_whole(output, text)
        except (CannotMakeError, CaptureError) as error:
            complain(f"{output} is not written: {error}")
            status = NOT_MADE
            continue
        show([line(f"Written: {output}{what}")], stream)
    return status


def _page(found: Survey, diagnosis: Diagnosis, run: ExplainedRun) -> tuple[str, str]:
    return diagnosis_page(found, diagnosis, run), ""


def _trace(found: Survey, _: Diagnosis, run: ExplainedRun) -> tuple[str, str]:
    made = explained_trace(run, found.path.name)
    kernel = "" if made.kernel == DEFAULT else f" --generation {made.kernel}"
    if not made.otherwise:
        return made.text(), f"; tcpemu trace --check{kernel} finds the packets of the capture in it"
    return (
        made.text(),
        f"; its log is the emulator's{kernel}, since the capture is otherwise: {made.otherwise}",
    )


def _script(found: Survey, _: Diagnosis, run: ExplainedRun) -> tuple[str, str]:
    kernel = "" if run.supposed.kernel == DEFAULT else f" --generation {run.supposed.kernel}"
    return explained_script(run, found.path.name), f"; it passes with tcpemu drill{kernel}"


def _scenario(found: Survey, diagnosis: Diagnosis, run: ExplainedRun) -> tuple[str, str]:
    return explained_scenario(run, diagnosis, found.path.name), "; its connections fare as in the capture"


_MAKERS: dict[str, Callable[[Survey, Diagnosis, ExplainedRun], tuple[str, str]]] = {
    **dict.fromkeys(_PAGES, _page),
    ".json": _trace,
    ".pkt": _script,
    ".toml": _scenario,
}
"""By ending: the text, and what is to be said of it."""
