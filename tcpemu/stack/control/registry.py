"""Each kind of congestion control by the name that tcp_congestion_control has for it."""

from __future__ import annotations

from collections.abc import Callable

from tcpemu.stack.base.congestion_hooks import Congestion
from tcpemu.stack.control.bbr import Bbr
from tcpemu.stack.control.cubic import Cubic
from tcpemu.stack.control.dctcp import Dctcp
from tcpemu.stack.control.reno import Reno

CONTROLS: dict[str, Callable[[int], Congestion]] = {"reno": Reno, "cubic": Cubic, "bbr": Bbr, "dctcp": Dctcp}
"""By name, what makes one whose first window is the number of segments given."""
UNEMULATED_CONTROLS = frozenset(
    ("bic", "cdg", "highspeed", "htcp", "hybla", "illinois", "lp", "nv", "scalable", "vegas", "veno")
) | {"westwood", "yeah"}
"""Those of Linux 6.18 that are not emulated: modules, which a kernel has or has not."""
