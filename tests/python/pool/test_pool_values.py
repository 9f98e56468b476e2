"""Arguments, results and exceptions between a pool and its workers."""

import re

import pytest
from support import PATIENCE, same, samples
from support import pool_tasks as tasks

import xichan

pytest.importorskip("concurrent.interpreters")


def test_values_are_unchanged_by_a_round_trip(pool):
    tx, rx = xichan.channel(1)
    for name, value in samples(tx, rx).items():
        if name != "ends":
            assert same(pool.submit(tasks.identity, value).result(PATIENCE), value), name
    for value in (None, True, 0, -0.0, "", "\ud800", b"\0", 2**100, (), (1, (2.5, "x"))):
        assert same(pool.submit(tasks.identity, value).result(PATIENCE), value)
    with tx, rx:
        back = pool.submit(tasks.identity, (tx, 1)).result(PATIENCE)
        assert back[0].id == tx.id
    assert pool.stats().pickled_calls == pool.stats().pickled_results == 0


def test_positional_and_keyword_arguments(pool):
    assert pool.submit(tasks.call_with).result(PATIENCE) == ((), ())
    assert pool.submit(tasks.call_with, 1, b=2, fn=3).result(PATIENCE) == ((1,), (("b", 2), ("fn", 3)))
    assert pool.submit(tasks.call_with, [1], b={2}).result(PATIENCE) == (([1],), (("b", {2}),))


def test_unshareable_values_are_pickled_and_counted(pool):
    value = [re.compile("x"), {2: {3}}]
    assert pool.submit(tasks.identity, value).result(PATIENCE) == value
    assert pool.submit(tasks.make_pattern, 3).result(PATIENCE) == re.compile("3")
    stats = pool.stats()
    assert (stats.pickled_calls, stats.pickled_results) == (1, 2)


def test_endpoints_travel_inside_pickles(pool):
    tx, rx = xichan.channel(2)
    _, back = pool.submit(tasks.identity, [re.compile("x"), tx]).result(PATIENCE)
    tx.close()
    with back:
        back.send("through a list")
    del back
    assert list(rx) == ["through a list"]


def test_unshareable_values_are_refused_without_pickling():
    with xichan.InterpreterPoolExecutor(1, pickle=False) as pool:
        assert pool.submit(tasks.identity, (1, "x")).result(PATIENCE) == (1, "x")
        with pytest.raises(
            xichan.NotShareableError, match=r"^args\[1\]\[0\]: re\.Pattern is not shareable.*pickle=False"
        ):
            pool.submit(tasks.call_with, 1, (re.compile("x"),))
        with pytest.raises(xichan.NotShareableError, match=r"^key: re\.Pattern is not shareable"):
            pool.submit(tasks.call_with, 1, key=re.compile("x"))
        with pytest.raises(xichan.NotShareableError, match=r"^args\[0\]: re\.Pattern"):
            pool.map(tasks.identity, [1, re.compile("x")])
        with pytest.raises(xichan.NotShareableError, match=r"result: re\.Pattern is not shareable"):
            pool.submit(tasks.make_pattern, 3).result(PATIENCE)
        assert pool.stats().pickled_calls == pool.stats().pickled_results == 0


def test_endpoint_passed_to_a_task_is_closed_after_it(pool):
    tx, rx = xichan.channel(8)
    future = pool.submit(tasks.send_through, tx, "sent")
    tx.close()
    assert rx.recv(PATIENCE) == "sent"
    assert list(rx) == []  # although the worker is alive
    assert future.result(PATIENCE) is None


def test_exceptions_keep_their_type_and_arguments(pool):
    with pytest.raises(ZeroDivisionError, match="division by zero") as caught:
        pool.submit(tasks.divide, 1, 0).result(PATIENCE)
    text = str(caught.value.__cause__)
    assert "in divide" in text and "return dividend / divisor" in text and "worker.py" not in text
    error = OSError(2, "nothing", "there")
    assert pool.submit(tasks.raise_it, error).exception(PATIENCE).filename == "there"
    for kind in (KeyError, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError, xichan.ChannelClosed):
        assert type(pool.submit(tasks.raise_it, kind("x")).exception(PATIENCE)) is kind
    nested = ExceptionGroup("two", [ValueError(1), KeyError(2)])
    assert [type(e) for e in pool.submit(tasks.raise_it, nested).exception(PATIENCE).exceptions] == [
        ValueError,
        KeyError,
    ]


def test_exception_keeps_its_notes_attributes_and_cause(pool):
    results = pool.map(tasks.raise_with_parts, [4, 5], chunksize=2)
    error = pool.submit(tasks.raise_with_parts).exception(PATIENCE)
    tasks.assert_has_parts(error, 3)
    with pytest.raises(tasks.NeedsPlace) as caught:
        next(results)
    tasks.assert_has_parts(caught.value, 4)


def test_exception_that_is_not_shareable_is_pickled(pool):
    error = ValueError("text", len)
    found = pool.submit(tasks.raise_it, error).exception(PATIENCE)
    assert type(found) is ValueError and found.args == ("text", len) and "raise error" in str(found.__cause__)


def test_exception_that_cannot_be_rebuilt_is_a_remote_error(pool):
    error = pool.submit(tasks.raise_unpicklable).exception(PATIENCE)
    assert type(error) is xichan.RemoteError and isinstance(error, xichan.Error)
    assert (error.type_name, error.message) == ("support.pool_tasks.Unpicklable", "1 and 2")
    assert "raise Unpicklable(1, 2)" in error.traceback and str(error) == "support.pool_tasks.Unpicklable: 1 and 2"
    error = pool.submit(tasks.raise_local).exception(PATIENCE)
    assert re.fullmatch(r"support\.pool_tasks\.raise_local\.<locals>\.Local: from here", str(error))
    error = pool.submit(tasks.raise_bad_str).exception(PATIENCE)
    assert type(error) is tasks.BadStr
    assert isinstance(pool.submit(tasks.make_picky).exception(PATIENCE), ValueError)
    assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_result_that_cannot_be_pickled_fails_the_future(pool):
    error = pool.submit(tasks.call_with, 1).result(PATIENCE)
    assert error == ((1,), ())
    error = pool.submit(lambda: (n for n in range(3))).exception(PATIENCE)
    assert isinstance(error, TypeError) and "generator" in str(error)


def test_arguments_that_cannot_be_pickled_are_refused(pool):
    message = r"args\[0\]: generator is not shareable.*; pickling it failed: "
    with pytest.raises(xichan.NotShareableError, match=message):
        pool.submit(tasks.identity, (n for n in range(3)))
    error = pool.submit(tasks.identity, tasks.Picky()).exception(PATIENCE)
    assert isinstance(error, ValueError)
