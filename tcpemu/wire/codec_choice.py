"""Which codec reads and writes octets: the compiled one where it was built, else the one in Python that judges it.

`TCPEMU_PLAIN_CODEC=1` in the environment asks for Python's even so.
"""

import os
from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

from tcpemu.wire import codec, options
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Segment

Decode: TypeAlias = Callable[[bytes], Segment | Refused]
Encode: TypeAlias = Callable[[Segment], bytes]


def compiled_codec() -> tuple[Decode, Encode] | None:
    """The two functions of the compiled codec; None where it was not built."""
    try:
        found = import_module("tcpemu.wire._codec")
    except ImportError:
        return None
    found.use(
        *(Segment, options.Timestamps, options.Mss, options.WScale),
        *(options.NOP, options.SACK_OK, options.mss, options.wscale),
        *(options.decode_options, options.encode_options, codec.decode, codec.encode),
    )
    return found.decode, found.encode


def _chosen() -> tuple[Decode, Encode]:
    plain = os.environ.get("TCPEMU_PLAIN_CODEC", "") not in ("", "0")
    return (None if plain else compiled_codec()) or (codec.decode, codec.encode)


_DECODE, _ENCODE = _chosen()
decode = _DECODE
"""The segment that an IPv4 or IPv6 packet in octets holds, or Refused with the reason; never raises for its octets."""
encode = _ENCODE
"""The octets of a segment as an IPv4 or IPv6 packet, with its checksums."""
