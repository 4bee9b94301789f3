"""A run that will not fit into memory is told before it begins."""

from collections.abc import Sequence

from tcpemu.cli.long_work import WAYS_OUT, memory_limit, size_words
from tcpemu.cli.user_mistakes import complain
from tcpemu.scenario.format.load_scenario import Run
from tcpemu.scenario.running.reckoned_size import reckoned_octets


def warn_of_size(runs: Sequence[Run], until: int | None) -> None:
    """Say so where the runs will hardly fit."""
    reckoned = sum(reckoned_octets(one.scenario, until) for one in runs)
    limit = memory_limit()
    if limit is not None and reckoned > limit:
        complain(
            f"this will take some {size_words(reckoned)} of memory, and the limit is {size_words(limit)}; "
            f"if it does not fit, {WAYS_OUT}"
        )
