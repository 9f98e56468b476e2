"""os.fork: inherited objects raise in the child, and the parent is unaffected. Each test in a process of its own."""

import pytest
from support import run_script

PRELUDE = """
import os, signal, sys, time, warnings
import xichan
from support import Call, wait_until
from xichan import AtomicInt, Barrier, Cell, Condition, Event, Lock, RLock, Semaphore
from xichan._core import _waiting

warnings.simplefilter("ignore", DeprecationWarning)  # of forking while there are threads

def in_child(check):
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(50)
        status = 1
        try:
            check()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def raises(call, *args):
    try:
        call(*args)
    except xichan.Error as error:
        assert "parent process" in str(error), error
        return
    raise AssertionError(f"{call} did not raise")
"""


def run(source):
    return run_script(PRELUDE + source)


def test_inherited_objects_raise_and_new_ones_work():
    run("""
import asyncio, pickle
number, cell, lock, rlock = AtomicInt(1, name="number"), Cell((1, "text" * 50)), Lock(), RLock()
semaphore, event, barrier, condition = Semaphore(1), Event(), Barrier(1), Condition()
xichan.publish("value", 1)
objects = (number, cell, lock, rlock, semaphore, event, barrier, condition)
tx, rx = xichan.channel(1)

def check():
    global number
    for call in (lambda: number.value, number.add, cell.get, lambda: cell.set(1), lambda: cell.version, lock.acquire,
                 lock.release, lock.locked, rlock.acquire, semaphore.acquire, semaphore.release, event.set, event.wait,
                 event.is_set, barrier.wait, barrier.reset, lambda: barrier.broken, condition.acquire, condition.wait,
                 condition.notify, lambda: condition.lock.acquire(), lambda: cell.wait(1), lambda: cell.name,
                 lambda: cell.update(lambda value: 1), lambda: pickle.dumps(lock), lambda: xichan.share((cell,)),
                 lambda: asyncio.run(lock.aacquire()), lambda: _waiting(lock)):
        raises(call)
    for obj in objects:
        assert "unusable" in repr(obj) and hash(obj) is not None and obj == obj
    assert xichan.objects() == []
    try:
        AtomicInt.lookup("number")
    except xichan.NotFound:
        pass
    else:
        raise AssertionError
    assert xichan.lookup("value") == 1
    mine = Lock(name="number")
    with mine:
        assert xichan.objects() == [mine]
    mine = Condition()
    with mine:
        mine.notify_all()
    del number

in_child(check)
assert number.add() == 2 and AtomicInt.lookup("number") == number and len(xichan.objects()) == 9
with lock, rlock, semaphore, condition:
    pass
""")


def test_child_is_not_held_up_by_threads_of_the_parent():
    run("""
lock, condition, cell, stop = Lock(), Condition(), Cell(0), Event()
def busy():
    while not stop.is_set():
        with lock:
            cell.update(lambda value: value + 1)
        with condition:
            condition.notify()
        with Lock(name=None):
            pass
def waits():
    while not stop.is_set():
        with condition:
            condition.wait(0.001)
calls = [Call(busy), Call(busy), Call(waits)]
def check():
    new, other = Lock(), Cell(1)
    with new:
        other.set(2)
    assert xichan.objects() == [new, other]
    raises(lock.acquire)
for _ in range(30):
    in_child(check)
stop.set()
for call in calls:
    call.result()
""")


WAITS = {
    "lock": "lock = Lock(); lock.acquire(); wait = lambda: lock.acquire(timeout=1)",
    "semaphore": "units = Semaphore(0); wait = lambda: units.acquire(timeout=1)",
    "event": "event = Event(); wait = lambda: event.wait(1)",
    "cell": "cell = Cell(1); wait = lambda: cell.wait(1, 1)",
    "map": "table = xichan.Map(); wait = lambda: table.wait('key', 1)",
    "recv": "tx, subscribe = xichan.broadcast(1); rx = subscribe(); wait = lambda: rx.recv(1)",
    "send": "tx, subscribe = xichan.broadcast(1); rx = subscribe(); tx.send(1); wait = lambda: tx.send('x' * 9000, 1)",
    "barrier": "barrier = Barrier(2); wait = lambda: barrier.wait(1)",
    "condition": "condition = Condition(); condition.acquire(); wait = lambda: condition.wait(1)",
}


@pytest.mark.parametrize("kind", WAITS)
def test_wait_in_which_a_handler_forks_raises_in_the_child(kind):
    run(f"""
{WAITS[kind]}
forked = []
def handler(*_):
    forked.append(os.fork())
    if forked == [0]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    wait()
    outcome = "returned"
except Exception as error:
    outcome = str(error)
if forked == [0]:
    os._exit("parent process" not in outcome)
assert "parent process" not in outcome
assert os.waitstatus_to_exitcode(os.waitpid(forked[0], 0)[1]) == 0
""")
