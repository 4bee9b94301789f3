"""Labs: for each student of a class a capture, a handout and a key of his own, made from a secret; and their marking.

A lab is a folder: `lab.toml` says what is drawn and asked, a scenario what is run, `lesson.md` what is taught. Its
answers are queries in SQL over what happened in each student's run, so nobody types one in.

    format/           what the files of a lab and the list of a class may say
    asking/           what happened in a run, as tables that queries are asked of
    trying/           runs of what is handed in, within bounds
    drawing/          each student's variant and its key
    pages/            handout, lesson and key as HTML
    making/           the folders of students and of the teacher
    marking/          answers and files against the key
    notebook_tools.py what a student's notebook imports
    builtin/          the labs that come with the program
    example/          what `tcpemu lab new` begins with

Each of these folders uses only those above it in this list; `pages`, `making` and `marking` all three.

>>> from tcpemu.lab import Student, draw_variant, load_lab
>>> variant = draw_variant(load_lab("listen-queues"), b"a secret of 16 octets", Student("ada"))
>>> [answer.name for answer in variant.key.answers][:3]
['let_in', 'backlog', 'first_dropped']
>>> len(variant.capture().packets) > 10
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcpemu.lab.drawing.key_file import KeyFile, read_key
    from tcpemu.lab.drawing.variant import Variant, draw_variant
    from tcpemu.lab.format.class_list import Student, read_class
    from tcpemu.lab.format.lab_error import LabError
    from tcpemu.lab.format.load_lab import BUILT_IN_LABS, Lab, load_lab
    from tcpemu.lab.making.make_class import make_class
    from tcpemu.lab.marking.mark_class import mark_class
    from tcpemu.lab.marking.submission import submissions
    from tcpemu.lab.notebook_tools import capture_rows, write_answers

_HOMES = {
    "BUILT_IN_LABS": "tcpemu.lab.format.load_lab",
    "KeyFile": "tcpemu.lab.drawing.key_file",
    "Lab": "tcpemu.lab.format.load_lab",
    "LabError": "tcpemu.lab.format.lab_error",
    "Student": "tcpemu.lab.format.class_list",
    "Variant": "tcpemu.lab.drawing.variant",
    "capture_rows": "tcpemu.lab.notebook_tools",
    "draw_variant": "tcpemu.lab.drawing.variant",
    "load_lab": "tcpemu.lab.format.load_lab",
    "make_class": "tcpemu.lab.making.make_class",
    "mark_class": "tcpemu.lab.marking.mark_class",
    "read_class": "tcpemu.lab.format.class_list",
    "read_key": "tcpemu.lab.drawing.key_file",
    "submissions": "tcpemu.lab.marking.submission",
    "write_answers": "tcpemu.lab.notebook_tools",
}

__all__ = [
    "BUILT_IN_LABS",
    "KeyFile",
    "Lab",
    "LabError",
    "Student",
    "Variant",
    "capture_rows",
    "draw_variant",
    "load_lab",
    "make_class",
    "mark_class",
    "read_class",
    "read_key",
    "submissions",
    "write_answers",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tcpemu.lab' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What help() and completion show, before any of it is loaded."""
    return sorted({*globals(), *__all__})
