"""The flags of send() and recv() by Linux's names and numbers (include/linux/socket.h), and which are emulated."""

MSG_OOB = 0x1
MSG_PEEK = 0x2
MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40
MSG_EOR = 0x80
MSG_WAITALL = 0x100
MSG_ERRQUEUE = 0x2000
MSG_NOSIGNAL = 0x4000
MSG_MORE = 0x8000
MSG_ZEROCOPY = 0x4000000
MSG_FASTOPEN = 0x20000000
NAMES = {value: name for name, value in list(globals().items()) if name.startswith("MSG_")}
_ALL = 0x7FFFFFFF
OF_SEND = _ALL & ~MSG_ZEROCOPY
OF_RECV = _ALL & ~MSG_ERRQUEUE
"""The flags that send() and recv() take. Those that are not named here do nothing in Linux's TCP either, and none
fails: MSG_DONTROUTE, MSG_CTRUNC, MSG_SYN, and numbers without a name."""


def refuse(flags: int, known: int, call: str) -> None:
    """Raises NotImplementedError for a flag of `call` that is not emulated, rather than pass it in silence."""
    unknown = flags & ~known
    if unknown:
        names = [
            NAMES.get(1 << bit, hex(1 << bit)) for bit in range(unknown.bit_length()) if unknown >> bit & 1
        ]
        raise NotImplementedError(f"{call}() with {' and '.join(names)} is not emulated")
