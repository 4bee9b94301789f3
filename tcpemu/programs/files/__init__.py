"""What a file descriptor of a program leads to, and how readiness is waited for.

open_files.py      what every open file has: who refers to it, who waits for it; the table of descriptors
tcp_stream.py      a socket of a host's TCP
least_octets.py    a recv() that waits for more than one octet
memory_pair.py     an end of a socketpair(), in memory
readiness.py       waiting for several files at once: what select() and poll() do
interest_list.py   an epoll: files are watched from when they are added, and only those that changed are looked at
process_end.py       the end of a process: its threads end, its files are closed
"""
