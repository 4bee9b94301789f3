"""A generation is a value, its rules included."""

import copy
import pickle

import pytest

from tcpemu.generations import GENERATIONS, generation


@pytest.mark.parametrize("name", GENERATIONS)
def test_it_can_be_pickled_and_copied(name):
    kernel = generation(name)
    for again in (pickle.loads(pickle.dumps(kernel)), copy.deepcopy(kernel)):
        assert again == kernel
        assert again.syn.waits(6) == kernel.syn.waits(6)
        assert again.clamp_backlog(-1, 128) == kernel.clamp_backlog(-1, 128)
