"""Every allocation may fail: MemoryError is raised, and nothing is lost or duplicated."""

import pytest
from support import alive, counts, endpoints_in, left_over, same, samples
from support.memory import fail_each_allocation, run_without_memory

import xichan
from xichan import _core

NAMES = list(samples(None, None))


@pytest.mark.parametrize("how", ["send", "send_nowait", "send with timeout"])
@pytest.mark.parametrize("name", NAMES)
def test_send_survives_each_failing_arena_allocation(name, how):
    """Fails the Nth allocation, for every N until the send succeeds."""
    tx, rx = xichan.channel(4)
    value = samples(tx, rx)[name]
    send = {"send": tx.send, "send_nowait": tx.send_nowait, "send with timeout": lambda v: tx.send(v, 5)}[how]
    before, ends = alive(), counts(tx)

    def nothing_came_of_it():
        assert alive() == before and counts(tx) == ends and len(rx) == 0

    fail_each_allocation(lambda: send(value), nothing_came_of_it)
    received = rx.recv()
    if name == "ends":
        assert [(type(end), end.id) for end in endpoints_in(received)] == [
            (type(end), tx.id) for end in endpoints_in(value)
        ]
    else:
        assert same(received, value)
    del received
    assert left_over(before) == {}


def test_blocked_send_survives_failing_allocations():
    tx, rx = xichan.channel(1)
    tx.send("full")
    before = alive()
    _core._fail_after(0)
    with pytest.raises(MemoryError):
        tx.send("text that needs a block", timeout=60)  # at once: it is encoded before it waits
    assert alive() == before and rx.recv() == "full"


@pytest.mark.parametrize("how", ["recv_nowait", "recv", "iterate"])
def test_undecoded_value_stays_for_the_next_call(how):
    run_without_memory(
        """
    tx, rx = xichan.channel(8)
    receive = {"recv_nowait": rx.recv_nowait, "recv": rx.recv, "iterate": rx.__next__}[sys.argv[1]]
    small = {"none": None, "float": 1.5, "number": 10**6, "short": "short", "short bytes": b"short", "empty": ()}
    for name in (*small, *samples(tx, rx)):
        value = {**small, **samples(tx, rx)}[name]
        expected = counts(tx)
        for item in (value, "second, which needs a block too", 3):
            tx.send(item)
        received, failures = [], 0
        for _ in range(3):
            n = 0
            while True:
                done, item = without_memory(n, receive)
                if done:
                    break
                assert not rx.closed
                n += 1
            failures += n
            received.append(item)
        if name == "ends":
            assert [(type(end), end.id) for end in endpoints_in(received[0])] == [
                (type(end), end.id) for end in endpoints_in(value)]
        else:
            assert same(received[0], value), name
        assert received[1:] == ["second, which needs a block too", 3]
        assert failures >= 1 + (name in samples(tx, rx)), (name, failures)
        received.clear()
        item = None
        assert counts(tx) == expected and len(rx) == 0
    del value, receive
    tx.close()
    assert rx.closed
    del tx, rx
    assert left_over(before) == {}
    """,
        how,
    )


def test_undecoded_value_is_released_with_its_handle():
    run_without_memory("""
    for way in ("close", "drop", "shutdown"):
        tx, rx = xichan.channel(8)
        tx.send((tx, "text that needs a block"))
        assert not without_memory(0, rx.recv_nowait)[0]
        tx.close()
        assert not rx.closed and len(rx) == 0, "the item is in the handle"
        if way == "close":
            rx.close()
        elif way == "shutdown":
            rx.shutdown(immediate=True)
        else:
            del rx
        assert alive()["bytes"] == before["bytes"], way
    """)


def test_operations_survive_python_running_out_of_memory():
    run_without_memory("""
    import copy, pickle
    tx, rx = xichan.channel(4)
    def refused(value):
        try:
            tx.send(value)
        except xichan.NotShareableError:
            return True

    dump = pickle.dumps(tx)
    refused(object())  # imports what names a remedy: CPython's import does not survive running out of memory
    expected = counts(tx)
    operations = {
        "channel": lambda: xichan.channel(2),
        "clone": tx.clone,
        "from_id": lambda: xichan.Sender.from_id(tx.id),
        "id": lambda: tx.id,
        "repr": lambda: repr(tx),
        "send": lambda: (tx.send((tx, "text that needs a block", 2**100)), rx.recv()),
        "refusal": lambda: refused((1, ("text that needs a block", object()))),
        "empty": lambda: refused_empty(),
        "reduce": lambda: xichan._core._unpickle_end(*tx.__reduce__()[1]),
        "memory_stats": xichan.memory_stats,
        "alias": lambda: xichan.Sender[int],
        "is_shareable": lambda: xichan.is_shareable((tx, (1, 2**100))),
    }

    def refused_empty():
        try:
            rx.recv_nowait()
        except xichan.ChannelEmpty:
            return True

    for name, operation in operations.items():
        for n in range(1000):
            done, result = without_memory(n, operation)
            while len(rx):
                rx.recv()
            if done:
                break
        assert done and n >= 1 - (name in ("is_shareable", "alias", "empty")), (name, n)
        del result
        # What was pickled and never loaded is a ticket; there is one, made above.
        assert counts(tx) == expected, (name, counts(tx), expected)
        assert alive()["tickets"] == 1, name
    pickle.loads(dump)
    del tx, rx, operations, operation
    assert left_over(before) == {}
    """)


def test_standard_object_that_lacks_memory_stays_for_the_next_call():
    """Python code makes these objects, which raises MemoryError with a traceback."""
    run_without_memory(
        """
    import collections, fractions
    tx, rx = xichan.channel(2)
    value = [1, fractions.Fraction(1, 3), collections.deque([2], 5), "text that needs a block"]
    tx.send(value)
    assert rx.recv() == value  # imports what makes the objects: CPython 3.15 may crash in an import without memory
    tx.send(value)
    received, n = None, 0
    while received is None:
        _testcapi.set_nomemory(n, n + 1)  # with all later allocations failing, no DecodeError could be made either
        try:
            received = rx.recv_nowait()
        except MemoryError:
            n += 1
        finally:
            _testcapi.remove_mem_hooks()
    assert received == value and n > 3, (received, n)
    """
    )
