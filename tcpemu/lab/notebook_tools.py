"""What a student's notebook imports: the capture as rows, and the file of answers."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tcpemu.explain.facts.flow_numbers import InitialNumbers
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.capture_file import ip_of, read_capture
from tcpemu.wire.codec import decode
from tcpemu.wire.segment import Segment, address_text, flag_letters


def capture_rows(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The packets of a capture as dictionaries, with the columns that Wireshark shows: `pandas.DataFrame(rows)`.

    `time` in seconds from the first packet; `seq` and `ack` relative; what is no TCP has `info` alone. Raises
    CaptureError, OSError.
    """
    return list(_rows(path))


def _rows(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    capture = read_capture(path)
    numbers = InitialNumbers()
    first = min((packet.at for packet in capture.packets), default=0)
    for frame, packet in enumerate(capture.packets, 1):
        link_type = capture.interfaces[packet.interface].link_type
        row: dict[str, Any] = {"frame": frame, "time": (packet.at - first) / SECOND}
        octets = ip_of(packet.data, link_type)
        segment = None if octets is None else decode(octets)
        if not isinstance(segment, Segment):
            yield row | {"info": "no TCP segment"}
            continue
        relative = numbers.relative(segment)
        yield row | {
            "src": address_text(segment.src),
            "sport": segment.sport,
            "dst": address_text(segment.dst),
            "dport": segment.dport,
            "flags": flag_letters(segment.flags),
            "seq": relative.seq,
            "ack": relative.ack,
            "window": relative.window,
            "len": len(segment.payload),
            "info": str(segment),
        }


def write_answers(path: str | os.PathLike[str], answers: Mapping[str, object], head: str) -> Path:
    """Write the file of answers that is handed in; `head` is how the form begins, with whose it is."""
    lines = [f"{name} = {_toml(value)}" for name, value in answers.items()]
    write_whole(path, "\n".join([head.rstrip(), "", "[answers]", *lines]) + "\n")
    return Path(path)


def _toml(value: object) -> str:
    """A number as it is, all else as a text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:  # noqa: PLR0124 - no NaN
        return str(value)
    return json.dumps("" if value is None else str(value), ensure_ascii=False)
