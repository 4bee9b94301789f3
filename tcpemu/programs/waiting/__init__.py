"""Who runs and who stands still: one thread at a time, in virtual time.

computers.py         the records: the hosts of a network that run programs, and one process on a host
whereabouts.py       which process the code that runs now belongs to
program_threads.py   an OS thread that runs only while it holds the baton
standing_still.py    a call that waits: hand on the baton, or let the network go on meanwhile
quiet_times.py       when nothing is to be expected any more, though time goes on
stuck_code.py        what cannot go on in virtual time is found and named: real blocking, busy loops
"""
