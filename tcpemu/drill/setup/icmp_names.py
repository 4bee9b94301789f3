"""Types and codes of ICMP as scripts call them (RFC 792, RFC 4443)."""

from __future__ import annotations

_UNREACHABLE4 = (
    *("net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable", "frag_needed"),
    *("source_route_failed", "net_unknown", "host_unknown", "source_host_isolated", "net_prohibited"),
    *("host_prohibited", "net_unreachable_for_tos", "host_unreachable_for_tos", "packet_filtered"),
    *("precedence_violation", "precedence_cutoff"),
)
_UNREACHABLE6 = ("no_route", "admin_prohibited", "not_neighbour", "address_unreachable", "port_unreachable")
_TYPES4: dict[str, tuple[int, tuple[str, ...]]] = {
    "unreachable": (3, _UNREACHABLE4),
    "source_quench": (4, ()),
    "redirect": (5, ()),
    "time_exceeded": (11, ()),
    "parameter_problem": (12, ()),
}
_TYPES6: dict[str, tuple[int, tuple[str, ...]]] = {
    "unreachable": (1, _UNREACHABLE6),
    "packet_too_big": (2, ()),
    "time_exceeded": (3, ("exceeded_hop_limit", "exceeded_frag_time")),
    "parameter_problem": (4, ("header_field", "unknown_next_header", "unknown_option")),
}


def icmp_numbers(kind: str, code: str | None, ipv6: bool) -> tuple[int, int]:
    """Type and code. ValueError for a name that there is not."""
    types = _TYPES6 if ipv6 else _TYPES4
    if kind not in types:
        raise ValueError(f"'{kind}' is no type of ICMP that is an error; there are {', '.join(types)}")
    number, codes = types[kind]
    if code is None:
        return number, 0
    if code not in codes:
        there = f"there are {', '.join(codes)}" if codes else "it has none with a name"
        raise ValueError(f"'{code}' is no code of {kind}; {there}")
    return number, codes.index(code)
