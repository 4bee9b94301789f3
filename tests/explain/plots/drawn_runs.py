"""Runs to be drawn, and how to look at a picture."""

from tcpemu.network import MILLISECOND
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build


def runs_of(name, settings=None, until=None):
    return build.run_all(load_scenario.load(name, settings), until)


def value_at(curve, at):
    """The value of a stepped curve at that time."""
    return [value for moment, value in curve.points if moment <= at][-1]


def curve_of(block, meaning):
    return next(curve for panel in block.panels for curve in panel.curves if curve.meaning is meaning)


def marks_of(block):
    return {
        (place, marks.meaning): marks.at for place, panel in enumerate(block.panels) for marks in panel.marks
    }


def ms(*times):
    return tuple(time * MILLISECOND for time in times)
