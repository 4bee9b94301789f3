"""A capture as TCP segments, one by one, in flat memory; and what the capture lacks, counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tcpemu.diagnose.reading.capture_stream import FileFacts, Frame, frames_of
from tcpemu.diagnose.reading.lenient_headers import Fragment, LeftOut, Read, read_packet
from tcpemu.diagnose.reading.link_headers import ip_begins
from tcpemu.diagnose.reading.reassembly import Reassembly
from tcpemu.diagnose.reading.seen_segment import SeenSegment, Sum
from tcpemu.diagnose.reading.seen_twice import SeenTwice
from tcpemu.explain.capture.annotated_capture import LOST_INTERFACE
from tcpemu.wire.icmp import IcmpError, decode_icmp

CLOCK_STEP = 10_000_000
"""Nanoseconds that a frame may lie before the one ahead of it, as frames of several interfaces do. More is a step of
the clock."""


MOST_ICMP = 10_000
"""ICMP errors that are kept; of more, the others are only counted."""


class SeenIcmp(NamedTuple):
    """An ICMP error about a segment, as the capture shows it."""

    frame: int
    at: int
    error: IcmpError


@dataclass(slots=True)
class CaptureFacts:
    """What is known of a capture when all of it has been read."""

    file: FileFacts = field(default_factory=FileFacts)
    segments: int = 0
    """Frames that were followed as TCP segments."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Frames that were not, by why: each completes 'a frame that ...'."""
    first_left_out: dict[str, int] = field(default_factory=dict)
    """The first frame of each kind."""
    begins: int = 0
    """Nanoseconds since the epoch at the first frame."""
    ends: int = 0
    """At the last, with steps of the clock taken out."""
    clock_steps: int = 0
    largest_step: int = 0
    """How far the clock went back, in nanoseconds."""
    first_step: int = 0
    """The frame behind the first step."""
    out_of_order: int = 0
    """Frames a little before the one ahead of them, as those of several interfaces are."""
    snapped: int = 0
    """Segments of which not all octets are in the file."""
    unfilled: int = 0
    """Segments whose checksum the network card was to fill in."""
    bad_sums: int = 0
    first_bad_sum: int = 0
    too_long: int = 0
    """Segments longer than their connection allows: TSO or GRO has them in one piece."""
    fragments: int = 0
    """Packets put together of fragments."""
    fragments_missing: int = 0
    """Packets of which a fragment is not there."""
    copies: int = 0
    """Frames that show a packet for the second time."""
    first_copy: int = 0
    icmp: list[SeenIcmp] = field(default_factory=list)
    """ICMP errors that quote a segment of TCP."""
    asked: int = 0
    """A frame that somebody asks about."""
    asked_why: str = ""
    """Why that one was left out; empty where it was not."""

    @property
    def lasts(self) -> int:
        """Nanoseconds from the first frame to the last."""
        return self.ends - self.begins


class _Reader:
    """Reads frame after frame, and counts."""

    def __init__(self, facts: CaptureFacts) -> None:
        self.facts = facts
        self._parts = Reassembly()
        self._twice = SeenTwice()
        self._added = 0
        """Nanoseconds by which the clock has gone back so far."""
        self._last: int | None = None

    def segments(self, path: Path) -> Iterator[SeenSegment]:
        facts = self.facts
        for frame in frames_of(path, facts.file):
            at = self._time_of(frame)
            seen = self._segment_of(frame, at)
            if seen is not None:
                facts.segments += 1
                yield seen
        facts.fragments_missing = self._parts.left_over()
        facts.copies = self._twice.copies
        facts.first_copy = next(iter(self._twice.frames), 0)

    def _time_of(self, frame: Frame) -> int:
        """The time of the frame on a clock that never goes back."""
        facts, last = self.facts, self._last
        at = frame.packet.at + self._added
        if last is None:
            facts.begins = at
        elif at < last:
            if last - at >= CLOCK_STEP:
                facts.clock_steps += 1
                facts.largest_step = max(facts.largest_step, last - at)
                facts.first_step = facts.first_step or frame.number
                self._added += last - at
            else:
                facts.out_of_order += 1
            at = last
        self._last = facts.ends = at
        return at

    def _segment_of(self, frame: Frame, at: int) -> SeenSegment | None:
        packet = frame.packet
        if self._never_came(frame):
            self._leave_out("the network lost, as the emulator that wrote the capture says", frame)
            return None
        begins = ip_begins(packet.data, frame.link_type)
        if isinstance(begins, str):
            self._leave_out(begins, frame)
            return None
        on_wire = len(packet.data) if packet.original_length is None else packet.original_length
        ip = packet.data[begins[0] :] if begins[0] else packet.data
        read = self._whole(read_packet(ip, on_wire - begins[0]))
        if isinstance(read, LeftOut):
            if not self._note_icmp(ip, frame.number, at):
                self._leave_out(read.why, frame)
            return None
        if read is None or isinstance(read, Fragment):
            self._leave_out("is a fragment that waits for the others of its packet", frame)
            return None
        segment, length, checksum = read
        seen = SeenSegment(
            frame.number, at, segment, length, checksum, packet.direction.value, packet.interface
        )
        if self._twice.is_copy(seen, begins[1]):
            self._leave_out("shows a packet for the second time", frame)
            return None
        self._note_quality(seen)
        return seen

    def _never_came(self, frame: Frame) -> bool:
        """Whether it stands on the interface of our own captures for what was lost; a stranger's may be called so."""
        file, number = self.facts.file, frame.packet.interface
        return file.ours and number < len(file.interfaces) and file.interfaces[number].name == LOST_INTERFACE

    def _note_icmp(self, ip: bytes, number: int, at: int) -> bool:
        """Whether it is an ICMP error about a segment, which is kept."""
        error = decode_icmp(ip) if len(self.facts.icmp) < MOST_ICMP else None
        if not isinstance(error, IcmpError):
            return False
        self.facts.icmp.append(SeenIcmp(number, at, error))
        if number == self.facts.asked:
            self.facts.asked_why = f"is an ICMP error: {error}"
        return True

    def _whole(self, read: Read) -> Read | None:
        """What a packet is once its fragments are together; None while one is missing."""
        if not isinstance(read, Fragment):
            return read
        whole = self._parts.add(read)
        if whole is None:
            return None
        self.facts.fragments += 1
        return read_packet(whole, len(whole))

    def _note_quality(self, seen: SeenSegment) -> None:
        facts = self.facts
        if len(seen.segment.payload) < seen.length:
            facts.snapped += 1
        if seen.sum is Sum.UNFILLED:
            facts.unfilled += 1
        elif seen.sum is Sum.BAD:
            facts.bad_sums += 1
            facts.first_bad_sum = facts.first_bad_sum or seen.frame

    def _leave_out(self, why: str, frame: Frame) -> None:
        self.facts.left_out[why] += 1
        if frame.number == self.facts.asked:
            self.facts.asked_why = why
        self.facts.first_left_out.setdefault(why, frame.number)


def segments_of(path: Path, facts: CaptureFacts) -> Iterator[SeenSegment]:
    """The TCP segments of a capture in the order of the file; `facts` is complete when all have been taken.

    Frames that show a packet for the second time are left out. Raises CaptureError for a file that is no capture, and
    OSError from the disk; whatever is in it never raises.
    """
    return _Reader(facts).segments(path)
