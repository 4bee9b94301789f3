"""Scenarios with Fast Open: the first client of a host is given a cookie, and later ones send data with their SYN."""

import pytest

from tcpemu.network import Point
from tcpemu.scenario.format.load_scenario import from_document, runs
from tcpemu.scenario.running.build import run
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.wire.segment import SYN


def visits(bits=3, server=(), client=("fastopen_connect",)):
    document = {
        "title": "visits",
        "duration": "3 s",
        "link": {"delay": "20 ms"},
        "server": {
            "options": {"fastopen": 5, **dict.fromkeys(server, True)},
            "sysctls": {"net.ipv4.tcp_fastopen": bits},
            "do": ["recv", {"send": 10}, "close"],
        },
        "clients": [
            {
                "name": "client",
                "start": {"at": ["0 s", "1 s"]},
                "options": dict.fromkeys(client, True),
                "do": ["connect", {"send": "hello"}, "read_to_end", "close"],
            }
        ],
    }
    (one,) = runs(from_document(document))
    return run(one)


def on_syns(result):
    """Octets that each SYN of the clients carried."""
    sent = result.record.packets("client", Point.SENT)
    return [len(seen.segment.payload) for seen in sent if seen.segment.flags & SYN]


def test_the_second_client_has_its_answer_a_round_trip_earlier():
    result = visits()
    assert on_syns(result) == [0, 5]
    first, second = result.clients
    assert (first.received, second.received) == (10, 10)
    assert (first.ended - second.ended + 1000 * MS) == 40 * MS


@pytest.mark.parametrize(("bits", "client"), [(1, ("fastopen_connect",)), (3, ())])
def test_it_takes_both_ends(bits, client):
    result = visits(bits, client=client)
    assert on_syns(result) == [0, 0]
    assert [one.received for one in result.clients] == [10, 10]


def test_without_cookies_the_first_one_has_too():
    result = visits(server=("fastopen_no_cookie",), client=("fastopen_connect", "fastopen_no_cookie"))
    assert on_syns(result) == [5, 5]
