"""Interpreters and processes that end while their threads hold an object, wait for it, or are being admitted.

Each test runs in a process of its own, which dumps its stacks and exits if a thread hangs.
"""

import pytest
from support import run_script

PRELUDE = """
import sys, threading, time
from concurrent import interpreters
import xichan
from support import HERE, PACKAGE, Call, alive, execute, left_over, wait_until
from xichan import AtomicInt, Barrier, Cell, Condition, Event, Lock, OwnerDied, RLock, Semaphore
from xichan._core import _waiting

def new_interpreter(**shared):
    interp = interpreters.create()
    interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}; import xichan")
    interp.prepare_main(**shared)
    return interp

def attempt(lock):
    "Return what an acquisition comes to: True, False or OwnerDied."
    try:
        return lock.acquire(timeout=30)
    except OwnerDied:
        return OwnerDied

def check_free(lock):
    "The lock is free, and its death was announced."
    assert not lock.locked()
    assert lock.acquire(timeout=10) is True
    lock.release()
    assert lock.acquire(timeout=10) is True
    lock.release()

kind = getattr(xichan, sys.argv[1])
"""


def run(source, *arguments):
    return run_script(PRELUDE + source, *(arguments or ("Lock",)))


KINDS = pytest.mark.parametrize("kind", ["Lock", "RLock"])

# Where the owner dies: source that runs in its interpreter, or in threads of it, before it ends.
PLACES = {
    "in a call of exec": "lock.acquire()",
    "in a with block that never ends": "it = (lock.__enter__() for _ in 'x'); next(it)",
    "in a thread that has ended": "import threading; t = threading.Thread(target=lock.acquire); t.start(); t.join()",
    "with a finalizer that uses the lock": """
class Uses:
    def __del__(self):
        try:
            lock.acquire(timeout=0.1)
        except Exception:
            pass
keep = Uses()
lock.acquire()
""",
    "in an atexit function": "import atexit; atexit.register(lambda: lock.acquire())",
    "in a task of an event loop": """
import asyncio
async def main():
    await lock
asyncio.run(main())
""",
}


@KINDS
@pytest.mark.parametrize("place", PLACES)
def test_next_acquirer_learns_once_that_the_owner_died(kind, place):
    run(
        f"""
lock = kind()
interp = new_interpreter(lock=lock)
interp.exec({PLACES[place]!r})
interp.close()
assert attempt(lock) is OwnerDied
check_free(lock)
""",
        kind,
    )


@KINDS
def test_waiters_learn_once_that_the_owner_died(kind):
    run(
        """
lock, died, passed = kind(), AtomicInt(), AtomicInt()
interp = new_interpreter(lock=lock)
interp.exec("lock.acquire()")
def use():
    result = attempt(lock)
    if result is OwnerDied:
        died.add()
        result = attempt(lock)
    assert result is True
    passed.add()
    lock.release()
calls = [Call(use) for _ in range(20)]
wait_until(lambda: _waiting(lock) == 20)
interp.close()
for call in calls:
    call.result()
assert (died.value, passed.value) == (1, 20)
check_free(lock)
""",
        kind,
    )


@KINDS
def test_owner_that_released_the_lock_is_not_reported(kind):
    run(
        """
lock = kind()
interp = new_interpreter(lock=lock)
interp.exec("lock.acquire(); lock.release()")
interp.close()
check_free(lock)
""",
        kind,
    )


@KINDS
def test_lock_that_another_interpreter_holds_stays_held(kind):
    run(
        """
lock = kind()
interp = new_interpreter(lock=lock)
lock.acquire()
interp.exec("assert not lock.acquire(False)")
interp.close()
assert lock.locked()
lock.release()
check_free(lock)
""",
        kind,
    )


def test_units_of_a_semaphore_stay_taken():
    run("""
semaphore = Semaphore(2)
interp = new_interpreter(semaphore=semaphore)
interp.exec("semaphore.acquire()")
interp.close()
assert semaphore.value == 1
""")


