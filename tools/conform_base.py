"""Random step traces come in families; here is what they share: the register, peers' options, beginnings.

A family is a function that tells a script; its docstring says what it is about. Each is small and looks at
one corner of the listen path or of what surrounds it; chance chooses the numbers, the moments and the order.
"""

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

from conform_script import MSS, V4, Peer, Script, Words

Trace: TypeAlias = dict[str, Any]
Family: TypeAlias = Callable[[Script], Trace]

FULL: Words = [["mss", 1460], ["sackOK"], ["TS", 100, 0], ["nop"], ["wscale", 7]]
PLAIN_TALKERS: list[Words] = [
    MSS,
    [],
    [["mss", 536]],
    [["mss", 1000]],
    [*MSS, ["nop"], ["nop"], ["sackOK"]],
    [*MSS, ["nop"], ["wscale", 2]],
]
TALKERS: list[Words] = [
    *PLAIN_TALKERS,
    FULL,
    FULL,
    [*MSS, ["nop"], ["nop"], ["TS", 50, 0]],
    [["mss", 1200], ["sackOK"], ["TS", 7, 0], ["nop"], ["wscale", 0]],
]
"""What peers offer that are to speak afterwards."""
ODD_OPTIONS: list[Words] = [
    [["mss", 1]],
    [["mss", 0]],
    [["mss", 100]],
    [["mss", 1300], ["sackOK"]],
    [["mss", 9000]],
    [["mss", 65535]],
    [["mss", 1460], ["mss", 500]],
    [["raw", "020605b40000"]],
    [["raw", "020305b4"], ["nop"]],
    [*MSS, ["nop"], ["wscale", 15]],
    [*MSS, ["nop"], ["wscale", 14]],
    [*MSS, ["nop"], ["wscale", 0]],
    [*MSS, ["wscale", 2], ["wscale", 9], ["nop"], ["nop"]],
    [*MSS, ["nop"], ["nop"], ["sackOK"], ["nop"], ["wscale", 8]],
    [*MSS, ["sackOK"], ["TS", 5, 0]],
    [*MSS, ["sackOK"], ["TS", 0, 0]],
    [*MSS, ["nop"], ["nop"], ["TS", 77, 99]],
    [*MSS, ["raw", "0806"], ["raw", "00000005"], ["nop"], ["nop"]],
    [["wscale", 7], ["nop"], ["TS", 9, 0], ["sackOK"], ["mss", 1400]],
    [["nop"], ["nop"], ["sackOK"], ["mss", 1200]],
    [*MSS, ["raw", "0403"], ["raw", "00"]],
    [*MSS, ["eol"], ["raw", "010303"]],
    [*MSS, ["raw", "fd0412340101"]],
    [*MSS, ["raw", "0303070a"]],
    [*MSS, ["raw", "fe00"], ["sackOK"]],
    [*MSS, ["raw", "1e0400ff"]],
    [*MSS, ["raw", "fe04f989"]],
    [*MSS, ["raw", "2202"], ["nop"], ["nop"]],
]
ANY_OPTIONS = [*TALKERS, *ODD_OPTIONS]
NO_STAMPS = [words for words in ANY_OPTIONS if not any(option[0] == "TS" for option in words)]
FLAGS = (
    *("S", "SA", "A", "PA", "P", "FA", "F", "R", "RA", "", "FPU", "SF", "SR", "SP", "SEC", "SRA"),
    *("FSA", "U", "UA", "FPUA", "AEC", "SFPUA", "FR"),
)

FAMILIES: dict[str, Family] = {}
GROUPS: dict[str, dict[str, int]] = {"plain": {}, "wide": {}, "bulk": {}, "odd": {}}
"""Families that are drawn from together, each with its weight."""


def family(weight: int, group: str = "plain") -> Callable[[Family], Family]:
    """Enter a family, which is chosen in proportion to its weight within its group."""

    def enter(tell: Family) -> Family:
        FAMILIES[tell.__name__] = tell
        GROUPS[group][tell.__name__] = weight
        return tell

    return enter


def random_trace(name: str, seed: int) -> Trace:
    """The trace of that family and seed."""
    tell = FAMILIES[name]
    about = f"{(tell.__doc__ or name).splitlines()[0]} (random, seed {seed})"
    return {"name": f"{name}_{seed:04d}", "about": about, **tell(Script(f"{name} {seed}"))}


def family_for(seed: int, group: str = "plain") -> str:
    """A family of the group by its weight."""
    weights = GROUPS[group]
    return Random(f"family {seed}").choices(list(weights), list(weights.values()))[0]


def clients(s: Script, count: int, first_port: int = 0, choices: list[Words] | None = None) -> list[Peer]:
    """Clients of the listener: all with the same options, or each with some of the choices."""
    first_port = first_port or s.one_of(41001, 42001, 43101, 52001)
    same = s.one_of(*TALKERS)
    return [Peer(s, first_port + i, s.one_of(*choices) if choices else same) for i in range(count)]


def established(s: Script, *, accept: bool = True, **options: int) -> Peer:
    """A listener, and one connection that is accepted."""
    s.cookies()
    s.listen(s.some(1, 8), **options)
    client = Peer(s, s.one_of(41001, 41002, 50123), s.one_of(*TALKERS))
    client.open()
    if accept:
        s.accept()
    return client


def connecting(s: Script, **options: int) -> Peer:
    """The host begins to connect to a peer."""
    server = Peer(s, 46001, s.one_of(*TALKERS), host_port=50001)
    linear = int(s.sysctls.get(V4 + "tcp_syn_linear_timeouts", 4))
    s.expect_timers(server.port, [1] * linear + [2**k for k in range(7)])
    s.step("connect", 50001, server.port, *([options] if options else []))
    return server


def syn_ack(server: Peer, ack: int = 1, echo: int = 0, flags: str = "SA", seq: int = 0, **more: Any) -> None:
    stamped = [["TS", words[1], echo] if words[0] == "TS" else words for words in server.options]
    server.segment(flags, seq, ack, stamped, **more)


def connected(s: Script, **more: Any) -> Peer:
    """A connect that succeeds."""
    server = connecting(s)
    s.wait(0.01, 0.15)
    syn_ack(server, **more)
    server.seq = 1
    s.expect_no_timers(server.port)
    return server
