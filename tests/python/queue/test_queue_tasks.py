"""Tasks of xichan.Queue: task_done, join and shutdown. Most tests run on queue.Queue too."""

import functools
import queue

import pytest
from support import Call, run_script, wait_until

import xichan

KINDS = {"plain": xichan.Queue, "pickling": functools.partial(xichan.Queue, pickle=True)}
BOTH = pytest.mark.parametrize("make", [*KINDS.values(), queue.Queue], ids=[*KINDS, "queue.Queue"])


def joiners(q):
    """Return the number of blocked join calls."""
    return len(q.all_tasks_done._waiters) if isinstance(q, queue.Queue) else q.stats().waiting_joiners


def with_joiners(q, count=2):
    calls = [Call(q.join) for _ in range(count)]
    wait_until(lambda: joiners(q) == count)
    return calls


def finish(q, count):
    for _ in range(count):
        q.get()
        q.task_done()


@BOTH
def test_task_done_is_allowed_once_per_item(make):
    q = make()
    for count in (0, 1, 3):
        for i in range(count):
            q.put(i)
            assert q.unfinished_tasks == i + 1
        finish(q, count)
        with pytest.raises(ValueError, match="^task_done\\(\\) called too many times$"):
            q.task_done()
        assert q.unfinished_tasks == 0


@BOTH
def test_task_done_may_precede_get(make):
    q = make()
    q.put(1)
    q.task_done()
    assert q.unfinished_tasks == 0 and q.get() == 1


@BOTH
def test_failed_put_adds_no_task(make):
    q = make(1)
    q.put(0)
    for put in (q.put_nowait, functools.partial(q.put, timeout=0.001)):
        with pytest.raises(queue.Full):
            put(1)
    q.shutdown()
    with pytest.raises(queue.ShutDown):
        q.put(1)
    assert q.unfinished_tasks == 1
    finish(q, 1)
    q.join()


@BOTH
def test_join_blocks_until_the_last_task(make):
    q = make()
    q.join()
    for round in range(3):
        for i in range(3):
            q.put(i)
        calls = with_joiners(q)
        finish(q, 2)
        q.put("one more")
        finish(q, 1)
        assert joiners(q) == 2 and all(call.is_alive() for call in calls), round
        finish(q, 1)
        for call in calls:
            call.result()
        assert joiners(q) == 0 and q.unfinished_tasks == 0
        q.join()


@BOTH
def test_workers_complete_all_tasks(make):
    q, total = make(5), []

    def work():
        while (item := q.get()) is not None:
            total.append(item)
            q.task_done()
        q.task_done()

    workers = [Call(work) for _ in range(3)]
    for start in (0, 100):
        for i in range(start, start + 100):
            q.put(i)
        q.join()
        assert sorted(total) == list(range(start + 100)), "join did not wait for all tasks"
    for _ in workers:
        q.put(None)
    q.join()
    for worker in workers:
        worker.result()
    with pytest.raises(ValueError):
        q.task_done()


@BOTH
def test_shutdown_keeps_unfinished_tasks(make):
    q = make()
    for i in range(2):
        q.put(i)
    calls = with_joiners(q)
    q.shutdown()
    assert q.unfinished_tasks == 2 and joiners(q) == 2
    finish(q, 2)
    for call in calls:
        call.result()


@BOTH
@pytest.mark.parametrize("got", [0, 1, 3])
def test_immediate_shutdown_finishes_tasks_of_discarded_items(make, got):
    q = make()
    for i in range(3):
        q.put(i)
    for _ in range(got):
        q.get()
    calls = with_joiners(q)
    q.shutdown(immediate=True)
    assert q.unfinished_tasks == got
    for _ in range(got):
        assert all(call.is_alive() for call in calls)
        q.task_done()
    for call in calls:
        call.result()
    with pytest.raises(ValueError):
        q.task_done()
    q.join()


@BOTH
def test_immediate_shutdown_may_follow_shutdown(make):
    q = make()
    for i in range(3):
        q.put(i)
    calls = with_joiners(q)
    q.shutdown()
    q.shutdown(immediate=True)
    for call in calls:
        call.result()
    assert q.unfinished_tasks == 0 and q.empty()


def test_out_of_memory_loses_no_task_count():
    q = xichan.Queue()
    q.put(1)
    for countdown in range(3):
        xichan._core._fail_after(countdown)
        try:
            call = Call(q.join)
            wait_until(lambda call=call: not call.is_alive() or joiners(q))
        finally:
            xichan._core._fail_after(-1)
        if joiners(q):
            break
        with pytest.raises(MemoryError):
            call.result()
        assert q.unfinished_tasks == 1
    finish(q, 1)
    call.result()
    assert countdown > 0


def test_ctrl_c_interrupts_join():
    run_script("""
        import os, queue, signal
        import xichan
        from support import Call, alive, left_over, wait_until

        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = alive()
        q = xichan.Queue()
        q.put(1)
        for i in range(5):
            def interrupt():
                wait_until(lambda: q.stats().waiting_joiners == i + 1)
                os.kill(os.getpid(), signal.SIGINT)
            helper = Call(interrupt)
            try:
                q.join()
            except KeyboardInterrupt:
                helper.result()
            else:
                raise AssertionError
        other = Call(q.join)
        wait_until(lambda: q.stats().waiting_joiners == 6)
        q.task_done()
        other.result()
        assert q.unfinished_tasks == 0 and q.stats().waiting_joiners == 0
        q.join()
        del q, interrupt, helper, other
        assert left_over(before) == {}
    """)


def test_daemon_thread_in_join_does_not_prevent_exit():
    run_script("""
        import threading
        import xichan
        from support import wait_until

        q = xichan.Queue()
        q.put(1)
        threading.Thread(target=q.join, daemon=True).start()
        wait_until(lambda: q.stats().waiting_joiners == 1)
    """)
