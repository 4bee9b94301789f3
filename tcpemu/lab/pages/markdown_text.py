"""Markdown to HTML, by markdown-it-py. HTML in it is shown as text, and a quotation that begins with `Answer:` is
hidden until the reader asks for it.
"""

import re
from functools import cache

from markdown_it import MarkdownIt

_ANSWER = re.compile(r"<blockquote>\s*<p>Answer:\s*(.*?)</blockquote>", re.DOTALL)


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html_of(markdown: str) -> str:
    """A text of several paragraphs."""
    text = str(_reader().render(markdown.strip()))
    return _ANSWER.sub(r"<details><summary>Show the answer</summary><p>\1</details>", text)


def line_html(markdown: str) -> str:
    """A text that stands within a line."""
    return str(_reader().renderInline(" ".join(markdown.split())))
