"""Every table and key of a scenario file, for people: read off the models, so that it cannot fall behind them.

What a key means is its description in the model; its kind, its bounds and what holds if it is not given come from
there too. Only the examples stand here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from tcpemu.generations import DEFAULT
from tcpemu.scenario.format import written_values
from tcpemu.scenario.format.actions import MEANINGS, Act, parse_payload
from tcpemu.scenario.format.problems import in_toml
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.validation_errors import models_in
from tcpemu.stack.base.sysctls import SYSCTLS

EXAMPLES: dict[str, str] = {
    "Scenario": """
title = "Two clients and no accept()"
about = "The accept queue holds one connection more than the backlog."
look_at = "what becomes of the third client"
seed = 7
duration = "70 s"
""",
    "Link": """
delay = "20 ms"
jitter = "2 ms"
rate = "10 Mbit/s"
queue = 20
queue_octets = 30000
shared = true
mark = 5
mtu = 1400
icmp = false
loss = "5 %"
loss_from = "1 s"
loss_until = "20 s"
burst = 3
duplicate = 0.01
reorder = "1 %"
""",
    "RedTable": """
least = 5
most = 15
probability = 0.1
weight = 0.002
""",
    "OneWay": """
delay = "20 ms"
jitter = "2 ms"
rate = "1 Mbit/s"
queue = 20
queue_octets = 30000
mark = 5
mtu = 1400
icmp = false
loss = "5 %"
loss_from = "1 s"
loss_until = "20 s"
burst = 3
duplicate = 0.01
reorder = "1 %"
""",
    "Drop": """
to = "server"
flags = "S"
without = "A"
data = true
nth = [1, 3]
every = 10
from = "1 s"
until = "5 s"
sport = 80
dport = 80
""",
    "HostTable": """
address = "192.0.2.7"
generation = "linux-3.10"
sysctls = { "net.ipv4.tcp_syncookies" = 0 }
hz = 250
mtu = 1280
""",
    "Server": """
socket = "udp"
port = 8080
backlog = 5
answer = { text = "hello" }
then = "close"
then_after = "2 s"
do = ["recv", { send = 1000 }, "close"]
idle_timeout = "5 s"
listeners = 2
close_at = "5 s"
shutdown_at = "5 s"
stop_at = "5 s"
listen_at = ["6 s", "66 s"]
""",
    "SocketOptionsTable": """
nodelay = true
cork = true
user_timeout = "5 s"
keepalive = true
keepidle = 60
keepintvl = 10
keepcnt = 3
linger = 0
sndbuf = 4096
congestion = "bbr"
max_pacing_rate = 125000
""",
    "ClientOptions": """
syncnt = 2
rcvbuf = 4096
maxseg = 536
fastopen_connect = true
fastopen_no_cookie = true
""",
    "ListenOptions": """
defer_accept = 3
syncnt = 2
rcvbuf = 4096
maxseg = 536
reuseaddr = true
fastopen = 5
fastopen_no_cookie = true
""",
    "Slow": """
share = "1 %"
every = "50 ms"
""",
    "Pause": """
from = "2 s"
lasts = "200 ms"
every = "5 s"
""",
    "Accept": """
from = "2 s"
every = "10 ms"
by_chance = true
at = ["1 s", "2.5 s"]
limit = 3
never = true
""",
    "Text": """
text = "hello\\r\\n"
""",
    "Octets": """
octets = 1000
""",
    "Relisten": """
at = "3 s"
backlog = 10
""",
    "ClientGroup": """
name = "crowd"
count = 4
start = "500 ms"
do = ["connect", { send = "hello" }]
port = 8080
own_port = 5000
patience = "3 s"
replies = "rst"
spoof = "198.18.0.0/24"
""",
    "Start": """
from = "500 ms"
every = "10 ms"
rate = 100
poisson = true
until = "5 s"
at = ["0 s", "30 ms"]
""",
    "Act": """
send = "hello"
wait = "2 s"
wait_until = "64 s"
recv = 100
""",
    "FaultTable": """
what = "lose"
role = "third-ack"
of = "client"
connection = 2
by = "server"
times = 3
time = "1 s"
at = "2 s"
until = "5 s"
says = "host unreachable"
""",
    "Variant": """
