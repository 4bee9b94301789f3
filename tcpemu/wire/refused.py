"""Why octets are not a segment: a value, since nothing that comes from the wire raises."""

from dataclasses import dataclass
from enum import Enum


class RefusedReason(Enum):
    """Why octets are not a Segment, in the order of the tests."""

    TRUNCATED = "truncated"
    """Shorter than a header or a length in it says."""
    NOT_IP = "not IP"
    BAD_IP_HEADER = "bad IP header"
    BAD_IP_CHECKSUM = "bad IP checksum"
    FRAGMENT = "fragment"
    EXTENSION_HEADER = "IPv6 extension header"
    """One that a host has to act upon, which is not done here."""
    NOT_TCP = "not TCP"
    BAD_TCP_HEADER = "bad TCP header"
    """A data offset below five words."""
    BAD_TCP_CHECKSUM = "bad TCP checksum"


@dataclass(frozen=True, slots=True)
class Refused:
    """Octets that are not a segment, and why."""

    reason: RefusedReason
    detail: str
