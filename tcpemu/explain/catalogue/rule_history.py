"""Which rule each kernel has, and since which one it is as it is.

A row is a rule; what stands in it comes of asking the generation, so that it cannot say what the emulator does not do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpemu.generations import GENERATIONS, queue_rules
from tcpemu.stack.base.generation import BufferTuning, Generation, StampOffset
from tcpemu.stack.base.sysctls import SYSCTLS
from tcpemu.stack.base.units import MILLISECOND


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule that differs between kernels of Linux."""

    name: str
    asked: Callable[[Generation], object]
    words: Mapping[object, str]
    """What each of its values means; one that is not there is shown as it is."""

    def of(self, kernel: Generation) -> str:
        """The rule of that kernel, in words."""
        value = self.asked(kernel)
        if isinstance(value, tuple) and value not in self.words:
            return " ".join(map(str, value))
        return self.words.get(value, str(value))


def _sysctl(name: str) -> RuleRow:
    default = SYSCTLS[name].default
    return RuleRow(name, lambda kernel: kernel.sysctls.get(name, default), {})


RULES: tuple[RuleRow, ...] = (
    RuleRow(
        "the SYN queue is full when",
        lambda kernel: kernel.queues.syn_full,
        {
            queue_rules.never_half_open: "never by itself",
            queue_rules.half_open_more_than_limit: "Q > tcp_max_syn_backlog",
            queue_rules.half_open_fill_table: "Q fills its table",
            queue_rules.half_open_at_least: "Q >= N",
            queue_rules.half_open_more_than: "Q > N",
        },
    ),
    RuleRow(
        "a SYN answered with a cookie is a ListenDrop",
        lambda kernel: kernel.queues.counts_cookies,
        {True: "yes", False: "no"},
    ),
    RuleRow(
        "ECN bits in a RST without a connection",
        lambda kernel: kernel.wire.reply_keeps_ecn,
        {True: "of what it answers", False: "none"},
    ),
    RuleRow(
        "a tick of the timestamps' clock",
        lambda kernel: kernel.wire.stamp_tick // MILLISECOND,
        {1: "1 ms", 4: "4 ms", 10: "10 ms"},
    ),
    RuleRow(
        "a RST in a request's window, but not exact",
        lambda kernel: kernel.challenge_inexact_rst,
        {True: "challenge ACK", False: "ignored"},
    ),
    RuleRow(
        "a RST for a request, whose ACK is wrong",
        lambda kernel: kernel.bad_ack_spares_request,
        {True: "leaves the request", False: "counts as any RST"},
    ),
    RuleRow(
        "SYN|ACKs sent again echo",
        lambda kernel: kernel.request_takes_stamps,
        {True: "the latest timestamp", False: "that of the first SYN"},
    ),
    RuleRow(
        "the TSecr of a final ACK is tested", lambda kernel: kernel.check_tsecr, {True: "yes", False: "no"}
    ),
    RuleRow(
        "timestamps are moved for each",
        lambda kernel: kernel.wire.stamp_offset,
        {
            StampOffset.NONE: "none",
            StampOffset.BY_FLOW: "flow",
            StampOffset.BY_PEER: "pair of addresses",
        },
    ),
    RuleRow(
        "an ACK for what was not sent",
        lambda kernel: kernel.arrivals.challenges_unsent,
        {True: "challenge ACK", False: "silence"},
    ),
    RuleRow(
        "a SYN with an old timestamp, on a connection",
        lambda kernel: kernel.arrivals.challenges_old_syn,
        {True: "challenge ACK", False: "as any old segment"},
    ),
    RuleRow(
        "a bare ACK, old by number and timestamp",
        lambda kernel: kernel.arrivals.drops_old_acks,
        {True: "silence", False: "answered"},
    ),
    RuleRow(
        "a duplicate ACK's timestamp may be late by",
        lambda kernel: kernel.arrivals.overtaken_by,
        {(12, 10): "1.2 RTO", (1024, 1000): "1.024 RTO"},
    ),
    RuleRow(
        "the SYN|ACK of a simultaneous open",
        lambda kernel: kernel.arrivals.takes_crossed,
        {True: "makes the connection", False: "challenge ACK"},
    ),
    RuleRow(
        "data with an overtaken ACK, while closing",
        lambda kernel: kernel.arrivals.takes_old_acks,
        {True: "taken", False: "challenge ACK"},
    ),
    RuleRow(
        "the timestamp of an overtaken ACK",
        lambda kernel: kernel.arrivals.old_acks_stamp,
        {True: "echoed", False: "not echoed"},
    ),
    RuleRow(
        "a window of 0 in an older segment",
        lambda kernel: kernel.arrivals.zero_window_counts,
        {True: "counts", False: "does not count"},
    ),
    RuleRow(
        "the peer's segment size is guessed from",
        lambda kernel: kernel.arrivals.measures_beyond_hole,
        {True: "all data", False: "data in order"},
    ),
    RuleRow(
        "another path is tried when",
        lambda kernel: kernel.arrivals.rehashes_repeats,
        {True: "old data comes twice", False: "a flow label changes"},
    ),
    RuleRow(
        "data beyond the window, with some unread",
        lambda kernel: kernel.beyond_window,
        {True: "refused", False: "taken"},
    ),
    RuleRow(
        "the receive window's share of the buffer is",
        lambda kernel: kernel.windows.measures,
        {True: "measured on segments", False: "always one half"},
    ),
    RuleRow(
        "when that share changes, what changes is",
        lambda kernel: kernel.windows.follows_share,
        {True: "the window, at once", False: "the window's limit"},
    ),
    RuleRow(
        "the receive buffer grows by",
        lambda kernel: kernel.windows.tuning,
        {
            BufferTuning.BY_GROWTH: "growth and holes",
            BufferTuning.BY_SHARE: "the share shown",
            BufferTuning.BY_SEGMENTS: "full segments",
        },
    ),
    RuleRow(
        "SO_RCVBUF on a connection changes",
        lambda kernel: kernel.windows.buffer_moves_clamp,
        {True: "the window's limit too", False: "the buffer alone"},
    ),
    RuleRow(
        "a connection begins with a larger buffer",
        lambda kernel: kernel.windows.widens_at_start,
        {True: "yes", False: "no"},
    ),
    RuleRow(
        "data beyond a hole lets the window grow",
        lambda kernel: kernel.windows.grows_without_sack,
        {True: "always", False: "with SACK"},
    ),
    RuleRow(
        "TCP_WINDOW_CLAMP on a connection changes",
        lambda kernel: kernel.windows.clamp_holds_at_once,
        {True: "its window", False: "the window's limit"},
    ),
    RuleRow(
        "a connection begins with a window of",
        lambda kernel: kernel.windows.first_is_limited,
        {True: "65535 at most", False: "what the buffer allows"},
    ),
    RuleRow(
        "a segment is kept back of the window",
        lambda kernel: kernel.windows.stamps_count,
        {True: "less its timestamps", False: "whole"},
    ),
    RuleRow("the head of a short segment takes", lambda kernel: kernel.windows.small_head, {}),
    RuleRow(
        "that head has room for what GRO pulls",
        lambda kernel: kernel.windows.head_fits_pull,
        {True: "yes", False: "no"},
    ),
    RuleRow(
        "a long segment from a TUN device takes",
        lambda kernel: kernel.windows.pages_behind_head,
        {True: "a page and more", False: "one large head"},
    ),
    RuleRow(
        "data that there is no memory for gets",
        lambda kernel: kernel.windows.none_without_memory,
        {True: "window 0", False: "an ACK"},
    ),
    RuleRow(
        "for want of memory it throws away what is",
        lambda kernel: kernel.windows.spares_older,
        {True: "beyond the new segment", False: "beyond the hole"},
    ),
    RuleRow(
        "an echo within a tick is a round trip of",
        lambda kernel: kernel.windows.least_echo,
        {0: "nothing", 1: "1 tick"},
    ),
    RuleRow("an empty buffer of data to send takes", lambda kernel: kernel.sending.buffer_memory, {}),
    RuleRow(
        "a small buffer is filled before it is sent",
        lambda kernel: kernel.sending.fills_first,
        {True: "yes", False: "no"},
    ),
    RuleRow(
        "a small piece waits for an ACK that comes",
        lambda kernel: kernel.sending.ack_is_due_by_round_trip,
        {True: "within a millisecond", False: "within half a trip"},
    ),
    RuleRow(
        "a delayed ACK waits at most",
        lambda kernel: kernel.sending.acks_before_least_rto,
        {True: "a tick less than the least RTO", False: "200 ms"},
    ),
    RuleRow(
        "a FIN waits for the congestion window",
        lambda kernel: kernel.sending.fin_needs_room,
        {True: "yes", False: "no"},
    ),
    RuleRow(
        "PRR lets one more out for ACKs of",
        lambda kernel: kernel.sending.counts_progress,
        {True: "progress", False: "retransmissions"},
    ),
    RuleRow(
        "a piece of several segments ends with PSH",
        lambda kernel: kernel.sending.pushes_pieces,
        {True: "always", False: "as its data does"},
    ),
    RuleRow(
        "TCPTimeouts counts",
        lambda kernel: kernel.sending.counts_time_outs,
        {True: "every time-out", False: "the first in a row"},
    ),
    RuleRow(
        "data of a SYN that its SYN|ACK leaves out",
        lambda kernel: kernel.sending.syn_data_is_lost,
        {True: "counts as lost", False: "is sent again"},
    ),
    RuleRow(
        "the counter TW moves",
        lambda kernel: kernel.counts_time_wait_at_end,
        {True: "when TIME_WAIT ends", False: "when TIME_WAIT begins"},
    ),
    *map(
        _sysctl,
        (
            "net.ipv4.tcp_syn_linear_timeouts",
            "net.ipv4.tcp_challenge_ack_limit",
            "net.ipv4.tcp_rmem",
            "net.core.rmem_max",
        ),
    ),
)
"""The rules that were told apart by asking kernels; N is the backlog, Q the half-open connections."""


def differing(first: Generation, second: Generation) -> Iterator[tuple[str, str, str]]:
    """The rules in which two kernels differ: its name, the first one's and the second one's."""
    for rule in RULES:
        own, other = rule.of(first), rule.of(second)
        if own != other:
            yield rule.name, own, other


def differing_rows(kernels: Sequence[Generation]) -> list[tuple[str, list[str]]]:
    """The rules that are not the same in all of these kernels, each with what it is in every one."""
    rows = [(rule.name, [rule.of(kernel) for kernel in kernels]) for rule in RULES]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def new_in(name: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The kernel of the same family before this one, and which rules are others since; none for the oldest."""
    family = name.partition("-")[0]
    kin = [each for each in GENERATIONS if each.startswith(f"{family}-")]
    place = kin.index(name)
    if family != "linux" or not place:
        return "", []
    return kin[place - 1], list(differing(GENERATIONS[kin[place - 1]], GENERATIONS[name]))
