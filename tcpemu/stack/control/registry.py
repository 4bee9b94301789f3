"""Each kind of congestion control by the name that tcp_congestion_control has for it."""

from __future__ import annotations

from collections.abc import Callable

from tcpemu.stack.base.congestion_hooks import Congestion
from tcpemu.stack.control.bbr import Bbr
from tcpemu.stack.control.cubic import Cubic
from tcpemu.stack.control.reno import Reno
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.socket_options import SocketOptions


def first(host: HostServices, options: SocketOptions) -> Congestion:
    """What a new connection begins with: TCP_CONGESTION, else the sysctl."""
    name = options.congestion
    return CONTROLS[name](host.generation.initial_cwnd) if name else host.first_congestion


CONTROLS: dict[str, Callable[[int], Congestion]] = {"reno": Reno, "cubic": Cubic, "bbr": Bbr}
"""By name, what makes one whose first window is the number of segments given."""
