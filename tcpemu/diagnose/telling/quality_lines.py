"""What a capture lacks, said before anything is claimed."""

from collections.abc import Iterator, Sequence

from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.capture_reading import CaptureFacts
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import span_words

USUAL_MSS = 1460


def what_it_lacks(facts: CaptureFacts, flows: Sequence[FlowLife], not_kept: int = 0) -> Iterator[str]:
    """A sentence for each thing that is missing or not as it was on the wire."""
    file = facts.file
    if file.ended:
        yield f"The rest was not read: {file.ended}."
    if file.damaged_blocks:
        yield f"{count(file.damaged_blocks, 'block')} of the file could not be read and was stepped over."
    for why, number in facts.left_out.most_common():
        first = facts.first_left_out[why]
        yield f"{count(number, 'frame')} left out: each {why} (the first is frame {first})."
    if facts.clock_steps:
        yield (
            f"The clock stepped back {count(facts.clock_steps, 'time')}, by {span_words(facts.largest_step, 3)} at "
            f"most, first at frame {facts.first_step}: times across a step mean nothing."
        )
    if facts.out_of_order:
        yield f"{count(facts.out_of_order, 'frame')} stood a little late in the file, as with several interfaces."
    yield from _sums(facts)
    yield from _sizes(facts, flows)
    yield from _unseen(flows)
    if not_kept:
        yield f"{count(not_kept, 'segment')} of further connections was only counted."


def _sums(facts: CaptureFacts) -> Iterator[str]:
    if facts.unfilled:
        yield (
            f"{count(facts.unfilled, 'checksum')} not filled in yet, as at the sender where the network card does "
            f"that: no fault."
        )
    if facts.bad_sums:
        yield (
            f"{count(facts.bad_sums, 'segment')} with a checksum that is wrong, first frame {facts.first_bad_sum}: a "
            f"host that gets it so drops it without a word (TcpInCsumErrors)."
        )
    if facts.snapped:
        yield f"{count(facts.snapped, 'segment')} snapped: not all of its octets are in the file."
    if facts.fragments:
        yield f"{count(facts.fragments, 'packet')} put together of fragments."
    if facts.fragments_missing:
        yield f"{count(facts.fragments_missing, 'packet')} of which a fragment is missing."


def _sizes(_facts: CaptureFacts, flows: Sequence[FlowLife]) -> Iterator[str]:
    long = [
        flow
        for flow in flows
        for side in (flow.client, flow.server)
        if side.longest > (flow.other(side).mss or USUAL_MSS) and side.longest > USUAL_MSS
    ]
    if long:
        yield (
            f"{count(len(long), 'connection')} with segments longer than its MSS, the first flow {long[0].number}: the "
            f"capture was taken where TSO or GRO has them in one piece, so segments on the wire are not counted."
        )


def _unseen(flows: Sequence[FlowLife]) -> Iterator[str]:
    midway = [flow for flow in flows if flow.midway]
    if midway:
        yield f"{count(len(midway), 'connection')} began before the capture: their options and numbers are not known."
    for name, sides in (
        ("client", [flow.client for flow in flows]),
        ("server", [flow.server for flow in flows]),
    ):
        unseen = [side for side in sides if side.unseen]
        if unseen:
            times = sum(side.unseen for side in unseen)
            first = min(side.first_unseen.frame for side in unseen if side.first_unseen)
            yield (
                f"The capture lacks packets of a {name}: {count(times, 'time')} the other end acknowledged what is not "
                f"there, first in frame {first}."
            )
    one_way = sum(not flow.client.frames or not flow.server.frames for flow in flows)
    if flows and one_way == len(flows):
        yield "Only one direction is there: whether anything was answered cannot be told."
