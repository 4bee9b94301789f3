"""Random traces over IPv6: the same steps, with the ICMP of IPv6 for that of IPv4."""

from typing import Any

from conform_base import Trace

from tcpemu.wire.ipv6 import LEAST_IPV6_MTU

_ICMP_OF_IPV6 = {
    (3, 0): (1, 0),
    (3, 1): (1, 3),
    (3, 3): (1, 4),
    (3, 4): (2, 0),
    (3, 13): (1, 1),
    (11, 0): (3, 0),
    (11, 1): (3, 1),
    (12, 0): (4, 0),
}
"""Type and code of ICMP, and what ICMPv6 says in its place; what is not here becomes 'no route'."""
_NO_ROUTE = (1, 0)


def over_ipv6(trace: Trace) -> Trace:
    """The trace with its peer at an address of IPv6; peers that have an address of their own keep to IPv4."""
    return {
        **trace,
        "family": "ipv6",
        "steps": [_step(step) for step in trace["steps"]],
    }


def _step(step: list[Any]) -> list[Any]:
    """An ICMP error about a flow over IPv6 in the words of ICMPv6; any other step as it is."""
    if step[1] != "icmp" or (len(step) > 5 and "flow_ip" in step[5]):
        return step
    at, verb, port, kind, code, *rest = step
    more = {name: value for name, value in (rest[0] if rest else {}).items() if name != "ip"}
    if 0 < more.get("mtu", 0) < LEAST_IPV6_MTU:
        more["mtu"] += LEAST_IPV6_MTU - 500
    return [at, verb, port, *_ICMP_OF_IPV6.get((kind, code), _NO_ROUTE), more]
