"""What cannot go on is found and named."""

import asyncio
import os
import socket
import threading
import time

import pytest

from tcpemu.testing import StuckError, World


def stuck(function, patience=None, calls=None):
    """What is said of a program that cannot go on."""
    with World() as world:
        computers = world._driver.computers
        computers.patience = patience or computers.patience
        computers.calls_allowed = calls or computers.calls_allowed
        world.run(world.host("host"), function, name="program")
        with pytest.raises(StuckError) as caught:
            world.until()
        for program in world.programs:
            program.disregard_failure()
    return str(caught.value)


def test_a_deadlock_says_who_waits_for_what():
    def main():
        def other():
            pair = socket.socketpair()
            pair[0].recv(1)

        threading.Thread(target=other, name="reader", daemon=True).start()
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    said = stuck(main)
    assert "nothing can happen any more" in said
    assert "program (MainThread) waits for a lock" in said
    assert "program (reader) waits in a call of a socketpair() for a file" in said


def test_a_loop_that_lets_no_time_pass():
    def main():
        until = time.time() + 1
        while time.time() < until:
            pass

    said = stuck(main, calls=900)
    assert "900 calls at 0 s of virtual time" in said
    assert "in main" in said
    assert "while time.time() < until" in said
    assert "/tcpemu/programs/" not in said


def test_a_loop_in_a_thread_is_not_lost_in_it():
    def main():
        def spin():
            while True:
                time.monotonic()

        threading.Thread(target=spin).start()
        time.sleep(10)

    assert "900 calls" in stuck(main, calls=900)


def test_a_call_that_blocks_for_real():
    def main():
        reading, _ = os.pipe()
        os.read(reading, 1)

    said = stuck(main, patience=0.2)
    assert "thread MainThread blocks for real" in said
    assert "os.read(reading, 1)" in said


def test_a_loop_without_a_call():
    def main():
        while True:
            pass

    assert "of real time without a call" in stuck(main, patience=0.05)


def test_a_coroutine_that_waits_for_what_never_comes():
    async def never():
        await asyncio.Event().wait()

    with World() as world:
        task = world.start(world.host("host"), never(), name="waiter")
        with pytest.raises(StuckError, match=r"waiter waits in .*never, .*test_stuck.py"):
            world.until(task)


def test_asyncio_that_spins():
    async def spin():
        while True:
            await asyncio.sleep(0)

    with World() as world:
        world._driver.computers.calls_allowed = 900
        task = world.start(world.host("host"), spin())
        with pytest.raises(StuckError, match="900 calls at 0 s"):
            world.until(task)


def test_time_that_passes_is_no_loop():
    def main():
        for _ in range(3000):
            time.sleep(0.001)
        return time.monotonic() > 3

    with World() as world:
        world._driver.computers.calls_allowed = 100
        assert world.until(world.run(world.host("host"), main)) is True
