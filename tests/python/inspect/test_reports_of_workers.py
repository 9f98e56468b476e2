"""What reports say of workers: where their endpoints come from, which tasks have failed, equal calls as one."""

import json
import sys
import textwrap

import pytest
from support import Call, run_python, wait_until

import xichan

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
FILE = __file__


def channel_of(end, **options):
    (found,) = [channel for channel in xichan.inspect(**options).channels if channel.id == end.id]
    return found


def lines_of(function):
    """Return the number of the first line of a function."""
    return function.__code__.co_firstlineno


def consume(rx):
    return rx.recv()


def fail(text):
    raise ValueError(text)


def test_channel_knows_the_line_that_made_it():
    tx, rx = xichan.channel(1)
    line = sys._getframe().f_lineno - 1
    assert channel_of(tx).made == channel_of(rx).made == f"{FILE}:{line}"
    del tx
    assert channel_of(rx).made == f"{FILE}:{line}"


def test_endpoint_of_a_task_names_the_task():
    tx, rx = xichan.channel(1)
    with xichan.InterpreterPoolExecutor(1) as pool:
        future = pool.submit(consume, rx)
        wait_until(lambda: rx.stats().waiting_receivers == 1)
        found = channel_of(tx)
        (passed,) = [end for end in found.receivers if end.interpreter]
        assert (passed.task, passed.opened) == ("consume", None)
        assert found.made == f"{FILE}:{lines_of(test_endpoint_of_a_task_names_the_task) + 1}"
        text = str(xichan.inspect())
        assert "<script>" not in text and "an argument of task consume" in text
        tx.send(1)
        assert future.result() == 1


def test_worker_has_one_name():
    tx, rx = xichan.channel(1)

    def work(rx):
        import threading

        assert threading.current_thread().name == xichan.worker().name
        rx.recv()

    with xichan.Workers(1, work, rx, name="a name of more than fifteen bytes") as workers:
        wait_until(lambda: rx.stats().waiting_receivers == 1)
        found = xichan.inspect()
        (wait,) = [wait for wait in found.waits if rx.id in wait.channels]
        (worker,) = found.workers
        (end,) = [end for end in channel_of(rx).receivers if end.interpreter]
        names = {wait.thread_name, wait.interpreter_name, worker.name, end.interpreter_name}
        assert names == {"a name of more than fifteen bytes_0"}
        tx.send(1)
        workers.join()


def test_failed_tasks_are_counted_with_the_last_error():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.stats().last_error is None
        for text in "first", "last":
            assert isinstance(pool.submit(fail, text).exception(), ValueError)
        wait_until(lambda: pool.stats().failed == 2)
        assert pool.stats().last_error == "ValueError: last"
        (worker,) = xichan.inspect().workers
        assert (worker.failed, worker.last_error) == (2, "ValueError: last")
        assert ", 2 tasks failed, the last with ValueError: last" in str(xichan.inspect())
        assert pool.submit(abs, -1).result() == 1
        assert xichan.inspect().workers[0].failed == 2


def test_map_counts_failed_tasks():
    with xichan.InterpreterPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="bad"):
            list(pool.map(fail, ["bad"] * 2, chunksize=2))
        wait_until(lambda: xichan.inspect().workers[0].failed == 2)
        wait_until(lambda: pool.stats().failed == 2)
        assert pool.stats().last_error == "ValueError: bad"


def test_error_without_a_message_and_with_a_failing_one():
    def raise_(kind):
        class Bad(Exception):
            def __str__(self):
                raise RuntimeError

        raise (Bad if kind else KeyError)()

    with xichan.InterpreterPoolExecutor(1) as pool:
        pool.submit(raise_, 0).exception()
        wait_until(lambda: xichan.inspect().workers[0].failed == 1)
        assert xichan.inspect().workers[0].last_error == "KeyError"
        pool.submit(raise_, 1).exception()
        wait_until(lambda: xichan.inspect().workers[0].failed == 2)
        assert xichan.inspect().workers[0].last_error == "Bad: <str() raised RuntimeError>"


def test_internal_channels_are_listed_on_request_only():
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="images") as pool:
        pool.submit(abs, -1).result()
        found, every = xichan.inspect(), xichan.inspect(internal=True)
        assert not any(channel.internal for channel in found.channels)
        assert found.unshown_channels >= 4 and every.unshown_channels == 0
        labels = {channel.label for channel in every.channels if channel.internal}
        assert {"pool 'images' tasks", "pool 'images' results", "pool 'images' wake-up"} <= labels
        assert "internal ones: inspect(internal=True)" in str(found)
        assert "  pool 'images' tasks unbounded" in str(every)
        del every
    with pytest.raises(TypeError):
        xichan.inspect(True)


def test_every_channel_of_a_program_is_either_its_own_or_named():
    """No test needs to know which channels the pool has: each of them has a label."""
    jobs = xichan.Queue(4)
    with (
        xichan.InterpreterPoolExecutor(1, stdout="forward") as pool,
        xichan.Workers(1, lambda: xichan.worker().wait_stop(), name="side") as workers,
    ):
        pool.with_options(deadline=60).submit(abs, -1).result()
        for channel in xichan.inspect(internal=True).channels:
            assert channel.label if channel.internal else channel.made, channel
        workers.stop()
    assert channel_of(jobs).label == "Queue"


