import gc

import pytest

from tcpemu.scenario.running.collector_off import collector_off


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_afterwards_as_it_was(before):
    was_on = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        with collector_off():
            assert not gc.isenabled()
        assert gc.isenabled() is before
    finally:
        (gc.enable if was_on else gc.disable)()
