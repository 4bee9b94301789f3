"""A script plays on the kernel of the network namespace that the process is in, in real time.

kernel_player.py      real time, packets heard, calls that wait in a thread
kernel_stage.py       the device: what the kernel sends, with its own time stamps; what is put in
kernel_flows.py       which of the kernel's connections a packet belongs to
kernel_world.py       descriptors, how a call is made
kernel_calls.py       system calls, made for real · kernel_waits.py: poll, epoll, recvmsg, options
call_memory.py        memory that calls read and write: addresses, vectors, messages
kernel_shell.py       what commands set, in this namespace; with a shell where that is asked for
"""
