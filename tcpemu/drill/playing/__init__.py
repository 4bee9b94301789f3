"""What it takes to play a script on any host.

script_player.py      each event at its time; what the host sends, and when, against the script
drill_stage.py        the host's clock, what it has sent, a record of all packets
flow_table.py         which connection a packet belongs to · drill_flow.py: its numbers
inbound_packets.py    packets of the script as they are on the wire
packet_checks.py      a packet of the host against that of the script, field by field
call_arguments.py     arguments as numbers, octets, addresses
result_checks.py      what a call writes into memory against the script
command_checks.py     what a command prints against the script · shell_line.py: a command that a shell runs
code_blocks.py        Python that looks at TCP_INFO
drill_failure.py      why a script does not pass
"""
