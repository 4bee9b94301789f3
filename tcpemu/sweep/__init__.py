"""Many runs of a scenario, each with other settings or another seed: measured, and told.

Where things are:

    what is to be done      axes.py: the settings that are varied, and their values · plan.py: every point with every
                            seed, and what is measured
    what is measured        run_measures.py: by name, or by a function of one's own · run_tally.py: what is counted
                            while a run goes on
    doing it                measured_run.py: one run · engines.py: by this process, by several, by a cluster ·
                            chunks.py: runs that go out together ·
                            dask_cluster.py: dask's own · journal.py: what is done already ·
                            swept.py: a sweep from its plan to its table
    advice                  advice/: which backlog is enough
    in a test               required.py: that every run meets a target
    what comes of it        outputs.py: CSV, JSON · parquet_file.py: Parquet · estimates.py: means with their
                            confidence intervals · sweep_table.py: for people · sweep_picture.py: as a picture

>>> from tcpemu.sweep import sweep
>>> found = sweep("listen-1-vs-5", {"server.backlog": [0, 1, 5]}, measure=["connected"], settings={"duration": "2 s"})
>>> [(row["server.backlog"], row["connected"]) for row in found.rows()]
[(0, 1), (1, 2), (5, 6)]

>>> from tcpemu.sweep import advise
>>> advise(arrivals=[0] * 8, accept="50 ms", patience="3 s", target="ListenOverflows < 1", seeds=1).backlog
7
"""

from tcpemu.sweep.advice.asked import advise
from tcpemu.sweep.advice.backlog_search import Advice
from tcpemu.sweep.advice.clients_coming import QuestionError
from tcpemu.sweep.axes import Axis, Grid, parse_axis
from tcpemu.sweep.chunks import EngineError
from tcpemu.sweep.engines import Engine, dask, here, processes, spread
from tcpemu.sweep.estimates import Estimate
from tcpemu.sweep.journal import JournalError
from tcpemu.sweep.measured_run import RunError
from tcpemu.sweep.required import require
from tcpemu.sweep.run_measures import MeasureError
from tcpemu.sweep.swept import PointEstimates, Swept, sweep

__all__ = [
    "Advice",
    "Axis",
    "Engine",
    "EngineError",
    "Estimate",
    "Grid",
    "JournalError",
    "MeasureError",
    "PointEstimates",
    "QuestionError",
    "RunError",
    "Swept",
    "advise",
    "dask",
    "here",
    "parse_axis",
    "processes",
    "require",
    "spread",
    "sweep",
]
