"""Arguments of a system call as numbers, octets, addresses and structures."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from tcpemu.drill.language.drill_script import (
    Anything,
    Array,
    Converted,
    Either,
    Expression,
    Named,
    Number,
    Structure,
    SystemCall,
    Text,
    Word,
)
from tcpemu.drill.language.script_mistake import Place, ScriptError, ScriptText
from tcpemu.drill.setup.constant_names import CONSTANTS

_MOST_OPTION_OCTETS = 4096


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, and what is said where one cannot be."""

    text: ScriptText
    call: SystemCall

    def at(self, place: int) -> Expression:
        """The argument itself."""
        return self.call.arguments[place]

    def number(self, place: int) -> int:
        """A number; ScriptError for anything else."""
        return self.value(self.at(place))

    def number_or(self, place: int, other: int) -> int:
        """A number, or the other one for `...`."""
        return other if isinstance(self.at(place), Anything) else self.number(place)

    def value(self, expression: Expression) -> int:
        """The number that an expression stands for."""
        if isinstance(expression, Number):
            return expression.value
        if isinstance(expression, Word):
            return CONSTANTS[expression.name]
        if isinstance(expression, Either):
            return self._bits(expression)
        if isinstance(expression, Converted) and expression.name.startswith("hton"):
            return self.value(expression.argument)
        raise self.mistake(expression, "expected a number here")

    def _bits(self, expression: Either) -> int:
        bits = 0
        for part in expression.parts:
            bits |= self.value(part)
        return bits

    def memory(self, expression: Expression, what: str) -> Expression:
        """What stands in `[...]`: one value."""
        if isinstance(expression, Array) and len(expression.items) == 1:
            return expression.items[0]
        raise self.mistake(expression, f"expected {what} in brackets, as [1]")

    def structures(self, place: int) -> list[Structure]:
        """Those in an array, or the one that stands there."""
        found = self.at(place)
        items = found.items if isinstance(found, Array) else (found,)
        return [self.structure(item) for item in items]

    def structure(self, expression: Expression) -> Structure:
        """One structure."""
        if isinstance(expression, Structure):
            return expression
        raise self.mistake(expression, "expected a structure, in { }")

    def field(self, structure: Structure, name: str) -> Named:
        """A field that has to be there."""
        found = structure.members().get(name)
        if found is None:
            raise self.mistake(structure, f"this structure needs a field '{name}'")
        return found

    def field_value(self, structure: Structure, name: str, other: int = 0) -> int:
        """A field's number; the other one where it is not there or `...`."""
        found = structure.members().get(name)
        return other if found is None or isinstance(found.value, Anything) else self.value(found.value)

    def address(self, place: int) -> tuple[str, int] | None:
        """A socket address: address and port; None for `...`."""
        found = self.at(place)
        if isinstance(found, Anything):
            return None
        structure = self.structure(found)
        fields = structure.members()
        where = fields.get("sin_addr") or fields.get("sin6_addr")
        port = fields.get("sin_port") or fields.get("sin6_port")
        if where is None or port is None:
            raise self.mistake(
                structure, 'an address is {sa_family=..., sin_port=htons(...), sin_addr=inet_addr("...")}'
            )
        return self._host(where.value), self.value(port.value)

    def _host(self, expression: Expression) -> str:
        if isinstance(expression, Converted) and isinstance(expression.argument, Text):
            text = expression.argument.value
            try:
                return str(ipaddress.ip_address(text))
            except ValueError:
                raise self.mistake(expression.argument, f"'{text}' is no address of IPv4 or IPv6") from None
        raise self.mistake(expression, 'expected inet_addr("...") or inet6_addr("...")')

    def sizes(self, expression: Expression) -> list[int]:
        """Octets of each part of `[{..., 1000}, {..., 500}]`."""
        if not isinstance(expression, Array):
            raise self.mistake(expression, "expected an array of {..., octets}")
        sizes = []
        for item in expression.items:
            parts = self.structure(item).items
            if len(parts) != 2:
                raise self.mistake(item, "expected {..., octets}")
            sizes.append(self.value(parts[1]))
        return sizes

    def mistake(self, expression: Expression, words: str) -> ScriptError:
        """Something is wrong with an argument."""
        return ScriptError(self.text, expression.place, f"{self.call.name}(): {words}")

    @property
    def place(self) -> Place:
        """Where the call stands."""
        return self.call.place


def option_octets(arguments: Arguments) -> bytes:
    """The value of setsockopt() as memory, of the length that the call gives."""
    length = arguments.number(4)
    if not 0 <= length <= _MOST_OPTION_OCTETS:
        raise arguments.mistake(arguments.at(4), f"the length can be 0 to {_MOST_OPTION_OCTETS}")
    given = arguments.at(3)
    if isinstance(given, Array):
        given = arguments.memory(given, "a value")
    if isinstance(given, Text):
        return given.value.encode("latin-1", "replace").ljust(length, b"\0")[:length]
    if isinstance(given, Structure):
        linger: bytes = struct.pack(
            "<ii", arguments.field_value(given, "onoff"), arguments.field_value(given, "linger")
        )
        return linger[:length]
    value = 0 if isinstance(given, Anything) else arguments.value(given)
    most: int = (1 << 8 * length) - 1
    return (value & most).to_bytes(length, "little")
