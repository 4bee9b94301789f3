"""Kernels by name. Each is a value; what its numbers and rules mean stands in `tcpemu.stack.base.generation`.

Where things are:

    the kernels     linux.py: from 1.2 to 7.3, with their RTOs, cookies' MSSs and other numbers ·
                    other_systems.py: BSD, macOS, Solaris, Windows
    the table       kernel_table.py: kernels by name, and by the release that a name stands for
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

from difflib import get_close_matches

from tcpemu.generations.kernel_table import KernelTable
from tcpemu.generations.linux import LINUX, LINUX_6_18
from tcpemu.generations.other_systems import OTHERS
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.generation import Generation

GENERATIONS = KernelTable((*LINUX, *OTHERS))
"""Every kernel by its name, oldest first in each family; and by the release that a version stands for."""
DEFAULT = LINUX_6_18.name
"""The kernel that is used where none is named."""


def generation(name: str) -> Generation:
    """The generation of that name. Raises ConfigurationError, which lists those there are."""
    found = GENERATIONS.get(name)
    if found is None:
        near = get_close_matches(name, GENERATIONS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigurationError(
            f"there is no generation {name!r}; {hint}the known ones are {', '.join(GENERATIONS)}"
        )
    return found


__all__ = ["DEFAULT", "GENERATIONS", "generation"]
