"""Captures of real systems: what is in them, what happened and why.

    reading/        any capture as TCP segments; what is left out is counted and told
    flows/          the connections, and what became of each
    replay/         the emulated host in the place of the real one: the cheapest explanation
    claims/         what is claimed, and how sure it is
    reproducing/    the best explanation, run again
    telling/        lines for people, plain data for programs

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from tcpemu import run_scenario
>>> from tcpemu.diagnose import fate_words, survey
>>> with TemporaryDirectory() as folder:
...     path = Path(folder, "x.pcapng")
...     run_scenario("ignored-ack").save(path)
...     for flow in survey(path).flows:
...         print(flow.client.port, fate_words(flow), flow.repeats_after_opened)
40000 open at the end 0
"""

from tcpemu.diagnose.flows.flow_fate import fate_words
from tcpemu.diagnose.flows.survey import Survey, survey

__all__ = ["Survey", "fate_words", "survey"]
