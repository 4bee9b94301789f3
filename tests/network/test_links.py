"""Links, from outside: two raw nodes, what one sends and what the record says became of it.

For every link in any conditions:
1. Every packet is received or lost exactly once, unless it is still on its way; a lost one says why.
2. Copies are the only packets that nobody sent, and name a packet that somebody did.
3. Without jitter and reordering, packets arrive in the order in which they were sent.
4. Without loss, rules and a full queue, all arrive.
"""

import itertools
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.network import LOOPBACK, MILLISECOND, SECOND, Conditions, Network, Point, Red, Rule
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.wire.options import NOP, Timestamps
from tcpemu.wire.segment import Segment, address, flags_of

A, B = address("10.0.0.1"), address("10.0.0.2")


def seg(flags="A", payload=b"", seq=0, sport=1000, dport=80, src=A, dst=B):
    return Segment(src, sport, dst, dport, seq, 0, flags_of(flags), 1000, payload=payload)


def run(conditions, segments, gap=0, seed=0, until=10 * SECOND):
    """Send the segments from a to b, `gap` apart, and give the network when all is over."""
    network = Network(seed)
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, conditions)
    for index, segment in enumerate(segments):
        network.at(index * gap, a.send, segment)
    network.run(until)
    return network


def arrivals(network):
    return [(seen.at, seen.segment.seq) for seen in network.record.packets("b", Point.RECEIVED)]


def losses(network):
    return [(seen.segment.seq, seen.why) for seen in network.record.packets(point=Point.LOST)]


def numbered(count, **fields):
    return [seg(seq=index, **fields) for index in range(count)]


def test_a_packet_arrives_after_the_delay():
    network = run(Conditions(delay=10 * MILLISECOND), numbered(2), gap=MILLISECOND)
    assert arrivals(network) == [(10 * MILLISECOND, 0), (11 * MILLISECOND, 1)]
    assert [(e.at, e.node, e.point.value, e.number) for e in network.record.packets()] == [
        (0, "a", "sent", 1),
        (MILLISECOND, "a", "sent", 2),
        (10 * MILLISECOND, "b", "received", 1),
        (11 * MILLISECOND, "b", "received", 2),
    ]


def test_jitter_keeps_within_its_bounds_and_spreads():
    network = run(Conditions(delay=10 * MILLISECOND, jitter=4 * MILLISECOND), numbered(300))
    times = [at for at, _ in arrivals(network)]
    assert len(times) == 300
    assert 6 * MILLISECOND <= min(times) < 7 * MILLISECOND
    assert 13 * MILLISECOND < max(times) <= 14 * MILLISECOND


def test_rate_spaces_packets_by_their_bits():
    # 40 octets of headers and 85 of data are 1,000 bits: 1 ms each at 1 Mbit/s.
    network = run(Conditions(delay=5 * MILLISECOND, rate=1_000_000), numbered(3, payload=bytes(85)))
    assert arrivals(network) == [(6 * MILLISECOND, 0), (7 * MILLISECOND, 1), (8 * MILLISECOND, 2)]


def test_options_take_their_time_too():
    # 40 octets of headers, 12 of options and 73 of data: 1 ms at 1 Mbit/s.
    stamped = seg(payload=bytes(73))._replace(options=(NOP, NOP, Timestamps(1, 0)))
    assert arrivals(run(Conditions(delay=0, rate=1_000_000), [stamped])) == [(MILLISECOND, 0)]


def test_jitter_reaches_both_of_its_bounds():
    network = run(Conditions(delay=1, jitter=1), numbered(100))
    assert {at for at, _ in arrivals(network)} == {0, 1, 2}


def test_an_idle_link_does_not_save_up_its_rate():
    network = run(Conditions(delay=0, rate=1_000_000), numbered(2, payload=bytes(85)), gap=10 * MILLISECOND)
    assert arrivals(network) == [(MILLISECOND, 0), (11 * MILLISECOND, 1)]


def test_what_the_queue_cannot_hold_is_dropped():
    network = run(Conditions(rate=1_000_000, queue=2), numbered(4, payload=bytes(85)))
    assert [seq for _, seq in arrivals(network)] == [0, 1]
    assert losses(network) == [
        (2, "the link's queue is full (2 packets)"),
        (3, "the link's queue is full (2 packets)"),
    ]


