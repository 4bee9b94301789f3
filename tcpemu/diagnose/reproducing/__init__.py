"""The best explanation, run again, with all that its connections said.

the run         explained_host.py: the emulated host with its settings, given every segment of the clients
files of it     explained_scenario.py: a scenario · explained_trace.py: a step trace
                explained_script.py: a packetdrill script · cannot_make.py: why there is none
"""
