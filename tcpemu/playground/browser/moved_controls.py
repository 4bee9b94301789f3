"""The sliders and switches of the page: where each stands in a scenario, and what it writes into the file.

They are settings of a scenario's file by their paths, and no more: whatever a control does, the file says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from tcpemu.generations import GENERATIONS
from tcpemu.scenario.format.missing_sysctls import LeftOut, without_missing
from tcpemu.scenario.format.scenario_file import ClientGroup, Scenario
from tcpemu.scenario.format.setting_paths import Document, put
from tcpemu.scenario.format.written_values import flat
from tcpemu.stack.base.sysctls import SYSCTLS, Sysctls
from tcpemu.stack.base.units import MILLISECOND

MOST_GROUPS = 3
"""Groups of clients that have sliders of their own."""
LISTEN_PATH = (
    "net.core.somaxconn",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syn_retries",
)
"""The sysctls of the listen path that have a field."""
FAR = 8192
"""No slider for a sysctl goes further."""
_BESIDE = {
    "server.accept.never": ("every", "from", "at", "by_chance", "slow", "pauses", "limit"),
    "server.accept.every": ("never", "at"),
    "server.accept.from": ("never", "at"),
}
"""What cannot stand beside a setting in the table of `accept`."""


@dataclass(frozen=True, slots=True)
class Control:
    """A slider, a switch, a field or a choice."""

    path: str
    """The setting in the file."""
    label: str
    about: str
    kind: str
    """`whole`, `milliseconds`, `percent`, `switch` or `choice`."""
    value: object
    low: int | float = 0
    high: int | float = 0
    """How far the slider goes; its number field takes more."""
    choices: tuple[str, ...] = ()
    group: str = "server"
    """Beneath which title it stands: the server, the link, the clients of that name, sysctls."""


def controls(scenario: Scenario) -> list[Control]:
    """All of them, as they stand in this scenario."""
    found = [*_of_server(scenario), *_of_link(scenario)]
    for group in scenario.clients[:MOST_GROUPS]:
        found += _of_group(group)
    return [*found, *_sysctls(scenario), _duration(scenario)]


def _of_server(scenario: Scenario) -> Iterator[Control]:
    server, accept = scenario.server, scenario.server.accept
    yield Control(
        "server.generation",
        "kernel",
        "which system's rules the server keeps",
        "choice",
        server.generation,
        choices=tuple(reversed(GENERATIONS)),
    )
    yield Control(
        "server.backlog",
        "backlog",
        "the number that the program gives to listen()",
        "whole",
        server.backlog,
        0,
        20,
    )
    yield Control(
        "server.accept.never",
        "never calls accept()",
        "the program is busy: nobody takes connections out of the accept queue",
        "switch",
        accept.never,
    )
    yield Control(
        "server.accept.every",
        "busy with each connection",
        "milliseconds from one accept() that gave a connection to the next call",
        "milliseconds",
        accept.every / MILLISECOND,
        0,
        2000,
    )
    yield Control(
        "server.accept.from",
        "first accept() at",
        "milliseconds from the start of the run",
        "milliseconds",
        accept.begin / MILLISECOND,
        0,
        5000,
    )


def _of_link(scenario: Scenario) -> Iterator[Control]:
    link = scenario.link
    about = "how long a packet travels, one way, in milliseconds"
    yield Control(
        "link.delay", "delay", about, "milliseconds", link.delay / MILLISECOND, 0, 300, group="link"
    )
    share = "the share of packets that are lost, by chance"
    yield Control("link.loss", "loss", share, "percent", round(link.loss * 100, 6), 0, 50, group="link")
    yield Control("seed", "seed", "another number: other chance", "whole", scenario.seed, 1, 50, group="link")


def _of_group(group: ClientGroup) -> Iterator[Control]:
    name, path = group.name, f"clients.{group.name}"
    if group.start.at is None and group.start.until is None:
        yield Control(
            f"{path}.count", "how many", "clients that connect", "whole", group.count or 1, 1, 50, group=name
        )
    if group.start.at is None and group.start.rate is None:
        yield Control(
            f"{path}.start.every",
            "one every",
            "milliseconds from the start of one to that of the next; 0: all at once",
            "milliseconds",
            (group.start.every or 0) / MILLISECOND,
            0,
            1000,
            group=name,
        )
    if group.start.rate is not None:
        rate = float(group.start.rate)
        yield Control(
            f"{path}.start.rate", "starts a second", "how fast they come", "whole", rate, 1, 1000, group=name
        )


def _sysctls(scenario: Scenario) -> Iterator[Control]:
    """Those that the server's kernel has."""
    kernel = GENERATIONS[scenario.server.generation]
    standing = Sysctls(kernel, scenario.server.sysctls)
    for name in LISTEN_PATH:
        if name not in kernel.missing:
            told = SYSCTLS[name]
            most = min(told.high, kernel.limits.get(name, told.high), FAR)
            yield Control(
                name, name, told.about, "whole", standing.get(name), told.low, most, group="sysctls"
            )


def _duration(scenario: Scenario) -> Control:
    about = "how long the run is, in milliseconds of virtual time"
    return Control(
        "duration",
        "ends after",
        about,
        "milliseconds",
        scenario.duration / MILLISECOND,
        100,
        130_000,
        group="link",
    )


def move(document: Document, path: str, value: object) -> list[LeftOut]:
    """Write into the tables that a control stands there, in every variant; what a new kernel does not have goes.

    Gives what went. Raises SettingError.
    """
    left_out: list[LeftOut] = []
    if path == "server.generation":
        fitted, gone = without_missing(document, {path: value})
        document.clear()
        document.update(fitted)
        left_out += gone
        for told in ("about", "look_at"):  # of the kernel that it was written for
            document.pop(told, None)
    _make_room(document, path, value)
    put(document, path, _written(path, value))
    _settle_variants(document, path)
    return left_out


def _written(path: str, value: object) -> object:
    """A time has its unit in the file."""
    is_time = path.endswith((".every", ".from", ".delay")) or path == "duration"
    if is_time and isinstance(value, int | float):
        return f"{round(value * 1000)} us" if value % 1 else f"{value:.0f} ms"
    return value / 100 if path.endswith(".loss") and isinstance(value, int | float) else value


def _make_room(document: Document, path: str, value: object) -> None:
    accept = document.get("server", {}).get("accept")
    for key in _BESIDE.get(path, ()) if isinstance(accept, dict) else ():
        if value is not False:
            accept.pop(key, None)
    above, _, last = path.rpartition(".start.")
    for group in document.get("clients", ()) if above else ():
        if f"clients.{group.get('name')}" != above:
            continue
        start = group.get("start", {})
        group["start"] = start if isinstance(start, dict) else {"from": start}
        if last == "every":
            group.setdefault("count", 1)


def _settle_variants(document: Document, path: str) -> None:
    """What is moved holds in all variants; those that differed in nothing else are one run."""
    variants = document.get("variants")
    if not isinstance(variants, list):
        return
    for variant in variants:
        given = cast(dict[str, Any], flat(variant.get("set", {})))
        variant["set"] = {key: value for key, value in given.items() if key != path}
    document["variants"] = [variant for variant in variants if variant["set"]]
    if not document["variants"]:
        del document["variants"]
