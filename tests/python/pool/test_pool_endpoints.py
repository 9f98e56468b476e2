"""A task that fails closes the endpoints among its arguments with its error."""

import pytest
from support import pool_tasks as tasks

import xichan

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
