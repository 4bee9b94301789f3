"""The congestion window, and how each kind of congestion control moves it.

cubic.py            CUBIC (RFC 9438)
cwnd_changes.py     what happens to any window, whatever kind moves it
cwnd_validation.py  a window that is not filled must not grow, and shrinks when idle (RFC 2861)
registry.py         each kind by the name that tcp_congestion_control has for it
reno.py             Reno (RFC 5681)
"""
