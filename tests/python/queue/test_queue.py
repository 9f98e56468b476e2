"""xichan.Queue as a queue. Behavior shared with queue.Queue is tested on both."""

import copy
import dataclasses
import functools
import pickle
import queue
import re
import time
import weakref

import pytest
from support import Call, run_script, wait_until

import xichan

OURS = {"plain": xichan.Queue, "pickling": functools.partial(xichan.Queue, pickle=True)}
BOTH = pytest.mark.parametrize("make", [*OURS.values(), queue.Queue], ids=[*OURS, "queue.Queue"])
KINDS = pytest.mark.parametrize("make", OURS.values(), ids=OURS)


def sleepers(q):
    """Return the numbers of calls blocked in (get, put)."""
    if isinstance(q, queue.Queue):
        return len(q.not_empty._waiters), len(q.not_full._waiters)
    stats = q.stats()
    return stats.waiting_receivers, stats.waiting_senders


def filled(make, maxsize):
    q = make(maxsize)
    for i in range(maxsize):
        q.put(i)
    return q


@BOTH
@pytest.mark.parametrize("maxsize", [1, 2, 5, 1000])
def test_queue_is_fifo_up_to_maxsize(make, maxsize):
    q = make(maxsize)
    assert q.maxsize == maxsize
    for _ in range(2):
        for i in range(maxsize):
            assert not q.full() and q.qsize() == i
            q.put(i) if i % 2 else q.put_nowait(i)
            assert not q.empty()
        assert q.full() and q.qsize() == maxsize
        assert [q.get() if i % 2 else q.get_nowait() for i in range(maxsize)] == list(range(maxsize))
        assert q.empty() and not q.full()


@BOTH
@pytest.mark.parametrize("maxsize", [(), (0,), (-1,)])
def test_unbounded_queue_accepts_any_number(make, maxsize):
    q = make(*maxsize)
    for i in range(5000):
        q.put_nowait(i)
    assert not q.full() and q.maxsize <= 0
    assert [q.get_nowait() for _ in range(5000)] == list(range(5000))


GETS = [lambda q: q.get_nowait(), lambda q: q.get(False), lambda q: q.get(block=0), lambda q: q.get(timeout=0.001),
        lambda q: q.get(True, 0), lambda q: q.get(False, -1), lambda q: q.get(False, "soon")]  # fmt: skip
PUTS = [lambda q: q.put_nowait(9), lambda q: q.put(9, False), lambda q: q.put(9, block=0),
        lambda q: q.put(9, timeout=0.001), lambda q: q.put(9, True, 0), lambda q: q.put(9, False, -1)]  # fmt: skip


@BOTH
@pytest.mark.parametrize("get", GETS)
def test_get_on_an_empty_queue_raises_empty(make, get):
    q = make(2)
    with pytest.raises(queue.Empty):
        get(q)
    q.put(1)
    assert get(q) == 1 and q.empty()


@BOTH
@pytest.mark.parametrize("put", PUTS)
def test_put_on_a_full_queue_raises_full(make, put):
    q = filled(make, 2)
    with pytest.raises(queue.Full):
        put(q)
    assert [q.get(), q.get()] == [0, 1] and q.empty()
    put(q)
    assert q.get() == 9


@BOTH
@pytest.mark.parametrize("call", [lambda q: q.get(timeout=-1), lambda q: q.put(1, timeout=-0.001)])
def test_negative_timeouts_are_rejected(make, call):
    with pytest.raises(ValueError):
        call(make(5))


@BOTH
@pytest.mark.parametrize("seconds", [0.01, 0.12])
def test_fractional_timeouts_are_never_early(make, seconds):
    for call, error in ((make(1).get, queue.Empty), (functools.partial(filled(make, 1).put, 2), queue.Full)):
        start = time.monotonic()
        with pytest.raises(error):
            call(timeout=seconds)
        assert seconds <= time.monotonic() - start


@pytest.mark.parametrize("timeout, error", [(True, TypeError), ("1", TypeError), (float("nan"), ValueError)])
def test_invalid_timeouts_are_rejected(timeout, error):
    q = filled(xichan.Queue, 1)
    for call in (functools.partial(q.put, 1), q.get):
        with pytest.raises(error):
            call(timeout=timeout)
    assert q.get(timeout=float("inf")) == 0


@BOTH
def test_blocked_get_takes_the_next_item(make):
    q = make()
    call = Call(q.get)
    wait_until(lambda: sleepers(q) == (1, 0))
    q.put("item")
    assert call.result() == "item"


@BOTH
@pytest.mark.parametrize("timeout", [None, 30])
def test_blocked_put_gets_the_next_slot(make, timeout):
    q = filled(make, 1)
    call = Call(q.put, 1, timeout=timeout)
    wait_until(lambda: sleepers(q) == (0, 1))
    assert q.get() == 0
    call.result()
    assert q.get() == 1


@BOTH
@pytest.mark.parametrize("immediate", [False, True])
def test_shutdown_drains_and_rejects_put(make, immediate):
    q = filled(make, 2)
    assert not q.is_shutdown
    q.shutdown(immediate)
    assert q.is_shutdown and q.qsize() == (0 if immediate else 2)
    if not immediate:
        assert [q.get(), q.get_nowait()] == [0, 1]
    for call in (q.get, q.get_nowait, lambda: q.put(1), lambda: q.put_nowait(1), lambda: q.get(timeout=1)):
        with pytest.raises(queue.ShutDown):
            call()
    q.shutdown(immediate=True)  # a further step
    q.shutdown()  # changes nothing
    assert q.is_shutdown and q.empty()


