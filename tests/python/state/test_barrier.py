"""Barrier: rounds, and what breaks them."""

import contextlib
import threading
import time

import pytest
from support import Call, execute, interpreter, wait_until

from xichan import AtomicInt, Barrier

Broken = threading.BrokenBarrierError


def test_all_parties_pass_with_different_indices():
    barrier = Barrier(5)
    for _ in range(20):
        calls = [Call(barrier.wait) for _ in range(5)]
        assert sorted(call.result() for call in calls) == [0, 1, 2, 3, 4]
        assert barrier.n_waiting == 0 and not barrier.broken


def test_index_is_the_order_of_arrival():
    barrier = Barrier(3)
    first = Call(barrier.wait)
    wait_until(lambda: barrier.n_waiting == 1)
    second = Call(barrier.wait)
    wait_until(lambda: barrier.n_waiting == 2)
    assert barrier.wait() == 2 and first.result() == 0 and second.result() == 1


def test_one_party_never_blocks():
    barrier = Barrier(1)
    assert barrier.wait() == 0 and barrier.wait(0) == 0 and barrier.parties == 1


@pytest.mark.parametrize("parties", [0, -1, 2**63, 1.0, None, True and "2"])
def test_number_of_parties_is_checked(parties):
    with pytest.raises((ValueError, TypeError)):
        Barrier(parties)


def test_timeout_breaks_the_barrier_and_is_never_early():
    barrier = Barrier(3)
    other = Call(barrier.wait)
    wait_until(lambda: barrier.n_waiting == 1)
    start = time.monotonic()
    with pytest.raises(Broken):
        barrier.wait(0.05)
    assert time.monotonic() - start >= 0.05
    with pytest.raises(Broken):
        other.result()
    assert barrier.broken and barrier.n_waiting == 0
    with pytest.raises(Broken):
        barrier.wait()
    barrier.reset()
    calls = [Call(barrier.wait) for _ in range(3)]
    assert sorted(call.result() for call in calls) == [0, 1, 2]


def test_timeout_of_the_barrier_applies_without_one_of_the_call():
    barrier = Barrier(2, 0.03)
    start = time.monotonic()
    with pytest.raises(Broken):
        barrier.wait()
    assert time.monotonic() - start >= 0.03
    barrier.reset()
    call = Call(barrier.wait, 30)
    time.sleep(0.05)
    assert barrier.wait() == 1 and call.result() == 0
    with pytest.raises(Broken):
        Barrier(2, timeout=0).wait()


def test_reset_fails_the_calls_that_wait():
    barrier = Barrier(3)
    calls = [Call(barrier.wait) for _ in range(2)]
    wait_until(lambda: barrier.n_waiting == 2)
    barrier.reset()
    for call in calls:
        with pytest.raises(Broken):
            call.result()
    assert not barrier.broken and barrier.n_waiting == 0
    barrier.reset()
    assert not barrier.broken


def test_abort_fails_calls_now_and_later():
    barrier = Barrier(3)
    call = Call(barrier.wait)
    wait_until(lambda: barrier.n_waiting == 1)
    barrier.abort()
    with pytest.raises(Broken):
        call.result()
    with pytest.raises(Broken):
        barrier.wait()
    assert barrier.broken


def test_hundred_parties_of_four_interpreters_pass_together():
    barrier, arrived, early = Barrier(100), AtomicInt(), AtomicInt()
    source = """
        import threading
        def run():
            for round in range(1, 4):
                arrived.add()
                barrier.wait()
                if arrived.value < round * 100: early.add()
        threads = [threading.Thread(target=run) for _ in range(25)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(barrier=barrier, arrived=arrived, early=early)) for _ in range(4)]
        for call in [execute(interp, source) for interp in interps]:
            call.result()
    assert arrived.value == 300 and early.value == 0


def test_calls_that_give_up_break_the_barrier_for_all_or_none():
    barrier = Barrier(3)
    for number in range(100):
        timeouts = (None, None, number * 0.00001)
        calls = [Call(barrier.wait, timeout) for timeout in timeouts]
        outcomes = []
        for call in calls:
            try:
                outcomes.append(call.result())
            except Broken:
                outcomes.append(Broken)
        assert sorted(map(str, outcomes)) == ["0", "1", "2"] or outcomes == [Broken] * 3
        barrier.reset()


def test_repr_shows_the_round():
    barrier = Barrier(2, name="start")
    assert repr(barrier) == "<xichan.Barrier 'start' 0 of 2 waiting>"
    barrier.abort()
    assert repr(barrier) == "<xichan.Barrier 'start' 0 of 2 waiting broken>"
