"""setsockopt() and getsockopt() of a script: numbers, texts, structures."""

from __future__ import annotations

from tcpemu.drill.language.drill_script import Array, Structure, Text
from tcpemu.drill.playing.call_arguments import Arguments, option_octets
from tcpemu.drill.playing.result_checks import expect_bits, expect_linger, expect_text
from tcpemu.drill.running.call_steps import Step, socket_file
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.drill.running.transmit_stamps import stamps_for

_TCP_INQ, _IP_FREEBIND, _SO_TIMESTAMPING = (6, 36), (0, 15), (1, 37)
_SO_LINGER = (1, 13)
_MOST_OCTETS = 4096


def _setsockopt(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    level, name = arguments.number(1), arguments.number(2)
    octets = option_octets(arguments)
    if (level, name) == _TCP_INQ:
        file.inq = any(octets)
        return 0
    if (level, name) == _IP_FREEBIND:
        file.freebind = any(octets)
        return 0
    if (level, name) == _SO_TIMESTAMPING:
        file.stamps = stamps_for(file.socket.connection, int.from_bytes(octets, "little"))
        return 0
    file.socket.setsockopt(level, name, octets, world.stage.now)
    return 0


def _getsockopt(world: DrillWorld, arguments: Arguments) -> int:
    file = socket_file(world, arguments)
    level, name = arguments.number(1), arguments.number(2)
    given = arguments.at(3)
    if isinstance(given, Array):
        given = arguments.memory(given, "a value")
    length = arguments.value(arguments.memory(arguments.at(4), "a length"))
    now = world.stage.now
    if isinstance(given, Text):
        expect_text(given, file.socket.getsockopt_octets(level, name, length, now))
    elif isinstance(given, Structure) or (level, name) == _SO_LINGER:
        expect_linger(arguments, given, file.socket.getsockopt_octets(level, name, 8, now))
    else:
        expect_bits(arguments, given, file.socket.getsockopt(level, name, now))
    return 0


OPTION_STEPS: dict[str, Step] = {"setsockopt": _setsockopt, "getsockopt": _getsockopt}
"""These calls by name."""
