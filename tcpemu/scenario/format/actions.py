"""What a client does, one thing after the other.

An action is a word, such as "connect", or a table with one key, such as { wait = "2 s" }.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue

from tcpemu.scenario.format.problems import Problem, hold
from tcpemu.scenario.format.strict_table import Table
from tcpemu.scenario.format.written_values import Duration


@dataclass(frozen=True, slots=True)
class ClientWord:
    """A word of `do`."""

    meaning: str
    """What a client does."""
    also: tuple[str, ...] = ()
    """What others call it."""
    ends: bool = False
    """Whether a client has no connection any more after it."""


CLIENT_WORDS: dict[str, ClientWord] = {
    "connect": ClientWord("Opens a connection to the server, and waits until it is there.", ("open",)),
    "recv": ClientWord("Waits until something comes, and reads it.", ("read", "receive")),
    "read_to_end": ClientWord("Reads until the server ends its side."),
    "half_close": ClientWord(
        "Ends its own side with a FIN: shutdown(SHUT_WR). It may still read.", ("shutdown", "fin")
    ),
    "close": ClientWord("Closes the connection.", ends=True),
    "abort": ClientWord("Closes it with a RST.", ("reset", "rst"), ends=True),
    "abandon": ClientWord(
        "Is gone without a word: nothing is sent any more, and nothing answered.",
        ("vanish", "die"),
        ends=True,
    ),
    "syn": ClientWord("Sends a bare SYN, and never an answer; it stands alone, but for waits."),
}
"""Every word there is. What a client does at each is in `tcpemu.scenario.running.client.AT_WORD`."""
WORDS = tuple(CLIENT_WORDS)
MEANINGS = {word: each.meaning for word, each in CLIENT_WORDS.items()}
SYNONYMS = {
    **dict.fromkeys(("sleep", "pause", "delay"), "wait"),
    "write": "send",
    **{other: word for word, each in CLIENT_WORDS.items() for other in each.also},
}
"""What others call a word, or the key of a table."""
ENDS = frozenset(word for word, each in CLIENT_WORDS.items() if each.ends)

if TYPE_CHECKING:
    Word: TypeAlias = str  # type checkers take no Literal that is made of a table
else:
    Word = Literal[WORDS]

_MOST_OCTETS = 2**24


def parse_payload(value: object) -> str | int:
    """What { send = ... } sends. Raises ValueError, saying what would be right."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_OCTETS:
        return value
    raise ValueError(f"a text, or a number of octets from 1 to {_MOST_OCTETS}")


Payload = Annotated[
    str | int,
    BeforeValidator(parse_payload),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "integer", "minimum": 1, "maximum": _MOST_OCTETS},
            ]
        }
    ),
]


class Act(Table):
    """One thing that a client does, with its measure. Exactly one key."""

    send: Payload | None = None
    """Sends a text, or so many octets."""
    wait: Duration | None = None
    """Does nothing for so long."""
    wait_until: Duration | None = None
    """Does nothing until this time of the scenario."""
    recv: Annotated[int, Field(ge=1)] | None = None
    """Reads until it has so many octets, or the end."""

    @property
    def verb(self) -> str:
        return next(iter(self.model_fields_set))

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a table with exactly one of the keys " + ", ".join(type(self).model_fields))
        return self


def _kind(value: object) -> str:
    return "(table)" if isinstance(value, dict | Act) else "(word)"


_WORDS_IN_JSON: JsonSchemaValue = {
    "oneOf": [{"const": word, "description": meaning} for word, meaning in MEANINGS.items()]
}
Action: TypeAlias = Annotated[
    Annotated[Word, Tag("(word)"), WithJsonSchema(_WORDS_IN_JSON)] | Annotated[Act, Tag("(table)")],
    Discriminator(_kind),
]


def verb(action: Word | Act) -> str:
    """The name of what is done: `connect`, `send`, ..."""
    return action.verb if isinstance(action, Act) else action


def _order(actions: tuple[Word | Act, ...]) -> Iterator[Problem]:
    """A connection is made before it is used, once, and not used after its end; bare SYNs stand alone."""
    verbs = [verb(action) for action in actions]
    connected = ended = ""
    for number, name in enumerate(verbs):
        place = f"[{number}]"
        if name in {"wait", "wait_until"}:
            continue
        if name == "syn" or "syn" in verbs:
            if name != "syn":
                yield Problem(place, f"{name} beside syn", "who sends a bare SYN does nothing else but wait")
            continue
        if name == "connect" and connected:
            yield Problem(place, "a second connect", "a client makes one connection; use another group")
        if name != "connect" and not connected:
            yield Problem(place, f"{name} before connect", "put connect first")
        if ended:
            yield Problem(place, f"{name} after {ended}", f"{ended} ends what a client can do")
        connected = connected or name
        ended = ended or (name if name in ENDS else "")


def _in_order(actions: tuple[Word | Act, ...]) -> tuple[Word | Act, ...]:
    if not actions:
        raise ValueError("a list with an action at least")
    hold(_order(actions))
    return actions


SERVER_WORDS: dict[str, str] = {
    "recv": "Waits until something comes, and reads it.",
    "recv_line": "Reads up to a line feed, or to the client's end.",
    "read_to_end": "Reads until the client ends its side.",
    "half_close": CLIENT_WORDS["half_close"].meaning,
    "close": CLIENT_WORDS["close"].meaning,
    "abort": CLIENT_WORDS["abort"].meaning,
    "again": "Begins again with the first, unless the client has ended its side: then it closes.",
}
"""What a server does with a connection, besides the tables that a client has too."""
if TYPE_CHECKING:
    ServerWord: TypeAlias = str
else:
    ServerWord = Literal[tuple(SERVER_WORDS)]
_SERVER_WORDS_IN_JSON: JsonSchemaValue = {
    "oneOf": [{"const": word, "description": meaning} for word, meaning in SERVER_WORDS.items()]
}
ServerAction: TypeAlias = Annotated[
    Annotated[ServerWord, Tag("(word)"), WithJsonSchema(_SERVER_WORDS_IN_JSON)]
    | Annotated[Act, Tag("(table)")],
    Discriminator(_kind),
]


def _server_order(actions: tuple[ServerWord | Act, ...]) -> tuple[ServerWord | Act, ...]:
    """Nothing but waits comes after an end."""
    hold(_after_the_end(list(map(verb, actions))))
    return actions


def _after_the_end(verbs: list[str]) -> Iterator[Problem]:
    for number, name in enumerate(verbs[:-1]):
        after = verbs[number + 1]
        if name in {"close", "abort", "again"}:
            yield Problem(f"[{number + 1}]", f"{after} after {name}", f"{name} is the last that it can do")


ServerActions: TypeAlias = Annotated[
    tuple[ServerAction, ...], Field(strict=False), AfterValidator(_server_order)
]
Actions: TypeAlias = Annotated[tuple[Action, ...], Field(strict=False), AfterValidator(_in_order)]
