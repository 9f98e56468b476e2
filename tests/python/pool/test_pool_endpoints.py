"""A task that fails closes the endpoints that it was given with its error."""

import collections
import dataclasses
import gc
import sys
import types

import pytest
from support import pool_tasks as tasks
from support import record_types as t
from support.containers import MAPPINGS

import xichan
from xichan.dispatch import Dispatcher
from xichan.pool import endpoints as pool_endpoints

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


def cyclic(end):
    outer = []
    outer.append({"outer": outer, "end": end})
    return outer


def deep(end):
    value = [end]
    for _ in range(10_000):
        value = [value]
    return value


def bound(end):
    error = ValueError(1)
    error.end = end
    return error


PLACES = {
    "list": lambda end: [1, end],
    "dict": lambda end: {"end": end},
    "key": lambda end: {end: None},
    "set": lambda end: {end},
    "frozenset": lambda end: frozenset({end}),
    "deque": lambda end: collections.deque([end], 3),
    "defaultdict": lambda end: collections.defaultdict(list, end=end),
    "namedtuple": lambda end: t.Pair(1, end),
    "dataclass": lambda end: t.Point(1, end),
    "slots": lambda end: t.Slotted(end),
    "namespace": lambda end: types.SimpleNamespace(end=end),
    "exception": lambda end: ValueError(end),
    "attribute of an exception": bound,
    "registered": lambda end: tasks.Registered(end),
    "nested": lambda end: (t.Point({"a": [t.Pair(end, 1)]}),),
    "cycle": cyclic,
    "deep": deep,
    **{f.__name__: lambda end, f=f: f(end=end) for f in MAPPINGS if f is not dict},
}


@pytest.mark.parametrize("function", [tasks.fail, tasks.fail_later], ids=["function", "coroutine"])
@pytest.mark.parametrize("place", PLACES)
def test_failed_task_fails_endpoints_anywhere_in_its_arguments(pool, place, function):
    for arguments in (lambda end: ((PLACES[place](end),), {}), lambda end: ((), {"value": PLACES[place](end)})):
        tx, rx = xichan.channel()
        args, kwargs = arguments(tx)
        future = pool.submit(function, *args, **kwargs)
        del args, kwargs
        tx.close()
        with pytest.raises(xichan.ChannelFailed) as caught:
            rx.recv()
        assert type(caught.value.__cause__) is ValueError and caught.value.__cause__.args == ("disk full",)
        with pytest.raises(ValueError, match="disk full"):
            future.result()
        gc.collect()


def test_failed_task_of_map_fails_endpoints_anywhere_in_its_arguments(pool):
    pairs = [xichan.channel() for _ in range(3)]
    results = pool.map(tasks.fail, [[{"end": tx}] for tx, _ in pairs], chunksize=3)
    for tx, rx in pairs:
        tx.close()
        with pytest.raises(xichan.ChannelFailed):
            rx.recv()
    with pytest.raises(ValueError):
        list(results)


def test_finding_endpoints_runs_no_code_of_classes():
    tx, rx = xichan.channel()
    pool_endpoints.fail_endpoints(ValueError("disk full"), [Hostile(tx), xichan, Hostile, lambda: tx, object()])
    assert not tx.closed
    fields = HostileFields()
    object.__setattr__(fields, "end", tx)
    pool_endpoints.fail_endpoints(ValueError("disk full"), [fields, Rows([1])])
    with pytest.raises(xichan.ChannelFailed):
        rx.recv()


class Hostile:
    def __init__(self, end):
        self.end = end

    def __getattribute__(self, name):
        raise AssertionError(name)

    __iter__ = __len__ = __eq__ = __hash__ = __getattribute__


@dataclasses.dataclass(eq=False)
class HostileFields(Hostile):
    end: object = None

    def __init__(self):
        pass


class Rows(list):
    def __iter__(self):
        raise AssertionError

    __len__ = __iter__


@pytest.mark.parametrize("chunksize", [None, 2])
def test_task_whose_arguments_cannot_be_made_fails_their_endpoints(pool, monkeypatch, chunksize):
    module = types.ModuleType("only_in_main")
    monkeypatch.setitem(sys.modules, "only_in_main", module)
    module.Foreign = dataclasses.make_dataclass("Foreign", ["x", "end"], module="only_in_main")
    tx, rx = xichan.channel()
    other_tx, other_rx = xichan.channel()
    values = [module.Foreign(1, {"end": tx}), {other_tx}]
    if chunksize is None:
        future = pool.submit(repr, values)
    else:
        future = pool.map(repr, [values, 1], chunksize=chunksize)
    del values
    for end, receiver in ((tx, rx), (other_tx, other_rx)):
        end.close()
        with pytest.raises(xichan.ChannelFailed) as caught:
            receiver.recv()
        assert type(caught.value.__cause__) is xichan.DecodeError
    with pytest.raises(xichan.DecodeError):
        future.result() if chunksize is None else list(future)


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


@pytest.mark.parametrize("nested", [False, True])
def test_failed_task_fails_the_endpoints_of_a_function_sent_by_value(pool, nested):
    tx, rx = xichan.channel()

    ends = {"tx": [tx]}

    def send_then_fail():
        tx.send("row 1")
        raise ValueError("disk full")

    def send_in_dict_then_fail():
        ends["tx"][0].send("row 1")
        raise ValueError("disk full")

    future = pool.submit(send_in_dict_then_fail if nested else send_then_fail)
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
