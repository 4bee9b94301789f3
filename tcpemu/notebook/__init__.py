"""Notebooks: hosts, networks, records and runs show themselves, pictures too, and all that happened as rows for pandas.

    formatters.py    what Jupyter is told when tcpemu is imported in it
    shown_html.py    a host, a network, a record, a run as HTML
    drawing.py       pictures that show themselves
    rows_of_runs.py  what happened as dictionaries, table by table

In a notebook nothing has to be called for the first of these: the value of a cell is shown. The rest:

>>> from tcpemu import run_scenario
>>> from tcpemu.notebook import rows
>>> run = run_scenario("ignored-ack")
>>> packets = rows(run, "packets")  # pandas.DataFrame(packets) makes a table of them
>>> [(one["sender"], one["flags"]) for one in packets[:2]]
[('first', 'S'), ('server', 'SA')]
>>> [one["accept"] for one in rows(run, "queues")][-1]
2
"""

from tcpemu.notebook.drawing import Drawing, plot
from tcpemu.notebook.rows_of_runs import rows

__all__ = ["Drawing", "plot", "rows"]
