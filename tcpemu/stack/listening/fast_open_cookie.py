"""The cookies of Fast Open: a keyed hash of both addresses, which a client gets at one visit and shows at the next.

So a server can tell without any memory that whoever sends data on a SYN has had an answer at that address before
(RFC 7413 section 4.1). The hash is SipHash-2-4 (Aumasson and Bernstein, 2012). tcp_fastopen.c:
tcp_fastopen_cookie_gen, since Linux 5.3. Differs: before, the kernel encrypted the addresses by AES.
"""

from __future__ import annotations

from functools import lru_cache

from tcpemu.stack.records.listener import Listener
from tcpemu.wire.segment import Address

LENGTH = 8
"""Octets of a cookie (TCP_FASTOPEN_COOKIE_SIZE)."""
_MASK = 2**64 - 1
_BEGINNINGS = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
"""What the four words of the state begin with: "somepseudorandomlygeneratedbytes", in octets of ASCII."""


def keys_of(listener: Listener) -> tuple[bytes, ...]:
    """The key, and perhaps a second one that was in use before: the listener's own, or the host's."""
    host = listener.host
    own = listener.options.fastopen_keys or keys_in(host.sysctls.tcp_fastopen_key)
    return own or (host.secrets.fast_open_key(),)


def keys_in(text: str) -> tuple[bytes, ...]:
    """The keys of net.ipv4.tcp_fastopen_key: four numbers of 32 bits each, in hexadecimal (sscanf_key)."""
    return tuple(
        b"".join(int(number, 16).to_bytes(4, "little") for number in key.split("-"))
        for key in text.split(",")
        if key
    )


def cookie(key: bytes, client: Address, server: Address) -> bytes:
    """The cookie of a client with this key, 8 octets (__tcp_fastopen_cookie_gen_cipher)."""
    return siphash(client + server, key).to_bytes(LENGTH, "little")


@lru_cache(maxsize=4096)
def siphash(octets: bytes, key: bytes) -> int:
    """SipHash-2-4 of some octets with a key of 16, a number of 64 bits (lib/siphash.c)."""
    halves = (int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little"))
    state = [beginning ^ halves[place & 1] for place, beginning in enumerate(_BEGINNINGS)]
    padded = octets + bytes(-(len(octets) + 1) % 8) + bytes((len(octets) & 255,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        state[3] ^= word
        _rounds(state, 2)
        state[0] ^= word
    state[2] ^= 255
    _rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _rounds(state: list[int], times: int) -> None:
    one, two, three, four = state
    for _ in range(times):
        one, two = _mixed(one, two, 13)
        one = _turned(one, 32)
        three, four = _mixed(three, four, 16)
        one, four = _mixed(one, four, 21)
        three, two = _mixed(three, two, 17)
        three = _turned(three, 32)
    state[:] = one, two, three, four


def _mixed(sum_of: int, turned: int, by: int) -> tuple[int, int]:
    sum_of = sum_of + turned & _MASK
    return sum_of, _turned(turned, by) ^ sum_of


def _turned(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & _MASK
