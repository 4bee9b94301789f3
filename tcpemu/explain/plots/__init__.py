"""Pictures of runs. `queues`, `sequence` and `rate` say what is in them, in the terms of `curves`; `draw` draws that.

Only `draw` needs matplotlib.
"""
