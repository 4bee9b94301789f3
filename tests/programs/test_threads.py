"""threading, queue and what is made of them: in virtual time, one thread at a time."""

import _thread
import queue
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock as EarlyLock
from time import monotonic as early_monotonic
from time import sleep as early_sleep

import pytest

from tests.programs.pair_of_hosts import run_alone, run_pair


def test_a_lock_is_waited_for():
    def main():
        lock, found = threading.Lock(), []

        def other():
            with lock:
                found.append(time.monotonic() - begin)

        begin = time.monotonic()
        lock.acquire()
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(2)
        found.append("released")
        lock.release()
        thread.join()
        return found, lock.acquire(timeout=1), lock.acquire(timeout=1.5), round(time.monotonic() - begin, 6)

    assert run_alone(main) == (["released", 2.0], True, False, 3.5)


def test_names_that_were_imported_before_are_emulated_too():
    def main():
        lock = EarlyLock()
        begin = early_monotonic()
        early_sleep(100)
        lock.acquire()
        return lock.acquire(timeout=5), early_monotonic() - begin

    # This module's own names were taken before anything was put in place.
    assert run_alone(main) == (False, 105.0)


def test_a_condition_an_event_and_a_barrier():
    def main():
        begin, found = time.monotonic(), []
        condition, event, barrier = threading.Condition(), threading.Event(), threading.Barrier(2)

        def consumer():
            with condition:
                found.append(condition.wait(timeout=1))
                found.append(condition.wait())
            event.wait()
            barrier.wait()
            found.append(time.monotonic() - begin)

        thread = threading.Thread(target=consumer)
        thread.start()
        time.sleep(2)
        with condition:
            condition.notify()
        time.sleep(1)
        event.set()
        barrier.wait()
        thread.join()
        return found

    assert run_alone(main) == [False, True, 3.0]


def test_an_rlock_is_its_owners():
    def main():
        lock, found = threading.RLock(), []

        def other():
            found.append(lock.acquire(timeout=1))
            found.append(lock.acquire(blocking=False))

        with lock, lock:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        other()
        return found

    assert run_alone(main) == [False, False, True, True]


@pytest.mark.parametrize("kind", ["Queue", "SimpleQueue", "LifoQueue"])
def test_queues(kind):
    def main():
        items = getattr(queue, kind)()

        def producer():
            for number in range(3):
                time.sleep(1)
                items.put(number)

        threading.Thread(target=producer).start()
        begin = time.monotonic()
        found = [items.get() for _ in range(3)]
        with pytest.raises(queue.Empty):
            items.get(timeout=0.5)
        return found, time.monotonic() - begin

    assert run_alone(main) == ([0, 1, 2], 3.5)


def test_joining_and_being_alive():
    def main():
        thread = threading.Thread(target=time.sleep, args=(3,), name="sleeper")
        thread.start()
        begin = time.monotonic()
        thread.join(timeout=1)
        found = [thread.is_alive(), time.monotonic() - begin]
        thread.join()
        return [*found, thread.is_alive(), time.monotonic() - begin]

    assert run_alone(main) == [True, 1.0, False, 3.0]


def test_who_a_thread_is():
    def main():
        found = []

        def other():
            found.append(threading.current_thread().name)
            found.append(threading.current_thread() is threading.main_thread())
            found.append(threading.get_ident() == threading.current_thread().ident)

        thread = threading.Thread(target=other, name="other")
        thread.start()
        thread.join()
        main = threading.main_thread()
        return found, main.name, threading.current_thread() is main, main.daemon, thread.daemon

    assert run_alone(main) == (["other", False, True], "MainThread", True, False, False)


def test_a_program_waits_for_threads_that_are_no_daemons_and_ends_the_others():
    ended = []

    def main():
        def work(name, seconds):
            time.sleep(seconds)
            ended.append(name)

        threading.Thread(target=work, args=("worker", 2)).start()
        threading.Thread(target=work, args=("daemon", 5), daemon=True).start()
        _thread.start_new_thread(work, ("raw", 1))

    run_alone(main)
    assert ended == ["raw", "worker"]


def test_a_pool_of_threads():
    def main():
        begin = time.monotonic()

        def work(number):
            time.sleep(1)
            return number * number

        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(work, range(6)))
        return found, time.monotonic() - begin

    assert run_alone(main) == ([0, 1, 4, 9, 16, 25], 2.0)


def test_a_timer():
    def main():
        found = []
        timer = threading.Timer(3, found.append, ["rang"])
        timer.start()
        timer.join()
        return found

    assert run_alone(main) == ["rang"]


def test_what_a_thread_raises_is_printed_and_the_program_goes_on(capsys):
    def main():
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        return "went on"

    assert run_alone(main, echo=True) == "went on"
    assert "alone | ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_socketserver_with_a_thread_for_each_connection():
    def serve():
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                time.sleep(1)
                self.wfile.write(self.rfile.readline().upper())

        with socketserver.ThreadingTCPServer(("", 80), Handler) as server:
            server.serve_forever()

    def ask():
        import socket

        def one(_):
            with socket.create_connection(("server", 80)) as connection:
                connection.sendall(b"hello\n")
                return connection.makefile().read()

        begin = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, range(4))), round(time.monotonic() - begin, 3)

    assert run_pair(serve, ask) == (["HELLO\n"] * 4, 1.08)
