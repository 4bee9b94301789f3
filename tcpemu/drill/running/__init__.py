"""A script plays on one emulated host.

script_player.py      each event at its time; what the host sends, and when, against the script
emulated_stage.py     the host, its clock, what it has sent
drill_world.py        all that calls act on · descriptor_table.py: descriptors, epolls
flow_table.py         which connection a packet belongs to · drill_flow.py: its numbers
inbound_packets.py    packets of the script as they are on the wire
packet_checks.py      a packet of the host against that of the script, field by field
call_arguments.py     arguments as numbers, octets, addresses
call_steps.py         sockets, octets, files · waiting_steps.py: poll, epoll, recvmsg · option_steps.py: options
transmit_stamps.py    SO_TIMESTAMPING of what is sent
code_blocks.py        Python that looks at TCP_INFO
drill_failure.py      why a script does not pass
"""
