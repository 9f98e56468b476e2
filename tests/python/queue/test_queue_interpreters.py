"""xichan.Queue between interpreters: transfer, and use in place of the standard library's queue."""

import fractions
import pickle
import queue
import re

import pytest
from support import alive, execute, interpreter, keep, wait_until

import xichan

interpreters = pytest.importorskip("concurrent.interpreters")


@pytest.fixture
def other():
    with interpreter() as interp:
        interp.exec("import gc, pickle, queue, support, xichan")
        yield interp


def by_prepare_main(other, value):
    other.prepare_main(given=value)


def by_call(other, value):
    other.call(keep, value)
    other.exec("given = support.KEPT.pop()")


def by_call_in_thread(other, value):
    other.call_in_thread(keep, value).join()
    other.exec("given = support.KEPT.pop()")


def by_queue(other, value):
    theirs = interpreters.create_queue()
    theirs.put(value)
    other.prepare_main(theirs=theirs)
    other.exec("given = theirs.get(); del theirs")


def by_pickle(other, value):
    other.prepare_main(data=pickle.dumps(value))
    other.exec("given = pickle.loads(data)")


def by_channel(other, value):
    tx, rx = xichan.channel()
    tx.send(value)
    other.prepare_main(rx=rx)
    other.exec("given = rx.recv(); rx.close()")


def by_itself(other, value):
    carrier = xichan.Queue()
    carrier.put(value)
    other.prepare_main(carrier=carrier)
    other.exec("given = carrier.get(); del carrier")


WAYS = [by_prepare_main, by_call, by_call_in_thread, by_queue, by_pickle, by_channel, by_itself]
SHAPES = {"bare": (lambda q: q, "given"), "in tuples": (lambda q: (1, ("text", (q,))), "given[1][1][0]")}


def handles(q):
    """Return the number of handles of this queue; each holds one Sender and one Receiver."""
    stats = q.stats()
    assert stats.senders == stats.receivers
    return stats.senders


@pytest.mark.parametrize("pickling", [False, True], ids=["plain", "pickling"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", WAYS)
def test_queue_travels_to_another_interpreter(other, way, shape, pickling):
    make, path = SHAPES[shape]
    q, tickets = xichan.Queue(5, pickle=pickling), alive()["tickets"]
    way(other, make(q))
    other.exec(f"q = {path}; del given; gc.collect()")
    wait_until(lambda: handles(q) == 2 and alive()["tickets"] == tickets)
    item = re.compile("a pattern") if pickling else ["a", "list"]
    q.put(item)
    other.prepare_main(number=str(q.id))
    other.exec(f"""if True:
        import re
        assert type(q) is xichan.Queue and q.maxsize == 5 and str(q.id) == number
        assert q.qsize() == q.unfinished_tasks == 1
        assert q.get() == {item!r}
        q.task_done()
        q.put({item!r})
    """)
    assert q.get() == item
    q.task_done()
    q.join()
    assert q.stats().pickled == (2 if pickling else 0)
    other.exec("del q; gc.collect()")
    assert handles(q) == 1


def test_two_handles_of_one_queue_are_equal(other):
    q = xichan.Queue()
    other.prepare_main(one=q, two=(q, xichan.Queue()))
    other.exec("assert one == two[0] and one is not two[0] and len({one, *two}) == 2")


@pytest.mark.parametrize("immediate", [False, True])
def test_shutdown_applies_in_every_interpreter(other, immediate):
    q = xichan.Queue()
    other.prepare_main(q=q)
    work = execute(other, "try: q.get()\nexcept queue.ShutDown: pass\nelse: raise AssertionError")
    wait_until(lambda: q.stats().waiting_receivers == 1)
    q.shutdown(immediate)
    work.result()
    other.exec("assert q.is_shutdown")


def test_join_and_task_done_work_across_interpreters(other):
    q = xichan.Queue()
    other.prepare_main(q=q)
    q.put(1)
    work = execute(other, "q.join()")
    wait_until(lambda: q.stats().waiting_joiners == 1)
    q.task_done()
    work.result()
    other.exec("q.put(2); q.task_done()")
    with pytest.raises(ValueError):
        q.task_done()


def test_items_and_tasks_outlive_the_interpreter_that_put_them():
    q = xichan.Queue(pickle=True)
    with interpreter(q=q) as interp:
        interp.exec("import fractions; q.put(fractions.Fraction(1, 3)); q.put(('text that needs a block', 2)); del q")
    assert handles(q) == 1 and q.unfinished_tasks == 2
    assert q.get() == fractions.Fraction(1, 3) and q.get() == ("text that needs a block", 2)


def test_interpreter_end_releases_its_queue_handles():
    q = xichan.Queue()
    with interpreter(q=q) as interp:
        interp.prepare_main(tuple=(q, q), carrier=xichan.Queue())
        interp.exec("carrier.put(q)")
        assert handles(q) == 5
    wait_until(lambda: handles(q) == 1)


def test_queue_in_flight_is_released_with_its_carrier():
    q, carrier = xichan.Queue(), xichan.Queue(pickle=True)
    carrier.put(q)
    carrier.put([q])
    assert handles(q) == 3
    del carrier
    assert handles(q) == 1


def use_their_queue(q):
    """Written for concurrent.interpreters.Queue."""
    assert isinstance(q.id, int) and q.maxsize == 2 and q.empty() and hash(q) == hash(q)
    q.put(1, unbounditems=None)
    q.put_nowait((2, None), unbounditems=None)
    try:
        q.put(3, timeout=0)
    except interpreters.QueueFull:
        assert q.full() and q.qsize() == 2
    assert q.get() == 1 and q.get(timeout=1) == (2, None)
    try:
        q.get_nowait()
    except interpreters.QueueEmpty:
        return q
    raise AssertionError


def test_queue_is_accepted_where_a_standard_queue_is(other):
    assert interpreters.is_shareable(xichan.Queue())
    for q in (interpreters.create_queue(2), xichan.Queue(2)):
        assert use_their_queue(q) is q
    q = xichan.Queue(2)
    other.prepare_main(q=q)
    other.exec("""if True:
        from concurrent import interpreters
        for call, error in ((q.get_nowait, interpreters.QueueEmpty), (q.get_nowait, queue.Empty)):
            try:
                call()
            except error:
                continue
            raise AssertionError
    """)


def test_queue_travels_through_the_standard_library_pool():
    from concurrent.futures import InterpreterPoolExecutor

    q = xichan.Queue()
    with InterpreterPoolExecutor(max_workers=2) as pool:
        pool.submit(xichan.Queue.put, q, "function").result(60)
        pool.submit(q.put, "method").result(60)
        assert pool.submit(q.get).result(60) == "function"
        assert pool.submit(xichan.Queue, 3).result(60).maxsize == 3
        with pytest.raises(queue.Empty):
            pool.submit(xichan.Queue().get_nowait).result(60)
    assert q.get() == "method"
