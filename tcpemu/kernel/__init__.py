"""The real kernel of the machine, asked what it does with a step trace.

`run_trace.run(trace)` starts a child in a network namespace of its own. The child makes a TUN device, through
which it plays the peer with raw packets, and calls the kernel's sockets as the trace says. Nothing of it
touches the machine's own network, and any number of traces can run side by side: they mostly wait.

It needs root, as namespaces and TUN devices do.

    outside         run_trace.py: whether it can be done here, and the child's answer · kernel_errors.py
    in the child    worker.py: reads a trace, writes the answer · player.py: the steps in real time ·
                    tun_device.py: the device, its routes, sysctls · real_sockets.py: calls of the kernel's sockets ·
                    observe.py: socket table and counters

Without root, and in the machine's own network: programs on its loopback, as the counterpart of programs on emulated
hosts.

    programs        loopback_run.py: each a process, on an address of its own, until all have ended ·
                    loopback_host.py: in such a process, what makes it a host with a name
"""
