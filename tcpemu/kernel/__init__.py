"""Real kernels, asked what they do with a step trace: the machine's own, and others that are booted.

`run_trace.run(trace)` starts a child in a network namespace of its own. The child makes a TUN device, through
which it plays the peer with raw packets, and calls the kernel's sockets as the trace says. Nothing of it
touches the machine's own network, and any number of traces can run side by side: they mostly wait.

It needs root, as namespaces and TUN devices do.

    outside         run_trace.py: whether it can be done here, and the child's answer · kernel_errors.py
    in the child    worker.py: reads a trace, writes the answer · player.py: the steps in real time ·
                    tun_device.py: the device, its routes, sysctls · real_sockets.py: calls of the kernel's sockets ·
                    observe.py: socket table and counters · model_receiver.py: a peer that acknowledges what it gets

Other kernels are booted, which needs neither root nor a network once their packages are there:

    outside         booted_kernel.py: runs the guest, reads its answers · guest_files.py: what it finds ·
                    kernel_store.py: the kernels that are here · debian_packages.py: those that can be had
    in the guest    guest_init.py: the first process, which plays the traces as the child above does

Without root, and in the machine's own network: programs on its loopback, as the counterpart of programs on emulated
hosts.

    programs        loopback_run.py: each a process, on an address of its own, until all have ended ·
                    loopback_host.py: in such a process, what makes it a host with a name

What can be asked here, and the answer of the kernel, which takes as long as the trace says in `until`:

>>> from tcpemu.kernel import run, whats_missing
>>> trace = {"until": 0.1, "steps": [[0, "listen", 1], [0.05, "sample"]]}
>>> answered = run(trace) if whats_missing() is None else trace | {"kernel": "none", "log": []}
>>> sorted(answered)
['kernel', 'log', 'steps', 'until']
"""

from tcpemu.kernel.booted_kernel import run_booted, whats_missing_to_boot
from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError, StepError
from tcpemu.kernel.run_trace import run, whats_missing

__all__ = [
    "KernelError",
    "KernelUnavailableError",
    "StepError",
    "run",
    "run_booted",
    "whats_missing",
    "whats_missing_to_boot",
]
