"""What became of a connection: the fate, and a sentence about it."""

from tcpemu.diagnose.flows.flow_life import LONG_IDLE, Fate, FlowLife, FlowSide
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import span_words
from tcpemu.stack.base.sequence_numbers import before
from tcpemu.wire.segment import address_text

_LISTED = 3


def fate_of(flow: FlowLife) -> Fate:
    """What became of it, by what the capture shows; a RST that came after everything was said and done is none."""
    client, server = flow.client, flow.server
    if flow.reset_by is not None and not _all_said(flow):
        refused = (
            flow.reset_by is server and flow.answered is None and flow.opened is None and client.syn_count
        )
        return Fate.REFUSED if refused else Fate.RESET
    if client.fin is not None and server.fin is not None:
        return Fate.CLOSED
    if client.fin is not None or server.fin is not None:
        return Fate.HALF_CLOSED
    if client.syn_count and flow.opened is None:
        return Fate.HALF_OPEN if flow.answered else Fate.UNANSWERED
    if not client.syn_count and server.syn_count and flow.opened is None:
        return Fate.HALF_OPEN
    return Fate.OPEN


def _all_said(flow: FlowLife) -> bool:
    """Whether both ends had sent a FIN, and each that of the other was acknowledged, before the RST."""
    client, server, by = flow.client, flow.server, flow.reset_by
    if client.fin is None or server.fin is None or by is None or by.reset is None:
        return False
    if by.reset.frame < max(client.fin.frame, server.fin.frame):
        return False
    return _has_acked(client, server) and _has_acked(server, client)


def _has_acked(side: FlowSide, other: FlowSide) -> bool:
    return side.acked is not None and not before(side.acked, other.fin_end)


def fate_words(flow: FlowLife) -> str:
    """One sentence, without its full stop."""
    fate = fate_of(flow)
    client, server = flow.client, flow.server
    first = flow.name_of(flow.first_close) if flow.first_close else ""
    match fate:
        case Fate.UNANSWERED:
            waited = flow.ends.at - flow.begins.at
            over = f" in {span_words(waited, 3)}" if client.syn_count > 1 else ""
            return f"unanswered: {count(client.syn_count, 'SYN')}{over}"
        case Fate.REFUSED:
            times = f", {count(client.syn_count, 'SYN')}" if client.syn_count > 1 else ""
            return f"refused: RST instead of a SYN|ACK{times}"
        case Fate.HALF_OPEN:
            return f"never completed: {count(server.syn_count, 'SYN|ACK')}, no ACK of the client"
        case Fate.RESET:
            by = flow.reset_by or server
            return f"reset by the {flow.name_of(by)} {flow.reset_phase}"
        case Fate.CLOSED:
            return f"closed, the {first} first"
        case Fate.HALF_CLOSED:
            lone = flow.first_close and not flow.other(flow.first_close).frames
            rest = "nothing of the other end is there" if lone else "the other end is still open"
            return f"closed by the {first} alone; {rest}"
    return "open at the end"


def remarks(flow: FlowLife) -> list[str]:
    """What else is worth a word: repeats, waits, what the capture lacks of it."""
    client, server = flow.client, flow.server
    told: list[str] = []
    if flow.midway:
        told.append(f"it began before the capture; {client} is taken for the client by {flow.guess.value}")
    if client.syn_count > 1 and flow.answered is not None:
        told.append(f"the SYN came {client.syn_count} times")
    if flow.repeats_after_opened:
        told.append(
            f"the SYN|ACK came again {count(flow.repeats_after_opened, 'time')} after the client's ACK, first in "
            f"frame {flow.first_after_opened.frame if flow.first_after_opened else 0}"
        )
    elif server.syn_count > 1:
        told.append(f"the SYN|ACK came {server.syn_count} times")
    for note in flow.icmp[:_LISTED]:
        of = "client" if note.by_client else "server"
        told.append(
            f"ICMP of {address_text(note.source)} about the {of}'s segment: {note.says}, frame {note.frame}"
        )
    for side in (client, server):
        told += _remarks_of_side(flow, side)
    if flow.longest_idle >= LONG_IDLE and flow.idle_until is not None:
        told.append(
            f"{span_words(flow.longest_idle, 3)} without a segment before frame {flow.idle_until.frame}"
        )
    return told


def _remarks_of_side(flow: FlowLife, side: FlowSide) -> list[str]:
    name = flow.name_of(side)
    told = []
    if side.repeats and side.first_repeat:
        times = count(side.repeats, "segment")
        octets = count(side.repeated_octets, "octet")
        told.append(
            f"the {name} sent {times} of data again ({octets}), first in frame {side.first_repeat.frame}"
        )
    if left := flow.unacknowledged(side):
        told.append(f"{count(left, 'octet')} of the {name} had not been acknowledged at the end")
    if side.zero_windows and side.first_zero_window:
        told.append(f"the {name} closed its window, first in frame {side.first_zero_window.frame}")
    if side.vain_resets and side.reset:
        told.append(
            f"the RST in frame {side.reset.frame} did not end it: the {name} went on, somebody else may have sent it"
        )
    if side.fin_count > 1:
        told.append(f"the FIN of the {name} came {side.fin_count} times")
    if side.unseen and side.first_unseen:
        told.append(
            f"the capture lacks something of the {name}: frame {side.first_unseen.frame} acknowledges it"
        )
    return told
