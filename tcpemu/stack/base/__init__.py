"""What all other rooms of the stack know, and that knows none of them.

congestion_hooks.py  congestion control as a sender sees it: the hooks that each kind has
errors.py            what goes wrong by a user's doing: SocketError, ConfigurationError, NotEmulatedError
events.py            what happened and why: the values that `Host.events()` gives
generation.py        what may differ between kernels: numbers, and a few rules with names
host_arguments.py    what a user may give to a host and its sockets, and what is said of anything else
ip_families.py       what IPv4 and IPv6 differ in: lengths, loopback, mapped addresses, which source speaks
not_emulated.py      what Linux has and is not emulated, and what is so instead
reasons.py           every reason by name, in words, with its place in the kernel
secrets.py           what is drawn at random or kept secret, all from one seed
sequence_numbers.py  numbers that wrap: before, after, distance
socket_constants.py  socket options by Linux's names and numbers
states.py            the states, with Linux's names and numbers, and which may follow which
sysctls.py           the settings, with full names, defaults and ranges
tcp_options.py       the options of a segment: what is read of them, in which order they are sent
timer_queue.py       deadlines in order, and how late the kernel's timer wheel fires them
units.py             time is a whole number of nanoseconds
"""
