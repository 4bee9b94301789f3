"""The best explanation as a packetdrill script: made as `tcpemu drill --from` makes one, told what was found."""

from __future__ import annotations

from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.supposed_settings import LARGE
from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError, check_can_make
from tcpemu.diagnose.reproducing.explained_host import ExplainedRun
from tcpemu.drill.drill_from_capture import KnownListener, script_from_packets
from tcpemu.drill.drill_reading import DrillSettings
from tcpemu.drill.writing.seen_conversation import SeenPacket

_MOST_PACKETS = 2_000
"""Of a script that anybody would read."""


def seen_packet(seen: SeenSegment) -> SeenPacket:
    """A segment of a capture, as a script is made of."""
    return SeenPacket(seen.at, seen.segment, seen.length)


def explained_script(run: ExplainedRun, name: str) -> str:
    """The script, which passes on the emulator. Raises CannotMakeError where no guess of the calls does."""
    check_can_make(run.supposed)
    supposed = run.supposed
    packets = [
        seen_packet(seen) for told in run.conversations for seen, _ in told.seen if seen.frame not in run.lost
    ]
    if len(packets) > _MOST_PACKETS:
        raise CannotMakeError(
            f"{len(packets):,} packets are too many for a script; cut out what it is to be about with 'editcap'"
        )
    packets.sort(key=lambda packet: packet.at)
    title = f"// Made from {name}: the best explanation of tcpemu diagnose, {supposed.kernel}, {supposed.words()}."
    written = script_from_packets(
        packets,
        run.address,
        title,
        DrillSettings(generation=supposed.kernel),
        KnownListener(
            None if supposed.backlog == LARGE else supposed.backlog,
            supposed.defer,
            {key: str(value) for key, value in supposed.sysctls().items()},
        ),
    )
    if not written.outcome.passed:
        raise CannotMakeError(
            f"no guess of the server's calls passes; the best ends so: {written.outcome.message}"
        )
    return written.text
