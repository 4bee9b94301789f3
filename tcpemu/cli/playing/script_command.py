"""`tcpemu drill --from`: a script out of a capture."""

import ipaddress
from collections import Counter
from pathlib import Path

from tcpemu.cli.playing.drill_command import FAILED
from tcpemu.cli.printing import check_not_read, check_place
from tcpemu.cli.user_mistakes import UsageError, complain
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.reproducing.explained_script import seen_packet
from tcpemu.drill.drill_from_capture import WrittenScript, script_from_packets
from tcpemu.drill.drill_reading import DrillSettings
from tcpemu.drill.writing.seen_conversation import SeenPacket
from tcpemu.stack import ConfigurationError
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.segment import Address

_MOST_SEGMENTS = 20_000
_MOST_NAMED = 6


def write_script(capture: Path, host: str | None, settings: DrillSettings, output: Path | None) -> int:
    """Write or print the script, and say on standard error what the emulator does with it; gives the exit status."""
    if output is not None:
        check_place(output, (".pkt",))
        check_not_read(output, [capture])
    facts = CaptureFacts()
    packets = _packets(capture, facts)
    address = _host(host, packets)
    title = f"// Made from {capture.name}: what {host} sent and got; what it was called to do is guessed."
    try:
        written = script_from_packets(packets, address, title, settings)
    except ConfigurationError as error:
        raise UsageError(f"{capture}: {error}") from None
    if output is None:
        print(written.text, end="")
    else:
        write_whole(output, written.text)
    return _tell(written, settings, output)


def _packets(capture: Path, facts: CaptureFacts) -> list[SeenPacket]:
    if not capture.is_file():
        raise UsageError(f"{capture}: there is no such file; name a pcap or pcapng file")
    packets: list[SeenPacket] = []
    for seen in segments_of(capture, facts):
        packets.append(seen_packet(seen))
        if len(packets) > _MOST_SEGMENTS:
            raise UsageError(
                f"{capture}: more than {_MOST_SEGMENTS} segments; cut out what the script is to be about"
            )
    return packets


def _host(host: str | None, packets: list[SeenPacket]) -> Address:
    counts = Counter(end for packet in packets for end in (packet.segment.src, packet.segment.dst))
    seen = ", ".join(str(ipaddress.ip_address(end)) for end, _ in counts.most_common(_MOST_NAMED)) or "none"
    if host is None:
        raise UsageError(f"--from needs --host ADDRESS, the host under test; the addresses there are {seen}")
    try:
        address = ipaddress.ip_address(host).packed
    except ValueError:
        raise UsageError(f"--host {host} is no address; those in the capture are {seen}") from None
    if address not in counts:
        raise UsageError(f"--host {host} is not in the capture; the addresses there are {seen}")
    return address


def _tell(written: WrittenScript, settings: DrillSettings, output: Path | None) -> int:
    view, outcome = written.view, written.outcome
    number = len(view.conversations)
    what = f"{len(view.packets)} packets of {number} connection{'s' if number != 1 else ''}"
    if view.midway:
        what += f"; {view.midway} of connections that began before are left out"
    complain(f"{output or 'the script'}: {what}")
    if outcome.passed:
        complain(f"it passes on {settings.generation}")
        return 0
    complain(f"no guess passes on {settings.generation}; of the one that is written, which goes furthest:")
    complain(outcome.message.replace("script:", f"{output or 'script'}:", 1))
    return FAILED
