"""A change that the reader made by hand on the page, written into the scenario's text.

Tables are read from the text, changed, and written anew. What is there stays, but comments do not.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from tcpemu.playground.browser.moved_controls import move
from tcpemu.playground.browser.packet_troubles import with_trouble
from tcpemu.playground.browser.shown_scenario import RunScenario
from tcpemu.scenario.format.scenario_text import toml_of
from tcpemu.scenario.format.setting_paths import Document

ADDED = "added"
"""What clients that the reader adds are called."""


def moved(ran: RunScenario, path: str, value: object) -> tuple[str, list[str]]:
    """A control stands elsewhere; gives the text, and what the kernel that was chosen does not have. SettingError."""
    document = ran.document()
    left_out = move(document, path, value)
    return toml_of(document), [
        f"{each.kernel} has no {each.sysctl} ({each.why}): left out" for each in left_out
    ]


def troubled(ran: RunScenario, run: int, packet: int, trouble: Mapping[str, object]) -> str:
    """Something happens to that packet of that run: it is lost, late, doubled, overtaken. Raises TroubleError."""
    document = ran.document()
    with_trouble(document, ran.results[run], packet, trouble)
    return toml_of(document)


def mended(ran: RunScenario, table: str, place: int) -> str:
    """That fault, or that rule of a link, is taken out again."""
    document = ran.document()
    holder: Any = document
    *above, last = table.split(".")
    for step in above:
        holder = _named(holder, step) if isinstance(holder, list) else holder[step]
    del holder[last][place]
    if not holder[last]:
        del holder[last]
    return toml_of(document)


def _named(groups: list[Document], name: str) -> Document:
    return next(group for group in groups if group.get("name") == name)


def with_more(ran: RunScenario, what: str, at: int, group: str | None = None) -> str:
    """One more client, a bare SYN, data of a group of clients, or a RST to all connections, at that time in ns."""
    document = ran.document()
    if what == "data":
        wait = {"wait_until": f"{at} ns"}
        client = _named(document["clients"], group or "")
        client["do"] = [*client.get("do", ["connect"]), wait, {"send": 100}]
    elif what == "reset":
        document.setdefault("faults", []).append({"what": "reset", "at": f"{at} ns"})
    else:
        groups = document.setdefault("clients", [])
        taken = {each.get("name") for each in groups}
        name = next(name for name in _names() if name not in taken)
        groups.append({"name": name, "start": f"{at} ns", "do": ["connect" if what == "client" else "syn"]})
    return toml_of(document)


def _names() -> Iterator[str]:
    yield ADDED
    for number in count(2):
        yield f"{ADDED}-{number}"
