"""The child's network: a TUN device, its address, the route to the peer, sysctls."""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from tcpemu.kernel.kernel_errors import StepError
from tcpemu.wire.relative_numbers import ENDS, IPV4, IPV6

PEERS, PEERS_OF_IPV6 = "192.0.2.0/24", "2001:db8:1::/64"
DEVICE = "tun0"
MTU = 1500
QUEUE_LENGTH = 10_000
"""Packets that wait in the device to be read: more than any trace has on its way."""

_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_CHECKSUMS, _TSO4, _TSO6, _TSO_ECN = 1, 2, 4, 8
OFFLOAD_HEADER = 10
"""Octets before each packet of a device that cuts segments: struct virtio_net_hdr (include/uapi/linux/virtio_net.h)."""

_SIOCETHTOOL = 0x8946
OFFLOADS = {"rx": 0x15, "tx": 0x17, "sg": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}
"""What `ethtool -K` can turn on and off, and its commands (include/uapi/linux/ethtool.h)."""

DEFAULTS: Mapping[str, str | int] = {"net.ipv4.tcp_congestion_control": "reno"}
_QUIET: Mapping[str, str | int] = {"net.ipv6.conf.all.disable_ipv6": 1}
_IPV6_COMMANDS = (
    f"-6 addr add {ENDS[IPV6].host}/64 dev {DEVICE} nodad",
    f"-6 route add {PEERS_OF_IPV6} dev {DEVICE}",
)


def open_device(*, offload: bool = False, cuts: bool = True) -> int:
    """A non-blocking descriptor: whole IP packets of the kernel are read from it, and written to it.

    With `offload` the kernel leaves it to the device to cut data into segments and to sum them, as it does with the
    usual Ethernet card: a packet may be far longer than the MTU, and OFFLOAD_HEADER octets stand before each.
    Without `cuts` it is left to sum them alone.
    """
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = _IFF_TUN | _IFF_NO_PI | (_IFF_VNET_HDR if offload else 0)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), flags))
    if offload:
        fcntl.ioctl(descriptor, _TUNSETOFFLOAD, _CHECKSUMS | (_TSO4 | _TSO6 | _TSO_ECN if cuts else 0))
    return descriptor


def bring_up(sysctls: Mapping[str, str | int], ipv6: bool = False, set_before: Collection[str] = ()) -> None:
    """Addresses, routes and sysctls but those `set_before`, once the device is there; of IPv6 where it is wanted."""
    for command in (
        "link set lo up",
        f"addr add {ENDS[IPV4].host}/24 dev {DEVICE}",
        f"link set {DEVICE} up mtu {MTU} txqueuelen {QUEUE_LENGTH}",
        f"route add {PEERS} dev {DEVICE}",
        *(_IPV6_COMMANDS if ipv6 else ()),
    ):
        subprocess.run(["ip", *command.split()], check=True)
    for name, value in {**({} if ipv6 else _QUIET), **DEFAULTS, **sysctls}.items():
        if name not in set_before:
            set_sysctl(name, value)


def bring_up_between(host: str, peer: str, mtu: int) -> None:
    """Address of the host and route to the peer for any two addresses of one IP, once the device is there.

    All that begins as the host's address does, 16 bits or with IPv6 64, is behind the device.
    """
    six = ":" in host
    for command in (
        "link set lo up",
        f"link set {DEVICE} up mtu {mtu} txqueuelen {QUEUE_LENGTH}",
        f"addr add {host}/{64 if six else 16} dev {DEVICE}{' nodad' if six else ''}",
        f"route replace {peer} dev {DEVICE}",
    ):
        subprocess.run(["ip", *(["-6"] if six else []), *command.split()], check=True)
    if not six:
        for name, value in _QUIET.items():
            set_sysctl(name, value)


def set_offload(name: str, on: bool) -> None:
    """Turn one of OFFLOADS on or off, as `ethtool -K` does. OSError where the device cannot."""
    value = ctypes.create_string_buffer(struct.pack("=II", OFFLOADS[name], on))
    request = struct.pack("16sP16x", DEVICE.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCETHTOOL, request)


def set_sysctl(name: str, value: str | int) -> None:
    """Set it in this namespace. StepError where the kernel has none of that name, or refuses the value."""
    try:
        Path("/proc/sys", *name.split(".")).write_text(f"{value}\n", encoding="ascii")
    except FileNotFoundError:
        raise StepError(
            f"sysctl {name}: this kernel has none of that name, or not one per namespace"
        ) from None
    except OSError as error:
        raise StepError(f"sysctl {name} = {value!r}: the kernel refuses it ({error.strerror})") from None
