"""What stands in for the standard library while programs run: on a host emulated, elsewhere the real thing.

stand_ins.py           puts all of it in place, and takes it away again
either_way.py          a function or class that does one thing on a host and another off it
emulated_socket.py     socket.socket: the class that its constructor gives on a host
socket_addresses.py    addresses as Python writes them, and as the stack has them
error_messages.py      an entry of the error queue as recvmsg() gives it
option_calls.py        setsockopt() and getsockopt(), with structures in octets
host_lookup.py         getaddrinfo() and its kin: hosts of the network by name, localhost, addresses
select_calls.py        select, poll, epoll, and what selectors makes of them
time_calls.py          time and datetime: sleep, and clocks that show virtual time
lock_calls.py          locks that a thread of a program waits for in virtual time
thread_start.py        threads that a program starts
threads_until_312.py   how threading learns of a thread's end, in Python 3.11 and 3.12
threads_since_313.py   the same since Python 3.13
tls_calls.py           ssl: TLS over an emulated socket
process_calls.py       exit, random octets, pairs of sockets, what a process knows of itself
signal_calls.py        signals, alarms, and who handles them
"""
