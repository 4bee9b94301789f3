"""Kernels by the names that people give them, and what is said to a name that is none."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from tcpemu.generations.distributions import DISTRIBUTIONS, RELEASES
from tcpemu.generations.kernel_table import GENERATIONS
from tcpemu.generations.linux_sysctls import Version
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.generation import Generation

_NAME = re.compile(r"([a-z]*)[ -]?v?([0-9]+(?:\.[0-9]+)*)?.*", re.IGNORECASE | re.DOTALL)


def generation(name: str) -> Generation:
    """The kernel of that name. Raises ConfigurationError, which names the nearest and all there are."""
    found = GENERATIONS.get(name)
    if found is None:
        raise ConfigurationError(f"there is no generation {name!r}; {instead_of(name)}")
    return found


def instead_of(name: str) -> str:
    """`linux-5.10 is the nearest before it; known: linux-1.2, 2.0, ...`: of a kernel that is not there."""
    kernel, at, _ = name.partition("@")
    if name.partition("-")[0] in DISTRIBUTIONS:
        return f"known releases of distributions: {', '.join(RELEASES)}"
    if at and kernel in GENERATIONS:
        return f"known distributions of Linux: {', '.join(DISTRIBUTIONS)}"
    return f"{_nearest(name) or _alike(name)}known: {by_family(GENERATIONS)}"


def _alike(name: str) -> str:
    close = get_close_matches(name.lower(), GENERATIONS, 1)
    return f"did you mean {close[0]!r}? " if close else ""


def _nearest(name: str) -> str:
    """The newest of the same family that is not newer; else the oldest; empty for a family that is not known."""
    family, version = family_and_version(name)
    known = sorted((family_and_version(each), each) for each in [*GENERATIONS, *GENERATIONS.meant])
    kin = [(other[1], each) for other, each in known if other[0] == (family or "linux")]
    if not version or not kin:
        return ""
    before = [each for other, each in kin if () < other <= version]
    if before:
        return f"{GENERATIONS[before[-1]].name} is the nearest before it; "
    return f"{kin[0][1]} is the nearest; "


def by_family(names: Iterable[str]) -> str:
    """`linux-2.2, 2.4; bsd-4.4`: a family is named once."""
    families: dict[str, list[str]] = {}
    for name in names:
        family, _, version = name.partition("-")
        shown = version if family in families else name
        families.setdefault(family, []).append(shown)
    return "; ".join(", ".join(each) for each in families.values())


def family_and_version(name: str) -> tuple[str, Version]:
    """`("linux", (5, 15))` of linux-5.15, Linux 5.15 or linux-v5.15; nothing for what is not there."""
    match = _NAME.fullmatch(name.strip())
    assert match is not None  # every part may be empty
    numbers = match[2].split(".") if match[2] else []
    return match[1].lower(), tuple(map(int, numbers))
