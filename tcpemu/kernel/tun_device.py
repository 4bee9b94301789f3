"""The child's network: a TUN device, its address, the route to the peer, sysctls."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tcpemu.kernel.kernel_errors import StepError
from tcpemu.wire.relative_numbers import ENDS, IPV4, IPV6

PEERS, PEERS_OF_IPV6 = "192.0.2.0/24", "2001:db8:1::/64"
DEVICE = "tun0"
MTU = 1500
QUEUE_LENGTH = 10_000
"""Packets that wait in the device to be read: more than any trace has on its way."""

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000

DEFAULTS: Mapping[str, str | int] = {"net.ipv4.tcp_congestion_control": "reno"}
_QUIET: Mapping[str, str | int] = {"net.ipv6.conf.all.disable_ipv6": 1}
_IPV6_COMMANDS = (
    f"-6 addr add {ENDS[IPV6].host}/64 dev {DEVICE} nodad",
    f"-6 route add {PEERS_OF_IPV6} dev {DEVICE}",
)


def open_device() -> int:
    """A non-blocking descriptor: whole IP packets of the kernel are read from it, and written to it."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(descriptor, _TUNSETIFF, request)
    return descriptor


def bring_up(sysctls: Mapping[str, str | int], ipv6: bool = False) -> None:
    """Addresses, routes and sysctls, once the device is there; those of IPv6 where they are wanted."""
    for command in (
        "link set lo up",
        f"addr add {ENDS[IPV4].host}/24 dev {DEVICE}",
        f"link set {DEVICE} up mtu {MTU} txqueuelen {QUEUE_LENGTH}",
        f"route add {PEERS} dev {DEVICE}",
        *(_IPV6_COMMANDS if ipv6 else ()),
    ):
        subprocess.run(["ip", *command.split()], check=True)
    for name, value in {**({} if ipv6 else _QUIET), **DEFAULTS, **sysctls}.items():
        _set(name, value)


def _set(name: str, value: str | int) -> None:
    try:
        Path("/proc/sys", *name.split(".")).write_text(f"{value}\n", encoding="ascii")
    except FileNotFoundError:
        raise StepError(
            f"sysctl {name}: this kernel has none of that name, or not one per namespace"
        ) from None
    except OSError as error:
        raise StepError(f"sysctl {name} = {value!r}: the kernel refuses it ({error.strerror})") from None
