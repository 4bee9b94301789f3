"""How a connection begins, changes its state, waits for its timers, and ends.

chosen_control.py    which congestion control it has, and what changes when another is chosen
closing.py           done, failed, reset, aborted, or left to a bucket; how long an orphan waits in FIN_WAIT2
error_queue.py       what MSG_ERRQUEUE gives: ICMP errors while connecting, the end of sends with MSG_ZEROCOPY
establishing.py      what it is at first, and how SYN_RECV becomes ESTABLISHED
fast_open_end.py     a listener's child by Fast Open has had its final ACK, or is over
keepalive.py         a silent peer is probed and given up; what ends an orphan that is still a connection
orphans.py           what nobody holds any more ends early where there are too many
probes.py            the tail loss probe and the probe of a closed window are sent
state_changes.py     the one place where the state changes
time_wait_bucket.py  TIME_WAIT, and mostly FIN_WAIT2 of an orphan: what answers, what ends it, what takes it over
timeouts.py          the retransmission timer fires: repeat, back off, give up (tcp_retransmit_timer)
"""
