"""Pictures of runs. Only `draw` needs matplotlib.

- `picture.py`: what a plot shows, as plain data, thinned to what can be seen
- `queues_plot.py`: the queues of listeners against time
- `sequence_plot.py`: the time-sequence graph of one connection
- `rate_plot.py`: accepted connections a second against what the formula says
- `draw.py`: draws a picture with matplotlib
"""