@BOTH
@pytest.mark.parametrize("immediate", [False, True])
@pytest.mark.parametrize("items", [0, 1])
def test_shutdown_wakes_blocked_calls(make, items, immediate):
    q = filled(make, 1) if items else make()
    calls = [Call(q.put, 1) if items else Call(q.get) for _ in range(3)]
    wait_until(lambda: sleepers(q) == ((0, 3) if items else (3, 0)))
    q.shutdown(immediate)
    for call in calls:
        with pytest.raises(queue.ShutDown):
            call.result()
    assert q.qsize() == (0 if immediate else items)


@BOTH
def test_queue_equality_hash_and_bool(make):
    q = make()
    assert q and weakref.ref(q)() is q
    assert q == q and q != make() and {q: 1}[q] == 1
    assert type(q)[int].__origin__ is type(q)


EMPTY = (queue.Empty, xichan.ChannelEmpty), "QueueEmpty"
FULL = (queue.Full, xichan.ChannelFull), "QueueFull"
FAMILIES = [
    (lambda q: q.get_nowait(), *EMPTY),
    (lambda q: q.get(timeout=0.001), *EMPTY),
    (lambda q: filled(xichan.Queue, 1).put_nowait(1), *FULL),
    (lambda q: filled(xichan.Queue, 1).put(1, timeout=0.001), *FULL),
    (lambda q: (q.shutdown(), q.get()), (queue.ShutDown, xichan.ChannelClosed), None),
]


@pytest.mark.parametrize("call, classes, theirs", FAMILIES)
def test_queue_errors_have_standard_bases(call, classes, theirs):
    with pytest.raises(xichan.Error) as caught:
        call(xichan.Queue())
    assert all(isinstance(caught.value, cls) for cls in classes) and str(caught.value)
    assert caught.value.__suppress_context__
    assert type(pickle.loads(pickle.dumps(caught.value))) is type(caught.value)
    if theirs:
        assert isinstance(caught.value, getattr(pytest.importorskip("concurrent.interpreters"), theirs))


@pytest.mark.parametrize(
    "maxsize, error",
    [(2**24 + 1, ValueError), (2**64, ValueError), (10**100, ValueError), (1.0, TypeError), (None, TypeError),
     (True, TypeError), ("1", TypeError), ((), TypeError)],
)  # fmt: skip
def test_invalid_maxsize_is_rejected(maxsize, error):
    with pytest.raises(error):
        xichan.Queue(maxsize)


@pytest.mark.parametrize("maxsize", [-1, -10, -(10**100)])
def test_negative_maxsize_is_kept(maxsize):
    """As queue.Queue, an unbounded queue reports the maxsize that it was made with, also in other handles."""
    q, (tx, rx) = xichan.Queue(maxsize), xichan.channel()
    tx.send(q)
    for handle in (q, rx.recv(), copy.copy(q)):
        assert handle.maxsize == queue.Queue(maxsize).maxsize == maxsize and not handle.full()
        assert "of" not in repr(handle)
    assert xichan.Queue().maxsize == queue.Queue().maxsize == 0


def test_largest_maxsize_is_accepted():
    assert xichan.Queue(2**24).maxsize == 2**24 and xichan.Queue(-(10**100)).maxsize == -(10**100)


def test_unused_standard_arguments_are_accepted():
    q = xichan.Queue(3, unbounditems=object(), syncobj=True)
    q.put(1, unbounditems=object())
    q.put(2, True, 1, unbounditems=None, syncobj=False)
    q.put_nowait(3, unbounditems=object(), syncobj=True)
    assert [q.get(), q.get(), q.get()] == [1, 2, 3]


def test_queue_repr():
    q, other = xichan.Queue(10), xichan.Queue()
    q.put(1)
    assert (repr(q), repr(other)) == ("<xichan.Queue 1 of 10>", "<xichan.Queue 0>")
    q.shutdown()
    assert repr(q) == "<xichan.Queue 1 of 10 shut down>"


def test_queue_attributes_are_read_only():
    q = xichan.Queue(3)
    for name in ("maxsize", "id", "is_shutdown", "unfinished_tasks", "something"):
        with pytest.raises(AttributeError):
            setattr(q, name, 1)


def test_importing_xichan_imports_no_slow_modules():
    run_script("""
        import sys, xichan
        xichan.Queue(pickle=True).put(1)
        assert not {"pickle", "concurrent.interpreters", "dataclasses", "typing"} & set(sys.modules)
    """)


def test_stats_returns_the_record_of_the_channel_with_two_more_fields():
    q = xichan.Queue(3, pickle=True)
    q.put(1)
    q.put(re.compile("2"))
    found, items = q.stats(), q._parts[0].stats()
    assert type(found) is xichan.QueueStats and isinstance(found, xichan.ChannelStats)
    own = {"unfinished": 2, "waiting_joiners": 0}
    assert dataclasses.asdict(found) == {**dataclasses.asdict(items), **own} and found.depth == 2 and found.pickled == 1
    assert repr(found).startswith("QueueStats(id=") and not hasattr(found, "__dict__")
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.pickled = 0
