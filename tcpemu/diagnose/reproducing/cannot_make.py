"""What is raised where something cannot be made that reproduces an explanation."""

from tcpemu.diagnose.replay.supposed_settings import Supposed


class CannotMakeError(Exception):
    """Why a file is not written, in a sentence."""


def check_can_make(supposed: Supposed) -> None:
    """Raise CannotMakeError for a supposition that no file can say."""
    if supposed.fastopen:
        raise CannotMakeError(
            "its clients use Fast Open, with cookies that only the real server can have given"
        )
