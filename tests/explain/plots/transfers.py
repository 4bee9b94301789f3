"""A transfer to be drawn: 300 kB through a bottleneck, with what goes wrong on the way."""

from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build

UPLOAD = """
title = "An upload"
look_at = "the window"
duration = "20 s"
[link]
delay = "20 ms"
rate = "10 Mbit/s"
queue = 20
[server]
then = "read_to_end"
[[clients]]
name = "client"
do = ["connect", { send = 300000 }, "close"]
"""


def watched(text=UPLOAD, settings=None, until=None):
    """The runs of a scenario whose connections are followed."""
    scenario = load_scenario.from_text(text, settings=settings or {})
    return [
        build.run(one, until, lambda network, _: network.watch_transfers())
        for one in load_scenario.runs(scenario)
    ]
