"""The waits of inspect() for objects of shared state."""

import pytest
from support import Call
from support.waits import line_of, only_wait, waits

import xichan

STATE_CALLS = {
    "Lock.acquire": (xichan.Lock, lambda lock: lock.acquire(), lambda lock: lock.release()),
    "RLock.acquire": (xichan.RLock, lambda lock: lock.acquire(), lambda lock: lock.release()),
    "Semaphore.acquire": (lambda: xichan.Semaphore(0), lambda units: units.acquire(), lambda units: units.release()),
    "Event.wait": (xichan.Event, lambda event: event.wait(), lambda event: event.set()),
    "Cell.wait": (lambda: xichan.Cell(1), lambda cell: cell.wait(cell.version), lambda cell: cell.set(2)),
    "Map.wait": (xichan.Map, lambda map: map.wait("key"), lambda map: map.set("key", 1)),
    "Barrier.wait": (lambda: xichan.Barrier(2), lambda barrier: barrier.wait(), lambda barrier: barrier.wait()),
}


@pytest.mark.parametrize("name", STATE_CALLS)
def test_state_objects(name):
    make, block, end = STATE_CALLS[name]
    obj = make()
    if "Lock" in name:
        obj.acquire()
    call = Call(lambda: block(obj))
    wait = only_wait()
    assert wait.call == name and wait.channels == () and wait.place is not None
    (shown,) = [each for each in xichan.inspect().objects if each.id in wait.objects]
    assert shown.kind == type(obj).__name__ and shown.waits[0].id == wait.id
    end(obj)
    call.result()
    if "Lock" in name:
        assert waits() == []


def test_condition():
    condition = xichan.Condition()

    def block():
        with condition:
            condition.wait()

    call = Call(block)
    wait = only_wait()
    assert (wait.call, wait.place) == ("Condition.wait", line_of(block, 2))
    with condition:
        condition.notify()
    call.result()


def test_broadcast():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    call = Call(lambda: rx.recv())
    assert only_wait().call == "BroadcastReceiver.recv"
    tx.send(1)
    assert call.result() == 1
    tx.send(2)
    call = Call(lambda: tx.send(3))
    assert only_wait().call == "BroadcastSender.send"
    assert rx.recv() == 2
    call.result()
