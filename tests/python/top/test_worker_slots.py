"""The workers of pools and of Workers in the page of the process."""

import functools
import os

import pytest
from support import wait_until
from support.watched import named, snapshot_when

import xichan
from xichan.pool.task_names import name_of
from xichan.top import text
from xichan.top.page import open_page

pytest.importorskip("concurrent.interpreters")


def wait_for(rx):
    return rx.recv()


async def wait_in_a_loop(rx):
    return await rx.arecv()


def run_until_stopped():
    xichan.worker().ready()
    xichan.worker().wait_stop()


@pytest.fixture
def page():
    with open_page(os.getpid()) as page:
        yield page


def of_prefix(found, prefix):
    return [worker for worker in found.workers if worker.name.startswith(prefix)]


def test_worker_shows_the_task_that_runs_and_counts_those_that_ended(page):
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool:
        assert pool.submit(pow, 2, 3).result() == 8
        idle = snapshot_when(page, lambda found: [w.state for w in of_prefix(found, "shown")] == ["idle"])
        (worker,) = of_prefix(idle, "shown")
        assert (worker.kind, worker.task, worker.running_for, worker.tasks) == ("pool", "", None, 1)
        tx, rx = xichan.channel(1)
        future = pool.submit(wait_for, rx)
        found = snapshot_when(page, lambda found: [w.task for w in of_prefix(found, "shown")] == ["wait_for"])
        (running,) = of_prefix(found, "shown")
        assert (running.task, running.interpreter, running.thread) == ("wait_for", worker.interpreter, worker.thread)
        assert running.running_for >= 0
        tx.send(1)
        assert future.result() == 1
        rx.close()
        tx.close()
    assert of_prefix(page.snapshot(), "shown") == []


def test_waits_of_a_worker_have_its_name(page):
    tx, rx = xichan.channel(1, name="of a worker")
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool, tx, rx:
        future = pool.submit(wait_for, rx)
        name = "shown_0"
        found = snapshot_when(
            page,
            lambda found: any(wait.interpreter_name == name and wait.channels for wait in found.waits if not wait.idle),
        )
        (wait,) = [wait for wait in found.waits if wait.interpreter_name == name and not wait.idle]
        assert wait.channels == (rx.id,) and wait.function == "wait_for"
        tx.send(1)
        assert future.result() == 1


def test_names_of_functions_change_with_the_tasks(page):
    tx, rx = xichan.channel(1)
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool, tx, rx:
        for function in (wait_for, wait_in_a_loop, lambda rx: rx.recv(), wait_for):
            future = pool.submit(function, rx)
            expected = function.__qualname__
            snapshot_when(page, lambda found, name=expected: [w.task for w in of_prefix(found, "shown")] == [name])
            tx.send(1)
            assert future.result() == 1


def test_tasks_of_a_map_are_counted_one_by_one(page):
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool:
        assert list(pool.map(abs, range(100), chunksize=10)) == list(range(100))
        wait_until(lambda: [worker.tasks for worker in of_prefix(page.snapshot(), "shown")] == [100])


def test_worker_shows_how_many_tasks_have_failed(page):
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool:
        for numerator in 1, 2:
            assert isinstance(pool.submit(divmod, numerator, 0).exception(), ZeroDivisionError)
        assert isinstance(pool.submit(int, "x" * 200).exception(), ValueError)
        pool.submit(abs, -1).result()
        found = snapshot_when(page, lambda found: [w.tasks for w in of_prefix(found, "shown")] == [4])
        (worker,) = of_prefix(found, "shown")
        assert worker.failed == 3
        assert worker.last_error.startswith("ValueError: invalid literal for int() with base 10: 'xxx")
        assert len(worker.last_error) < 100  # it has a limited room


def test_lock_of_a_worker_has_its_holder(page):
    tx, rx = xichan.channel(1)
    lock = xichan.RLock(name="held by a task")

    def hold(lock, rx):
        with lock:
            rx.recv()

    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool, tx, rx:
        future = pool.submit(hold, lock, rx)
        wait_until(lambda: rx.stats().waiting_receivers == 1)
        found = snapshot_when(
            page, lambda found: named(found.objects, "held by a task").value == 1 and of_prefix(found, "shown")
        )
        held, (worker,) = named(found.objects, "held by a task"), of_prefix(found, "shown")
        assert (held.owner_interpreter, held.owner_thread) == (worker.interpreter, worker.thread)
        report = text.report(found)
        assert f"shown_0, thread {worker.thread}, in Receiver.recv at {__file__}:" in report, report
        tx.send(1)
        future.result()
    found = snapshot_when(page, lambda found: named(found.objects, "held by a task").value == 0)
    assert named(found.objects, "held by a task").owner_interpreter is None


def test_internal_channels_and_queues_are_told_apart(page):
    queue = xichan.Queue(4)
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool:
        pool.submit(abs, -1).result()
        found = snapshot_when(page, lambda found: any(c.name == "pool 'shown' tasks" for c in found.internal))
        assert all(channel.name and not channel.kind for channel in found.internal)
        assert f"Queue joiners of #{queue.id & 2**64 - 1:x}" in {channel.name for channel in found.internal}
        (own,) = [channel for channel in found.channels if channel.id == queue.id]
        assert (own.name, own.kind, own.capacity) == ("", "Queue", 4)
        assert own.label == f"Queue #{queue.id & 2**64 - 1:x}"
        assert len(found.with_internal().channels) == len(found.channels) + len(found.internal)


def test_supervised_workers_show_their_target(page):
    with xichan.Workers(2, run_until_stopped, name="supervised") as workers:
        workers.ready(30)
        found = of_prefix(page.snapshot(), "supervised")
        assert sorted((worker.name, worker.kind, worker.state, worker.task) for worker in found) == [
            ("supervised_0", "workers", "running", "run_until_stopped"),
            ("supervised_1", "workers", "running", "run_until_stopped"),
        ]
        workers.stop()
    assert of_prefix(page.snapshot(), "supervised") == []


def test_worker_is_removed_when_it_is_replaced(page):
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown", restart_after=1) as pool:
        for _ in range(5):
            assert pool.submit(abs, -1).result() == 1
        wait_until(lambda: len(of_prefix(page.snapshot(), "shown")) <= 1)


class Odd:
    """Its attributes must not be read."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self):
        pass


def test_names_of_callables():
    assert name_of(wait_for) == "wait_for"
    assert name_of(functools.partial(functools.partial(wait_for, 1), 2)) == "wait_for"
    assert name_of(len) == "len"
    assert name_of(dict) == "dict"
    assert name_of([].append) == "list.append"
    assert name_of(xichan.Receiver.recv) == "Receiver.recv"
    assert name_of(Odd()) == "Odd"
    assert name_of(functools.partial(Odd())) == "Odd"
    assert name_of(Odd().__call__) == "Odd.__call__"


def test_inspection_has_the_workers():
    tx, rx = xichan.channel(1)
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="shown") as pool, tx, rx:
        future = pool.submit(wait_for, rx)

        def of_pool():
            return [worker for worker in xichan.inspect().workers if worker.name.startswith("shown")]

        wait_until(lambda: [worker.task for worker in of_pool()] == ["wait_for"])
        (running,) = of_pool()
        assert (running.kind, running.task, running.tasks) == ("pool", "wait_for", 0)
        assert running.running_for >= 0
        tx.send(1)
        assert future.result() == 1
        wait_until(lambda: [(worker.state, worker.tasks) for worker in of_pool()] == [("idle", 1)])
        (idle,) = of_pool()
        assert idle.task is None and idle.running_for is None and idle.thread == running.thread
    assert of_pool() == []
