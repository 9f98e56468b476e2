"""Endpoints transferred by the standard library: calls, queues, pools, pickle, copy."""

import copy
import operator
import pickle

import pytest
from support import alive, counts, execute, interpreter, keep, run_script, wait_for_blocked, wait_until

import xichan

interpreters = pytest.importorskip("concurrent.interpreters")


@pytest.fixture
def other():
    with interpreter() as interp:
        interp.exec("import support, pickle, gc")
        yield interp


@pytest.fixture
def tickets():
    """Return a function that counts the unclaimed tickets issued since the test began."""
    before = alive()["tickets"]
    return lambda: alive()["tickets"] - before


def by_prepare_main(other, value):
    other.prepare_main(given=value)


def by_call(other, value):
    other.call(keep, value)
    other.exec("given = support.KEPT.pop()")


def by_call_in_thread(other, value):
    other.call_in_thread(keep, value).join()
    other.exec("given = support.KEPT.pop()")


def by_queue(other, value):
    queue = interpreters.create_queue()
    queue.put(value)
    other.prepare_main(queue=queue)
    other.exec("given = queue.get(); del queue")


def by_pickle(other, value):
    other.prepare_main(data=pickle.dumps(value))
    other.exec("given = pickle.loads(data)")


def by_channel(other, value):
    tx, rx = xichan.channel()
    tx.send(value)
    other.prepare_main(rx=rx)
    other.exec("given = rx.recv(); rx.close()")


WAYS = [by_prepare_main, by_call, by_call_in_thread, by_queue, by_pickle, by_channel]
PICKLING = [by_call, by_call_in_thread, by_queue, by_pickle]
SHAPES = {
    "bare": (lambda tx, rx: tx, "given"),
    "in a tuple": (lambda tx, rx: (1, tx), "given[1]"),
    "deep in a tuple": (lambda tx, rx: ("x", (None, ((tx,), 2.5))), "given[1][1][0][0]"),
    "in a list": (lambda tx, rx: [tx], "given[0]"),
    "in a dict": (lambda tx, rx: {"end": (tx,)}, "given['end'][0]"),
}


def check_counts(end, *expected):
    """Wait until the counts are these; the standard library releases some objects late."""
    wait_until(lambda: counts(end) == expected)


