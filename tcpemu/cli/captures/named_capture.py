"""A capture where a command takes a scenario: what it means to that command."""

from pathlib import Path

from tcpemu.cli.captures.diagnose_command import Question, diagnosis_of, surveyed
from tcpemu.cli.captures.diagnosis_files import check_files, write_files
from tcpemu.cli.printing import patience
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose.reading.capture_stream import is_readable
from tcpemu.diagnose.telling.flow_pictures import flow_picture
from tcpemu.explain.plots.picture import NothingToDrawError, Picture

_DRAWN = "a capture gives --kind sequence, rtt and throughput"
_NOT_IN_A_CAPTURE = {
    "queues": "queues are in no capture; those of the best explanation: tcpemu report {name} -o x.html; "
    + _DRAWN,
    "ladder": "both ladders, of the capture and of the best explanation: tcpemu report {name} -o x.html; "
    + _DRAWN,
    "cwnd": "a congestion window is in no capture; " + _DRAWN,
    "compare": "a capture is one run; " + _DRAWN,
    "rate": "how fast a server accepts is in no capture; " + _DRAWN,
}
"""What is said of each kind of plot that means nothing for a capture."""


def is_there(name: str) -> bool:
    """Whether that is the name of a capture, packed or not."""
    return is_readable(Path(name))


def check_alone(name: str, command: str, *options: object) -> None:
    """Settings of a run mean nothing for a capture that is there already. Raises UsageError."""
    if any(option is not None for option in options):
        raise UsageError(
            f"{name} is a capture, which no setting changes; with tcpemu {command} leave out those of a run (--set, "
            f"--seed, --until, --generation, --run, --vary); tcpemu diagnose has --generation, --server and --at"
        )


def write_page(path: Path, output: Path) -> int:
    """The page of the server that was asked most; gives the exit status."""
    check_files([output], path)
    found = surveyed(path)
    return write_files([output], found, diagnosis_of(found, Question(), None))


def check_kind(name: str, kind: str | None) -> None:
    """Find out that a capture does not have what is to be drawn. Raises UsageError."""
    if kind in _NOT_IN_A_CAPTURE:
        raise UsageError(f"--kind {kind}: {_NOT_IN_A_CAPTURE[kind].format(name=name)}")


def picture(path: Path, kind: str | None, client: str | None) -> Picture:
    """What is drawn of a connection of the capture. Raises UsageError."""
    found = surveyed(path)
    try:
        with patience(f"reading {path} once more"):
            return flow_picture(found, kind or "sequence", client)
    except NothingToDrawError as error:
        raise UsageError(f"{path}: {error}") from None
