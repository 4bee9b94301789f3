"""What each kernel's listen path does, in words.

Nothing of it is written down: the words come of asking the rules of the generation how many they let in, so
that they cannot say what the emulator does not do.
"""

from collections.abc import Callable, Iterator
from functools import partial

from tcpemu.explain.catalogue.rule_history import new_in
from tcpemu.explain.facts.queue_limits import assumed_queues
from tcpemu.explain.lines.style import Line, Role, Span
from tcpemu.explain.lines.wrapping import hanging
from tcpemu.generations import DEFAULT, GENERATIONS
from tcpemu.generations.kernel_names import family_and_version
from tcpemu.stack.base.generation import Generation, Overflow
from tcpemu.stack.base.sysctls import SYSCTLS

ASKED = 5
"""The backlog that the rules are asked about."""
_MOST = 2**16
"""Who lets in so many has no limit of its own."""
_HUGE = 2**31 - 1
_JUDGED = [name for name, kernel in GENERATIONS.items() if kernel.release]
"""Kernels that were asked, so that it is known since which of them a rule is as it is."""
_queues = partial(assumed_queues, ASKED)

_SYNS = {
    Overflow.DROP: "are dropped",
    Overflow.RESET: "are answered with RST",
    Overflow.EVICT: "each throw out a half-open connection, if there is one",
}
_ACKS = {Overflow.DROP: "are ignored", Overflow.RESET: "are answered with RST"}


def kernel_lines(width: int = 100) -> Iterator[Line]:
    """Each kernel: its name, what it is, for which releases, and what its listen path does."""
    indent = max(map(len, GENERATIONS)) + 2
    for name, kernel in GENERATIONS.items():
        first, *rest = hanging("", kernel.about, indent, width, Role.TITLE)
        yield (Span(f"{name:<{indent}}", Role.OPEN), *first[1:])
        yield from rest
        yield from hanging("", f"{_releases(name)}{listen_words(kernel)}", indent, width)
        if name in _JUDGED and (since := since_words(name)):
            yield from hanging("", since, indent, width)


def since_words(name: str) -> str:
    """`Otherwise than linux-5.10: the counter TW moves: when TIME_WAIT begins (before: ...)`."""
    before, rules = new_in(name)
    if not rules:
        return ""
    return (
        f"Otherwise than {before}: "
        + "; ".join(f"{rule}: {own} (before: {old})" for rule, old, own in rules)
        + "."
    )


def _releases(name: str) -> str:
    """`For releases before 6.1. `: up to the next one of its family; and which release a version stands for."""
    if name == DEFAULT:
        return "The default. "
    release = GENERATIONS[name].release
    if release:
        own = name.endswith(f"-{release}")
        return f"For {'releases up to that' if own else f'{release} and what is like it'}. "
    family, version = family_and_version(name)
    kin = [(family_and_version(each)[1], each) for each in GENERATIONS if each.startswith(f"{family}-")]
    newer = min((each for each in kin if each[0] > version), default=None)
    return f"For releases before {newer[1].removeprefix(f'{family}-')}. " if newer is not None else ""


def listen_words(kernel: Generation) -> str:
    """One queue or two, what happens when it is full, and the largest backlog."""
    queues = _one_queue(kernel) if kernel.queues.one_queue else _two_queues(kernel)
    return " ".join([*queues, _backlogs(kernel)])


def _one_queue(kernel: Generation) -> Iterator[str]:
    rules = kernel.queues
    room = _room(lambda number: rules.full_for_syn(_queues(accepting=number)))
    yield f"One queue: with listen({ASKED}) {room} connections, half-open and complete together,"
    yield f"then SYNs {_SYNS[rules.when_full_for_syn]}."


def _two_queues(kernel: Generation) -> Iterator[str]:
    rules = kernel.queues
    room = min(
        _room(lambda number: rules.full_for_syn(_queues(accepting=number, young=_MOST))),
        _room(lambda number: rules.full_for_ack(_queues(accepting=number))),
    )
    yield f"Two queues: with listen({ASKED}) {room} wait for accept(),"
    yield f"then {_further_syns(kernel, room)} and {_further_acks(kernel, room)}."
    yield _half_open(kernel)


def _further_syns(kernel: Generation, room: int) -> str:
    """What SYNs meet when the accept queue is full."""
    rules = kernel.queues
    let_in = _room(lambda young: rules.full_for_syn(_queues(accepting=room, young=young)))
    if let_in == _MOST:
        return "SYNs are let in"
    return f"{f'all SYNs but {let_in}' if let_in else 'SYNs'} {_SYNS[rules.when_full_for_syn]}"


def _further_acks(kernel: Generation, room: int) -> str:
    """What the final ACKs of handshakes meet then."""
    rules = kernel.queues
    if rules.full_for_ack(_queues(accepting=room)):
        return f"final ACKs {_ACKS[rules.when_full_for_ack]}"
    return "final ACKs are taken"


def _half_open(kernel: Generation) -> str:
    """How many half-open connections there may be, and what a SYN meets then."""
    rules, limit = kernel.queues, _default(kernel, "net.ipv4.tcp_max_syn_backlog")
    table = rules.table(ASKED, limit)
    room = _room(lambda number: rules.syn_full(_queues(syn_queue=number, table=table), limit))
    cookies = _default(kernel, "net.ipv4.tcp_syncookies")
    unreserved = limit - (limit >> 2) + 1
    if rules.keeps_reserve and not cookies and unreserved < room:
        return f"Half-open: {unreserved:,}, then SYNs of peers that are not known are dropped."
    if room == _MOST:
        return "No limit on the half-open."
    return f"Half-open: {room:,}, then {'SYN cookies' if cookies else f'SYNs {_SYNS[rules.when_syn_full]}'}."


def _backlogs(kernel: Generation) -> str:
    """What listen() makes of a huge backlog, and of 0 and -1 where that is not the usual."""
    most = _default(kernel, "net.core.somaxconn")
    largest = kernel.clamp_backlog(_HUGE, most)
    zero = kernel.clamp_backlog(0, most)
    of_zero = f"; listen(0) is listen({zero})" if zero else ""
    return f"Largest backlog {largest:,}{of_zero}."


def _room(full: Callable[[int], bool]) -> int:
    """How many there can be before it is full; _MOST if it never is."""
    return next((number for number in range(_MOST) if full(number)), _MOST)


def _default(kernel: Generation, sysctl: str) -> int:
    value = kernel.sysctls.get(sysctl, SYSCTLS[sysctl].default)
    assert isinstance(value, int)
    return value
