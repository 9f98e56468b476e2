"""Items of xichan.Queue, sent natively or pickled, and handles of one queue."""

import copy
import enum
import functools
import pickle
import queue

import pytest
from support import counts, run_script, same, samples

import xichan

MAKERS = {"plain": xichan.Queue, "pickling": functools.partial(xichan.Queue, pickle=True)}
KINDS = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)

# What a pickling queue could take for a mark of its own.
NONE = b"\x80\x05N."  # pickled
LOOKALIKES = [(), ((),), (((),),), (1,), (b"", ()), (NONE, ()), ((NONE, ()),), (b"", (), ()), (None, None)]


@KINDS
@pytest.mark.parametrize("value", LOOKALIKES, ids=repr)
def test_tuples_arrive_unchanged(make, value):
    q = make()
    q.put(value)
    assert same(q.get(), value) and q.stats().pickled == 0


@KINDS
def test_values_arrive_unchanged(make):
    q, (tx, rx) = make(), xichan.channel()
    for value in samples("no end", "here").values():
        q.put(value)
        assert same(q.get(), value)
    q.put((1, tx, (rx, q)))
    _, other_tx, (other_rx, other) = q.get()
    other_tx.send("text")
    assert other_rx.recv() == "text" and other == q and q.stats().pickled == 0


class Color(enum.IntEnum):
    RED = 1


class Record:
    def __init__(self, *items):
        self.items = items

    def __eq__(self, other):
        return self.items == other.items


PICKLED = [Record(1, [2]), [Record(), (2, {})], {"a": Record()}, (Record(),), {1: (Record, LOOKALIKES)}, Record]
NATIVE = [[1, (2, {})], {"a": {1}}, {1, 2}, Color.RED, ([],), 2j, range(3), LOOKALIKES]


@pytest.mark.parametrize("value", PICKLED, ids=repr)
def test_unshareable_items_are_pickled(value):
    q = xichan.Queue(pickle=True)
    q.put(value)
    q.put_nowait((1, value))
    q.put("no pickle")
    assert (q.qsize(), q.stats().pickled) == (3, 2)
    got = q.get()
    assert type(got) is type(value) and got == value
    assert q.get() == (1, value) and q.get() == "no pickle"
    with pytest.raises(xichan.NotShareableError):
        xichan.Queue().put(value)


@KINDS
@pytest.mark.parametrize("value", NATIVE, ids=repr)
def test_containers_and_enums_are_not_pickled(make, value):
    q = make()
    q.put(value)
    got = q.get()
    assert type(got) is type(value) and got == value and q.stats().pickled == 0


def test_refused_item_changes_nothing():
    q = xichan.Queue()
    with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]\[0\]: object is not shareable; "):
        q.put((1, (object(),)))
    other = xichan.Queue(pickle=True)
    with pytest.raises(Exception, match="lambda"):
        other.put([lambda: 0])
    for each in (q, other):
        assert each.empty() and each.unfinished_tasks == 0 and each.stats().pickled == 0
        each.put(1)
        assert each.get() == 1


def test_endpoints_inside_pickled_items_are_never_lost():
    q, (tx, rx) = xichan.Queue(1, pickle=True), xichan.channel()
    q.put(Record(tx, (tx, rx), q))
    assert counts(tx) == (2, 2) and xichan.memory_stats().blocks > 0
    with pytest.raises(queue.Full):
        q.put_nowait(Record(tx))
    assert counts(tx) == (2, 2)
    first, (second, third), same_queue = q.get().items
    assert first is second and same_queue == q and counts(tx) == (2, 2)
    second.send("text")
    assert third.recv() == "text"
    q.put(Record(rx))
    q.shutdown(immediate=True)
    del first, second, third, same_queue
    assert counts(tx) == (1, 1)


@KINDS
def test_closed_endpoint_in_an_item_does_not_close_the_queue(make):
    q, (tx, _) = make(), xichan.channel()
    tx.close()
    with pytest.raises(xichan.ChannelClosed) as caught:
        q.put((1, tx))
    assert not isinstance(caught.value, queue.ShutDown) and q.empty()


@KINDS
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda q: pickle.loads(pickle.dumps(q))])
def test_handles_of_one_queue_are_equal(make, again):
    q = make(3)
    other = again(q)
    assert other is not q and other == q and hash(other) == hash(q) and other.id == q.id and len({q, other}) == 1
    other.put(["item"] if make is not xichan.Queue else "item")
    del q
    assert other.maxsize == 3 and list(other.get()) in (["item"], list("item"))
    assert other != 1 and other != other.id and make() != other


def test_queue_pickle_is_rejected_in_another_process():
    q = xichan.Queue()
    data = pickle.dumps(q)
    run_script(
        """
        import pickle, sys, xichan
        try:
            pickle.loads(bytes.fromhex(sys.argv[1]))
        except xichan.NotFound:
            sys.exit(7)
        """,
        data.hex(),
        expect=7,
    )
    assert pickle.loads(data) == q


@pytest.mark.parametrize("parts", [5, None, [1, 2, 3], "text"], ids=repr)
def test_forged_queue_is_not_shareable(parts):
    q, (tx, _) = xichan.Queue(), xichan.channel()
    q._parts = parts
    with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]: xichan\.Queue is not shareable$"):
        tx.send((1, q))
    del q._parts
    assert not xichan.is_shareable(q) and not xichan.is_shareable((q,))


class Labeled(xichan.Queue):
    """A subclass with an attribute and a method of its own."""

    def __init__(self, *args, label="", **kwargs):
        super().__init__(*args, **kwargs)
        self.label = label

    def put_label(self):
        self.put(self.label)


class Slotted(xichan.Queue):
    __slots__ = ("label",)


@KINDS
def test_instance_of_a_subclass_arrives_as_the_same_queue(make):
    options = getattr(make, "keywords", {})
    q, (tx, rx) = Labeled(3, label="mine", **options), xichan.channel()
    tx.send((1, q))
    tx.send(q)
    for found in (rx.recv()[1], rx.recv()):
        assert type(found) is xichan.Queue and found == q and found.maxsize == 3 and hash(found) == hash(q)
    q.put_label()
    assert found.get() == "mine"
    assert xichan.is_shareable(q) and xichan.is_shareable((q, q))
    with pytest.raises(xichan.NotShareableError, match="cannot leave its process"):
        xichan.dumps(q)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda q: pickle.loads(pickle.dumps(q))])
def test_copies_of_a_subclass_keep_its_class_and_attributes(again):
    q = again(Labeled(3, label="mine"))
    assert type(q) is Labeled and q.label == "mine" and q.maxsize == 3
    slotted = Slotted()
    assert type(again(slotted)) is Slotted and again(slotted) == slotted
    slotted.label = "mine"
    assert again(slotted).label == "mine"
