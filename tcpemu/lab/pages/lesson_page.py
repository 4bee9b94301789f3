"""The lesson of a lab as a page: its Markdown, with answers hidden until they are asked for."""

import re

from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.pages.lab_page import page_text
from tcpemu.lab.pages.markdown_text import html_of

LESSON_PAGE = "lesson.html"
_TITLE = re.compile(r"# (.+)")


def lesson_text(lab: Lab) -> str:
    """The page of a lab that has a lesson."""
    title = _TITLE.match(lab.lesson)
    return page_text(title[1] if title else lab.file.title, [html_of(lab.lesson)])
