"""A segment arrives, cut where RFC 9293 section 3.10.7.4 and the kernel cut it.

segment_arrives.py  the way through all of it, by state; what an ACK does to the state
syn_sent.py         connect(), SYN_SENT, and SYNs that cross
acceptability.py    PAWS, the window, RST, SYN; challenge ACKs (RFC 5961)
ack_arrives.py      the acknowledgment: its worth, TS.Recent, the peer's window, the congestion window (tcp_ack)
acked_data.py       what is acknowledged leaves the scoreboard, and is timed
data_arrives.py     data in order, seen before, or beyond the window
out_of_order.py     data beyond a hole: kept, reported by SACK, joined when the hole is filled
search_tree.py      which of several fragments a new one is compared with
receive_queue.py    data in order waits to be read
memory_pressure.py  a full buffer grows, is tidied up, loses data beyond holes, refuses data
urgent_data.py      the urgent octet: where it lies, and what becomes of it (RFC 6093)
fast_open_syn_ack.py  what answers the SYN of Fast Open: cookie learnt, data taken or sent again
handshake_data.py    data that came with the SYN or SYN|ACK (Fast Open)
icmp_arrives.py     an ICMP error about a segment that was sent
peer_fin.py         the peer's FIN has been reached
"""
