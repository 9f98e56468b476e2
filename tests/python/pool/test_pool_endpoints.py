"""A task that fails closes the endpoints that it was given with its error."""

import pytest
from support import pool_tasks as tasks

import xichan
from xichan.dispatch import Dispatcher

pytest.importorskip("concurrent.interpreters")


@pytest.mark.parametrize("place", ["args", "nested", "kwargs", "pickled"])
def test_failed_task_fails_the_stream_of_its_sender(pool, place):
    tx, rx = xichan.channel()
    submitted = {
        "args": lambda: pool.submit(tasks.send_then_fail, tx),
        "nested": lambda: pool.submit(tasks.send_then_fail, ("a", (tx,))),
        "kwargs": lambda: pool.submit(tasks.send_then_fail, end=tx),
        "pickled": lambda: pool.submit(tasks.send_then_fail, [tx]),
    }
    future = submitted[place]()
    tx.close()
    rows = []
    with pytest.raises(xichan.ChannelFailed) as caught:
        rows.extend(rx)
    assert rows == ["row 1"]
    assert type(caught.value.__cause__) is ValueError and caught.value.__cause__.args == ("disk full",)
    with pytest.raises(ValueError, match="disk full"):
        future.result()
    del submitted, future


def test_failed_task_fails_the_senders_of_its_receiver(pool):
    tx, rx = xichan.channel(1)
    future = pool.submit(tasks.receive_then_fail, rx)
    rx.close()
    with pytest.raises(xichan.ChannelFailed) as caught:
        while True:
            tx.send(1)
    assert type(caught.value.__cause__) is ValueError
    with pytest.raises(ValueError, match="enough"):
        future.result()


def test_task_that_returns_ends_the_stream_regularly(pool):
    tx, rx = xichan.channel()
    future = pool.submit(tasks.send_then_return, tx)
    tx.close()
    assert list(rx) == ["row 1"]
    future.result()


def test_task_of_map_fails_only_the_stream_of_its_own_endpoint(pool):
    pairs = [xichan.channel() for _ in range(4)]
    results = pool.map(tasks.send_and_fail_if_odd, range(4), [tx for tx, _ in pairs], chunksize=4)
    for tx, _ in pairs:
        tx.close()
    with pytest.raises(ValueError):
        list(results)
    for number, (_, rx) in enumerate(pairs):
        if number % 2:
            with pytest.raises(xichan.ChannelFailed):
                list(rx)
        else:
            assert list(rx) == [number]
    del results


def test_task_that_exits_fails_the_stream(pool):
    tx, rx = xichan.channel()
    future = pool.submit(tasks.send_then_exit, tx)
    tx.close()
    rows = []
    with pytest.raises(xichan.ChannelFailed) as caught:
        rows.extend(rx)
    assert rows == ["row 1"] and type(caught.value.__cause__) is SystemExit
    with pytest.raises(xichan.BrokenWorker):
        future.result()


def test_failed_task_fails_the_endpoints_of_a_function_sent_by_value(pool):
    tx, rx = xichan.channel()

    def send_then_fail():
        tx.send("row 1")
        raise ValueError("disk full")

    future = pool.submit(send_then_fail)
    tx.close()
    rows = []
    with pytest.raises(xichan.ChannelFailed) as caught:
        rows.extend(rx)
    assert rows == ["row 1"] and type(caught.value.__cause__) is ValueError
    with pytest.raises(ValueError, match="disk full"):
        future.result()


def test_failed_task_of_a_chunk_leaves_the_endpoints_of_its_function_to_the_others(pool):
    tx, rx = xichan.channel()

    def send_then_fail_if_odd(number):
        tx.send(number)
        if number % 2:
            raise ValueError(number)

    results = pool.map(send_then_fail_if_odd, range(4), chunksize=4)
    tx.close()
    rows = []
    with pytest.raises(xichan.ChannelFailed) as caught:
        rows.extend(rx)
    assert rows == [0, 1, 2, 3] and caught.value.__cause__.args == (1,)
    with pytest.raises(ValueError):
        list(results)


@pytest.mark.parametrize("kind", ["pool", "dispatcher"])
def test_task_that_runs_again_in_the_main_interpreter_does_not_fail_the_stream(kind):
    tx, rx = xichan.channel()
    with xichan.InterpreterPoolExecutor(1, fallback="main" if kind == "pool" else None) as pool:
        executor = pool if kind == "pool" else Dispatcher(pool)
        executor.submit(tasks.send_if_main, tx).result()
        tx.close()
        assert list(rx) == ["row 1"]


def test_task_whose_module_is_refused_fails_the_stream_of_a_pool_without_fallback(pool):
    tx, rx = xichan.channel()
    future = pool.submit(tasks.send_if_main, tx)
    tx.close()
    with pytest.raises(xichan.ChannelFailed) as caught:
        list(rx)
    assert type(caught.value.__cause__) is ImportError
    with pytest.raises(ImportError):
        future.result()


def test_tasks_of_a_pool_that_breaks_fail_their_streams():
    tx, rx = xichan.channel()
    with xichan.InterpreterPoolExecutor(1, initializer=tasks.divide, initargs=(1, 0)) as pool:
        future = pool.submit(tasks.send_then_return, tx)
        tx.close()
        with pytest.raises(xichan.ChannelFailed) as caught:
            list(rx)
        assert type(caught.value.__cause__) is xichan.BrokenInterpreterPool
        with pytest.raises(xichan.BrokenInterpreterPool):
            future.result()
