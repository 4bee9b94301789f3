"""One connection. Each sub-room uses only those before it.

measures/  numbers that it works with: windows, sizes, round-trip times, limits
sending/   what leaves: headers, data as windows allow, ACKs at once or late, repeats
lifetime/  how it begins, changes its state, waits for its timers, and ends
arriving/  a segment arrives: acceptability, RST, SYN, then ACK, data and FIN
"""
