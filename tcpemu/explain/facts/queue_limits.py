"""How long a listener's queues can get: found by asking the rules of its kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from tcpemu.stack.base.generation import Generation, Queues
from tcpemu.stack.base.sysctls import Sysctls

_MOST = 1 << 17
"""A queue that holds more than this has no limit worth telling."""
_OTHERS = 2
"""Young ones that are there already, where a rule lets one in all the same."""


def assumed_queues(
    backlog: int, accepting: int = 0, syn_queue: int = 0, young: int = 0, table: int = 0
) -> Queues:
    """A listener's queues, as full as somebody wants to ask a kernel's rules about."""
    return Queues(backlog, accepting, syn_queue, young, table)


class QueueKeeper(Protocol):
    """What decides how long the queues of a host can get."""

    @property
    def generation(self) -> Generation: ...
    @property
    def sysctls(self) -> Sysctls: ...


@dataclass(frozen=True, slots=True)
class QueueLimits:
    accept: Callable[[int], int | None]
    """From a backlog to how many connections make the queue full; None where nothing does."""
    syn: Callable[[int], int | None]
    one_queue: bool
    """Half-open connections stand in the accept queue, and its limit is theirs."""


def queue_limits(host: QueueKeeper) -> QueueLimits:
    """How long the queues of that host can get."""
    rules = host.generation.queues
    limit = host.sysctls.tcp_max_syn_backlog

    @cache
    def accept(backlog: int) -> int | None:
        at_the_ack = _first(lambda n: rules.full_for_ack(assumed_queues(backlog, n)))
        return at_the_ack or _first(lambda n: rules.full_for_syn(assumed_queues(backlog, n, young=_OTHERS)))

    @cache
    def syn(backlog: int) -> int | None:
        table = rules.table(backlog, limit)
        return _first(lambda n: rules.syn_full(assumed_queues(backlog, 0, n, _OTHERS, table), limit))

    return QueueLimits(accept, syn, rules.one_queue)


def _first(full: Callable[[int], bool]) -> int | None:
    """The least number for which it is true, as it then stays."""
    if not full(_MOST):
        return None
    low, high = 0, _MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if full(middle) else (middle + 1, high)
    return low
