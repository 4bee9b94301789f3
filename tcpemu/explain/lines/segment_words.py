"""What a segment is in words: flags, options, kind, and the states of its connection."""

from functools import cache

from tcpemu.explain.lines.count_words import count
from tcpemu.stack.base.states import State
from tcpemu.wire import options as opt
from tcpemu.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment

_FLAG_NAMES = (
    (SYN, "SYN"),
    (FIN, "FIN"),
    (RST, "RST"),
    (PSH, "PSH"),
    (URG, "URG"),
    (ACK, "ACK"),
    (ECE, "ECE"),
    (CWR, "CWR"),
    (AE, "AE"),
)


@cache  # there are no more than 512
def flag_words(flags: int) -> str:
    """The flags by name: `SYN|ACK`; a segment without any is `no flags`."""
    return "|".join([name for bit, name in _FLAG_NAMES if flags & bit]) or "no flags"


def state_word(state: State) -> str:
    """A state as `ss` names it; a connection that is not there is `closed`."""
    return "closed" if state is State.CLOSE else state.ss_name


def option_words(segment: Segment) -> str:
    """The options that a reader cares about, in the order they stand; padding is left out."""
    return ", ".join(word for word in map(_option, segment.options) if word)


def _option(option: opt.Option) -> str:
    match option:
        case opt.Mss(value):
            return f"mss {value}"
        case opt.WScale(shift):
            return f"window scale {shift}"
        case opt.SackOk():
            return "SACK permitted"
        case opt.Sack(blocks):
            return "SACK of " + count(len(blocks), "block")
        case opt.Timestamps():
            return "timestamps"
        case opt.FastOpen(cookie):
            return "Fast Open cookie" if cookie else "asks for a Fast Open cookie"
        case opt.Unknown(kind, _):
            return f"option {kind}"
        case opt.Garbage():
            return "octets that are no option"
        case _:
            return ""


def segment_kind(segment: Segment) -> str:
    """`SYN`, `data`, `ACK`: what a reader calls it."""
    if segment.payload and not segment.flags & (SYN | FIN | RST):
        return "data"
    return flag_words(segment.flags)
