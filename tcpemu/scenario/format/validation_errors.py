"""What pydantic says of a scenario file, told in the file's own terms."""

from collections.abc import Iterator
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from tcpemu.scenario.format.actions import SERVER_WORDS, SYNONYMS, WORDS, Act
from tcpemu.scenario.format.links.link_tables import Link
from tcpemu.scenario.format.problems import BrokenRulesError, Problem, did_you_mean, in_toml
from tcpemu.scenario.format.scenario_file import (
    Accept,
    ClientGroup,
    ListenOptions,
    Scenario,
    Server,
    Start,
)
from tcpemu.stack.base.not_emulated import UNEMULATED_SYSCTLS
from tcpemu.stack.base.sysctls import SYSCTLS

Location: TypeAlias = tuple[int | str, ...]

_TAGS = frozenset({"(word)", "(table)", "(octets)"})
"""How the model tells the members of a union apart; nothing that stands in a file."""

_NOT_EMULATED = (
    "rcvlowat",
    "md5sig",
)
"""Options that one may look for."""
_TABLES: dict[str, type[BaseModel]] = {
    "server": Server,
    "link": Link,
    "clients.NAME": ClientGroup,
    "server.accept": Accept,
    "server.options": ListenOptions,
    "clients.NAME.start": Start,
}
"""Where a key may belong that stands at the top of a file."""
_MENDS = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be a text in quotes",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list in [ ]",
}


def told(error: ErrorDetails, root: type[BaseModel] = Scenario) -> Iterator[Problem]:
    """The mistake in words: one, or several where a table breaks several of its rules.

    `root` is the model of the whole, in which the mistake's location is a path.
    """
    location = _without_tags(error["loc"])
    broken = error.get("ctx", {}).get("error")
    if isinstance(broken, BrokenRulesError):
        for problem in broken.problems:
            yield Problem(_joined(path(location), problem.place), problem.what, problem.mend)
        return
    match error["type"]:
        case "extra_forbidden":
            yield Problem(path(location), "unknown key", _meant(location, root))
        case "missing":
            yield Problem(path(location), "missing", f"give it: {about(location, root)}")
        case "literal_error":
            yield Problem(path(location), _found(error), _choice(error))
        case _:
            yield Problem(path(location), _found(error), _mend(error))


def path(location: Location) -> str:
    """`clients[0].start.from`; keys that TOML wants in quotes have them."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text = _joined(text, step if step.replace("_", "").replace("-", "").isalnum() else f'"{step}"')
    return text


def known_keys(location: Location, root: type[BaseModel] = Scenario) -> list[str]:
    """The keys that the table at that place can have."""
    return [key for model in _models_at(location, root) for key in _fields(model)]


def about(location: Location, root: type[BaseModel] = Scenario) -> str:
    """What the key at that place is for: how its description begins."""
    model = _models_at(location[:-1], root)[0]
    words: str = _fields(model)[str(location[-1])].description
    words = words.partition(". ")[0].partition(":")[0].rstrip(".")
    return words[0].lower() + words[1:]


def _meant(location: Location, root: type[BaseModel]) -> str:
    """Of an unknown key, which one was meant."""
    known = known_keys(location[:-1], root)
    if len(location) > 1 and location[-2] == "options" and location[-1] in _NOT_EMULATED:
        return f"known to Linux, but not emulated; known: {', '.join(known)}"
    key = str(location[-1])
    if location[-1:] == ("net",):
        return 'sysctls stand in a table of their own: sysctls = { "net.ipv4.tcp_sack" = 0 }'
    if root is Scenario and key not in known and (others := _elsewhere(key, len(location) == 1)):
        return f"did you mean {' or '.join(map(repr, others))}?"
    return did_you_mean(key, known, SYNONYMS if known == list(Act.model_fields) else None)


def _elsewhere(key: str, in_any_table: bool) -> list[str]:
    """Where a key has a place that does not have one here: sysctls, and from the top the keys of tables."""
    known = [name for name in (*SYSCTLS, *UNEMULATED_SYSCTLS) if name.rpartition(".")[2] == key]
    if known or not in_any_table:
        return known
    return [f"{path}.{key}" for path, model in _TABLES.items() if key in _fields(model)][:2]


def _joined(above: str, key: str) -> str:
    return above + key if not above or not key or key.startswith("[") else f"{above}.{key}"


def _without_tags(location: Location) -> Location:
    return tuple(step for step in location if step not in _TAGS)


def _found(error: ErrorDetails) -> str:
    return f"found {in_toml(error['input'])}"


def _choice(error: ErrorDetails) -> str:
    expected = error["ctx"]["expected"]
    words = [word.strip("' ") for word in expected.replace(" or ", ", ").split(", ")]
    if tuple(words) in (WORDS, tuple(SERVER_WORDS)):
        return _action(error["input"], words)
    hint = did_you_mean(error["input"], words)
    mend = f"must be one of {', '.join(words)}" if len(words) > 1 else f"must be {words[0]}"
    return f"{mend}; {hint}" if hint.startswith("did") else mend


def _action(found: object, words: list[str]) -> str:
    """What is said of a word that is no action by itself."""
    if isinstance(found, str) and found in Act.model_fields:
        return f"must say how much or how long: {{ {found} = ... }}"
    tables = {name: f"{{ {name} = ... }}" for name in Act.model_fields}
    hint = did_you_mean(found, [*words, *tables], SYNONYMS)
    for name in tables.keys() - set(words):
        hint = hint.replace(repr(name), tables[name])
    mend = f"must be one of {', '.join([*words, *tables.values()])}"
    return f"{mend}; {hint}" if hint.startswith("did") else mend


def _mend(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return f"must be {context['error']}"
    if error["type"] == "tuple_type" and isinstance(error["input"], dict):
        return f"must be a list; write [[{path(_without_tags(error['loc']))}]] for each entry"
    mend = _MENDS.get(error["type"])
    return mend.format(**context) if mend else error["msg"]


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_at(location: Location, root: type[BaseModel]) -> list[type[BaseModel]]:
    """The models of the table at that place; several where it may be one of several."""
    models = [root]
    for step in location:
        if isinstance(step, str):
            annotations = [_fields(model)[step].annotation for model in models if step in _fields(model)]
            models = [model for annotation in annotations for model in models_in(annotation)]
    return models


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """All models that an annotation speaks of: of `tuple[Drop, ...]`, Drop."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)
