"""How long a listener's queues can get: found by asking the rules of its kernel."""

from collections.abc import Callable
from dataclasses import dataclass

from tcpemu.stack.host import Host

_MOST = 1 << 17
"""A queue that holds more than this has no limit worth telling."""


@dataclass(slots=True)
class _Filled:
    """A listener's queues as a rule looks at them."""

    accepting: int
    syn_queue: int
    backlog: int
    table: int
    young: int = 2
    """Where a rule lets a young one in all the same, there are others."""


@dataclass(frozen=True, slots=True)
class Limits:
    accept: Callable[[int], int | None]
    """From a backlog to how many connections make the queue full; None where nothing does."""
    syn: Callable[[int], int | None]
    one_queue: bool
    """Half-open connections stand in the accept queue, and its limit is theirs."""


def limits_of(host: Host) -> Limits:
    """How long the queues of that host can get."""
    rules = host.generation.queues
    limit = host.sysctls.tcp_max_syn_backlog

    def accept(backlog: int) -> int | None:
        at_the_ack = _first(lambda n: rules.full_for_ack(_Filled(n, 0, backlog, 0)))
        return at_the_ack or _first(lambda n: rules.full_for_syn(_Filled(n, 0, backlog, 0)))

    def syn(backlog: int) -> int | None:
        table = rules.table(backlog, limit)
        return _first(lambda n: rules.syn_full(_Filled(0, n, backlog, table), limit))

    return Limits(accept, syn, rules.one_queue)


def _first(full: Callable[[int], bool]) -> int | None:
    """The least number for which it is true, as it then stays."""
    if not full(_MOST):
        return None
    low, high = 0, _MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if full(middle) else (middle + 1, high)
    return low
