"""One HTML file with all that it needs in it: the drawing, its style, and the data of each run."""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.report.report_data import PageData, meanings
from tcpemu.version import __version__

SCRIPTS = (
    "draw.js",
    "replay.js",
    "trains.js",
    "ladder.js",
    "windows.js",
    "timeline.js",
    "panel.js",
    "app.js",
)
"""What draws a run and steps through it, in the order in which it is loaded; any page with `view.html` in it can."""
START = "start.js"
_SLOT = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Page:
    """A run and what stands above it."""

    heading: Heading
    about: str
    """What the scenario says of itself."""
    data: PageData


def about_pages(pages: Sequence[Page]) -> dict[str, object]:
    """What is told of the runs of a page beside their data."""
    return {
        "meanings": meanings(page.data for page in pages),
        "runs": [
            {
                "name": page.data["name"],
                "facts": " · ".join(page.heading.facts),
                "about": page.about,
                "look_at": page.heading.look_at,
            }
            for page in pages
        ],
    }


def page_of(title: str, pages: Sequence[Page]) -> str:
    """The file, as text. The data of a run is deflated: it is unpacked when the run is looked at."""
    slots = {
        "head": page_head(),
        "title": escape(title),
        "css": asset("page.css"),
        "js": "\n".join(map(asset, (*SCRIPTS, START))),
        "about": _json(about_pages(pages)),
        "view": page_view(title),
        "runs": "\n".join(_packed(number, page.data) for number, page in enumerate(pages)),
    }
    return filled_page(asset("page.html"), slots)


def page_head() -> str:
    """How any page begins."""
    return filled_page(asset("head.html"), {"generator": f"tcpemu {__version__}"}).rstrip()


def page_view(title: str) -> str:
    """What the scripts draw into, under that title."""
    return filled_page(asset("view.html"), {"title": escape(title)})


def filled_page(template: str, slots: Mapping[str, str]) -> str:
    """All slots at once, so that what stands in one is never taken for another."""
    return _SLOT.sub(lambda slot: slots[slot[1]], template)


def asset(name: str) -> str:
    """The text of a file that a page is made of."""
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _json(data: object) -> str:
    """JSON that can stand in a script element: nothing in it can end the element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _packed(number: int, data: PageData) -> str:
    octets = b64encode(zlib.compress(_json(data).encode(), 9)).decode("ascii")
    return f'<script type="text/plain" id="run-{number}">{octets}</script>'
