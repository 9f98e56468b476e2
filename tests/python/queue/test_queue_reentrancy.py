"""Code that runs in the middle of a call of xichan.Queue: signal handlers, __del__, weakref callbacks.

It finds the call that it interrupts finished or not begun, and waits for nothing that this call holds.
"""

import contextlib
import copy
import gc
import pickle
import time
import weakref

import pytest
from support import Call, run_script, wait_until
from support.interrupting import InterruptAt

import xichan


class CallAt(InterruptAt):
    """Calls a function, as a signal handler would, at the n-th place where a handler can run."""

    def __init__(self, n, handler):
        super().__init__(n, "xichan")
        self.handler = handler

    def _place(self):
        self.left -= 1
        if self.left == 0:
            self.struck = True
            self._stop()
            self.handler()


HANDLERS = {
    "stats": lambda q: q.stats(),
    "unfinished_tasks": lambda q: q.unfinished_tasks,
    "put and task_done": lambda q: (q.put("more"), finish_one(q)),
    "put and get": lambda q: (q.put("more"), q.get()),
    "get_nowait of an empty queue": lambda q: pytest.raises(xichan.ChannelEmpty, xichan.Queue().get_nowait),
    "put_nowait to a full queue": lambda q: pytest.raises(xichan.ChannelFull, full().put_nowait, 1),
    "copy": lambda q: (copy.copy(q), pickle.loads(pickle.dumps(q))),
    "join of another queue": lambda q: xichan.Queue().join(),
    "repr": repr,
}


def full():
    q = xichan.Queue(1)
    q.put(0)
    return q


def finish_all(q):
    """Mark the tasks of all items as done; return their number."""
    count = q.unfinished_tasks
    for _ in range(count):
        q.task_done()
    return count


def finish_one(q):
    with contextlib.suppress(ValueError):  # call_join() has another thread finish tasks
        q.task_done()


def call_join(q):
    """Call join() while another thread finishes tasks, also those that the handler adds."""
    q.put(1)
    joining = True

    def finish():
        wait_until(lambda: q.stats().waiting_joiners)
        while joining:
            finish_one(q)
            time.sleep(0)

    helper = Call(finish)
    q.join()
    joining = False
    helper.result()


CALLS = {
    "task_done": lambda q: (q.put(1), q.task_done()),
    "stats": lambda q: q.stats(),
    "unfinished_tasks": lambda q: q.unfinished_tasks,
    "join": call_join,
    "shutdown": lambda q: q.shutdown(),
    "immediate shutdown": lambda q: q.shutdown(immediate=True),
}


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("call", CALLS)
def test_handler_at_every_place_finds_call_finished_or_not_begun(call, handler):
    n = 0
    while True:
        n += 1
        q = xichan.Queue()
        q.put("before")
        with CallAt(n, lambda q=q: HANDLERS[handler](q)) as at:
            try:
                CALLS[call](q)
            except xichan.ChannelClosed:
                # Only a put of the handler may find the queue shut down.
                assert "shutdown" in call and "put" in handler
        assert not at.struck or n < 1000
        assert 0 <= q.unfinished_tasks == q.stats().unfinished
        finish_all(q)
        q.join()
        with pytest.raises(ValueError):
            q.task_done()
        if not at.struck:
            break
    assert n > 1


def test_handler_may_join_while_another_thread_finishes_the_task():
    """A join in a handler that interrupts stats() blocks for other threads only."""
    q = xichan.Queue()
    for n in range(1, 30):
        q.put(1)
        helper = Call(lambda: (wait_until(lambda: q.stats().waiting_joiners or not q.unfinished_tasks), finish_all(q)))
        with CallAt(n, q.join) as at:
            q.stats()
        helper.result()
        assert q.unfinished_tasks == 0
        if not at.struck:
            break


@pytest.mark.parametrize("what", ["stats()", "unfinished_tasks", "task_done()", "join()", "shutdown(True)"])
def test_finalizers_run_by_the_garbage_collector_may_use_the_queue(what):
    run_script(
        f"""
        import gc, sys, weakref, xichan
        q, spare, ran = xichan.Queue(), xichan.Queue(), 0
        queue_in_finalizer = spare if "shutdown" in {what!r} else q

        def use():
            global ran
            ran += 1
            q.put(0)
            q.task_done()
            queue_in_finalizer.{what} if {what!r} not in ("task_done()", "join()") else q.stats()

        class Node:
            def __init__(self): self.me = self
            def __del__(self): use()

        gc.set_threshold(5)
        keep, done = [], 0
        for k in range(20_000):
            keep.append([])
            Node()
            q.put(1); q.get()
            q.task_done()
            q.stats()
            done += 1
        gc.disable()
        assert ran > 100, ran
        left = q.unfinished_tasks
        assert left == 0, left
        q.join()
        """,
        timeout=60,
    )


def test_weakref_callback_uses_the_queue_during_shutdown():
    """Discarding items runs no Python code; a callback that the end of the call runs finds the tasks finished."""
    q, seen = xichan.Queue(), []

    class Node:
        pass

    node = Node()
    node.me, node.q = node, q
    kept = weakref.ref(node, lambda _: seen.append(q.unfinished_tasks))
    q.put("item")
    q.shutdown(immediate=True)
    del node
    gc.collect()
    assert seen == [0] and kept() is None


def test_queue_survives_a_storm_of_signal_handlers():
    run_script(
        """
        import random, signal, time
        import xichan
        from support import Call

        q, rng, ran = xichan.Queue(), random.Random(1), 0

        def handler(number, frame):
            global ran
            ran += 1
            q.put("in the handler")
            q.stats()
            assert q.unfinished_tasks >= 1
            q.task_done()
            q.get()

        signal.signal(signal.SIGALRM, handler)
        end, rounds = time.monotonic() + 2, 0
        while time.monotonic() < end:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(3e-6, 60e-6))
            for _ in range(5):
                q.put(1)
                q.stats()
                q.get()
                q.task_done()
            q.join()
            rounds += 5
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert q.unfinished_tasks == 0 and q.empty(), q.stats()
        assert ran > 100, ran
        """
    )


def test_immediate_shutdown_does_not_count_a_task_twice():
    q = xichan.Queue()
    q.put(1)
    q.put(2)
    q.task_done()
    q.task_done()
    q.shutdown(immediate=True)
    assert q.unfinished_tasks == 0 and q.stats().unfinished == 0
    q.join()
