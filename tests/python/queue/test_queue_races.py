"""Task counts of xichan.Queue under races of threads, interpreters and signals."""

import queue
import random
import sys

import pytest
from support import Call, execute, interpreter, run_script, wait_until

import xichan


@pytest.mark.parametrize("make", [xichan.Queue, queue.Queue], ids=["xichan", "queue"])
def test_immediate_shutdown_races_put_and_get(make):
    """Every item put is received or discarded; when all received items are done, nothing is unfinished."""
    for round in range(30):
        q, put, got = make(3), [], []

        def produce(q=q, put=put):
            try:
                while True:
                    q.put(1)
                    put.append(1)
            except queue.ShutDown:
                pass

        def consume(q=q, got=got):
            try:
                while True:
                    got.append(q.get())
                    q.task_done()
            except queue.ShutDown:
                pass

        calls = [Call(function) for function in (produce, produce, consume, consume)]
        calls += [Call(q.join)]
        wait_until(lambda got=got, limit=round * 5: len(got) >= limit)
        q.shutdown(immediate=True)
        for call in calls:
            call.result()
        assert q.unfinished_tasks == 0 and len(got) <= len(put) and q.empty()


def test_2000_joins_race_a_worker_in_another_interpreter():
    """In each round the last task_done races the check in join; a missed wake-up would block indefinitely."""
    pytest.importorskip("concurrent.interpreters")
    q, (go, gone) = xichan.Queue(), xichan.channel(1)
    rng = random.Random(1)
    with interpreter(q=q, go=go) as interp:
        work = execute(
            interp,
            """
            while (delay := q.get()) is not None:
                go.send(None)
                for _ in range(delay):
                    pass
                q.task_done()
            """,
        )
        for _ in range(2000):
            q.put(rng.randrange(200))
            while not len(gone):
                pass
            gone.recv()
            for _ in range(rng.randrange(200)):
                pass
            q.join()
            assert q.unfinished_tasks == 0
        q.put(None)
        work.result()


def test_joins_race_frequently_switching_threads():
    q, rounds = xichan.Queue(), 3000

    def work():
        while q.get() is not None:
            q.task_done()
        q.task_done()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [Call(work) for _ in range(2)]
        joiners = [Call(lambda: [q.join() for _ in range(rounds)]) for _ in range(2)]
        for i in range(rounds):
            q.put(i)
            q.put(i)
            q.join()
        for joiner in joiners:
            joiner.result()
    finally:
        sys.setswitchinterval(interval)
    for _ in workers:
        q.put(None)
    q.join()
    for worker in workers:
        worker.result()


def test_tasks_of_all_interpreters_are_counted_together():
    pytest.importorskip("concurrent.interpreters")
    q, (tx, rx) = xichan.Queue(16), xichan.channel(None)
    work = """
        while (item := q.get()) is not None:
            tx.send(item)
            q.task_done()
    """
    with interpreter(q=q, tx=tx) as one, interpreter(q=q, tx=tx) as other:
        calls = [execute(interp, work) for interp in (one, other)]
        for start in (0, 500):
            for i in range(start, start + 500):
                q.put(i)
            other_handle = Call(q.join)
            q.join()
            assert len(rx) == start + 500, "join did not wait for all tasks"
            other_handle.result()
        for _ in calls:
            q.put(None)
        for call in calls:
            call.result()
    assert sorted(rx.drain()) == list(range(1000)) and q.unfinished_tasks == 2


STORM = """
import random, signal, time
import xichan
from support import Call, wait_until

class Storm(Exception):
    pass

hits = 0
rng = random.Random(1)

def strike(number, frame):
    global hits
    hits += 1
    raise Storm

def during(function):
    "Call it with a signal on its way; the handler raises Storm wherever it comes."
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(3e-6, 40e-6))
        function()
    except Storm:
        return
    while True:
        try:
            return signal.setitimer(signal.ITIMER_REAL, 0)
        except Storm:
            pass

signal.signal(signal.SIGALRM, strike)
end = time.monotonic() + 2
"""


def test_signal_storm_loses_no_task_count():
    """The count of finished tasks equals the calls that returned or were interrupted after taking effect."""
    run_script(
        STORM
        + """
q = xichan.Queue()
for _ in range(200_000):
    q.put(0)
asked = answered = 0

def work():
    global asked, answered
    for _ in range(5):
        asked += 1
        q.task_done()
        answered += 1
        q.stats()

while time.monotonic() < end and asked < 199_000:
    during(work)
done = 200_000 - q.unfinished_tasks
assert hits > 100 and answered <= done <= asked, (hits, answered, done, asked)
"""
    )


def test_signal_storm_wakes_every_joiner_on_time():
    run_script(
        STORM
        + """
q = xichan.Queue()
while time.monotonic() < end:
    q.put(0)
    joiner = Call(q.join)
    wait_until(lambda: q.stats().waiting_joiners == 1)
    during(q.task_done)
    if q.unfinished_tasks:
        wait_until(lambda: q.stats().waiting_joiners == 1)
        assert joiner.is_alive()
        q.task_done()
    joiner.result(10)
assert hits > 100, hits
"""
    )
