"""Semaphore: units are neither lost nor doubled, and go to the calls that have waited longest."""

import contextlib
import time

import pytest
from support import Call, execute, interpreter, wait_until

from xichan import AtomicInt, Semaphore, _core


def test_acquire_takes_one_unit():
    semaphore = Semaphore(2)
    assert semaphore.acquire() and semaphore.acquire() and semaphore.value == 0
    assert not semaphore.acquire(False) and not semaphore.acquire(timeout=0.01)
    semaphore.release()
    with semaphore:
        assert semaphore.value == 0
    assert semaphore.value == 1


def test_release_adds_units():
    semaphore = Semaphore(0)
    semaphore.release(3)
    semaphore.release(n=2)
    assert semaphore.value == 5
    for units in (0, -1):
        with pytest.raises(ValueError, match="n must be"):
            semaphore.release(units)
    assert semaphore.value == 5


def test_value_cannot_exceed_its_range():
    semaphore = Semaphore(2**63 - 1)
    with pytest.raises(ValueError, match="nothing was released"):
        semaphore.release()
    assert semaphore.value == 2**63 - 1
    assert semaphore.acquire()
    with pytest.raises(ValueError, match="nothing was released"):
        semaphore.release(2)
    semaphore.release()


@pytest.mark.parametrize("value", [-1, 2**63, 1.0, "1", None])
def test_initial_value_is_checked(value):
    with pytest.raises((ValueError, TypeError)):
        Semaphore(value)


def test_release_serves_waiters_in_their_order():
    semaphore = Semaphore(0)
    order, calls = [], []

    def acquire(number):
        semaphore.acquire()
        order.append(number)

    for number in range(6):
        calls.append(Call(acquire, number))
        wait_until(lambda: _core._waiting(semaphore) == len(calls))
    semaphore.release(2)
    wait_until(lambda: len(order) == 2)
    assert sorted(order) == [0, 1] and _core._waiting(semaphore) == 4
    semaphore.release(5)
    for call in calls:
        call.result()
    assert sorted(order[2:]) == [2, 3, 4, 5] and semaphore.value == 1


def test_timeout_is_never_early():
    semaphore = Semaphore(0)
    for timeout in (0.00001, 0.01, 0.1):
        start = time.monotonic()
        assert not semaphore.acquire(timeout=timeout)
        assert time.monotonic() - start >= timeout


def test_no_more_than_its_value_run_at_once():
    semaphore, running, most = Semaphore(3), AtomicInt(), AtomicInt()
    source = """
        import threading, time
        def run():
            for _ in range(5):
                with semaphore:
                    now = running.add(1)
                    while (seen := most.value) < now and not most.compare_exchange(seen, now): pass
                    time.sleep(0.0005)
                    running.add(-1)
        threads = [threading.Thread(target=run) for _ in range(5)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(semaphore=semaphore, running=running, most=most)) for _ in range(4)]
        for call in [execute(interp, source) for interp in interps]:
            call.result()
    assert running.value == 0 and 1 <= most.value <= 3 and semaphore.value == 3


def test_units_are_not_lost_when_waiters_time_out():
    semaphore = Semaphore(0)
    taken = AtomicInt()

    def attempt():
        for _ in range(100):
            if semaphore.acquire(timeout=0.0002):
                taken.add()

    calls = [Call(attempt) for _ in range(4)]
    for _ in range(200):
        semaphore.release()
        time.sleep(0.0001)
    for call in calls:
        call.result()
    assert taken.value + semaphore.value == 200


def test_repr_shows_the_value():
    assert repr(Semaphore(4, name="slots")) == "<xichan.Semaphore 'slots' value 4>"