name = "cookies off"
set = { "server.backlog" = 5, "net.ipv4.tcp_syncookies" = 0 }
""",
}
"""A line for each key that is no table of its own, by the name of its model."""

Model: TypeAlias = type[BaseModel]

_KINDS: dict[Callable[..., Any], str] = {
    written_values.parse_duration: "time",
    written_values.parse_rate: "rate",
    written_values.parse_share: "probability",
    written_values.parse_frequency: "number above 0",
    written_values.parse_address: "IP address",
    written_values.parse_subnet: "range of IP addresses",
    written_values.parse_flags: "flags",
    written_values.parse_name: "name",
    written_values.parse_setting: "value",
    parse_payload: "text, or number of octets",
}
_NOTHING: tuple[object, ...] = (None, "", {}, [])
MOST_WORDS = 4
"""Where there are more, they have a list of their own."""
_UNIONS = (Union, UnionType)
_TABLES = frozenset({"table", "list, each a table"})
_PLAIN = {str: "text", int: "whole number", bool: "true or false", float: "number", dict: "table"}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table, or a thing that a client can do."""

    example: str
    """How it may stand in a file."""
    kind: str
    default: str
    """What holds if it is not given, as TOML; empty where there is nothing, or the description tells."""
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file, or a list of words."""

    heading: str
    about: str
    keys: tuple[Key, ...]


def sections() -> Iterator[Section]:
    """Everything that can stand in a scenario file."""
    yield from _tables(Scenario, "", "At the top of the file", {})
    yield Section("do, of [[clients]]", "What a client does, one thing after the other.", tuple(_actions()))
    about = f"What holds if it is not given is that of {DEFAULT}. tcpemu run --set takes them too."
    yield Section("sysctls, of [server] and [[clients]]", about, tuple(_sysctls()))


# ------------------------------------------------------------------------------------------ tables


def _tables(model: Model, path: str, heading: str, seen: dict[Model, str]) -> Iterator[Section]:
    """The table and those in it; one that stands in several places is told once."""
    seen[model] = heading
    fields = sorted(model.model_fields.items(), key=lambda item: item[0] not in model.__annotations__)
    keys = [_key(model, name, field) for name, field in fields if not _is_table(field)]
    yield Section(heading, (model.__doc__ or "").partition("\n")[0], tuple(keys))
    for name, field in model.model_fields.items():
        below = f"{path}.{field.alias or name}".lstrip(".")
        title = f"[[{below}]]" if get_origin(field.annotation) is tuple else f"[{below}]"
        for inner in models_in(field.annotation):
            if inner in seen:
                yield Section(title, f"{field.description} Its keys are those of {seen[inner]}.", ())
            elif inner is not Act:
                yield from _tables(inner, below, title, seen)


def _is_table(field: FieldInfo) -> bool:
    """Whether it can be nothing else, so that it has a section of its own."""
    return any(models_in(field.annotation)) and _kind(field.annotation, field.metadata) in _TABLES


def _key(model: Model, name: str, field: FieldInfo) -> Key:
    key = field.alias or name
    default = defaults_of(model).get(key)
    return Key(
        example=example_of(model, key),
        kind=_kind(field.annotation, field.metadata),
        default=in_toml(default) if default not in _NOTHING else "",
        required=field.is_required(),
        about=" ".join((field.description or "").split()),
    )


def defaults_of(model: Model) -> dict[str, Any]:
    """The value of each key that is not given, as it would stand in a file."""
    defaults: dict[str, Any] = model.model_construct().model_dump(mode="json", by_alias=True)
    return defaults


def example_of(model: Model, key: str) -> str:
    """The line of EXAMPLES for a key; empty for one that is a table."""
    lines = [line for each in model.__mro__ for line in EXAMPLES.get(each.__name__, "").splitlines()]
    return next((line for line in lines if line.startswith(f"{key} =")), "")


# ------------------------------------------------------------------------------------------ kinds


def _kind(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What may stand there: `time`, `whole number, 1 or more`."""
    metadata = list(metadata)
    for extra in metadata:
        if isinstance(extra, BeforeValidator):
            if extra.func in _KINDS:
                return _KINDS[extra.func]
            if get_origin(extra.json_schema_input_type) in _UNIONS:
                return _kind(extra.json_schema_input_type)
    inner = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _kind(inner[0], _flat(inner[1:]))
        case origin if origin is Literal:
            return " or ".join(map(in_toml, inner)) if len(inner) <= MOST_WORDS else "word"
        case origin if origin in _UNIONS:
            return " or ".join(dict.fromkeys(_kind(each) for each in inner if each is not NoneType))
        case origin if origin is tuple:
            return f"list, each a {_kind(inner[0])}"
    return _PLAIN.get(get_origin(annotation) or annotation, "table") + _bounds(metadata)


def _flat(metadata: Iterable[Any]) -> list[Any]:
    """Bounds stand in a FieldInfo where a type has them of its own."""
    return [one for each in metadata for one in (each.metadata if isinstance(each, FieldInfo) else [each])]


def _bounds(metadata: Iterable[Any]) -> str:
    least = most = None
    for each in metadata:
        least = getattr(each, "ge", least)
        most = getattr(each, "le", most)
        most = each.lt - 1 if hasattr(each, "lt") else most
    if least is None:
        return ""
    return f", {least} or more" if most is None else f", {least} to {most}"


# ------------------------------------------------------------------------------------------ lists


def capital(text: str) -> str:
    """With a capital letter in front."""
    return text[:1].upper() + text[1:]


def _actions() -> Iterator[Key]:
    for word, meaning in MEANINGS.items():
        yield Key(in_toml(word), "", "", False, meaning)
    for name, field in Act.model_fields.items():
        key = _key(Act, name, field)
        yield Key(f"{{ {key.example} }}", key.kind, "", False, key.about)


def _sysctls() -> Iterator[Key]:
    for name, sysctl in SYSCTLS.items():
        default = " ".join(map(str, sysctl.default)) if isinstance(sysctl.default, tuple) else sysctl.default
        yield Key(f'"{name}"', "", in_toml(default), False, f"{capital(sysctl.about)}.")
