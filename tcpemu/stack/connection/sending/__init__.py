"""What leaves a connection.

data_out.py           data as both windows, Nagle and the pace allow, FIN behind it
delayed_acks.py       whether an ACK is sent at once, late, or with data
duplicate_reports.py  D-SACK: what came twice is reported (RFC 2883)
probe_timers.py       when to probe: tail loss probe, probe of a closed window
retransmission.py     what is sent again, by recovery or by a timer
stateless_replies.py  a RST, or an ACK, from what is no connection
transmit.py           one segment leaves with the headers that belong to it
"""
