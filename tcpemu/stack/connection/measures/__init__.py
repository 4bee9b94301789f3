"""Numbers that a connection works with: windows, sizes, round-trip times, limits.

blackhole.py          whether something on the way swallows Fast Open
buffer_tuning.py      the receive buffer follows what the application reads in a round trip
first_window.py       the window of a SYN or SYN|ACK, its clamp and scale
header_prediction.py  whether a segment is just what was expected, and the memory for it there already
initial_numbers.py    initial sequence number and timestamp offset of a flow
ipv6_header.py        what stands in the header of IPv6 alone: flow label and hop limit
known_servers.py      the cookies of Fast Open, and the MSS, by server
mtu_search.py         the search for the path's MTU by data itself
orphan_limit.py       how many connections without an owner there are, and whether too many
path_mtu.py           the MTU of the path to a peer, as ICMP has told it
receive_window.py     the receive window: how it follows the buffer
remembered_peers.py   what is remembered of a peer when a connection ends (tcp_metrics)
reply_limits.py       how often a segment that is refused is answered; challenge ACKs a second
round_trip_time.py    round-trip times and the RTO (RFC 6298)
send_buffer_space.py  the send buffer: what it may take, and what it takes
segment_size.py       the MSS that we announce, and the payload of a full segment
"""
