"""Options that say nothing to TCP: some that are only remembered, and some whose answer is always the same.

What goes with packets of UDP or raw sockets, and what the queue of a device or a processor would look at, TCP on the
wire does not know: Linux keeps the value for getsockopt(), and so does this. net/core/sock.c: sk_setsockopt,
sk_getsockopt; net/ipv4/ip_sockglue.c: do_ip_setsockopt, do_ip_getsockopt; net/ipv4/tcp.c: do_tcp_getsockopt.
All of it was asked of a Linux 6.18.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from tcpemu.stack.sockets.option_names import NUMBERS, OptionKey

INT_MAX, INT_MIN = 2**31 - 1, -(2**31)


def c_int(value: int) -> int:
    """A number as an int of C has it: the low 32 bits, with their sign."""
    return (value - INT_MIN) % 2**32 + INT_MIN


@dataclass(frozen=True, slots=True)
class Kept:
    """An option whose number is remembered, and means nothing to TCP."""

    low: int = INT_MIN
    high: int = INT_MAX
    truth: bool = False
    """Any number but 0 is read back as 1."""
    default: int = 0
    may_be_empty: bool = True
    """Of IPPROTO_IP: no octets at all stand for 0."""


_TRUTH = Kept(truth=True)
_KEPT_BY_NAME = {
    **dict.fromkeys(("SO_DEBUG", "SO_BROADCAST", "SO_NO_CHECK", "SO_RXQ_OVFL", "SO_WIFI_STATUS"), _TRUTH),
    **dict.fromkeys(("SO_NOFCS", "SO_PREFER_BUSY_POLL", "SO_RCVMARK", "SO_RCVPRIORITY"), _TRUTH),
    "SO_PRIORITY": Kept(),
    "SO_MARK": Kept(),
    "SO_BUSY_POLL": Kept(low=0),
    "SO_ZEROCOPY": Kept(0, 1),
    **dict.fromkeys(("IP_RECVOPTS", "IP_RETOPTS", "IP_PKTINFO", "IP_RECVTTL", "IP_RECVTOS"), _TRUTH),
    **dict.fromkeys(("IP_PASSSEC", "IP_ORIGDSTADDR", "IP_CHECKSUM"), _TRUTH),
    "IP_RECVERR_RFC4884": Kept(0, 1),
    "IP_MULTICAST_LOOP": Kept(truth=True, default=1, may_be_empty=False),
    "IP_MULTICAST_ALL": Kept(0, 1, default=1, may_be_empty=False),
}
KEPT: dict[OptionKey, Kept] = {NUMBERS[name]: kept for name, kept in _KEPT_BY_NAME.items()}

_SETTING_FAILS_BY_NAME = {
    **dict.fromkeys(
        ("SO_TYPE", "SO_ERROR", "SO_PEERCRED", "SO_SNDLOWAT", "SO_ACCEPTCONN"), errno.ENOPROTOOPT
    ),
    **dict.fromkeys(("SO_PEERNAME", "SO_PEERSEC", "SO_PROTOCOL", "SO_DOMAIN"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_BPF_EXTENSIONS", "SO_MEMINFO", "SO_INCOMING_NAPI_ID"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_COOKIE", "SO_PEERGROUPS", "SO_NETNS_COOKIE", "SO_PEERPIDFD"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_DEVMEM_LINEAR", "SO_DEVMEM_DMABUF", "SO_INQ"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_PASSCRED", "SO_PASSSEC", "SO_PASSPIDFD", "SO_PASSRIGHTS"), errno.EOPNOTSUPP),
    "SO_DETACH_FILTER": errno.ENOENT,
    **dict.fromkeys(("TCP_INFO", "TCP_CC_INFO", "TCP_SAVED_SYN", "TCP_ZEROCOPY_RECEIVE"), errno.ENOPROTOOPT),
    "TCP_IS_MPTCP": errno.ENOPROTOOPT,
    **dict.fromkeys(("TCP_REPAIR_QUEUE", "TCP_REPAIR_WINDOW", "TCP_TIMESTAMP"), errno.EPERM),
    "TCP_REPAIR_OPTIONS": errno.EINVAL,
    **dict.fromkeys(
        ("IP_HDRINCL", "IP_PKTOPTIONS", "IP_MTU", "IP_NODEFRAG", "IP_PROTOCOL"), errno.ENOPROTOOPT
    ),
    **dict.fromkeys(
        ("IPT_SO_GET_REVISION_MATCH", "IPT_SO_GET_REVISION_TARGET", "SO_ORIGINAL_DST"), errno.ENOPROTOOPT
    ),
    **dict.fromkeys(
        ("IP6T_SO_GET_REVISION_MATCH", "IP6T_SO_GET_REVISION_TARGET", "IP6T_SO_ORIGINAL_DST"),
        errno.ENOPROTOOPT,
    ),
    **dict.fromkeys(("IP_ROUTER_ALERT", "IP_RECVFRAGSIZE", "IP_MULTICAST_TTL"), errno.EINVAL),
}
SETTING_FAILS: dict[OptionKey, int] = {
    NUMBERS[name]: number for name, number in _SETTING_FAILS_BY_NAME.items()
}
"""Options that no TCP socket can set, with the errno."""

_READING_FAILS_BY_NAME = {
    **dict.fromkeys(("SO_PASSCRED", "SO_PASSSEC", "SO_PASSPIDFD", "SO_PASSRIGHTS"), errno.EOPNOTSUPP),
    **dict.fromkeys(("SO_PEERGROUPS", "SO_PEERPIDFD"), errno.ENODATA),
    **dict.fromkeys(
        ("SO_DETACH_FILTER", "SO_PEERSEC", "SO_SNDBUFFORCE", "SO_RCVBUFFORCE"), errno.ENOPROTOOPT
    ),
    **dict.fromkeys(("SO_ATTACH_BPF", "SO_ATTACH_REUSEPORT_CBPF", "SO_CNX_ADVICE"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_ATTACH_REUSEPORT_EBPF", "SO_DETACH_REUSEPORT_BPF"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_BUSY_POLL_BUDGET", "SO_DEVMEM_LINEAR", "SO_DEVMEM_DMABUF"), errno.ENOPROTOOPT),
    **dict.fromkeys(("SO_DEVMEM_DONTNEED", "SO_INQ"), errno.ENOPROTOOPT),
    **dict.fromkeys(("TCP_MD5SIG", "TCP_MD5SIG_EXT", "TCP_REPAIR_OPTIONS"), errno.ENOPROTOOPT),
    **dict.fromkeys(("TCP_REPAIR_QUEUE", "TCP_QUEUE_SEQ", "TCP_REPAIR_WINDOW"), errno.EINVAL),
    **dict.fromkeys(("TCP_AO_ADD_KEY", "TCP_AO_DEL_KEY"), errno.ENOPROTOOPT),
    **dict.fromkeys(("IP_IPSEC_POLICY", "IP_XFRM_POLICY"), errno.ENOPROTOOPT),
}
READING_FAILS: dict[OptionKey, int] = {
    NUMBERS[name]: number for name, number in _READING_FAILS_BY_NAME.items()
}
"""Options that no TCP socket can read, with the errno."""

_CONSTANT_BY_NAME = {
    "SO_BSDCOMPAT": 0,
    "SO_SNDLOWAT": 1,
    "SO_BPF_EXTENSIONS": 64,
    "SO_INCOMING_NAPI_ID": 0,
    "TCP_THIN_DUPACK": 0,
    "TCP_REPAIR": 0,
    "TCP_IS_MPTCP": 0,
    "IP_HDRINCL": 0,
    "IP_ROUTER_ALERT": 0,
    "IP_NODEFRAG": 0,
    "IP_RECVFRAGSIZE": 0,
}
CONSTANTS: dict[OptionKey, int] = {NUMBERS[name]: value for name, value in _CONSTANT_BY_NAME.items()}
"""Options that always read the same."""

TAKEN: dict[OptionKey, tuple[int, int]] = {
    NUMBERS["SO_BSDCOMPAT"]: (INT_MIN, INT_MAX),
    NUMBERS["SO_CNX_ADVICE"]: (INT_MIN, INT_MAX),
    NUMBERS["TCP_THIN_DUPACK"]: (0, 1),
}
"""Options that Linux takes, within these bounds, and that do nothing in any kernel of today."""

OCTETS: dict[OptionKey, bytes] = {NUMBERS["SO_PEERCRED"]: bytes(4) + b"\xff" * 8}
"""Options that are structures, and always the same: of a TCP socket's peer no process, user or group is known."""