@pytest.mark.parametrize(
    "way, shape",
    [(way, shape) for way in WAYS for shape in SHAPES if "tuple" in shape or shape == "bare" or way in PICKLING],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_transferred_endpoint_is_a_clone(other, way, shape, tickets):
    make, path = SHAPES[shape]
    tx, rx = xichan.channel()
    way(other, make(tx, rx))
    other.exec(f"end = {path}; del given; gc.collect(); end.send('from the other side')")
    assert rx.recv() == "from the other side"
    check_counts(tx, 2, 1)
    assert tickets() == 0
    other.exec("end.close()")
    check_counts(tx, 1, 1)


@pytest.mark.parametrize("way", WAYS)
def test_both_endpoints_travel_together(other, way):
    tx, rx = xichan.channel()
    way(other, (tx, rx, tx))
    other.exec("first, end, second = given; del given; gc.collect()")
    check_counts(tx, 2 if way is by_pickle else 3, 2)  # pickle makes one copy of one object
    tx.close()
    rx.close()
    other.exec("first.send((1, second)); number, second = end.recv(); second.send(2); assert end.recv() == 2")


@pytest.mark.parametrize(
    "function, shape",
    [(copy.copy, lambda tx, rx: tx), (copy.copy, lambda tx, rx: rx), (copy.deepcopy, lambda tx, rx: (rx, (1, tx))),
     (copy.deepcopy, lambda tx, rx: [tx, {"end": rx}])],
)  # fmt: skip
def test_calls_may_return_endpoints(other, function, shape):
    tx, rx = xichan.channel()
    result = other.call(function, shape(tx, rx))
    other.exec("gc.collect()")
    assert type(result) is type(shape(tx, rx))
    text = repr(shape(tx, rx))
    check_counts(tx, 1 + text.count("Sender"), 1 + text.count("Receiver"))
    del result
    other.exec("gc.collect()")
    check_counts(tx, 1, 1)
    assert other.call(operator.attrgetter("id"), tx) == tx.id


def test_endpoint_methods_can_be_called_in_another_interpreter(other):
    tx, rx = xichan.channel()
    other.call(xichan.Sender.send, tx, "one")
    other.call(tx.send, "two")
    assert other.call(xichan.Receiver.recv, rx) == "one"
    assert other.call(rx.recv) == "two"
    check_counts(tx, 1, 1)


def test_endpoints_travel_through_the_standard_library_pool():
    from concurrent.futures import InterpreterPoolExecutor

    tx, rx = xichan.channel()
    with InterpreterPoolExecutor(max_workers=2) as pool:
        for i in range(20):
            pool.submit(xichan.Sender.send, tx, (i, tx)).result(60)
            number, end = rx.recv()
            assert number == i and end.id == tx.id
        copies = list(pool.map(copy.copy, [tx, rx] * 10))
        nested = pool.submit(copy.deepcopy, (1, [tx, {"end": rx}])).result(60)
        assert [end.id for end in (*copies, nested[1][0], nested[1][1]["end"])] == [tx.id] * 22
    del copies, nested, end
    check_counts(tx, 1, 1)


def test_standard_library_considers_endpoints_shareable():
    tx, rx = xichan.channel()
    for value in (tx, rx, (tx, (rx, 1))):
        assert interpreters.is_shareable(value)


@pytest.mark.parametrize("way", [by_prepare_main, by_call, by_queue, by_pickle, by_channel])
def test_closed_endpoint_cannot_be_transferred(other, way, tickets):
    tx, rx = xichan.channel()
    closed = tx.clone()
    closed.close()
    # What has been pickled before the closed end stays in flight, so in those ways it comes alone.
    for value in [closed] if way in PICKLING else [closed, (rx, (tx, closed))]:
        with pytest.raises((xichan.ChannelClosed, interpreters.NotShareableError)):
            way(other, value)
        other.exec("gc.collect()")
        check_counts(tx, 1, 1)
        wait_until(lambda: tickets() == 0)


def test_1000_endpoints_travel_while_the_sender_is_blocked(tickets):
    """The standard library releases items late or never; no count depends on it."""
    tx, rx = xichan.channel()
    gate, waiting = xichan.channel()
    queue = interpreters.create_queue()
    with interpreter(tx=tx, waiting=waiting, queue=queue) as interp:
        waiting.close()
        work = execute(interp, "for i in range(1000): queue.put(tx)\nwaiting.recv()")
        wait_for_blocked(gate, receivers=1)
        assert tickets() == 1000 and counts(tx) == (1002, 1)
        received = [queue.get() for _ in range(1000)]
        assert tickets() == 0 and counts(tx) == (1002, 1)
        for i, end in enumerate(received):
            end.send(i)
            assert rx.recv() == i
        del end, received[500:]
        assert counts(tx) == (502, 1)
        received.clear()
        assert counts(tx) == (2, 1)
        gate.send("go on")
        work.result()
        assert counts(tx) == (2, 1), "late releases take nothing away"
    assert counts(tx) == (1, 1)
    tx.close()
    assert rx.closed


def test_unclaimed_tickets_are_released_when_their_interpreter_ends(tickets):
    tx, rx = xichan.channel()
    queue = interpreters.create_queue()
    with interpreter(tx=tx, rx=rx, queue=queue) as interp:
        interp.exec("import pickle\nfor i in range(100): queue.put(tx); pickle.dumps((tx, rx))")
        assert tickets() == 300 and counts(tx) == (202, 102)
    assert tickets() == 0 and counts(tx) == (1, 1)


def test_dropped_queue_releases_its_endpoints():
    tx, rx = xichan.channel()
    queue = interpreters.create_queue()
    for _ in range(5):
        queue.put((tx, rx))
    assert counts(tx) == (6, 6)
    del queue
    check_counts(tx, 1, 1)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_first_unpickle_adopts_and_later_ones_clone(protocol, tickets):
    tx, rx = xichan.channel()
    data = pickle.dumps(tx, protocol)
    assert counts(rx) == (2, 1) and tickets() == 1
    first = pickle.loads(data)
    assert counts(rx) == (2, 1) and tickets() == 0
    second = pickle._loads(data)
    assert counts(rx) == (3, 1)
    assert first.id == second.id == tx.id and type(first) is xichan.Sender
    first.close()
    tx.close()
    pickle.loads(data).send("the side still lives")
    assert rx.recv() == "the side still lives"
    second.close()
    with pytest.raises(xichan.NotFound):
        pickle.loads(data)


def test_pickle_in_flight_keeps_its_endpoint():
    tx, rx = xichan.channel()
    tx.send("kept")
    data = pickle.dumps(rx)
    rx.close()
    assert not tx.closed
    assert pickle.loads(data).recv() == "kept"
    assert tx.closed


def test_copies_are_clones():
    tx, rx = xichan.channel()
    shallow, deep = copy.copy(tx), copy.deepcopy([tx, (rx, tx)])
    assert deep[0] is deep[1][1] is not tx, "one copy of one end"
    assert counts(rx) == (3, 2)
    shallow.send(1)
    assert deep[1][0].recv() == 1


def test_pickle_is_rejected_in_another_process():
    tx, rx = xichan.channel()
    data = pickle.dumps((1, rx))
    run_script(
        """
        import pickle, sys, xichan
        ours = xichan.channel()
        try:
            pickle.loads(bytes.fromhex(sys.argv[1]))
        except xichan.NotFound as error:
            assert "another process" in str(error)
        else:
            raise AssertionError("found")
        """,
        data.hex(),
    )
    assert pickle.loads(data)[1].id == tx.id
