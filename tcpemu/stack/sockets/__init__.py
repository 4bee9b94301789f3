"""The system calls of an application, and the tables behind them.

socket.py              the calls, non-blocking, with the kernel's errnos
socket_state.py        what a socket is, without its calls
send_and_recv.py       send() and recv()
shutdown_and_close.py  shutdown() and close()
option_names.py        every option that Linux has, by name and number, and what is not emulated
fixed_options.py       options that say nothing to TCP: remembered, or always the same
option_rules.py        what setsockopt() takes, and what it does at once
tcp_info.py            TCP_INFO: what is told of a connection, as a record and in octets
option_answers.py      what getsockopt() gives
message_flags.py       the flags of send() and recv()
poll_bits.py           what poll() says: IN, OUT, HUP, RDHUP, ERR
ports.py               which local ports are taken, and which one connect() and bind(0) get
listener_lookup.py     which listener a segment meets: by address, and by SO_REUSEPORT among equals
tables.py              what all sockets of a host share: who listens where, which ports are taken
ss_table.py            the socket table of `ss -tan`
armed_timers.py        the timers that wait, and what for
"""
