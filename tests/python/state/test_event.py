"""Event: all calls that wait return once it is set, also if it is cleared at once."""

import contextlib
import time

import pytest
from support import Call, execute, interpreter, wait_until

from xichan import AtomicInt, Event, _core


def test_set_and_clear_change_the_flag():
    event = Event()
    assert not event.is_set() and event.wait(0) is False
    event.set()
    assert event.is_set() and event.wait() is True and event.wait(0) is True
    event.set()
    event.clear()
    event.clear()
    assert not event.is_set()


@pytest.mark.parametrize("timeout", [0.00001, 0.02, 0.2])
def test_wait_returns_false_after_the_timeout(timeout):
    start = time.monotonic()
    assert Event().wait(timeout) is False
    assert time.monotonic() - start >= timeout


def test_negative_timeout_is_refused():
    with pytest.raises(ValueError, match="timeout"):
        Event().wait(-1)


def test_waiters_return_although_the_flag_is_cleared_at_once():
    event = Event()
    for _ in range(50):
        calls = [Call(event.wait) for _ in range(3)]
        wait_until(lambda: _core._waiting(event) == 3)
        event.set()
        event.clear()
        for call in calls:
            assert call.result() is True


def test_set_wakes_hundred_threads_of_four_interpreters():
    event, passed = Event(), AtomicInt()
    source = """
        import threading
        threads = [threading.Thread(target=lambda: event.wait() and passed.add()) for _ in range(25)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(event=event, passed=passed)) for _ in range(4)]
        calls = [execute(interp, source) for interp in interps]
        wait_until(lambda: _core._waiting(event) == 100)
        event.set()
        for call in calls:
            call.result()
    assert passed.value == 100


def test_repr_shows_the_flag():
    event = Event(name="ready")
    assert repr(event) == "<xichan.Event 'ready' unset>"
    event.set()
    assert repr(event) == "<xichan.Event 'ready' set>"
