"""Stories of runs, and how to look at them."""

from tcpemu.explain.story.turning_points import turning_points
from tcpemu.network import Node
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build

MS = 10**6


FEW = "title = 't'\nduration = '10 s'\n"


def run_of(name, only="", **settings):
    scenario = load_scenario.load(name, {key.replace("__", "."): value for key, value in settings.items()})
    return build.run(next(run for run in load_scenario.runs(scenario) if run.name == only))


def story(result):
    nodes = result.network.nodes.values()
    hosts = {node.name: node.host for node in nodes if isinstance(node, Node)}
    return turning_points(result.record, "server", hosts)


def told(turns):
    """Reason, milliseconds, times."""
    return [(turn.reason, turn.at / MS, turn.times) for turn in turns]


def turn_of(turns, reason):
    (found,) = [turn for turn in turns if turn.reason == reason]
    return found
