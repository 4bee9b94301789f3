from tcpemu.network import Conditions, Red
from tcpemu.scenario.format.links.link_tables import Link
from tcpemu.scenario.running.link_conditions import link_conditions

SAID = {
    "delay": "7 ms",
    "jitter": "1 ms",
    "rate": "10 Mbit/s",
    "queue": 20,
    "mark": 5,
    "mtu": 1400,
    "icmp": False,
    "loss": 0.25,
    "burst": 2.0,
    "duplicate": 0.1,
    "reorder": 0.2,
}


def test_all_that_the_table_says_is_there():
    found = link_conditions(
        Link.model_validate({**SAID, "loss_from": "1 s", "loss_until": "2 s"}), "to the server"
    )
    usual = Conditions()
    same = [name for name in Conditions.__dataclass_fields__ if getattr(found, name) == getattr(usual, name)]
    assert set(same) == {"queue_octets", "red", "drop"}
    assert (found.loss_begin, found.loss_until, found.shared) == (10**9, 2 * 10**9, "to the server")


def test_red_and_a_queue_in_octets():
    red = {"least": 5, "most": 15}
    found = link_conditions(Link.model_validate({"rate": "1 Mbit/s", "queue_octets": 30000, "red": red}))
    assert found.queue_octets == 30000
    assert isinstance(found.red, Red)
    assert (found.red.least, found.red.most) == (5, 15)