def test_queue_is_named_with_its_line_and_unfinished_tasks():
    queue = xichan.Queue(3)
    line = lines_of(test_queue_is_named_with_its_line_and_unfinished_tasks) + 1
    queue.put("a")
    queue.put("b")
    assert queue.get() == "a"
    found = channel_of(queue)
    assert (found.label, found.unfinished, found.made, found.depth) == ("Queue", 2, f"{FILE}:{line}", 1)
    call = Call(queue.join)
    wait_until(lambda: any(wait.call == "Queue.join" for wait in xichan.inspect().waits))
    inspection = xichan.inspect()
    (wait,) = [wait for wait in inspection.waits if wait.call == "Queue.join"]
    assert wait.channels == (queue.id,)
    assert [each.call for each in channel_of(queue).waits] == ["Queue.join"]
    assert f"    2 unfinished tasks of Queue #{queue.id & 2**64 - 1:x}, made at {FILE}:{line}\n" in str(inspection)
    queue.task_done()
    assert channel_of(queue).unfinished == 1
    queue.task_done()
    call.result()


def test_equal_calls_are_one_entry():
    tx, rx = xichan.channel(1, name="jobs")
    calls = [Call(lambda: rx.recv()) for _ in range(12)]
    wait_until(lambda: rx.stats().waiting_receivers == 12)
    text = str(xichan.inspect())
    (entry,) = [line for line in text.splitlines() if "Receiver.recv for" in line]
    assert entry.startswith("  12 x Receiver.recv for ") and entry.endswith(" and 8 more"), entry
    assert text.startswith("process ") and "12 blocked calls" in text
    tx.send_many(range(12))
    for call in calls:
        call.result()


def deadlocks_of(folder, source):
    """Run a program that hangs and return its only deadlock, and the path of the program."""
    program = folder / "program.py"
    program.write_text(f"from support.hangs import report_when_hung\nimport xichan\n{textwrap.dedent(source)}")
    (found,) = json.loads(run_python(program, timeout=60).stdout.splitlines()[-1])
    return found, program


def test_equal_calls_of_a_deadlock_are_one_entry(tmp_path):
    found, program = deadlocks_of(
        tmp_path,
        """
        def work(rx):
            return rx.recv()

        report_when_hung()
        tx, rx = xichan.channel(name="jobs")
        with xichan.Workers(6, work, rx, name="hungry"):
            pass
        """,
    )
    text = found["text"]
    assert "  6 x Receiver.recv, blocked for " in text and "(hungry_" in text and " and 2 more\n" in text, text
    assert text.count(", to receive\n") == 1 and f"    at {program}:5, in work\n" in text, text
    assert found["reason"].startswith("6 x Receiver.recv at program.py:5 waits for a value from channel 'jobs'")


def test_deadlock_names_the_task_that_has_an_endpoint_and_the_line_of_the_channel(tmp_path):
    found, program = deadlocks_of(
        tmp_path,
        """
        def work(tx, rx):
            return rx.recv()

        def main():
            report_when_hung()
            tx, rx = xichan.channel()
            with xichan.InterpreterPoolExecutor(1) as pool, tx, rx:
                pool.submit(work, tx, rx)

        main()
        """,
    )
    text = found["text"]
    assert "<script>" not in text + found["reason"], text
    assert f", made at {program}:9), to receive\n" in text, text
    assert ", an argument of task work\n" in text, text
    assert "made at program.py:9)" in found["reason"] and "(task work)" in found["reason"], found["reason"]


def test_deadlock_of_join_names_the_queue(tmp_path):
    found, program = deadlocks_of(
        tmp_path,
        """
        def main():
            report_when_hung()
            jobs = xichan.Queue()
            jobs.put("a")
            jobs.put("b")
            jobs.get()
            jobs.join()

        main()
        """,
    )
    text = found["text"]
    assert "    waits for 2 unfinished tasks of Queue #" in text and f"    at {program}:10, in main" in text, text
    assert f"      open Queue of the main interpreter, opened at {program}:6" in text, text
    assert "Queue.join at program.py:10 waits for 2 unfinished tasks of Queue #" in found["reason"], found["reason"]
    assert "task_done()" in found["reason"]


def test_task_that_is_a_call_of_xichan_has_no_line():
    tx, rx = xichan.channel(1)
    with xichan.InterpreterPoolExecutor(1) as pool:
        future = pool.submit(xichan.Receiver.recv, rx)
        wait_until(lambda: rx.stats().waiting_receivers == 1)
        (wait,) = [wait for wait in xichan.inspect().waits if rx.id in wait.channels]
        assert (wait.call, wait.place, wait.function) == ("Receiver.recv", None, "Receiver.recv")
        assert "    at the call of task Receiver.recv itself\n" in str(xichan.inspect())
        tx.send(1)
        assert future.result() == 1


def test_deadlock_names_the_workers_whose_tasks_failed(tmp_path):
    found, program = deadlocks_of(
        tmp_path,
        """
        def work(jobs):
            1 / jobs.get()
            jobs.task_done()

        report_when_hung()
        jobs = xichan.Queue()
        jobs.put(0)
        with xichan.InterpreterPoolExecutor(1, thread_name_prefix="divide") as pool:
            pool.submit(work, jobs)
            jobs.join()
        """,
    )
    text = found["text"]
    assert "  These workers have run tasks that failed:\n    divide_0, 1 task failed, the last with Zero" in text, text
