"""Condition: notifications reach the oldest waiters and are not lost; wait() returns with the lock held."""

import contextlib
import time

import pytest
from support import Call, execute, interpreter, wait_until

from xichan import AtomicInt, Cell, Condition, Lock, RLock, _core

NEW = pytest.mark.parametrize(
    "new", [Condition, lambda: Condition(Lock()), lambda: Condition(RLock())], ids=["default", "Lock", "RLock"]
)


def waiting(condition):
    return _core._waiting(condition)


def test_lock_of_the_condition():
    lock = Lock()
    assert Condition(lock).lock is lock
    assert isinstance(Condition().lock, RLock)
    for wrong in (1, "lock", Condition(), object()):
        with pytest.raises(TypeError, match="lock must be"):
            Condition(wrong)


@NEW
def test_condition_holds_its_lock(new):
    condition = new()
    with condition as value:
        assert value is True and condition.locked() and condition.lock.locked()
        assert not Call(condition.acquire, False).result()
    assert not condition.locked()
    assert condition.acquire(timeout=1)
    condition.release()
    with pytest.raises(RuntimeError):
        condition.release()


@NEW
def test_calls_without_the_lock_raise(new):
    condition = new()
    for call in (condition.wait, condition.notify, condition.notify_all, lambda: condition.wait_for(lambda: False)):
        with pytest.raises(RuntimeError, match="acquire it first"):
            call()
    assert waiting(condition) == 0


def test_another_threads_rlock_does_not_count():
    condition = Condition()
    with condition:
        for call in (condition.wait, condition.notify, condition.notify_all):
            with pytest.raises(RuntimeError, match="acquire it first"):
                Call(call).result()


@NEW
def test_wait_releases_the_lock_and_holds_it_again(new):
    condition = new()

    def wait():
        with condition:
            notified = condition.wait()
            assert condition.locked()
            return notified

    call = Call(wait)
    wait_until(lambda: waiting(condition) == 1)
    with condition:
        condition.notify()
        time.sleep(0.01)
        assert call.is_alive()
    assert call.result() is True
    assert not condition.locked()


@NEW
@pytest.mark.parametrize("timeout", [0, 0.00001, 0.05])
def test_wait_returns_false_after_the_timeout(new, timeout):
    condition = new()
    with condition:
        start = time.monotonic()
        assert condition.wait(timeout) is False
        assert time.monotonic() - start >= timeout
        assert condition.locked()


def test_wait_restores_the_depth_of_an_rlock():
    condition = Condition()
    with condition, condition, condition:
        assert not condition.wait(0.001)
        assert not Call(condition.acquire, False).result()
        condition.notify()
    assert not condition.locked()


def test_notify_wakes_the_oldest():
    condition = Condition()
    order, calls = [], []

    def wait(number):
        with condition:
            condition.wait()
            order.append(number)

    for number in range(6):
        calls.append(Call(wait, number))
        wait_until(lambda: waiting(condition) == len(calls))
    with condition:
        condition.notify(0)
        condition.notify(2)
    wait_until(lambda: len(order) == 2)
    assert sorted(order) == [0, 1]
    with condition:
        condition.notify()
    wait_until(lambda: len(order) == 3)
    assert order[2] == 2
    with condition:
        condition.notify_all()
    for call in calls:
        call.result()
    assert sorted(order) == [0, 1, 2, 3, 4, 5]


@NEW
def test_notify_without_waiters_is_not_remembered(new):
    condition = new()
    with condition:
        condition.notify_all()
        condition.notify(5)
        assert condition.wait(0.01) is False


@pytest.mark.parametrize("n", [-1, 2**63, 1.5, "1", None])
def test_number_to_notify_is_checked(n):
    condition = Condition()
    with condition, pytest.raises((ValueError, TypeError)):
        condition.notify(n)


def test_wait_for_returns_the_result_of_the_predicate():
    condition, items = Condition(), []

    def take():
        with condition:
            return condition.wait_for(lambda: items and items.pop())

    call = Call(take)
    for item in (0, 7):
        wait_until(lambda: waiting(condition) == 1)
        with condition:
            items.append(item)
            condition.notify()
    assert call.result() == 7
    with condition:
        start = time.monotonic()
        assert condition.wait_for(list, timeout=0.05) == []
        assert time.monotonic() - start >= 0.05
        assert condition.wait_for(lambda: "at once", 0) == "at once"
        with pytest.raises(ZeroDivisionError):
            condition.wait_for(lambda: 1 / 0)
        with pytest.raises(TypeError):
            condition.wait_for(None)


def test_notified_call_that_times_out_returns_true_or_the_next_one_is_notified():
    condition = Condition()
    for number in range(100):

        def wait(timeout):
            with condition:
                return condition.wait(timeout)

        calls = [Call(wait, number * 0.00001), Call(wait, 30)]
        wait_until(lambda calls=calls: waiting(condition) == 1 + calls[0].is_alive())
        with condition:
            condition.notify()
        if calls[0].result():
            with condition:
                condition.notify()
        assert calls[1].result() is True


def test_several_conditions_share_a_lock():
    lock = Lock()
    full, empty = Condition(lock), Condition(lock)
    slot = Cell(None)

    def put():
        for number in range(200):
            with lock:
                empty.wait_for(lambda: slot.get() is None)
                slot.set(number)
                full.notify()

    def take():
        taken = []
        for _ in range(200):
            with lock:
                full.wait_for(lambda: slot.get() is not None)
                taken.append(slot.swap(None))
                empty.notify()
        return taken

    putting, taking = Call(put), Call(take)
    putting.result()
    assert taking.result() == list(range(200))


def test_queue_of_four_interpreters():
    condition, items, taken = Condition(), Cell(0), AtomicInt()
    source = """
        for _ in range(100):
            with condition:
                condition.wait_for(lambda: items.get() > 0)
                items.set(items.get() - 1)
                taken.add()
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(condition=condition, items=items, taken=taken)) for _ in range(4)]
        calls = [execute(interp, source) for interp in interps]
        for _ in range(400):
            with condition:
                items.set(items.get() + 1)
                condition.notify()
        for call in calls:
            call.result()
    assert taken.value == 400 and items.get() == 0


def test_notify_all_wakes_hundred_threads_of_four_interpreters():
    condition, passed = Condition(Lock()), AtomicInt()
    source = """
        import threading
        def run():
            with condition:
                condition.wait()
            passed.add()
        threads = [threading.Thread(target=run) for _ in range(25)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(condition=condition, passed=passed)) for _ in range(4)]
        calls = [execute(interp, source) for interp in interps]
        wait_until(lambda: waiting(condition) == 100)
        with condition:
            condition.notify_all()
        for call in calls:
            call.result()
    assert passed.value == 100


def test_received_condition_has_the_same_lock():
    lock = RLock(name="its lock")
    condition = Condition(lock)
    with interpreter(condition=condition) as interp:
        interp.exec("assert condition.lock.name == 'its lock' and condition.lock is condition.lock")
        with lock:
            interp.exec("assert condition.locked() and not condition.acquire(False)")


def test_repr_shows_the_lock():
    condition = Condition(name="ready")
    assert repr(condition) == "<xichan.Condition 'ready' unlocked>"
    with condition:
        assert repr(condition) == "<xichan.Condition 'ready' locked>"
