"""Each kind of congestion control that the sysctl names is there, and begins with the window that it is given."""

import pytest

from tcpemu.stack.base.congestion_hooks import KINDS
from tcpemu.stack.control.registry import CONTROLS


def test_the_names_are_those_that_the_sysctl_takes():
    assert tuple(CONTROLS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_begins_with_the_window_that_it_is_given(kind):
    assert CONTROLS[kind](3).cwnd == 3
