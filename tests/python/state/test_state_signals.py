"""Signals while the main thread waits for an object: the call has taken nothing, and no other call is held up."""

import pytest
from support import run_script

PRELUDE = """
import os, signal, sys, threading, time
import xichan
from support import Call, alive, left_over, wait_until
from xichan._core import _waiting

signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt(obj, waiting=1):
    wait_until(lambda: _waiting(obj) == waiting)
    os.kill(os.getpid(), signal.SIGINT)

def interrupted(obj, call, *args):
    helper = Call(interrupt, obj)
    try:
        call(*args)
    except KeyboardInterrupt:
        helper.result()
        return
    raise AssertionError("not interrupted")
"""


def run(source):
    return run_script(PRELUDE + source)


CASES = {
    "Lock": ("obj = xichan.Lock(); obj.acquire()", "obj.acquire", "obj.release(); assert obj.acquire(False)"),
    "RLock": (
        "obj = xichan.RLock(); Call(obj.acquire).result()",
        "obj.acquire",
        "assert obj.locked() and not obj.acquire(False)",
    ),
    "Semaphore": ("obj = xichan.Semaphore(0)", "obj.acquire", "obj.release(); assert obj.value == 1"),
    "Event": ("obj = xichan.Event()", "obj.wait", "assert not obj.is_set()"),
    "Cell": ("obj = xichan.Cell(1)", "lambda: obj.wait(1)", "assert obj.version == 1"),
    "Barrier": ("obj = xichan.Barrier(2)", "obj.wait", "assert obj.broken; obj.reset(); assert not obj.n_waiting"),
    "Condition": (
        "obj = xichan.Condition(); obj.acquire(); obj.acquire()",
        "obj.wait",
        "assert not Call(obj.acquire, False).result(); obj.release(); obj.release(); assert not obj.locked()",
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_ctrl_c_interrupts_a_wait_without_side_effects(kind):
    setup, call, check = CASES[kind]
    run(f"""
for _ in range(10):
    {setup}
    interrupted(obj, {call})
    assert _waiting(obj) == 0
    {check}
""")


def test_handled_signals_do_not_end_a_wait_or_its_place():
    run("""
count = 0
def handler(*_):
    global count
    count += 1
    lock.locked(), event.is_set(), barrier.n_waiting, cell.get()  # a handler may use the same objects
signal.signal(signal.SIGUSR1, handler)
lock, event, barrier, cell = xichan.Lock(), xichan.Event(), xichan.Barrier(2), xichan.Cell(0)
condition = xichan.Condition()
lock.acquire()

def notify():
    with condition:
        condition.notify()

def wait():
    with condition:
        return condition.wait()

def send(obj, then):
    for _ in range(20):
        wait_until(lambda: _waiting(obj) == 1)
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.005)
    then()

for obj, call, then in [(lock, lock.acquire, lock.release), (event, event.wait, event.set),
                        (barrier, barrier.wait, barrier.wait), (cell, lambda: cell.wait(1) == 2, lambda: cell.set(1)),
                        (condition, wait, notify)]:
    helper = Call(send, obj, then)
    result = call()
    assert result is True or obj is barrier and result == 0, result
    helper.result()
assert count >= 50, count
""")


def test_interrupted_waiter_keeps_its_place_in_line():
    # While it looks for signals it is out of the queue, and a release at that moment passes it over. If it lost its
    # place instead, it would be last in every round.
    run("""
lock = xichan.Lock()
def later(order):
    wait_until(lambda: _waiting(lock) == 1)
    call = Call(lambda: (lock.acquire(), order.append("thread"), lock.release()))
    wait_until(lambda: _waiting(lock) == 2)
    time.sleep(0.3)  # the main thread looks for signals meanwhile, several times
    wait_until(lambda: _waiting(lock) == 2)
    lock.release()
    return call
rounds = []
while ["main", "thread"] not in rounds:
    assert len(rounds) < 5, rounds
    order = []
    lock.acquire()
    helper = Call(later, order)
    lock.acquire()
    order.append("main")
    lock.release()
    helper.result().result()
    rounds.append(order)
""")


def test_notification_of_an_interrupted_call_goes_to_the_next():
    run("""
condition = xichan.Condition()
class Stop(Exception): pass
def handler(*_):
    raise Stop
signal.signal(signal.SIGUSR1, handler)

def wait():
    with condition:
        return condition.wait(30)

for number in range(30):
    def disturb():
        wait_until(lambda: _waiting(condition) == 1)
        other = Call(wait)
        wait_until(lambda: _waiting(condition) == 2)
        with condition:
            os.kill(os.getpid(), signal.SIGUSR1)
            condition.notify()
        return other
    helper = Call(disturb)
    notified = []
    try:
        with condition:
            notified.extend(map(condition.wait, [30]))  # a signal between the return of wait() and the next line counts
    except Stop:
        pass
    while True:
        try:
            if notified:
                with condition:
                    condition.notify()
            assert helper.result().result() is True
            break
        except Stop:
            continue
""")


def test_ctrl_c_leaves_the_condition_usable():
    run("""
condition = xichan.Condition()
for _ in range(10):
    with condition:
        interrupted(condition, condition.wait_for, lambda: False)
        condition.notify_all()
    assert not condition.locked()
""")
