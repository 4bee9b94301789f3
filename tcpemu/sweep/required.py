"""For tests: that every run of a sweep meets a target, and which run to look at where one does not."""

from tcpemu.sweep.advice.advice_target import target_of
from tcpemu.sweep.run_measures import MeasureError, Value
from tcpemu.sweep.swept import Swept


def require(found: Swept, target: str, share: float = 1.0) -> None:
    """Raise AssertionError unless, at each point, that share of the runs meets the target: `served >= 20`.

    The message names the first run that does not, as a command. A target is written as for `tcpemu advise`, on what was
    measured; `share` is 0 to 1. Raises QuestionError, MeasureError.
    """
    __tracebackhide__ = True
    wanted = target_of(target, found.plan.columns)
    if wanted.measure not in found.plan.columns:
        raise MeasureError(f"{wanted.measure} was not measured; name it in `measure`, beside what is there")
    for point, (_, values) in zip(found.grid, found.by_point(), strict=True):
        some = values[wanted.measure]
        missed = [turn for turn, value in enumerate(some) if not wanted.met(value)]
        if len(some) - len(missed) < share * len(some):
            where = found.grid.words(point.labels) or "the scenario"
            seed = found.plan.first_seed + missed[0]
            raise AssertionError(
                f"{wanted.text}: {len(missed)} of {len(some)} runs of {where} do not meet it; with seed {seed} "
                f"{wanted.measure} is {_shown(some[missed[0]])}\n{_command(found, point.labels, seed)}"
            )


def _shown(value: Value) -> str:
    return "nothing" if value is None else "never" if value == float("inf") else f"{value:.6g}"


def _command(found: Swept, labels: tuple[str, ...], seed: int) -> str:
    varied = zip((axis.path for axis in found.grid.axes), labels, strict=True)
    settings = [*found.plan.settings.items(), *varied]
    words = [found.plan.source, *(f"--set '{path}={value}'" for path, value in settings), f"--seed {seed}"]
    return f"look at it: tcpemu explain {' '.join(words)}"
