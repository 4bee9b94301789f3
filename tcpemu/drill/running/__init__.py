"""A script plays on one emulated host.

emulated_player.py    time from timer to timer, calls that wait
emulated_stage.py     the host, its clock, what it has sent · emulated_flows.py: its connections
drill_world.py        all that calls act on · descriptor_table.py: descriptors, epolls
emulated_shell.py     what commands set
call_steps.py         sockets, octets, files · waiting_steps.py: poll, epoll, recvmsg · option_steps.py: options
transmit_stamps.py    SO_TIMESTAMPING of what is sent
"""
