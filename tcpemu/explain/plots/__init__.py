"""Pictures of runs. Only `draw` needs matplotlib.

- `picture.py`: what a plot shows, as plain data, thinned to what can be seen
- `queues_plot.py`: the queues of listeners against time
- `sequence_plot.py`: the time-sequence graph of one connection
- `transfer_view.py`: one transfer as the plots below need it
- `cwnd_plot.py`: congestion window, threshold, in flight, states of recovery
- `rtt_plot.py`: round-trip times and the time-out
- `throughput_plot.py`: bits a second of each connection
- `runs_plot.py`: windows, data and round-trip times of several runs upon one another
- `ladder_plot.py`: a run as a ladder for a slide, its data as trains
- `rate_plot.py`: accepted connections a second against what the formula says
- `draw.py`: draws a picture with matplotlib
- `draw_ladder.py`: draws a ladder with it
- `in_grey.py`: turns what is drawn into black and greys, for print
"""
