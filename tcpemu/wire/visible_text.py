"""Foreign text made safe to show: what would move a cursor, ring a bell or turn the direction is written as an escape.

It stands here since files that are read and files that are written both need it.
"""

import re

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""The text with each control character, mark of direction and lone surrogate as `\x1b` or `\u202e`.

    Line feeds and tabs stay.
    """
    return _UNSEEN.sub(_escape, text) if not text.isprintable() else text


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
