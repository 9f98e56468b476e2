"""xichan.Workers: the start of workers, and starts that fail."""

import threading

import pytest
from support import PATIENCE
from support.worker_targets import serve

import xichan

pytest.importorskip("concurrent.interpreters")


def test_workers_preload_modules():
    def look(tx):
        import sys

        tx.send("wave" in sys.modules)

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, look, tx, preload=["wave"]):
        tx.close()
    assert list(rx) == [True, True]
    with pytest.raises(xichan.BrokenWorker, match="module 'no_such_module' of preload= cannot be imported"):
        with xichan.Workers(1, serve, preload=["no_such_module"]) as workers:
            workers.ready(PATIENCE)
    for options in {"preload": "wave"}, {"standby": True}:
        with pytest.raises(TypeError, match=next(iter(options))):
            xichan.Workers(1, serve, **options)


def test_stop_while_workers_start():
    for _ in range(5):
        with xichan.Workers(2, serve) as workers:
            workers.stop()


def test_workers_are_started_once():
    workers = xichan.Workers(1, print)
    with pytest.raises(RuntimeError, match="with"):
        workers.ready()
    with workers:
        pass
    with pytest.raises(RuntimeError, match="before"), workers:
        pass


@pytest.mark.parametrize("n", [2**22 + 1, 10**9, 10**30])
def test_impossible_number_of_workers_is_refused(n):
    with pytest.raises(ValueError, match=rf"n must be at most \d+, the number of threads that .* can have, got {n}"):
        xichan.Workers(n, serve)
    for make in xichan.InterpreterPoolExecutor, lambda number, standby: xichan.Workers(number, serve, standby=standby):
        with pytest.raises(ValueError, match=r"standby must be at most \d+, the number of threads"):
            make(1, standby=n)


@pytest.fixture
def no_thread(monkeypatch):
    """A function that makes the start of threads fail. It returns a list of the names of those."""

    def apply(*names):
        start = threading.Thread.start
        failed = []

        def fail(thread):
            if thread.name not in names:
                return start(thread)
            failed.append(thread.name)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", fail)
        return failed

    return apply


def test_thread_that_cannot_be_started_ends_the_start(no_thread):
    failed = no_thread(*(f"worker_{index}" for index in range(2, 1000)))
    tx, rx = xichan.channel(None)
    with pytest.raises(RuntimeError, match="^can't start new thread") as caught:
        with xichan.Workers(1000, serve, tx) as workers:
            tx.close()
            workers.ready(PATIENCE)
    assert failed == ["worker_2"] and caught.value.__notes__ == ["in worker_2 of xichan.Workers"]
    with pytest.raises(xichan.ChannelFailed):
        list(rx)


def test_further_workers_start_with_continue(no_thread):
    failed = no_thread("worker_1")
    tx, rx = xichan.channel(None)
    with pytest.raises(RuntimeError, match="^can't start new thread"):
        with xichan.Workers(3, serve, tx, on_error="continue") as workers:
            tx.close()
            assert sorted([rx.recv(PATIENCE)[0], rx.recv(PATIENCE)[0]]) == [0, 2]
            workers.stop()
    assert failed == ["worker_1"]


@pytest.mark.parametrize("name", ["worker_supervisor", "worker_output"])
def test_workers_are_over_if_their_supervisor_cannot_be_started(no_thread, name):
    failed = no_thread(name)
    tx, rx = xichan.channel(None)
    workers = xichan.Workers(3, serve, tx, stdout="forward", standby=1)
    tx.close()
    with pytest.raises(RuntimeError, match="^can't start new thread"), workers:
        pass
    assert failed == [name]
    assert workers.join(PATIENCE) and repr(workers) == "<xichan.Workers 'worker', 0 of 3 running>"
    assert list(rx) == []
