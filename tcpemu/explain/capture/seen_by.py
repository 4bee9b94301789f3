"""Which sights of packets a capture holds; `annotated_capture` says why it matters."""

from enum import StrEnum


class SeenBy(StrEnum):
    """From where packets are seen."""

    SERVER = "server"
    CLIENT = "client"
    ALL = "all"
