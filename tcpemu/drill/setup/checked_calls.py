"""What can be wrong with a call before it runs: its name, how many arguments it has, names of constants and fields."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tcpemu.drill.language.drill_script import (
    Converted,
    Expression,
    IcmpPacket,
    Named,
    Script,
    Structure,
    SystemCall,
    Word,
    parts_of,
)
from tcpemu.drill.language.script_mistake import Place, ScriptError, ScriptText
from tcpemu.drill.setup.constant_names import CONSTANTS, ERRNOS
from tcpemu.drill.setup.icmp_names import icmp_numbers

ARGUMENTS = {
    "socket": (3, 3),
    "bind": (3, 3),
    "listen": (2, 2),
    "accept": (3, 3),
    "accept4": (4, 4),
    "connect": (3, 3),
    "read": (3, 3),
    "readv": (3, 3),
    "recv": (4, 4),
    "recvfrom": (6, 6),
    "recvmsg": (3, 3),
    "write": (3, 3),
    "writev": (3, 3),
    "send": (4, 4),
    "sendto": (6, 6),
    "sendmsg": (3, 3),
    "fcntl": (2, 3),
    "ioctl": (2, 3),
    "close": (1, 1),
    "shutdown": (2, 2),
    "getsockopt": (5, 5),
    "setsockopt": (5, 5),
    "poll": (3, 3),
    "epoll_create": (1, 1),
    "epoll_ctl": (4, 4),
    "epoll_wait": (4, 4),
    "open": (2, 3),
    "sendfile": (4, 4),
    "pipe": (1, 1),
    "splice": (6, 6),
}
"""The system calls that there are, with the least and most arguments."""
_NOT_EMULATED = {
    "cap_set": "capabilities are not emulated",
    "psp_rx_assoc": "PSP is not emulated",
    "psp_tx_assoc": "PSP is not emulated",
}
_FIELDS = (
    *("sa_family", "sin_port", "sin_addr", "sin6_port", "sin6_addr", "msg_name", "msg_iov", "msg_flags"),
    *("msg_control", "cmsg_level", "cmsg_type", "cmsg_data", "fd", "events", "revents", "ptr", "u32", "u64"),
    *("onoff", "linger", "ee_errno", "ee_origin", "ee_type", "ee_code", "ee_info", "ee_data"),
    *(
        "scm_sec",
        "scm_nsec",
        "tcpm_addr",
        "tcpm_family",
        "tcpm_port",
        "tcpm_flags",
        "tcpm_key",
        "tcpm_keylen",
    ),
)


def mistaken_calls(script: Script, ipv6: bool) -> list[ScriptError]:
    """The calls and ICMP messages that cannot be, each with the first that is wrong with it."""
    found: list[ScriptError] = []
    for event in script.events:
        try:
            if isinstance(event.action, SystemCall):
                _check_call(script.text, event.action)
            elif isinstance(event.action, IcmpPacket):
                _check_icmp(script.text, event.action, ipv6)
        except ScriptError as mistake:
            found.append(mistake)
    return found


def _check_icmp(text: ScriptText, icmp: IcmpPacket, ipv6: bool) -> None:
    try:
        icmp_numbers(icmp.kind, icmp.code, ipv6)
    except ValueError as error:
        raise ScriptError(text, icmp.place, str(error)) from None


def _check_call(text: ScriptText, call: SystemCall) -> None:
    if call.name in _NOT_EMULATED:
        raise ScriptError(text, call.place, f"{call.name}() is not emulated: {_NOT_EMULATED[call.name]}")
    if call.name not in ARGUMENTS:
        words = f"'{call.name}' is no system call that there is{_meant(call.name, ARGUMENTS)}"
        raise ScriptError(text, call.place, words)
    least, most = ARGUMENTS[call.name]
    if not least <= len(call.arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        words = f"{call.name}() takes {wanted} arguments, not {len(call.arguments)}"
        raise ScriptError(text, call.place, words)
    for argument in (*call.arguments, call.result):
        _check_names(text, argument)
    if call.error is not None and call.error.name not in ERRNOS:
        words = f"'{call.error.name}' is no name of an error{_meant(call.error.name, ERRNOS)}"
        raise ScriptError(text, call.error.place, words)


def _check_names(text: ScriptText, expression: Expression) -> None:
    for part in parts_of(expression):
        if isinstance(part, Word) and part.name not in CONSTANTS:
            words = f"'{part.name}' is no constant that is known{_meant(part.name, CONSTANTS)}"
            raise ScriptError(text, part.place, words)
        if isinstance(part, Named) and part.name not in _FIELDS:
            words = f"'{part.name}' is no field that is known{_meant(part.name, _FIELDS)}"
            raise ScriptError(text, part.place, words)
        if isinstance(part, Structure):
            _check_twice(text, part)
        if isinstance(part, Converted) and isinstance(part.argument, Structure):
            raise ScriptError(text, part.place, f"{part.name}() takes one number or text")


def _check_twice(text: ScriptText, structure: Structure) -> None:
    seen: dict[str, Place] = {}
    for item in structure.items:
        if isinstance(item, Named):
            if item.name in seen:
                raise ScriptError(text, item.place, f"'{item.name}' is said twice in this structure")
            seen[item.name] = item.place


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
