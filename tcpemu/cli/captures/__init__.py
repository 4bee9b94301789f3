"""Commands about captures of real systems.

options         diagnose_options.py: what `tcpemu diagnose` is asked for
what it does    diagnose_command.py: what is in a capture, what happened and why
"""