def test_a_packet_that_finds_so_many_in_the_queue_is_marked_if_it_is_ecn_capable():
    bits = (2, 2, 2, 0, 1, 3)
    sent = [seg(payload=bytes(85), seq=number)._replace(tos=tos) for number, tos in enumerate(bits)]
    network = run(Conditions(rate=1_000_000, mark=2), sent)
    seen = network.record.packets("b", Point.RECEIVED)
    assert [packet.segment.tos for packet in seen] == [2, 2, 3, 0, 3, 3]
    assert [packet.segment.tos for packet in network.record.packets("a", Point.SENT)] == list(bits)


def test_the_queue_has_room_again_when_a_packet_has_left():
    network = run(Conditions(rate=1_000_000, queue=1), numbered(2, payload=bytes(85)), gap=MILLISECOND)
    assert losses(network) == []


def test_loss_says_its_probability():
    network = run(Conditions(loss=0.05), numbered(1000))
    assert 25 <= len(losses(network)) <= 80
    assert {why for _, why in losses(network)} == {"lost by chance (5 %)"}


def test_certain_loss_loses_all_and_none_loses_none():
    assert len(losses(run(Conditions(loss=1), numbered(20)))) == 20
    assert len(losses(run(Conditions(loss=0), numbered(20)))) == 0


def test_a_copy_has_its_own_number_and_names_its_original():
    network = run(Conditions(duplicate=1), numbered(1))
    assert [(e.point, e.number, e.copy_of) for e in network.record.packets()] == [
        (Point.SENT, 1, None),
        (Point.RECEIVED, 1, None),
        (Point.RECEIVED, 2, 1),
    ]


def test_a_reordered_packet_goes_ahead_without_the_delay():
    network = run(Conditions(delay=10 * MILLISECOND, reorder=0.5), numbered(100), gap=MILLISECOND, seed=3)
    lag = Counter(at - seq * MILLISECOND for at, seq in arrivals(network))
    assert set(lag) == {0, 10 * MILLISECOND}
    assert 30 <= lag[0] <= 70


def test_directions_have_their_own_conditions():
    network = Network()
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, Conditions(delay=MILLISECOND), Conditions(delay=7 * MILLISECOND))
    a.send(seg())
    b.send(seg(src=B, dst=A))
    network.run(SECOND)
    assert [(e.at, e.node) for e in network.record.packets(point=Point.RECEIVED)] == [
        (MILLISECOND, "b"),
        (7 * MILLISECOND, "a"),
    ]


def test_nodes_that_no_link_joins_reach_each_other_in_half_a_millisecond():
    network = Network()
    a = network.raw("a", "10.0.0.1")
    network.raw("b", "10.0.0.2")
    a.send(seg())
    a.send(seg(dst=A))
    network.run(SECOND)
    assert [(e.at, e.node) for e in network.record.packets(point=Point.RECEIVED)] == [
        (LOOPBACK.delay, "a"),
        (500_000, "b"),
    ]


# Rules.


@pytest.mark.parametrize(
    ("rule", "segments", "dropped", "why"),
    [
        (Rule("SA", nth=2), [seg("SA"), seg("S"), seg("SA"), seg("SA")], [2], "the 2nd SYN|ACK"),
        (Rule("A", nth=(1, 3)), [seg()] * 4, [0, 2], "the 1st ACK"),
        *[
            (Rule(nth=n), [seg()] * n, [n - 1], f"the {n}{ending} packet")
            for n, ending in ((3, "rd"), (11, "th"), (12, "th"), (13, "th"), (21, "st"), (113, "th"))
        ],
        (Rule("S", without="A"), [seg("SA"), seg("S"), seg("S")], [1, 2], "every SYN without ACK"),
        (Rule(payload=True), [seg(), seg(payload=b"x")], [1], "every packet with data"),
        (Rule("A", without="S", payload=False, nth=1), [seg("SA"), seg(), seg()], [1],
         "the 1st ACK without SYN without data"),
        (Rule(dport=81), [seg(), seg(dport=81)], [1], "every packet to port 81"),
        (Rule(sport=7, nth=1), [seg(), seg(sport=7)], [1], "the 1st packet from port 7"),
    ],
)  # fmt: skip
def test_a_rule_drops_the_nth_that_matches(rule, segments, dropped, why):
    numbered = [segment._replace(seq=index) for index, segment in enumerate(segments)]
    lost = losses(run(Conditions(drop=(rule,)), numbered))
    assert [seq for seq, _ in lost] == dropped
    assert lost[0][1] == f"dropped by rule: {why}"


def test_a_rule_counts_what_another_rule_drops():
    alone = losses(run(Conditions(drop=(Rule("A", nth=3),)), numbered(5)))
    beside = losses(run(Conditions(drop=(Rule("A", nth=1), Rule("A", nth=3))), numbered(5)))
    assert [seq for seq, _ in alone] == [2]
    assert [seq for seq, _ in beside] == [0, 2]


