"""A capture where a command takes a scenario: what it means to that command."""

from pathlib import Path

from tcpemu.cli.captures.diagnose_command import Question, diagnosis_of, surveyed
from tcpemu.cli.captures.diagnosis_files import check_files, write_files
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose.reading.capture_stream import is_readable


def is_there(name: str) -> bool:
    """Whether that is the name of a capture, packed or not."""
    return is_readable(Path(name))


def check_alone(name: str, command: str, *options: object) -> None:
    """Settings of a run mean nothing for a capture that is there already. Raises UsageError."""
    if any(option is not None for option in options):
        raise UsageError(
            f"{name} is a capture, which no setting changes; leave out all but -o with tcpemu {command}, or say more "
            f"of its server with: tcpemu diagnose {name} --help"
        )


def write_page(path: Path, output: Path) -> int:
    """The page of the server that was asked most; gives the exit status."""
    check_files([output], path)
    found = surveyed(path)
    return write_files([output], found, diagnosis_of(found, Question(), None))
