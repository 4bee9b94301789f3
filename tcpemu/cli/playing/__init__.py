"""The commands that play steps on one host.

trace_command.py   step traces
drill_command.py   packetdrill scripts · drill_options.py: what the command is asked for
script_command.py  scripts out of captures
"""
