"""The capture with what is claimed of its frames as comments on them. Comments of others are kept as theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.claims.sureness import Claim, Sure
from tcpemu.diagnose.reading.capture_stream import FileFacts, frames_of
from tcpemu.diagnose.telling.claim_lines import claim_words
from tcpemu.version import __version__
from tcpemu.wire.capture_file import write_packets
from tcpemu.wire.capture_values import Capture, Interface, Packet

_LONGEST = 2000
"""Characters of a comment of others that are kept."""


def write_commented(
    path: Path, target: Path, diagnosis: Diagnosis | None, interfaces: list[Interface]
) -> int:
    """Write all frames of a capture into another file, with comments; how many have one.

    Raises CaptureError where a file cannot be read or written; OSError from the disk.
    """
    said = {} if diagnosis is None else comments_of(diagnosis)
    head = Capture(tuple(interfaces), (), f"tcpemu {__version__}")
    write_packets(target, head, _commented(path, said))
    return len(said)


def comments_of(diagnosis: Diagnosis) -> dict[int, tuple[str, ...]]:
    """By frame: what is claimed of it, and else what the emulated server did with it."""
    said: dict[int, list[str]] = {}
    for claim in diagnosis.claims:
        for frame in claim.frames:
            said.setdefault(frame, []).append(_words(claim))
    found = diagnosis.found
    for judged in found.best.judged if found is not None else ():
        text = f"{judged.reason.text} [{judged.reason.source}]"
        said.setdefault(judged.step.seen.frame, [f"In the best explanation: {text}"])
    return {frame: tuple(texts) for frame, texts in said.items()}


def _words(claim: Claim) -> str:
    decides = (
        f" What would decide: {claim.decides}." if claim.decides and claim.sure is not Sure.CERTAIN else ""
    )
    return claim_words(claim) + decides


def _commented(path: Path, said: Mapping[int, tuple[str, ...]]) -> Iterator[Packet]:
    for number, packet, _ in frames_of(path, FileFacts()):
        others = tuple(f"(a comment of the capture: {comment[:_LONGEST]})" for comment in packet.comments)
        yield Packet(
            max(packet.at, 0),
            packet.data,
            packet.interface,
            said.get(number, ()) + others,
            packet.direction,
            packet.original_length,
        )
