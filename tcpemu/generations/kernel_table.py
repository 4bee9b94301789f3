"""Kernels by name: a version means its newest release that is known, so that release is a name for it too.

Behind an @ stands the distribution that has configured it, as in linux-6.12@debian; a release of a distribution, as
debian-13, is a name for the kernel that it came with.
"""

from collections.abc import Iterable, Iterator, Mapping

from tcpemu.generations.distributions import DISTRIBUTIONS, RELEASES, configured
from tcpemu.generations.linux import LINUX, LINUX_6_18
from tcpemu.generations.other_systems import OTHERS
from tcpemu.stack.base.generation import Generation

ALIKE = {"linux-7.2": "linux-7.3", "linux-7.2.13": "linux-7.3"}
"""Releases that were asked and answered as another kernel does."""


class KernelTable(Mapping[str, Generation]):
    """Kernels by their names; whoever asks for `linux-6.18.44` is given linux-6.18, whose release that is."""

    def __init__(self, kernels: Iterable[Generation]) -> None:
        self._kernels = {kernel.name: kernel for kernel in kernels}
        self.meant: dict[str, str] = {}
        """Releases that are other names for a kernel, each with that kernel's name."""
        self.configured: dict[str, Generation] = {}
        """Kernels as distributions build them, those that were asked for."""
        for name, kernel in self._kernels.items():
            release = f"{name.partition('-')[0]}-{kernel.release}"
            if kernel.release and release != name:
                self.meant[release] = name
        self.meant |= {other: name for other, name in ALIKE.items() if name in self._kernels}

    def __len__(self) -> int:
        return len(self._kernels)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kernels)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._kernels)

    def __getitem__(self, name: str) -> Generation:
        found = self._named(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._named(name) is not None

    def _named(self, name: str) -> Generation | None:
        kernel, at, distribution = RELEASES.get(name, name).partition("@")
        found = self._kernels.get(self.meant.get(kernel, kernel))
        if found is None or not at:
            return found
        if distribution not in DISTRIBUTIONS or not kernel.startswith("linux-"):
            return None
        full = f"{found.name}@{distribution}"
        if full not in self.configured:
            self.configured[full] = configured(found, DISTRIBUTIONS[distribution])
        return self.configured[full]


GENERATIONS = KernelTable((*LINUX, *OTHERS))
"""Every kernel by its name, oldest first in each family; and by the release that a version stands for."""
DEFAULT = LINUX_6_18.name
"""The kernel that is used where none is named."""
