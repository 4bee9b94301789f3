"""The real kernel of the machine, asked what it does with a step trace.

`steps.run(trace)` starts a child in a network namespace of its own. The child makes a TUN device, through
which it plays the peer with raw packets, and calls the kernel's sockets as the trace says. Nothing of it
touches the machine's own network, and any number of traces can run side by side: they mostly wait.

It needs root, as namespaces and TUN devices do.
"""
