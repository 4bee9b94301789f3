"""Runs that several files here look at."""

import pytest

from tests.explain.plots.drawn_runs import runs_of


@pytest.fixture(scope="module")
def ignored_ack():
    return runs_of("ignored-ack")
