"""The words about each kernel's listen path are what a host of that kernel does."""

import re

import pytest

from tcpemu.explain.catalogue.kernel_list import kernel_lines, listen_words
from tcpemu.explain.lines.style import plain
from tcpemu.generations import GENERATIONS
from tcpemu.testing.bench import MSS
from tests.generations.rows import flags, listener, soon

FLOOD = 1100


def words(name):
    return listen_words(GENERATIONS[name])


def number(pattern, text):
    return int(re.search(pattern, text)[1].replace(",", ""))


def connect(host, port):
    """Flags of the answers to a client's SYN and to its final ACK."""
    host.send("S", at=soon(host), opts=MSS, port=port)
    first = flags(host.taken())
    if first != ["SA"]:
        return first, []
    host.send("A", 1, 1, at=soon(host), port=port)
    return first, flags(host.taken())


def crowded(name):
    """A host whose accept queue is full, and how many wait there."""
    host = listener(name, 5)
    for port in range(50000, 50040):
        waiting = host.queues()[0]
        met = connect(host, port)
        if host.queues()[0] == waiting:
            return host, waiting, met
    raise AssertionError("never full")


@pytest.mark.parametrize("name", GENERATIONS)
def test_so_many_wait_and_the_next_meets_what_is_said(name):
    _, waiting, (to_syn, to_ack) = crowded(name)
    said = words(name)
    assert number(r"with listen\(5\) (\d+)", said) == waiting
    if to_syn == ["SA"]:
        assert "SYNs are let in" in said or "all SYNs but 2 are dropped" in said
        assert ("final ACKs are answered with RST" if to_ack else "final ACKs are ignored") in said
    elif to_syn:
        assert "SYNs are answered with RST" in said
    else:
        assert "SYNs are dropped" in said or "throw out" in said


@pytest.mark.parametrize("name", [name for name in GENERATIONS if "all SYNs but" in words(name)])
def test_so_many_syns_get_in_beside_a_full_queue(name):
    host, _, _ = crowded(name)
    for port in range(60000, 60005):
        connect(host, port)
    assert host.queues()[1] == number(r"all SYNs but (\d+) are dropped", words(name))


@pytest.mark.parametrize("name", [name for name in GENERATIONS if "Half-open: " in words(name)])
def test_so_many_are_half_open(name):
    host = listener(name, 5)
    for port in range(50000, 50000 + FLOOD):
        host.send("S", at=host.now, opts=MSS, port=port)
    assert host.queues()[1] == number(r"Half-open: ([\d,]+)", words(name))
    assert ("SYN cookies" in words(name)) == ("SyncookiesSent" in host.moved())


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_largest_backlog_is_the_one_in_force(name):
    assert number(r"Largest backlog ([\d,]+)", words(name)) == listener(name, 10**6).queues()[2]
    zero = re.search(r"listen\(0\) is listen\((\d+)\)", words(name))
    assert listener(name, 0).queues()[2] == (int(zero[1]) if zero else 0)


@pytest.mark.parametrize("width", [80, 100])
def test_the_list_has_every_kernel_and_fits(width):
    lines = [plain(each) for each in kernel_lines(width)]
    assert max(map(len, lines)) <= width
    assert [each.split()[0] for each in lines if each[0] != " "] == list(GENERATIONS)
    whole = " ".join(" ".join(lines).split())
    assert all(kernel.about in whole for kernel in GENERATIONS.values())
