"""The conditions of a link, as its table says them."""

from tcpemu.network import Conditions, Red, Rule
from tcpemu.scenario.format.links.link_tables import Link, RedTable


def link_conditions(link: Link, shared: str = "", drop: tuple[Rule, ...] = ()) -> Conditions:
    """All that the table says of a direction, but for packets that are lost on purpose: `drop` has those.

    `shared` names the queue that links have in common; empty for a queue of its own.
    """
    return Conditions(
        delay=link.delay,
        jitter=link.jitter,
        rate=link.rate,
        queue=link.queue,
        queue_octets=link.queue_octets,
        red=_red(link.red),
        mark=link.mark,
        mtu=link.mtu,
        icmp=link.icmp,
        shared=shared,
        loss=link.loss,
        loss_begin=link.loss_from if link.loss else 0,
        loss_until=link.loss_until if link.loss else None,
        burst=link.burst if link.loss else 1.0,
        duplicate=link.duplicate,
        reorder=link.reorder,
        drop=drop,
    )


def _red(red: RedTable | None) -> Red | None:
    return None if red is None else Red(red.least, red.most, red.probability, red.weight)
