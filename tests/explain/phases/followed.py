"""Runs whose transfers are followed, and their phases in few words."""

from functools import cache

from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.phases.followed_transfers import followed_transfers
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.load_scenario import load_runs
from tcpemu.scenario.running import build

HEAD = """
title = "t"
duration = "8 s"
[link]
delay = "20 ms"
[server]
then = "read_to_end"
[[clients]]
name = "client"
"""


def followed_run(source, only="", **settings):
    """A built-in scenario, or the text of one, run to its end with its transfers followed."""
    named = {key.replace("__", "."): value for key, value in settings.items()}
    if "\n" in source:
        runs = load_scenario.runs(load_scenario.from_text(source))
        run = runs[0]
    else:
        run = next(each for each in load_runs(source, named) if each.name == only)
    return build.run(run, None, lambda network, _: network.watch_transfers())


def transfers_of(source, only="", **settings):
    """The senders of data of that run, each with its phases."""
    result = followed_run(source, only, **settings)
    return followed_transfers(result.record, rows_of(result.record), result.network.transfers, result.ended)


@cache
def phases(source, only=""):
    """The phases of its first sender."""
    return transfers_of(source, only)[0].phases


def in_short(source, only=""):
    """Kind, cause, end, and milliseconds from when to when."""
    return [
        (type(one).__name__, one.why.name, one.end.name, round(one.at / 1e6, 1), round(one.until / 1e6, 1))
        for one in phases(source, only)
    ]