def test_each_direction_counts_for_itself():
    network = Network()
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, Conditions(drop=(Rule(nth=2),)))
    a.send(seg())
    b.send(seg(src=B, dst=A))
    b.send(seg(src=B, dst=A))
    network.run(SECOND)
    assert [(e.node, e.why) for e in network.record.packets(point=Point.LOST)] == [
        ("b", "dropped by rule: the 2nd packet")
    ]


# Mistakes.


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conditions(delay=-1), r"delay=-1: a time is 0 ns or more"),
        (lambda: Conditions(delay=0.01), r"delay=0\.01: time is a whole number of nanoseconds"),
        (lambda: Conditions(delay=10, jitter=11), r"jitter=11: more than delay=10.*raise delay"),
        (lambda: Conditions(loss=5), r"loss=5: a probability is 0 to 1; 5 % is 0\.05"),
        (lambda: Conditions(duplicate=-0.1), r"duplicate=-0\.1: a probability"),
        (lambda: Conditions(loss=float("nan")), r"loss=nan: a probability"),
        (lambda: Conditions(delay=0, reorder=0.1), r"reorder=0\.1: needs a delay"),
        (lambda: Conditions(rate=0), r"rate=0: a whole number of bit/s, 1 or more"),
        (lambda: Conditions(queue=0), r"queue=0: a whole number of packets"),
        (lambda: Conditions(rate=1000, mark=0), r"mark=0: a whole number of packets"),
        (lambda: Conditions(mark=5), r"mark=5: nothing waits.*set rate"),
        (lambda: Conditions(rate=1000, queue=5, mark=5), r"mark=5: the queue has room for 5.*lower mark"),
        (lambda: Rule("SX"), r"flags='SX': letters of TCP flags, out of FSRPAUECN"),
        (lambda: Rule(without=3), r"without=3: letters"),
        (lambda: Rule(nth=0), r"nth=0: packets are counted from 1"),
        (lambda: Rule(dport=65536), r"dport=65536: a port is 0 to 65535"),
    ],
)
def test_a_mistake_names_the_value_and_the_mend(make, says):
    with pytest.raises(ConfigurationError, match=says):
        make()


# Any conditions.


@st.composite
def any_conditions(draw):
    delay = draw(st.integers(1, 20 * MILLISECOND))
    chance = st.sampled_from([0.0, 0.1, 0.5])
    return Conditions(
        delay=delay,
        jitter=draw(st.sampled_from([0, delay])),
        rate=draw(st.sampled_from([None, 1_000_000])),
        queue=draw(st.sampled_from([2, 1000])),
        loss=draw(chance),
        duplicate=draw(chance),
        reorder=draw(chance),
        drop=draw(st.sampled_from([(), (Rule(nth=2),), (Rule("S"), Rule(payload=True, nth=(1, 4)))])),
    )


traffic = st.lists(
    st.tuples(st.sampled_from(["S", "SA", "A"]), st.sampled_from([b"", b"x", bytes(1000)])), max_size=30
).map(lambda kinds: [seg(flags, payload, index) for index, (flags, payload) in enumerate(kinds)])


@given(any_conditions(), traffic, st.integers(0, MILLISECOND), st.integers(0, 99))
def test_every_packet_is_accounted_for(conditions, segments, gap, seed):
    record = run(conditions, segments, gap, seed).record
    sent = [e.number for e in record.packets(point=Point.SENT)]
    ended = Counter(e.number for e in record.packets() if e.point is not Point.SENT)
    copies = {e.number: e.copy_of for e in record.packets() if e.copy_of is not None}
    assert set(ended.values()) <= {1}
    assert sorted(ended) == sorted([*sent, *copies])
    assert set(copies.values()) <= set(sent)
    assert all(bool(e.why) == (e.point is Point.LOST) for e in record.packets())
    assert [e.at for e in record] == sorted(e.at for e in record)


@given(any_conditions(), traffic, st.integers(0, MILLISECOND), st.integers(0, 99))
def test_order_is_kept_where_nothing_disturbs_it(conditions, segments, gap, seed):
    calm = Conditions(
        conditions.delay, 0, conditions.rate, conditions.queue, conditions.loss, conditions.duplicate
    )
    order = [seq for _, seq in arrivals(run(calm, segments, gap, seed))]
    assert order == sorted(order)


