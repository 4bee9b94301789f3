"""A program that forks is told that it cannot."""

import os

import pytest

from tcpemu.testing import World


def fork():
    os.fork()


def fork_with_a_terminal():
    os.forkpty()


@pytest.mark.parametrize("forks", [fork, fork_with_a_terminal])
def test_fork_is_refused_in_words(forks):
    with World() as world:
        program = world.run(world.host("server"), forks)
        with pytest.raises(OSError, match="is not emulated; use threads or asyncio"):
            world.until(program)
