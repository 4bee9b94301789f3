"""Sockets, counters and timers of hosts, as the tools of a real system show them.

- `socket_table.py`: sockets as `ss -tan` lays them out
- `counter_table.py`: counters that moved as `nstat` prints them, with what each counts
- `connection_info.py`: a connection's windows, round-trip times and recovery as `ss -ti` prints them
- `host_state.py`: all of a host at one moment: listeners, queues, sockets, counters, timers
"""