def test_owner_dies_while_another_interpreter_waits():
    run("""
for kind in (Lock, RLock):
    lock, seen = kind(), AtomicInt()
    owner, waiter = new_interpreter(lock=lock), new_interpreter(lock=lock, seen=seen)
    owner.exec("lock.acquire()")
    call = execute(waiter, '''
        try:
            lock.acquire()
        except xichan.OwnerDied:
            seen.add()
        with lock:
            seen.add(10)
        ''')
    wait_until(lambda: _waiting(lock) == 1)
    owner.close()
    call.result()
    assert seen.value == 11
    waiter.close()
    check_free(lock)
""")


def test_condition_raises_with_the_lock_held_if_an_owner_died_meanwhile():
    run("""
condition = Condition()
interp = new_interpreter(condition=condition)
def wait():
    with condition:
        try:
            condition.wait(30)
        except OwnerDied:
            assert not Call(condition.acquire, False).result()
            return OwnerDied
call = Call(wait)
wait_until(lambda: _waiting(condition) == 1)
interp.exec("condition.acquire(); condition.notify()")
time.sleep(0.05)
interp.close()
assert call.result() is OwnerDied
with condition:
    pass
""")


# A process that ends while threads of it wait in each kind of object, as daemons and not.
WAITS = {
    "Lock": ("obj = Lock(); obj.acquire()", "obj.acquire()"),
    "RLock": ("obj = RLock(); obj.acquire()", "obj.acquire()"),
    "Semaphore": ("obj = Semaphore(0)", "obj.acquire()"),
    "Event": ("obj = Event()", "obj.wait()"),
    "Cell": ("obj = Cell(0)", "obj.wait(1)"),
    "Barrier": ("obj = Barrier(5)", "obj.wait()"),
    "Condition": ("obj = Condition()", "with obj: obj.wait()"),
}


@pytest.mark.parametrize("daemon", [True, False])
@pytest.mark.parametrize("kind", WAITS)
def test_process_exits_with_waiting_threads(kind, daemon):
    setup, call = WAITS[kind]
    run(
        f"""
{setup}
def wait():
    {call}
threads = [threading.Thread(target=wait, daemon={daemon}) for _ in range(3)]
threading.excepthook = lambda args: args.exc_type is xichan.ChannelClosed or args.exc_type is \\
    threading.BrokenBarrierError or sys.__excepthook__(*args[:3])
for thread in threads:
    thread.start()
wait_until(lambda: _waiting(obj) == 3)
start = time.monotonic()
import atexit, os
atexit.register(lambda: time.monotonic() - start < 20 or os._exit(9))
""",
        kind,
    )


def test_interpreter_ends_while_its_threads_wait():
    """In all kinds of objects at once, because each end takes a second: then the waits give up."""
    run(
        f"WAITS = {WAITS!r}"
        """
objects = {}
for kind, (setup, _) in WAITS.items():
    exec(setup)
    objects[kind] = obj
for _ in range(3):
    interp = new_interpreter(**objects)
    for kind, (_, call) in WAITS.items():
        interp.exec(f'''
import threading
def wait(obj={kind}):
    try:
        {call}
    except (xichan.ChannelClosed, threading.BrokenBarrierError):
        pass
threads = [threading.Thread(target=wait) for _ in range(2)]
for thread in threads: thread.start()
''')
        wait_until(lambda: _waiting(objects[kind]) == 2)
    assert [_waiting(obj) for obj in objects.values()] == [2] * len(objects)
    interp.close()
    assert [_waiting(obj) for obj in objects.values()] == [0] * len(objects)
    assert objects["Barrier"].broken and objects["Barrier"].n_waiting == 0
    objects["Barrier"].reset()
for kind in "Lock", "RLock":
    objects[kind].release()
    assert Call(objects[kind].acquire, True, 10).result()
objects["Semaphore"].release()
assert objects["Semaphore"].acquire(False) and objects["Semaphore"].value == 0
condition = objects["Condition"]
with condition:
    condition.notify_all()
    assert not condition.wait(0.01)
"""
    )


