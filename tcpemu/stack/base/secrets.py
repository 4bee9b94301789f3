"""What a host draws at random or keeps secret, all from one seed: the same seed gives the same bytes.

The kernel takes initial sequence numbers and timestamp offsets from a keyed hash of the flow
(net/core/secure_seq.c: SipHash). Differs: a checksum spread by multiplication stands in for it, which looks
alike and is far quicker in Python, but could be guessed; cookies, which are there not to be guessed, have a
keyed BLAKE2.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from zlib import crc32

from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.wire.segment import Address, FlowKey

_SPREAD_ISN, _SPREAD_OFFSET = 0x9E3779B1, 0x85EBCA77
"""Odd numbers without a pattern: what is multiplied by one changes in all its higher bits."""


class Secrets:
    """The seeded source of one host."""

    __slots__ = ("_cookie_keys", "_flow_key", "boot_ms", "draw")

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self._flow_key = random.getrandbits(32)
        self._cookie_keys = (random.randbytes(16), random.randbytes(16))
        # How long the machine has been up when the run begins: one to twelve days.
        self.boot_ms = random.randrange(86_400_000, 12 * 86_400_000)
        self.draw = random

    def flow(self, key: FlowKey, now: int) -> tuple[int, int]:
        """Initial sequence number of a flow at this time, and its timestamp offset.

        secure_seq.c: secure_tcp_seq, secure_tcp_ts_off: a hash of addresses and ports; the sequence number
        also counts 64 ns ticks.
        """
        remote, remote_port, local, local_port = key
        mixed = crc32(remote, crc32(local, (remote_port << 16 | local_port) ^ self._flow_key))
        return (mixed * _SPREAD_ISN + (now >> 6)) & MASK, mixed * _SPREAD_OFFSET >> 9 & MASK

    def pair_offset(self, key: FlowKey) -> int:
        """The timestamp offset that all flows between two addresses share (secure_tcp_ts_off, Linux 4.12 to 6.12.0)."""
        remote, _, local, _ = key
        return crc32(remote, crc32(local, self._flow_key)) * _SPREAD_OFFSET >> 9 & MASK

    def cookie_hash(self, which: int, key: FlowKey, count: int) -> int:
        """One of the two keyed hashes of a SYN cookie, 32 bits (syncookies.c: cookie_hash)."""
        octets = _octets(key) + count.to_bytes(8, "big")
        return int.from_bytes(blake2b(octets, digest_size=4, key=self._cookie_keys[which]).digest(), "big")

    def fast_open_key(self) -> bytes:
        """The key of Fast Open's cookies where nobody has set one, 16 octets (tcp_fastopen_init_key_once)."""
        return blake2b(b"Fast Open", digest_size=16, key=self._cookie_keys[0]).digest()


def _octets(key: FlowKey) -> bytes:
    remote, remote_port, local, local_port = key
    return b"%b%b%b" % (remote, local, ((remote_port << 16) | local_port).to_bytes(4, "big"))


def ephemeral_offset(secrets: Secrets, remote: Address, remote_port: int) -> int:
    """Where the search for a free local port begins, for this peer (RFC 6056; secure_ipv4_port_ephemeral)."""
    return crc32(remote, remote_port ^ secrets._flow_key)