@given(any_conditions(), traffic, st.integers(0, 99))
def test_all_arrive_where_nothing_is_lost(conditions, segments, seed):
    kind = Conditions(conditions.delay, conditions.jitter, conditions.rate, reorder=conditions.reorder)
    network = run(kind, segments, seed=seed)
    assert sorted(seq for _, seq in arrivals(network)) == list(range(len(segments)))


@given(traffic)
def test_a_link_never_exceeds_its_rate(segments):
    rate, delay = 1_000_000, 3 * MILLISECOND
    network = run(Conditions(delay=delay, rate=rate), segments)
    bits = 0
    for at, seq in arrivals(network):
        bits += 8 * (40 + len(segments[seq].payload))
        assert at - delay == bits * SECOND // rate


# Bottlenecks, patterns of loss.


def test_links_that_share_a_bottleneck_wait_for_one_another():
    network = Network(0)
    a, b, c = (network.raw(name, f"10.0.0.{number}") for number, name in enumerate("abc", 1))
    way = Conditions(delay=5 * MILLISECOND, rate=1_000_000, queue=3, shared="up")
    network.link(a, b, way)
    network.link(c, b, Conditions(delay=9 * MILLISECOND, rate=1_000_000, queue=3, shared="up"))
    for number in range(2):  # 1 ms each
        a.send(seg(seq=number, payload=bytes(85)))
        c.send(seg(seq=10 + number, payload=bytes(85), src=address("10.0.0.3")))
    network.run(SECOND)
    assert arrivals(network) == [(6 * MILLISECOND, 0), (8 * MILLISECOND, 1), (11 * MILLISECOND, 10)]
    assert losses(network) == [(11, "the link's queue is full (3 packets)")]


def test_one_bottleneck_has_one_rate():
    network = Network(0)
    a, b, c = (network.raw(name, f"10.0.0.{number}") for number, name in enumerate("abc", 1))
    network.link(a, b, Conditions(rate=1_000_000, shared="up"))
    with pytest.raises(
        ConfigurationError, match="another link has that bottleneck with rate=1000000, queue=1000"
    ):
        network.link(c, b, Conditions(rate=2_000_000, shared="up"))


def test_every_third_packet_is_dropped():
    network = run(Conditions(drop=Rule(every=3)), numbered(10))
    assert losses(network) == [
        (at, f"dropped by rule: the {words} packet") for at, words in ((2, "3rd"), (5, "6th"), (8, "9th"))
    ]
    assert Rule(every=3).words == "every 3rd packet"


def test_bursts_lose_the_same_share_in_runs_of_the_mean_length():
    network = run(Conditions(loss=0.1, burst=5.0), numbered(20_000), until=100 * SECOND)
    lost = sorted(seq for seq, _ in losses(network))
    runs = 1 + sum(later != earlier + 1 for earlier, later in itertools.pairwise(lost))
    assert 0.085 < len(lost) / 20_000 < 0.115
    assert 4.5 < len(lost) / runs < 5.6


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shared": "up"}, "nothing waits on a link without a rate"),
        ({"shared": 1, "rate": 1}, "the name of a bottleneck"),
        ({"burst": 3.0}, "nothing is lost on a link without loss"),
        ({"burst": 0.5, "loss": 0.1}, "packets lost in a row"),
        ({"burst": 2.0, "loss": 0.9}, "not a packet between two bursts"),
    ],
)
def test_what_a_link_cannot_be_is_told(wrong, words):
    with pytest.raises(ConfigurationError, match=words):
        Conditions(**wrong)


def test_a_rule_counts_in_one_way():
    with pytest.raises(ConfigurationError, match=r"every=2 beside nth=.*: keep one of the two"):
        Rule(every=2, nth=1)


# Queues in octets, early detection, losses for a time.


def test_a_queue_in_octets_holds_so_many_and_small_packets_fit_where_large_ones_do_not():
    link = Conditions(delay=0, rate=8_000_000, queue_octets=3000)  # an octet takes a microsecond
    large = [seg(seq=index, payload=bytes(960)) for index in range(4)]  # 1000 octets each
    network = run(link, [*large, seg(seq=9)])
    assert losses(network) == [
        (3, "the link's queue is full (3000 octets)"),
        (9, "the link's queue is full (3000 octets)"),
    ]
    later = run(link, [*large[:3], seg(seq=9)], gap=200_000)
    assert losses(later) == []  # 600 octets have left by then


def test_what_is_left_of_the_packet_on_its_way_counts():
    link = Conditions(delay=0, rate=8_000_000, queue_octets=1000)
    whole = [seg(seq=0, payload=bytes(960)), seg(seq=1, payload=bytes(460))]
    assert losses(run(link, whole, gap=499_000)) == [(1, "the link's queue is full (1000 octets)")]
    assert losses(run(link, whole, gap=500_000)) == []


