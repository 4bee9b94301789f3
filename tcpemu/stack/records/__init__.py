"""What things are: fields by concern, each with its type, unit and default. No rules.

ack_result.py        what one acknowledgment says and does: the flags of tcp_ack
connection.py        a connection: SND and RCV variables, ACKs owed, timestamps, RTO, what is repeated
delayed_ack_bits.py  the bits that say which ACK is owed
fast_open.py         what Fast Open remembers: of a listener, a connection, a server, the host
host_services.py     what a rule may ask of its host, and tell it
listener.py          a listener and its two queues
loss_recovery.py     how the repair of a loss stands, and RACK's memory
peer_metrics.py      round-trip times remembered of peers (tcp_metrics)
received_data.py     data in order and not read, or beyond a hole
request.py           a half-open connection in the SYN queue
scoreboard.py        what is under way, and what is known of it
send_buffer.py       data that waits to be sent, in the kernel's buffers
sent_pieces.py       one piece under way, its tags, and the order in which pieces were sent
socket_options.py    what setsockopt() has set
time_wait.py         what is left of a connection in TIME_WAIT
windowed_filter.py   the largest or the least of what was measured within a window
"""
