"""What leaves a connection.

compressed_acks.py    one ACK for several duplicates
data_out.py           data as both windows, Nagle and the pace allow, then FIN
delayed_acks.py       whether an ACK is sent at once, late (and when), or with data
duplicate_reports.py  D-SACK: what came twice is reported (RFC 2883)
ecn_echo.py           what is echoed of the marks that routers set on packets: RFC 3168's way, and DCTCP's
fast_open_syn.py      the SYN that carries data, or asks for a cookie
mtu_probe.py          whether new data goes out in a larger packet, to see whether the path carries it
pacing.py             segments leave no faster than the pace
probe_timers.py       when to probe: tail loss probe, probe of a closed window
retransmission.py     what is sent again, by recovery or by a timer
stateless_replies.py  a RST or an ACK where there is no connection to send it
transmit.py           one segment leaves with the headers that belong to it; PSH on the last of several
write_buffers.py      send() fills buffers; which data is marked PSH
"""
