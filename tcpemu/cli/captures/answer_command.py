"""`tcpemu answer`: what Linux would have answered to one side of a capture, beside what was answered."""

from collections.abc import Sequence
from pathlib import Path

from tcpemu.cli.captures.diagnose_command import surveyed
from tcpemu.cli.printing import check_not_read, check_place, patience, show
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.replay.answering_host import answers_of
from tcpemu.diagnose.telling.answer_lines import answer_capture, answer_lines
from tcpemu.explain.lines.style import line
from tcpemu.generations import DEFAULT, generation
from tcpemu.wire.capture_file import write_capture
from tcpemu.wire.segment import address, address_text

MOST_SEGMENTS = 50_000
"""Of the host, that are replayed."""


def show_answers(
    path: Path, host: str, kernel: str | None, settings: Sequence[str], output: Path | None, *, whole: bool
) -> None:
    """Print both beside each other, and write them into one capture."""
    name = generation(kernel or DEFAULT).name
    try:
        own = address(host)
    except ValueError:
        raise UsageError(f"--host {host}: it must be an address, as 10.0.0.1 or 2001:db8::1") from None
    sysctls = dict(_setting(text) for text in settings)
    if output is not None:
        check_place(output, (".pcapng",))
        check_not_read(output, [path])
    found = surveyed(path)
    ends = {side.address: 0 for flow in found.flows for side in (flow.client, flow.server)}
    for flow in found.flows:
        for side in (flow.client, flow.server):
            ends[side.address] += flow.frames
    if own not in ends:
        there = ", ".join(sorted(map(address_text, list(ends)[:8]))) or "no address at all"
        raise UsageError(f"--host {host}: the capture has no TCP of it; it has {there}")
    if ends[own] > MOST_SEGMENTS:
        raise UsageError(
            f"{path} has {ends[own]:,} segments of {host}, and at most {MOST_SEGMENTS:,} are replayed; cut it with "
            f"'editcap' or a filter of 'tcpdump -r'"
        )
    with patience(f"answering in the place of {host}"):
        answered = answers_of(segments_of(path, CaptureFacts()), own, name, sysctls)
    if output is not None:
        write_capture(output, answer_capture(answered))
    show(answer_lines(answered, found.facts.begins, whole=whole))
    if output is not None:
        show([(), line(f"Written: {output}")])


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"--set {text}: write SYSCTL=VALUE, as net.ipv4.tcp_sack=0")
    return name.strip(), value.strip()
