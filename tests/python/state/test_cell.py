"""Cell: versions, updates that are not lost, and what readers and waiters see."""

import contextlib
import time

import pytest
from support import Call, execute, interpreter, wait_until

import xichan
from xichan import Cell, _core

LARGE = "a text that needs a block of its own" * 100


def test_set_replaces_the_value_and_counts():
    cell = Cell({"a": [1]})
    assert cell.get() == {"a": [1]} and cell.version == 1
    cell.set(LARGE)
    assert cell.get() == LARGE and cell.version == 2


def test_get_returns_a_copy_or_a_view():
    cell = Cell((LARGE, 1))
    assert cell.get() is not cell.get()
    view = cell.get(copy=False)
    assert isinstance(view, xichan.TupleView)
    cell.set(None)
    assert view[0] == LARGE  # the view keeps its value


def test_swap_returns_the_previous_value():
    cell = Cell([1])
    assert cell.swap([2]) == [1] and cell.get() == [2] and cell.version == 2


def test_compare_and_set_fails_for_another_version():
    cell = Cell(1)
    assert not cell.compare_and_set(7, 2) and cell.get() == 1
    assert cell.compare_and_set(version=1, value=LARGE) and cell.get() == LARGE
    assert not cell.compare_and_set(1, 3) and cell.version == 2


def test_refused_values_change_nothing():
    cell = Cell(1)
    for call in (cell.set, cell.swap, lambda v: cell.compare_and_set(1, v), lambda v: cell.update(lambda _: v)):
        with pytest.raises(xichan.NotShareableError):
            call(object())
    assert cell.get() == 1 and cell.version == 1
    with pytest.raises(xichan.NotShareableError):
        Cell(object())


def test_update_returns_the_new_value():
    cell = Cell(20)
    assert cell.update(lambda value: value + 1) == 21 and cell.get() == 21


def test_update_raises_what_the_function_raises():
    cell = Cell(1)
    with pytest.raises(ZeroDivisionError):
        cell.update(lambda value: value / 0)
    with pytest.raises(TypeError):
        cell.update(None)
    assert cell.get() == 1 and cell.version == 1


def test_update_calls_the_function_again_after_a_conflict():
    cell, seen = Cell(0), []

    def add(value):
        seen.append(value)
        if len(seen) == 1:
            cell.set(10)
        return value + 1

    assert cell.update(add) == 11
    assert seen == [0, 10] and cell.version == 3


def test_no_update_of_four_interpreters_is_lost():
    cell = Cell(("count", 0))
    source = "for _ in range(500): cell.update(lambda value: (value[0], value[1] + 1))"
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(cell=cell)) for _ in range(4)]
        for call in [execute(interp, source) for interp in interps]:
            call.result()
    assert cell.get() == ("count", 2000) and cell.version == 2001


def test_readers_see_whole_values_while_writers_replace_them():
    cell = Cell((0, LARGE, 0))
    stop = xichan.Event()
    source = """
        last = 0
        while not stop.is_set():
            first, text, second = cell.get()
            assert first == second >= last and len(text) >= 1000
            last = first
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(cell=cell, stop=stop)) for _ in range(3)]
        calls = [execute(interp, source) for interp in interps]
        for number in range(1, 2000):
            cell.set((number, LARGE, number))
        stop.set()
        for call in calls:
            call.result()


def test_wait_returns_the_version_that_it_has_seen():
    cell = Cell(1)
    assert cell.wait(0) == 1 and cell.wait(9) == 1
    with pytest.raises(xichan.ChannelTimeout):
        cell.wait(1, 0)
    start = time.monotonic()
    with pytest.raises(xichan.ChannelTimeout):
        cell.wait(1, timeout=0.05)
    assert time.monotonic() - start >= 0.05
    call = Call(cell.wait, 1)
    wait_until(lambda: _core._waiting(cell) == 1)
    cell.set(2)
    assert call.result() == 2


def test_every_waiter_sees_each_new_version():
    cell = Cell(0)

    def follow():
        seen = 1
        while seen < 301:
            seen = cell.wait(seen)

    calls = [Call(follow) for _ in range(4)]
    for number in range(300):
        cell.set(number)
    for call in calls:
        call.result()


def test_cell_may_refer_to_other_objects_and_endpoints():
    tx, rx = xichan.channel(1)
    cell = Cell((Cell(5), tx))
    inner, sender = cell.get()
    sender.send("through the cell")
    assert rx.recv() == "through the cell" and inner.get() == 5
    del inner, sender, tx
    cell.set(None)  # closes the last sender
    with pytest.raises(xichan.ChannelClosed):
        rx.recv(timeout=5)


def test_value_is_released_with_a_waiter_in_the_queue():
    """The last reader frees the value, but never under the lock of the queue: closing a channel may need that."""
    cell = Cell(None)
    call = Call(lambda: cell.wait(1) and cell.wait(2) and cell.wait(3))
    for number in range(3):
        wait_until(lambda: _core._waiting(cell) == 1)
        tx, rx = xichan.channel(1)
        cell.set((tx, cell if number == 0 else None))
        del tx
    call.result()
    cell.set(None)


def test_memory_limit_applies():
    cell = Cell(1)
    xichan.set_memory_limit(xichan.memory_stats().bytes + 100_000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        cell.set(b"x" * 1_000_000)
    assert cell.get() == 1
    xichan.set_memory_limit(None)


def test_repr_shows_the_version():
    assert repr(Cell(1, name="config")) == "<xichan.Cell 'config' version 1>"
