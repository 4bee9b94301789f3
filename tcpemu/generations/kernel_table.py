"""Kernels by name: a version means its newest release that is known, so that release is a name for it too."""

from collections.abc import Iterable

from tcpemu.stack.base.generation import Generation


class KernelTable(dict[str, Generation]):
    """Kernels by their names; whoever asks for `linux-6.18.44` is given linux-6.18, whose release that is."""

    def __init__(self, kernels: Iterable[Generation]) -> None:
        super().__init__((kernel.name, kernel) for kernel in kernels)
        self.meant: dict[str, str] = {}
        """Releases that are other names for a kernel, each with that kernel's name."""
        for name, kernel in self.items():
            release = f"{name.partition('-')[0]}-{kernel.release}"
            if kernel.release and release != name:
                self.meant[release] = name

    def __missing__(self, name: str) -> Generation:
        if name in self.meant:
            return self[self.meant[name]]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.meant

    def get(self, name: str, otherwise: Generation | None = None) -> Generation | None:  # type: ignore[override]
        """The kernel of that name, or `otherwise`."""
        found = super().get(name)
        return super().get(self.meant.get(name, ""), otherwise) if found is None else found