RED = Red(least=5, most=15, probability=0.1, weight=0.5)


def test_early_detection_leaves_a_short_queue_alone_and_hits_every_packet_of_a_long_one():
    link = Conditions(delay=0, rate=1_000_000, red=RED)
    assert losses(run(link, numbered(5, payload=bytes(960)))) == []
    lost = losses(run(link, numbered(80, payload=bytes(960))))
    assert lost
    assert all(why.startswith("early detection (RED): ") for _, why in lost)
    queued = 80 - len(lost)
    assert queued <= 20  # beyond `most` in the mean nothing more gets in
    assert min(number for number, _ in lost) >= 5


def test_early_detection_marks_what_is_ecn_capable_and_loses_none_of_it():
    link = Conditions(delay=0, rate=1_000_000, red=RED)
    network = run(link, [seg(seq=n, payload=bytes(960))._replace(tos=2) for n in range(60)])
    assert losses(network) == []
    tos = [seen.segment.tos & 3 for seen in network.record.packets("b", Point.RECEIVED)]
    assert set(tos[:5]) == {2}
    assert set(tos[-20:]) == {3}


def test_between_the_limits_a_share_of_the_packets_is_hit_spread_evenly():
    red = Red(least=2, most=22, probability=0.2, weight=1.0)
    link = Conditions(delay=0, rate=8_000_000, red=red)
    # A packet a millisecond into a queue that eleven fill: the mean stays near 12, so about a tenth is hit.
    first = numbered(12, payload=bytes(960))
    network = Network(3)
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, link)
    for segment in first:
        network.at(0, a.send, segment)
    for index in range(2000):
        network.at(MILLISECOND * (index + 1), a.send, seg(seq=100 + index, payload=bytes(960)))
    network.run(10 * SECOND)
    lost = [number for number, _ in losses(network)]
    gaps = [later - one for one, later in itertools.pairwise(lost)]
    assert lost
    assert max(gaps, default=0) <= 2 / 0.005  # never longer than two means where the chance is least


def test_the_mean_falls_while_nobody_waits():
    link = Conditions(delay=0, rate=8_000_000, red=Red(2, 4, 1.0, 0.5))
    network = Network(1)
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, link)
    for moment in (0, SECOND):
        for segment in numbered(4, payload=bytes(960)):
            network.at(moment, a.send, segment)
    network.run(5 * SECOND)
    first, second = (
        [
            number
            for (number, _), at in zip(losses(network), times(network), strict=True)
            if (at < SECOND) is early
        ]
        for early in (True, False)
    )
    assert first == second  # as if it had begun anew


def times(network):
    return [seen.at for seen in network.record.packets(point=Point.LOST)]


def test_losses_by_chance_begin_and_end():
    link = Conditions(delay=0, loss=1.0, loss_begin=3 * MILLISECOND, loss_until=6 * MILLISECOND)
    lost = [number for number, _ in losses(run(link, numbered(10), gap=MILLISECOND))]
    assert lost == [3, 4, 5]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"queue_octets": 0, "rate": 1}, "queue_octets=0: a whole number of octets, 1 or more"),
        ({"queue_octets": 5}, "nothing waits on a link without a rate; set rate or leave queue_octets out"),
        ({"red": RED}, "nothing waits on a link without a rate; set rate or leave red out"),
        ({"red": 5, "rate": 1}, "red=5: give a Red(least, most)"),
        ({"loss_begin": 5}, "without loss: nothing is lost by chance"),
        ({"loss": 0.1, "loss_begin": 5, "loss_until": 5}, "not after loss_begin=5; give a later time"),
    ],
)
def test_what_a_queue_cannot_be_is_told(wrong, words):
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        Conditions(**wrong)


@pytest.mark.parametrize("wrong", [(5, 5), (0, 3), (1, 2, 1.5), (1, 2, 0.1, 0)])
def test_limits_of_early_detection_are_in_order(wrong):
    with pytest.raises(ConfigurationError, match="red: "):
        Red(*wrong)


def test_a_shared_bottleneck_has_one_early_detection():
    network = Network()
    a, b, c = (network.raw(name, f"10.0.0.{n}") for n, name in enumerate("abc", 1))
    network.link(a, c, Conditions(rate=1000, shared="x", red=RED))
    with pytest.raises(ConfigurationError, match="another link has that bottleneck"):
        network.link(b, c, Conditions(rate=1000, shared="x"))
