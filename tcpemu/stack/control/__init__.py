"""The congestion window, and how each kind of congestion control moves it.

bbr.py              BBR, version 1: by the rate at which the path delivers
busy_times.py       how long it was busy, and what held it back
control_moment.py   the moment that a control goes by
cubic.py            CUBIC (RFC 9438)
cwnd_changes.py     what happens to any window, whatever kind moves it
cwnd_validation.py  a window that is not filled must not grow, and shrinks when idle (RFC 2861)
dctcp.py            DCTCP (RFC 8257): by the share of packets that the path marks
delivery_rate.py    what each ACK tells of the path's rate
hystart.py          CUBIC's early end of slow start
pacing_rate.py      the pace, and how many segments go out in one piece
registry.py         each kind by the name that tcp_congestion_control has for it
reno.py             Reno (RFC 5681)
unconcerned.py      what a kind says at the hooks that are none of its concern
"""
