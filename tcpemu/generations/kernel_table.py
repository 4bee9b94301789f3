"""Kernels by name: a version means its newest release that is known, so that release is a name for it too.

Behind an @ stands the distribution that has configured it, as in linux-6.12@debian.
"""

from collections.abc import Iterable

from tcpemu.generations.distributions import DISTRIBUTIONS, configured
from tcpemu.stack.base.generation import Generation


class KernelTable(dict[str, Generation]):
    """Kernels by their names; whoever asks for `linux-6.18.44` is given linux-6.18, whose release that is."""

    def __init__(self, kernels: Iterable[Generation]) -> None:
        super().__init__((kernel.name, kernel) for kernel in kernels)
        self.meant: dict[str, str] = {}
        """Releases that are other names for a kernel, each with that kernel's name."""
        self.configured: dict[str, Generation] = {}
        """Kernels as distributions build them, those that were asked for."""
        for name, kernel in self.items():
            release = f"{name.partition('-')[0]}-{kernel.release}"
            if kernel.release and release != name:
                self.meant[release] = name

    def __missing__(self, name: str) -> Generation:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, otherwise: Generation | None = None) -> Generation | None:  # type: ignore[override]
        """The kernel of that name, or `otherwise`."""
        kernel, at, distribution = name.partition("@")
        found = super().get(self.meant.get(kernel, kernel))
        if found is None or not at:
            return otherwise if found is None else found
        if distribution not in DISTRIBUTIONS or not kernel.startswith("linux-"):
            return otherwise
        full = f"{found.name}@{distribution}"
        if full not in self.configured:
            self.configured[full] = configured(found, DISTRIBUTIONS[distribution])
        return self.configured[full]
