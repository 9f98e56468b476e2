"""xichan.Workers: names, arguments, the stop, and what targets see."""

import asyncio
import contextvars
import sys

import pytest
from support import PATIENCE
from support.context_variables import report, report_later, request
from support.worker_targets import serve

import xichan

pytest.importorskip("concurrent.interpreters")


def test_workers_have_names_and_stop():
    tx, rx = xichan.channel(None)
    with xichan.Workers(3, serve, tx, name="serve") as workers:
        tx.close()
        workers.ready(PATIENCE)
        workers.stop()
        workers.stop()
    assert sorted(rx) == [(i, f"serve_{i}", f"serve_{i}", False) for i in range(3)]


def test_repr_names_the_workers_and_counts_those_that_run():
    tx, _rx = xichan.channel(None)
    workers = xichan.Workers(2, serve, tx, name="serve")
    assert repr(workers) == "<xichan.Workers 'serve', 2 not started>"
    with workers:
        workers.ready(PATIENCE)
        assert repr(workers) == "<xichan.Workers 'serve', 2 of 2 running>"
        workers.stop()
    assert repr(workers) == "<xichan.Workers 'serve', 0 of 2 running>"


def test_index_of_a_worker_is_checked():
    workers = xichan.Workers(2, serve, None)
    for call in (workers.interrupt, workers.running_for):
        for index in (-1, 2):
            with pytest.raises(IndexError, match=f"index must be from 0 to 1, got {index}"):
                call(index)
        for index in (None, "0", True):
            with pytest.raises(TypeError, match=f"index must be an int, got {type(index).__name__}"):
                call(index)


def test_name_must_be_a_str():
    with pytest.raises(TypeError, match="name must be a str, got int"):
        xichan.Workers(1, serve, None, name=3)


def test_wait_stop_has_a_timeout():
    def look(tx):
        me = xichan.worker()
        tx.send((me.wait_stop(0), me.wait_stop(0.01), me.stopping))
        me.ready()
        tx.send((me.wait_stop(60), me.wait_stop(0), me.stopping))

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, look, tx) as workers:
        tx.close()
        workers.ready(PATIENCE)
        workers.stop()
    assert list(rx) == [(False, False, False), (True, True, True)]


def test_coroutines_await_the_stop():
    async def target(tx):
        me = xichan.worker()
        waiting = asyncio.create_task(me.stop())
        await asyncio.sleep(0)
        me.ready()
        await waiting
        tx.send(me.index)

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, target, tx) as workers:
        tx.close()
        workers.ready(PATIENCE)
        workers.stop()
    assert sorted(rx) == [0, 1]


def test_selectors_watch_the_stop():
    def target():
        import selectors

        me = xichan.worker()
        with selectors.DefaultSelector() as selector:
            selector.register(me.fileno(), selectors.EVENT_READ)
            me.ready()
            while not me.stopping:
                selector.select(60)
                me.fileno()

    with xichan.Workers(1, target) as workers:
        workers.ready(PATIENCE)
        workers.stop()


def test_leaving_the_block_joins_targets_that_return():
    def work(tx, n):
        for i in range(n):
            tx.send(i)

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, work, tx, 50) as workers:
        tx.close()
    assert workers.join(0)
    assert sorted(rx) == sorted([*range(50)] * 2)


def test_streams_end_when_a_worker_closes_its_endpoint():
    def target(tx):
        with tx:
            tx.send(1)
        xichan.worker().wait_stop()

    tx, rx = xichan.channel()
    with xichan.Workers(1, target, tx) as workers:
        tx.close()
        assert list(rx) == [1]
        workers.stop()


def test_targets_see_the_context_variables_of_the_creation():
    def call(report, restart):
        request.set("of the call")
        tx, rx = xichan.channel(None)
        workers = xichan.Workers(2, report, tx, context=True, restart=restart)
        request.set("later")
        with workers:
            tx.close()
        return sorted(rx)

    def report_and_fail(tx):
        report(tx)
        if xichan.worker().attempt == 0:
            raise ValueError("again")

    for target, restart, times in (report, 0, 2), (report_later, 0, 2), (report_and_fail, 1, 4):
        assert contextvars.Context().run(call, target, restart) == [("of the call", None)] * times
    with pytest.raises(xichan.NotShareableError, match="the context variable 'the request' is of type object"):
        context = contextvars.Context()
        context.run(request.set, object())
        context.run(xichan.Workers, 1, report, context=[request], pickle=False)
    with pytest.raises(TypeError, match="context must be"):
        xichan.Workers(1, serve, context="all")


def test_worker_is_refused_elsewhere(pool):
    with pytest.raises(RuntimeError, match="target of xichan.Workers"):
        xichan.worker()
    with pytest.raises(RuntimeError, match="target of xichan.Workers"):
        pool.submit(xichan.worker).result(PATIENCE)


def test_workers_rejects_invalid_arguments():
    for arguments, error in [((0, serve), ValueError), ((True, serve), TypeError), ((1, None), TypeError)]:
        with pytest.raises(error):
            xichan.Workers(*arguments)
    for options in [{"restart": -1}, {"on_error": "ignore"}, {"stdout": "no"}]:
        with pytest.raises(ValueError, match=next(iter(options))):
            xichan.Workers(1, serve, **options)
    with pytest.raises(xichan.NotShareableError, match="pickle=False"):
        xichan.Workers(1, serve, object(), pickle=False)


def test_workers_in_a_worker():
    def inner(tx):
        tx.send(xichan.worker().name)

    def outer(tx):
        with xichan.Workers(2, inner, tx, name="inner"):
            pass
        tx.send(xichan.worker().name)

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, outer, tx, name="outer"):
        tx.close()
    assert sorted(rx) == ["inner_0", "inner_1", "outer_0"]


def test_output_is_forwarded_in_order(capsys):
    def target():

        me = xichan.worker()
        for i in range(100):
            print(me.index, i)
        print("error", me.index, file=sys.stderr)
        sys.stdout.write("no newline")

    with xichan.Workers(2, target, stdout="forward"):
        pass
    out, err = capsys.readouterr()
    assert out.count("no newline") == 2
    lines = out.replace("no newline", "").splitlines()
    for index in range(2):
        assert [line for line in lines if line.startswith(f"{index} ")] == [f"{index} {i}" for i in range(100)]
    assert sorted(err.splitlines()) == ["error 0", "error 1"]