def test_interpreter_ends_while_its_coroutines_wait():
    run("""
for _ in range(3):
    lock, barrier, condition, cell, event = Lock(), Barrier(3), Condition(Lock()), Cell(0), Event()
    lock.acquire()
    interp = new_interpreter(lock=lock, barrier=barrier, condition=condition, cell=cell, event=event)
    interp.exec('''
import asyncio
loop = asyncio.new_event_loop()
async def in_condition():
    async with condition:
        await condition
async def in_barrier():
    await barrier
async def in_cell():
    async for value in cell.watch(): pass
tasks = [loop.create_task(c) for c in (lock.aacquire(), event.await_set(), in_condition(), in_barrier(), in_cell())]
for _ in range(20):
    loop.run_until_complete(asyncio.sleep(0))
''')
    for obj in (lock, barrier, condition, cell, event):
        assert _waiting(obj) == 1, obj
    interp.close()
    for obj in (lock, barrier, condition, cell, event):
        assert _waiting(obj) == 0, obj
    assert barrier.broken
    lock.release()
    assert lock.acquire(timeout=10) is True
    lock.release()
    with condition:
        condition.notify()
        assert not condition.wait(0.01)
""")


def test_interpreter_ends_while_its_threads_are_being_admitted():
    run("""
def end_while_admitting(number):
    lock, semaphore, condition = Lock(), Semaphore(0), Condition(Lock())
    interp = new_interpreter(lock=lock, semaphore=semaphore, condition=condition)
    lock.acquire()
    interp.exec('''
import threading
def quietly(call):
    try:
        call()
    except xichan.ChannelClosed:
        pass
def wait():
    with condition: condition.wait()
threads = [threading.Thread(target=quietly, args=(call,)) for call in (lock.acquire, semaphore.acquire, wait)]
for thread in threads: thread.start()
''')
    wait_until(lambda: _waiting(lock) == _waiting(semaphore) == _waiting(condition) == 1)
    ending = Call(interp.close)
    time.sleep(number * 0.0002)
    lock.release()
    semaphore.release()
    ending.result()
    result = attempt(lock)
    if result is OwnerDied:
        result = attempt(lock)
    assert result is True
    lock.release()
    assert semaphore.value in (0, 1)

for call in [Call(end_while_admitting, number) for number in range(15)]:  # each takes a second
    call.result()
""")


def test_barrier_of_a_dead_interpreter_is_broken_for_the_others():
    run("""
barrier = Barrier(3)
interp = new_interpreter(barrier=barrier)
interp.exec('''
import threading
def wait():
    try:
        barrier.wait()
    except (xichan.ChannelClosed, threading.BrokenBarrierError):
        pass
threading.Thread(target=wait).start()
''')
call = Call(barrier.wait)
wait_until(lambda: _waiting(barrier) == 2)
interp.close()
try:
    call.result()
except threading.BrokenBarrierError:
    pass
else:
    raise AssertionError
""")


def test_death_is_reported_again_if_the_call_that_was_to_report_it_is_cancelled():
    run("""
import asyncio
lock = Lock(name="cancelled report")
interpreter = interpreters.create()
interpreter.exec("import xichan; xichan.Lock.lookup('cancelled report').acquire()")

async def main():
    task = asyncio.create_task(lock.aacquire())
    while _waiting(lock) < 1:
        await asyncio.sleep(0)
    call = Call(lock.acquire)
    while _waiting(lock) < 2:
        await asyncio.sleep(0.001)
    interpreter.close()  # admits the task, which does not run yet, and then the thread
    assert call.result()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("not cancelled")

asyncio.run(main())
lock.release()
try:
    lock.acquire(timeout=30)
except OwnerDied:
    pass
else:
    raise AssertionError("the death was lost")
assert lock.acquire(timeout=30)
lock.release()
""")
