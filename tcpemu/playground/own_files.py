"""The files of the page that are ours: the page itself, its style, its scripts, our wheel, what it offers."""

import json
from html import escape
from importlib import resources

from tcpemu.explain.report.report_page import SCRIPTS, asset, filled_page, page_head, page_view
from tcpemu.generations import GENERATIONS
from tcpemu.playground.experiments import experiments
from tcpemu.playground.own_wheel import WHEEL, own_wheel

TITLE = "The TCP playground"
PAGE = "index.html"
MODULES = (
    "playground.mjs",
    "engine.mjs",
    "emulator_worker.mjs",
    "shared_link.mjs",
    "control_board.mjs",
    "packet_tools.mjs",
    "side_by_side.mjs",
    "python_console.mjs",
)


def own_files() -> dict[str, bytes]:
    """Each by its name in the folder."""
    files = {name: _own(name) for name in ("playground.css", *MODULES)}
    files |= {name: asset(name) for name in ("page.css", *SCRIPTS)}
    files[PAGE] = _page()
    files["experiments.json"] = json.dumps(experiments(), ensure_ascii=False)
    return {WHEEL: own_wheel(), **{name: text.encode() for name, text in files.items()}}


def _own(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text("utf-8")


def _page() -> str:
    slots = {
        "head": page_head(),
        "title": escape(TITLE),
        "view": page_view(""),
        "scripts": "\n".join(f'<script defer src="{name}"></script>' for name in SCRIPTS),
        "kernels": "".join(f"<option>{escape(name)}</option>" for name in reversed(GENERATIONS)),
    }
    return filled_page(_own(PAGE), slots)
