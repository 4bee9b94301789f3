"""`tcpemu explain` and `tcpemu state`: the story of a run, one packet of a capture, one moment."""

from collections.abc import Mapping
from pathlib import Path

from tcpemu.cli import run_command
from tcpemu.cli.captures.diagnose_command import surveyed
from tcpemu.cli.printing import show, width
from tcpemu.cli.progress import run_and_tell
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose.reading.capture_stream import is_ours
from tcpemu.diagnose.telling.foreign_frame import foreign_frame_lines
from tcpemu.explain.capture.captured_frame import frame_lines
from tcpemu.explain.told_story import told_state, told_story
from tcpemu.wire.capture_file import check_size_of, read_capture

# The story.


def show_story(name: str, settings: Mapping[str, object], only: str | None, until: int | None) -> None:
    """Print the story of each run, or of the first and the way to the others where there are many."""
    found = run_command.found(name, settings)
    chosen = run_command.chosen(name, found, only)
    shown = chosen[:1] if len(chosen) > run_command.SHOWN_WHOLE else chosen
    for number, result in enumerate(
        run_command.results_of_runs(name, shown, until, run_command.follow_transfers)
    ):
        if number:
            show([(), ()])
        show(told_story(name, result, width()))
    if len(shown) < len(chosen):
        show(run_command.others_hint(f"tcpemu explain {name}", shown[0].name, [each.name for each in found]))


# One packet.


def check_alone(*options: object) -> None:
    """Options of a run mean nothing for a capture that is there already."""
    if any(option is not None for option in options):
        raise UsageError("--frame reads a capture, which nothing changes; leave out all other options")


def show_frame(path: Path, number: int) -> None:
    """Print what a capture of ours says of one packet, and of any other what can be found out."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; --frame goes with a capture, {_how_to_write()}")
    if is_ours(path):
        capture = read_capture(path)
        if any(packet.comments for packet in capture.packets):
            _check_frame(path, len(capture.packets), number)
            show(frame_lines(capture, number, width()))
            return
    check_size_of(path)
    found = surveyed(path)
    _check_frame(path, found.facts.file.frames, number)
    show(foreign_frame_lines(found, number, width()))


def _check_frame(path: Path, frames: int, number: int) -> None:
    if not 1 <= number <= frames:
        there = f"has frames 1 to {frames}" if frames else "has no frames"
        raise UsageError(f"--frame {number}: there is no such frame; {path} {there}")


def _how_to_write() -> str:
    return "write one with: tcpemu run SCENARIO -o x.pcapng (without --plain)"


# One moment.


def show_state(name: str, settings: Mapping[str, object], only: str | None, at: int) -> None:
    """Run to that moment and print how each host stands."""
    found = run_command.found(name, settings)
    one = run_command.chosen(name, found, only)[0]
    (result,) = run_and_tell(run_command.labelled(name, [one]), at)
    show(told_state(name, result, at, width()))
    if only is None:
        show(run_command.others_hint(f"tcpemu state {name}", one.name, [each.name for each in found]))
