"""The flags of send() and recv() that matter to TCP, by Linux's names and numbers (include/linux/socket.h).

Those that are not named here do nothing in Linux's TCP either, and none fails: MSG_DONTROUTE, MSG_CONFIRM, MSG_SYN, and
numbers without a name.
"""

MSG_OOB = 0x1
MSG_PEEK = 0x2
MSG_CTRUNC = 0x8
MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40
MSG_EOR = 0x80
MSG_WAITALL = 0x100
MSG_ERRQUEUE = 0x2000
MSG_NOSIGNAL = 0x4000
MSG_MORE = 0x8000
MSG_ZEROCOPY = 0x4000000
MSG_FASTOPEN = 0x20000000
