"""What a run will take, and which runs have transfers that are worth following."""

import pytest

from tcpemu.scenario.format.load_scenario import load_runs
from tcpemu.scenario.running.reckoned_size import A_TRANSFER, FEW_CLIENTS, has_few_transfers, reckoned_octets


@pytest.mark.parametrize(
    ("name", "settings", "few"),
    [
        ("slow-start", {}, True),
        ("path-mtu", {}, True),  # the server sends
        ("slow-start", {"clients.client.count": FEW_CLIENTS}, True),
        ("slow-start", {"clients.client.count": FEW_CLIENTS + 1}, False),
        ("handshake", {}, False),
        ("syn-flood", {}, False),
    ],
)
def test_few_clients_that_send_much_have_transfers_worth_following(name, settings, few):
    assert has_few_transfers(load_runs(name, settings)[0].scenario) is few


def test_a_run_of_a_moment_takes_nothing_and_a_large_one_what_its_data_takes():
    assert reckoned_octets(load_runs("handshake")[0].scenario) == 0
    large = load_runs("slow-start", {"clients.client.count": 100})[0].scenario
    assert reckoned_octets(large) > 100 * 300_000 > A_TRANSFER
