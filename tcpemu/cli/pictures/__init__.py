"""Commands that draw.

options         plot_options.py: what `tcpemu plot` is asked for
what it does    plot_command.py: a picture of a run, or of all runs of a scenario
"""
