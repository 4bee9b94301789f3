"""Whether what a call writes into memory is what the script says: DrillFailure where it is not."""

from __future__ import annotations

import struct

from tcpemu.drill.language.drill_script import Anything, Array, Expression, Structure, Text
from tcpemu.drill.playing.call_arguments import Arguments
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.stack.records.connection import QueuedError


def expect_number(arguments: Arguments, wanted: Expression, value: int) -> None:
    """A number that the call writes."""
    if not isinstance(wanted, Anything) and arguments.value(wanted) != value:
        words = f"{arguments.call.name}() gives {value} where the script has {arguments.value(wanted)}"
        raise DrillFailure(wanted.place, words)


def expect_text(wanted: Text, octets: bytes) -> None:
    """A text that getsockopt() writes, without the octets of 0 behind it."""
    found, text = octets.rstrip(b"\0"), wanted.value.encode("latin-1", "replace")
    if found != text:
        raise DrillFailure(wanted.place, f"getsockopt() gives {found!r} where the script has {text!r}")


def expect_linger(arguments: Arguments, wanted: Expression, octets: bytes) -> None:
    """A struct linger that getsockopt() writes."""
    structure = arguments.structure(wanted)
    on, linger = struct.unpack("=ii", octets.ljust(8, b"\0")[:8])
    expect_number(arguments, arguments.field(structure, "onoff").value, on)
    expect_number(arguments, arguments.field(structure, "linger").value, linger)


def expect_bits(arguments: Arguments, wanted: Expression, value: int, octets: int = 4) -> None:
    """A number of so many octets that getsockopt() writes; its sign does not matter."""
    if isinstance(wanted, Anything):
        return
    number = arguments.value(wanted)
    if (value ^ number) & ((1 << 8 * octets) - 1):
        raise DrillFailure(wanted.place, f"getsockopt() gives {value} where the script has {number}")


def compared(arguments: Arguments, place: int, octets: bytes) -> int:
    """How many octets came, which have to be those of the script where it gives some."""
    wanted = arguments.at(place)
    if isinstance(wanted, Text):
        text = wanted.value.encode("latin-1", "replace")
        same = octets.startswith(text) if wanted.open_ended else octets == text
        if not same:
            raise DrillFailure(wanted.place, f"expected the octets {text!r}, got {octets!r}")
    return len(octets)


def data_of(arguments: Arguments, event: Structure) -> int:
    """What an epoll is to say of a descriptor."""
    for name in ("fd", "ptr", "u32", "u64"):
        if name in event.members():
            return arguments.field_value(event, name)
    return 0


def controls_of(message: Structure) -> tuple[Expression, ...]:
    """The control messages that the script has."""
    found = message.members().get("msg_control")
    if found is None or not isinstance(found.value, Array):
        return ()
    return found.value.items


def expect_flags(arguments: Arguments, message: Structure, flags: int) -> None:
    """The flags that recvmsg() writes."""
    wanted = message.members().get("msg_flags")
    if (
        wanted is not None
        and not isinstance(wanted.value, Anything)
        and arguments.value(wanted.value) != flags
    ):
        words = f"msg_flags is {hex(flags)} where the script has {hex(arguments.value(wanted.value))}"
        raise DrillFailure(wanted.place, words)


def expect_controls(
    arguments: Arguments,
    message: Structure,
    expected: tuple[Expression, ...],
    actual: list[tuple[int, int, int | QueuedError]],
) -> None:
    """Control messages: level, type, and a number or an entry of the error queue."""
    if len(expected) != len(actual):
        words = f"recvmsg() gives {len(actual)} control messages where the script has {len(expected)}"
        raise DrillFailure(message.place, words)
    for item, (level, kind, data) in zip(expected, actual, strict=True):
        control = arguments.structure(item)
        expect_field(arguments, control, "cmsg_level", level)
        expect_field(arguments, control, "cmsg_type", kind)
        value = arguments.field(control, "cmsg_data").value
        if isinstance(data, int):
            if not isinstance(value, Anything) and arguments.value(value) != data:
                words = f"the control message says {data} where the script has {arguments.value(value)}"
                raise DrillFailure(value.place, words)
            continue
        told = arguments.structure(value)
        for name, number in _fields_of(data).items():
            expect_field(arguments, told, name, number)


def _fields_of(entry: QueuedError) -> dict[str, int]:
    return {
        "ee_errno": entry.errno,
        "ee_origin": entry.origin,
        "ee_type": entry.kind,
        "ee_code": entry.code,
        "ee_info": entry.info,
        "ee_data": entry.data,
    }


def expect_field(arguments: Arguments, structure: Structure, name: str, value: int) -> None:
    """A field that the call writes."""
    wanted = arguments.field(structure, name)
    if not isinstance(wanted.value, Anything) and arguments.value(wanted.value) != value:
        words = f"{name} is {value} where the script has {arguments.value(wanted.value)}"
        raise DrillFailure(wanted.place, words)
