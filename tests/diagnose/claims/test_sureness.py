import pytest

from tcpemu.diagnose.claims.sureness import Sure, sureness


@pytest.mark.parametrize(
    ("cost", "other", "doubts", "sure"),
    [
        (0, None, [], Sure.CERTAIN),
        (0, 4, [], Sure.CERTAIN),
        (0, 3, [], Sure.LIKELY),
        (0, 4, ["its clock stepped"], Sure.LIKELY),
        (1, 9, [], Sure.LIKELY),
        (1, 1, [], Sure.POSSIBLE),
        (1, 2, [], Sure.POSSIBLE),
        (1, 3, [], Sure.LIKELY),
        (0, 0, ["x"], Sure.POSSIBLE),
        (4, 9, [], Sure.CANNOT_TELL),
    ],
)
def test_certain_is_only_what_nothing_else_explains(cost, other, doubts, sure):
    found, why = sureness(cost, other, doubts)
    assert found is sure
    assert not doubts or sure is not Sure.LIKELY or why.endswith(doubts[0])
