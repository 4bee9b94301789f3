"""The best explanation, run again, with all that its connections said.

the run         explained_host.py: the emulated host with its settings, given every segment of the clients
"""
