"""Kernels by name. Each is a value; what its numbers and rules mean stands in `tcpemu.stack.base.generation`.

Where things are:

    the kernels     linux.py: from 1.2 to 7.3, with their RTOs, cookies' MSSs and other numbers ·
                    other_systems.py: BSD, macOS, Solaris, Windows
    the table       kernel_table.py: all of them by name, and by the release that a name stands for; the default
    as built        distributions.py: what distributions configure
    their rules     queue_rules.py: how each counts and limits the queues of a listener
    their words     reason_wording.py: the function that has a rule there, and words that fit its settings ·
                    linux_counters.py: the counters each has · linux_sysctls.py: the sysctls each has
    their names     kernel_names.py: the kernel a person means, and what is said of a name that is none

>>> from tcpemu.generations import DEFAULT, GENERATIONS, generation
>>> DEFAULT, "linux-3.10" in GENERATIONS
('linux-6.18', True)
>>> generation("linux-6.18").clamp_backlog(65535, 4096)  # what listen(65535) is with that somaxconn
4096
>>> generation("linux-3.10").rto_max // 1_000_000_000  # seconds
120
"""

from tcpemu.generations.kernel_names import generation
from tcpemu.generations.kernel_table import DEFAULT, GENERATIONS

__all__ = ["DEFAULT", "GENERATIONS", "generation"]
