"""What Linux would have answered, beside what was answered: as lines, and as packets of a capture."""

from __future__ import annotations

from collections.abc import Iterator

from tcpemu.diagnose.replay.answering_host import Answered, Conversation
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.time_words import seconds
from tcpemu.version import __version__
from tcpemu.wire.capture_values import Capture, Direction, Interface, LinkType, Packet
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.segment import ACK, SYN, Segment

_LONGEST = 65_000
_LISTED = 24
"""Lines of one connection that are shown where it is not asked for all."""


def answer_lines(answered: Answered, begins: int, *, whole: bool) -> Iterator[Line]:
    """For each connection what both sent, what only the capture has, and what only the emulated host has."""
    yield line(f"Answers of {answered.kernel}, beside those of the capture", Role.TITLE)
    if answered.midway:
        yield line(
            f"  {count(answered.midway, 'segment')} of connections that began before the capture: not answered",
            Role.QUIET,
        )
    for told in answered.conversations:
        yield ()
        yield from _of_one(told, answered.kernel, begins, whole=whole)
    if not answered.conversations:
        yield line("  The capture has no connection of that host from its beginning on.")


def _of_one(told: Conversation, kernel: str, begins: int, *, whole: bool) -> Iterator[Line]:
    life = told.life
    real = [seen for seen, outbound in told.seen if outbound]
    only_own = [answer for answer in told.answers if not answer.same_as]
    verdict = f"{len(told.matched)} of {count(len(real), 'segment')} the same"
    more = f" ({len(told.unlike)} with another window or other options)" if told.unlike else ""
    more += f", {count(len(only_own), 'further one')} of {kernel}" if only_own else ""
    yield line(f"  flow {life.number}: {life.client} to {life.server}: {verdict}{more}", Role.TITLE)
    rows = sorted([*_real_rows(told), *_own_rows(told, kernel)], key=lambda row: row[0])
    shown = rows if whole else rows[:_LISTED]
    for at, mark, words, why, role in shown:
        yield (Span(f"  {seconds(at - begins, 6):>12}  ", Role.QUIET), Span(f"{mark:<14}{words}", role))
        if why:
            yield line(f"{'':30}{why}", Role.QUIET)
    if len(shown) < len(rows):
        yield line(f"  and {len(rows) - len(shown):,} more (--all shows them)", Role.QUIET)


def _real_rows(told: Conversation) -> Iterator[tuple[int, str, str, str, Role]]:
    for seen, outbound in told.seen:
        if outbound:
            same = seen.frame in told.matched
            unlike = told.unlike.get(seen.frame, "")
            mark = "both, unlike" if unlike else "both" if same else "capture only"
            words = f"frame {seen.frame}: {_words(seen.segment, told, seen.length)}"
            yield seen.at, mark, words, f"with {unlike}" if unlike else "", Role.PLAIN if same else Role.AGAIN


def _own_rows(told: Conversation, kernel: str) -> Iterator[tuple[int, str, str, str, Role]]:
    for answer in told.answers:
        if not answer.same_as:
            words = _words(answer.segment, told, len(answer.segment.payload))
            yield answer.at, "emulated only", f"{kernel}: {words}", answer.because, Role.OPEN


def _words(segment: Segment, told: Conversation, length: int) -> str:
    life = told.life
    own = life.side_of(segment)
    begins, other = own.isn or 0, life.other(own).isn or 0
    words = [flag_words(segment.flags), f"seq {(segment.seq - begins) & 0xFFFFFFFF}"]
    words += [f"ack {(segment.ack - other) & 0xFFFFFFFF}"] if segment.flags & ACK else []
    words += [f"len {length}"] if length else []
    words.append(f"win {segment.window}")
    options = option_words(segment) if segment.flags & SYN else ""
    return " ".join(words) + (f" ({options})" if options else "")


def answer_capture(answered: Answered) -> Capture:
    """Both as a capture: interface `captured` has the conversation as it was, `emulated` what Linux would have said."""
    packets: list[Packet] = []
    for told in answered.conversations:
        for seen, outbound in told.seen:
            way = Direction.OUTBOUND if outbound else Direction.INBOUND
            does = "sends the same" if seen.frame in told.matched else "does not send this"
            said = f"frame {seen.frame}; {answered.kernel} {does}" if outbound else f"frame {seen.frame}"
            packets.append(Packet(seen.at, _octets(seen.segment), 0, (said,), way))
        for answer in told.answers:
            beside = f"as frame {answer.same_as} of the capture" if answer.same_as else "not in the capture"
            comment = f"{answered.kernel}, {beside}: {answer.because}"
            packets.append(Packet(answer.at, encode(answer.segment), 1, (comment,), Direction.OUTBOUND))
    packets.sort(key=lambda packet: (packet.at, packet.interface))
    interfaces = (
        Interface("captured", LinkType.RAW, "as it was captured, payload as far as it is in the file"),
        Interface("emulated", LinkType.RAW, f"what {answered.kernel} would have sent"),
    )
    return Capture(interfaces, tuple(packets), f"tcpemu {__version__}")


def _octets(segment: Segment) -> bytes:
    """The packet with lengths and checksums filled in; one that no packet can be is cut to what fits."""
    return encode(segment._replace(payload=segment.payload[:_LONGEST], ip_options=b"", flow_label=0))
