"""The frame of every page of a lab: one file of HTML with its style in it, for screens of any width and for paper."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files

from tcpemu.version import __version__

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def page_text(title: str, body: Iterable[str], kind: str = "") -> str:
    """The whole page; `kind` is a class of its style, as `wide`."""
    slots = {
        "title": escape(title),
        "generator": f"tcpemu {__version__}",
        "css": _asset("lab.css"),
        "kind": kind,
        "body": "\n".join(body),
    }
    return _SLOT.sub(lambda slot: slots[slot[1]], _asset("lab.html"))


def table_text(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table whose cells are HTML, in a box that scrolls where it is too wide."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    top = f"<thead><tr>{head}</tr></thead>" if heads else ""
    return f'<div class="scroll"><table class="{kind}">{top}<tbody>\n{lines}</tbody></table></div>'


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
