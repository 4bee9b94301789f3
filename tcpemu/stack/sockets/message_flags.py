"""The flags of send() and recv() by Linux's names and numbers (include/linux/socket.h), and which are emulated."""

MSG_OOB = 0x1
MSG_PEEK = 0x2
MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40
MSG_WAITALL = 0x100
MSG_NOSIGNAL = 0x4000
MSG_MORE = 0x8000
MSG_ZEROCOPY = 0x4000000
MSG_FASTOPEN = 0x20000000
NAMES = {value: name for name, value in list(globals().items()) if name.startswith("MSG_")}
OF_SEND = MSG_DONTWAIT | MSG_NOSIGNAL
OF_RECV = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_PEEK


def refuse(flags: int, known: int, call: str) -> None:
    """Raises NotImplementedError for a flag of `call` that is not emulated, rather than pass it in silence."""
    unknown = flags & ~known
    if unknown:
        names = [
            NAMES.get(1 << bit, hex(1 << bit)) for bit in range(unknown.bit_length()) if unknown >> bit & 1
        ]
        raise NotImplementedError(f"{call}() with {' and '.join(names)} is not emulated")
