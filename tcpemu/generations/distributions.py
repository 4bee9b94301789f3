"""What distributions configure: `linux-6.12@debian` is the kernel linux-6.12 as Debian builds it.

A kernel's rules are its own, and stand in its generation. What depends on how it was configured is a distribution's:
the room that segments leave free for headers, which grows with the drivers and tunnels that are built in, and
with it the memory that segments take, which shows in how much send() takes, in windows, and in TCPRcvCoalesce; and
CONFIG_TCP_AO, with which a segment is dropped whose options cannot be read; and CONFIG_HZ, the ticks that timers go
by. All of them have cubic as the first congestion control. What their files of sysctls set is not known here.

Read in /boot/config of the packages linux-image and linux-modules: Debian's of 5.10, 6.1, 6.12, 6.16 to 6.18, 7.2 and
7.3, Ubuntu's of 4.4.0-21, 4.15.0-20, 5.4.0-26, 5.15.0-25 and 6.8.0-31.
"""

from dataclasses import dataclass, replace

from tcpemu.stack.base.generation import Generation

_SHARED_INFO, _SK_BUFF, _CACHE_LINE = 320, 256, 64
_OF_ONE_SIZE_SINCE = 576
"""The smallest head where short segments have heads of one size, which Linux has since 6.3 (skb_small_head_cache)."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a distribution configures its kernels."""

    name: str
    about: str
    header_room: int
    """MAX_TCP_HEADER, in octets."""
    signs_since: tuple[int, int]
    """The first version that it builds with CONFIG_TCP_AO, which drops segments whose options cannot be read."""
    thousand_since: tuple[int, int] | None = None
    """The first version with CONFIG_HZ=1000, where there is one; before it 250."""


DEBIAN = Distribution("debian", "as Debian builds it", header_room=320, signs_since=(6, 18))
UBUNTU = Distribution(
    "ubuntu", "as Ubuntu builds it", header_room=320, signs_since=(6, 8), thousand_since=(6, 8)
)
DISTRIBUTIONS: dict[str, Distribution] = {each.name: each for each in (DEBIAN, UBUNTU)}
"""Every distribution by its name."""
RELEASES: dict[str, str] = {
    "debian-11": "linux-5.10@debian",
    "debian-12": "linux-6.1@debian",
    "debian-13": "linux-6.12@debian",
    "ubuntu-16.04": "linux-4.4@ubuntu",
    "ubuntu-18.04": "linux-4.15@ubuntu",
    "ubuntu-20.04": "linux-5.4@ubuntu",
}
"""The kernel that each of their releases came with, where it is known here; 22.04 and 24.04 have 5.15 and 6.8."""


def configured(kernel: Generation, distribution: Distribution) -> Generation:
    """The kernel as the distribution builds it."""
    windows = kernel.windows
    if windows.small_head == _OF_ONE_SIZE_SINCE:
        windows = replace(
            windows, small_head=small_head_of(distribution.header_room, pulls=windows.head_fits_pull)
        )
    version = tuple(map(int, kernel.name.removeprefix("linux-").split(".")))
    return replace(
        kernel,
        name=f"{kernel.name}@{distribution.name}",
        about=f"{kernel.about}; {distribution.about}",
        header_room=distribution.header_room,
        windows=windows,
        sending=replace(
            kernel.sending, buffer_memory=buffer_memory_of(distribution.header_room, windows.small_head)
        ),
        drops_garbage=version >= distribution.signs_since,
        hz=_ticks(distribution, version),
    )


def _ticks(distribution: Distribution, version: tuple[int, ...]) -> int:
    since = distribution.thousand_since
    return 250 if since is None or version < since else 1000


def buffer_memory_of(header_room: int, small_head: int) -> int:
    """What an empty buffer takes whose head has room for headers alone (tcp.c: tcp_stream_alloc_skb)."""
    head = header_room + _SHARED_INFO
    return (small_head if head <= small_head else 1 << (head - 1).bit_length()) + _SK_BUFF


def small_head_of(header_room: int, *, pulls: bool) -> int:
    """The head of a short segment since Linux 6.3: what headers and shared information take, no power of two.

    With `pulls` the most that GRO pulls into it fits too, behind the padding of a network card's driver.
    skbuff.c: SKB_SMALL_HEAD_CACHE_SIZE, GRO_MAX_HEAD_PAD.
    """
    size = header_room + (_CACHE_LINE if pulls else 0) + _SHARED_INFO
    return size + _CACHE_LINE if size & (size - 1) == 0 else size
