"""What many runs say together: the mean with its confidence interval, and quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, sqrt
from statistics import NormalDist, fmean, stdev

from tcpemu.sweep.run_measures import Value, quantile

CONFIDENCE = 0.95
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t for 95 % on both sides, by degrees of freedom from 1 on (any table of it)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One measure at one point of a grid, over all seeds that gave it."""

    runs: int
    """How many gave a number."""
    mean: float
    """Infinite where one of them is: then the median says more."""
    half: float | None
    """Half the width of the 95 % confidence interval of the mean; None where one run or an infinite value is all."""
    median: float
    lowest: float
    highest: float
    low: float
    """A tenth of the runs are at most this."""
    high: float
    """Nine tenths are at most this."""


def estimate(values: Sequence[Value]) -> Estimate | None:
    """The estimate from these values; None where none is a number."""
    numbers = [float(value) for value in values if value is not None]
    if not numbers:
        return None
    infinite = any(map(isinf, numbers))
    mean = inf if infinite else fmean(numbers)
    half = None
    if len(numbers) > 1 and not infinite:
        half = student(len(numbers) - 1) * stdev(numbers) / sqrt(len(numbers))
    return Estimate(
        len(numbers),
        mean,
        half,
        quantile(numbers, 0.5),
        min(numbers),
        max(numbers),
        quantile(numbers, 0.1),
        quantile(numbers, 0.9),
    )


def student(degrees: int) -> float:
    """Student's t for a 95 % interval; from 31 degrees of freedom on the normal one, corrected to the first order."""
    if degrees <= len(_STUDENT):
        return _STUDENT[degrees - 1]
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return z + (z**3 + z) / (4 * degrees)
