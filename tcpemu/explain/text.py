"""A run as text, for programs that print it."""

from tcpemu.explain.ladder import ladder
from tcpemu.explain.style import text
from tcpemu.network.record import Record


def ladder_text(record: Record, width: int = 100) -> str:
    """The ladder of a run, none of its lines longer than `width` (80 or more), without colours."""
    return text(ladder(record, width=width))
