"""Everything that is told of a capture before anybody asks about one of its ends."""

from collections.abc import Iterator

from tcpemu.diagnose.flows.survey import Survey
from tcpemu.diagnose.telling.connection_list import flow_table
from tcpemu.diagnose.telling.quality_lines import what_it_lacks
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.time_words import span_words
from tcpemu.explain.lines.wrapping import hanging


def survey_lines(found: Survey, width: int, *, whole: bool = False) -> Iterator[Line]:
    """What the file is, what it lacks, and the table of its connections."""
    facts, file = found.facts, found.facts.file
    packed = f", packed with {file.packed}" if file.packed else ""
    by = f", written by {file.application}" if file.application else ""
    yield line(str(found.path), Role.TITLE)
    yield line(
        f"  {file.kind}{packed}{by}: {count(file.frames, 'frame')} in {span_words(facts.lasts, 4)}, "
        f"{count(facts.segments, 'TCP segment')}"
    )
    yield ()
    yield line("What the capture lacks", Role.TITLE)
    lacks = list(what_it_lacks(facts, found.flows, found.not_kept))
    for sentence in lacks or ["Nothing that it shows itself."]:
        yield from hanging("  -", sentence, 4, width)
    yield ()
    yield line("Connections", Role.TITLE)
    if found.flows:
        yield from flow_table(found.flows, facts.begins, width, whole=whole)
    else:
        yield line("  There are none: no frame of it is a TCP segment.")
