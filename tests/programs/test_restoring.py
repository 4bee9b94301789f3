"""Code off the hosts sees nothing of it, and afterwards everything is as it was."""

import _thread
import datetime
import os
import queue
import select
import selectors
import signal
import socket
import sys
import threading
import time

import pytest

from tcpemu.testing import World


def everything():
    """All that may be replaced, by place."""
    modules = (_thread, datetime, os, queue, select, signal, socket, threading, time)
    found = {(module.__name__, name): value for module in modules for name, value in vars(module).items()}
    kinds = (socket.socket, selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector)
    found |= {("datetime", name): vars(datetime.datetime)[name] for name in ("now", "utcnow")}
    found |= {(kind.__name__, name): value for kind in kinds for name, value in vars(kind).items()}
    return found | {("sys", name): getattr(sys, name) for name in ("argv", "path", "stdout", "stderr")}


def changed(before):
    """Places where now is something else than before."""
    now = everything()
    return [place for place in before.keys() | now.keys() if before.get(place) is not now.get(place)]


@pytest.fixture(autouse=True)
def all_is_as_it_was():
    before, threads = everything(), threading.active_count()
    descriptors = set(os.listdir("/proc/self/fd"))
    yield
    assert changed(before) == []
    assert threading.active_count() == threads
    assert set(os.listdir("/proc/self/fd")) == descriptors


def wait_for_ever():
    listener = socket.socket()
    listener.bind(("", 80))
    listener.listen()
    threading.Thread(target=time.sleep, args=(1000,)).start()
    listener.accept()


def run(*functions, at=None, until="2 s"):
    """A host for each function, besides one that waits for ever."""
    with World() as world:
        world.run(world.host("waits"), wait_for_ever)
        for number, function in enumerate(functions):
            world.run(world.host(f"host-{number}"), function, at="0.5 s")
        if at is not None:
            world.network.at(10**9, at)
        world.until(until)


def fail():
    raise ValueError("mine")


def interrupt(*_):
    raise KeyboardInterrupt


def test_after_a_run():
    run()


def test_after_an_error_of_a_program():
    with pytest.raises(ValueError, match="mine"):
        run(fail)


def test_after_an_error_of_the_test():
    with pytest.raises(ValueError, match="mine"):
        run(at=fail)


def test_after_ctrl_c_between_calls():
    with pytest.raises(KeyboardInterrupt):
        run(at=interrupt)


def test_after_ctrl_c_while_a_program_computes():
    def compute():
        while True:
            pass

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(compute)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_module_that_a_program_loads_keeps_nothing_emulated(tmp_path):
    (tmp_path / "loaded_by_a_program.py").write_text("from time import sleep\nfrom threading import Lock\n")
    (tmp_path / "program.py").write_text("import loaded_by_a_program\nloaded_by_a_program.sleep(100)\n")
    with World() as world:
        world.run(world.host("a"), tmp_path / "program.py")
        world.until()
        assert world.now == 100
    module = sys.modules.pop("loaded_by_a_program")
    assert module.sleep is time.sleep
    assert module.Lock is threading.Lock


def test_off_the_hosts_the_real_thing_is_there():
    with World() as world:
        world.run(world.host("a"), wait_for_ever)
        world.until("1000 s")
        before = time.monotonic()
        time.sleep(0.01)
        assert 0.005 < time.monotonic() - before < 5
        one, other = socket.socketpair()
        one.send(b"x")
        assert select.select([other], [], [], 1) == ([other], [], [])
        assert other.recv(1) == b"x"
        assert type(one) is socket.socket
        one.close()
        other.close()
        thread = threading.Thread(target=time.sleep, args=(0.01,))
        thread.start()
        thread.join()
        assert socket.gethostname() == os.uname().nodename
        assert threading.current_thread() is threading.main_thread()
        assert isinstance(threading.Lock(), type(_thread.allocate_lock()))
        assert time.time() > 1.75e9
        assert datetime.datetime.now().year >= 2025
        items = queue.SimpleQueue()
        items.put(1)
        assert items.get() == 1


def test_a_program_that_does_not_want_to_end():
    def stubborn():
        while True:
            try:
                time.sleep(1)
            except BaseException:
                continue

    with World() as world:
        world.run(world.host("a"), stubborn)
        world.until("3.5 s")
