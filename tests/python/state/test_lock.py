"""Lock and RLock: exclusion, order, timeouts, and the rules about who releases them."""

import contextlib
import threading
import time

import pytest
from support import Call, execute, interpreter, wait_until

import xichan
from xichan import AtomicInt, Cell, Lock, RLock

KINDS = pytest.mark.parametrize("kind", [Lock, RLock])


@KINDS
def test_with_acquires_and_releases(kind):
    lock = kind()
    assert not lock.locked()
    with lock as value:
        assert lock.locked() and value is True
    assert not lock.locked()


@KINDS
def test_acquire_takes_arguments_as_threading_does(kind):
    lock = kind()
    for arguments in ((), (True,), (False,), (True, -1), (True, None), (True, 0), (True, 1.5), (True, -1.0)):
        assert lock.acquire(*arguments) is True
        lock.release()
    assert lock.acquire(blocking=False) and not Call(lock.acquire, False).result()
    lock.release()
    with pytest.raises(ValueError, match="non-blocking"):
        lock.acquire(False, 1)
    for timeout in (-2, -0.5, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            lock.acquire(timeout=timeout)
    assert not lock.locked()


@KINDS
@pytest.mark.parametrize("timeout", [0.000001, 0.001, 0.05, 0.2])
def test_timeout_is_never_early(kind, timeout):
    lock = kind()
    lock.acquire()

    def attempt():
        start = time.monotonic()
        return lock.acquire(timeout=timeout), time.monotonic() - start

    acquired, elapsed = Call(attempt).result()
    assert not acquired and elapsed >= timeout
    lock.release()


def test_any_thread_releases_a_lock():
    lock = Lock()
    lock.acquire()
    Call(lock.release).result()
    assert not lock.locked()
    with pytest.raises(RuntimeError, match="not held"):
        lock.release()


def test_lock_is_not_recursive():
    lock = Lock()
    lock.acquire()
    assert not lock.acquire(timeout=0.01)
    lock.release()


def test_rlock_is_released_as_often_as_it_was_acquired():
    lock = RLock()
    for _ in range(3):
        assert lock.acquire()
    for _ in range(3):
        assert not Call(lock.acquire, False).result()
        lock.release()
    assert Call(lambda: lock.acquire(False) and lock.release() is None).result()
    with pytest.raises(RuntimeError, match="does not hold"):
        lock.release()


def test_rlock_is_released_by_its_owner_alone():
    lock = RLock()
    lock.acquire()
    with pytest.raises(RuntimeError, match="does not hold"):
        Call(lock.release).result()
    with interpreter(lock=lock) as interp, pytest.raises(Exception, match="does not hold"):
        interp.exec("lock.release()")
    assert lock.locked()
    lock.release()


@KINDS
def test_lock_excludes_threads_of_four_interpreters(kind):
    lock, cell = kind(), Cell(0)
    source = """
        for _ in range(300):
            with lock:
                cell.set(cell.get() + 1)
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(lock=lock, cell=cell)) for _ in range(4)]
        for call in [execute(interp, source) for interp in interps]:
            call.result()
    assert cell.get() == 1200


@KINDS
def test_waiters_acquire_in_their_order(kind):
    lock = kind()
    order = []

    def acquire(number):
        with lock:
            order.append(number)

    lock.acquire()
    calls = []
    for number in range(20):
        calls.append(Call(acquire, number))
        wait_until(lambda: xichan._core._waiting(lock) == len(calls))
    lock.release()
    for call in calls:
        call.result()
    assert order == list(range(20))


def test_release_passes_the_lock_to_a_waiter_and_not_to_its_own_thread():
    lock = Lock()
    lock.acquire()
    call = Call(lock.acquire)
    wait_until(lambda: xichan._core._waiting(lock) == 1)
    lock.release()
    assert not lock.acquire(False)  # it is the waiter's
    assert call.result() is True
    lock.release()


def test_hundred_waiters_of_four_interpreters_all_acquire():
    lock, passed = Lock(), AtomicInt()
    source = """
        import threading
        def run():
            with lock:
                passed.add()
        threads = [threading.Thread(target=run) for _ in range(25)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    lock.acquire()
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(lock=lock, passed=passed)) for _ in range(4)]
        calls = [execute(interp, source) for interp in interps]
        wait_until(lambda: xichan._core._waiting(lock) == 100)
        assert passed.value == 0
        lock.release()
        for call in calls:
            call.result()
    assert passed.value == 100 and not lock.locked()


def test_waiters_that_time_out_do_not_take_the_lock_with_them():
    lock = Lock()

    def attempt(timeout):
        acquired = lock.acquire(timeout=timeout)
        if acquired:
            lock.release()
        return acquired

    for number in range(100):
        lock.acquire()
        calls = [Call(attempt, number * 0.00002), Call(attempt, number * 0.00001), Call(attempt, 30)]
        time.sleep(number * 0.00001)
        lock.release()
        for call in calls:
            call.result()
        assert call.result() and not lock.locked()


@KINDS
def test_finalizers_and_callbacks_may_use_the_lock(kind):
    import weakref

    lock = kind()

    class Uses:
        def __del__(self):
            seen.append(lock.acquire(timeout=0.01))
            if seen[-1]:
                lock.release()

    seen = []
    with lock:
        dropped = Uses()
        reference = weakref.ref(dropped, lambda _: seen.append(lock.locked()))
        del dropped
    assert seen == [True, kind is RLock] or seen == [kind is RLock, True]
    assert reference() is None
    assert not lock.locked()


@KINDS
def test_repr_shows_the_state(kind):
    lock = kind(name="guard")
    assert repr(lock) == f"<xichan.{kind.__name__} 'guard' unlocked>"
    with lock:
        assert repr(lock) == f"<xichan.{kind.__name__} 'guard' locked>"


def test_threads_that_come_and_go_are_different_owners():
    lock = RLock()
    for _ in range(20):
        thread = threading.Thread(target=lambda: lock.acquire() and lock.release())
        thread.start()
        thread.join()
    assert not lock.locked()
