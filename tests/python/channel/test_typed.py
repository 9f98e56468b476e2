"""channel(type=): sends check the class of a value."""

import array
import asyncio
import collections
import typing
from importlib.util import find_spec

import pytest
from support import interpreter, viewed
from support.containers import MAPPINGS
from support.record_samples import all_samples, objects

import xichan


class Order:
    def __init__(self, number):
        self.number = number


class LargeOrder(Order):
    pass


Number = typing.NewType("Number", int)
type Text = str | bytes
ACCEPTED = {
    "class": (int, [1, True], ["a", 1.0, None]),
    "base class": (collections.abc.Sequence, [(1,), "a", b"b"], [1, None]),
    "tuple": ((int, str), [1, "a"], [b"b", 1.0]),
    "union": (int | None, [1, None], ["a"]),
    "typing union": (typing.Optional[int], [1, None], ["a"]),
    "alias": (tuple[int, ...], [(1,), ("not checked",)], [[1], 1]),
    "type alias": (Text, ["a", b"b"], [1]),
    "nested": ((int, (str | None,)), [1, "a", None], [1.5]),
    "new type": (Number, [1], ["a"]),
    "annotated": (typing.Annotated[int, "positive"], [1], ["a"]),
    "any": (typing.Any, [1, "a", None], []),
    "object": (object, [1, "a", None], []),
    "none": (None, [1, "a", None], []),
}


@pytest.mark.parametrize(("wanted", "good", "bad"), ACCEPTED.values(), ids=ACCEPTED)
def test_send_accepts_instances_of_the_type_only(wanted, good, bad):
    tx, rx = xichan.channel(type=wanted)
    for value in good:
        tx.send(value)
        tx.send_nowait(value)
        assert rx.recv() == value and rx.recv() == value
    for value in bad:
        for send in (tx.send, tx.send_nowait, lambda value: tx.send_many([value]), lambda v: xichan.select([(tx, v)])):
            with pytest.raises(TypeError, match="^the channel is for values of type .*, got "):
                send(value)
    assert len(rx) == 0


def test_alias_of_shareable_values_accepts_every_kind_of_value():
    tx, rx = xichan.channel(None, type=xichan.Shareable)
    view = viewed([(1,), {"a": 1}, {1}, bytes(1000), "text" * 1000, array.array("d", range(1000)), *objects().values()])
    values = [*all_samples().values(), *view, view, xichan.share(1), xichan.Queue(), *xichan.channel()]
    values += [mapping(a=1) for mapping in MAPPINGS]
    values += [array.array("i", [1]), memoryview(b"x"), bytearray(b"x"), range(3), slice(1), 1j, ..., None, True]
    if find_spec("numpy"):
        import numpy

        values += [numpy.zeros(3), numpy.bool(True), numpy.float64(1)]
    for value in values:
        tx.send(value)
    for value in (object(), lambda: 0, array, open, xichan):
        with pytest.raises(TypeError, match="^the channel is for values of type "):
            tx.send(value)


def test_error_names_the_expected_and_the_found_type():
    tx, _ = xichan.channel(type=(Order, str, None))
    expected = rf"^the channel is for values of type {__name__}\.Order, str or NoneType, got bytes$"
    with pytest.raises(TypeError, match=expected) as caught:
        tx.send(b"")
    assert not isinstance(caught.value, xichan.NotShareableError)


def test_send_many_sends_the_values_before_a_wrong_one():
    tx, rx = xichan.channel(type=int)
    with pytest.raises(TypeError, match="got str"):
        tx.send_many([1, 2, "three", 4])
    assert rx.drain() == [1, 2]
    assert tx.send_many(range(3)) == 3 and rx.drain() == [0, 1, 2]


def test_asend_checks_the_type():
    async def main():
        tx, rx = xichan.channel(1, type=int)
        await tx.asend(1)
        with pytest.raises(TypeError, match="got str"):
            await tx.asend("a")
        with pytest.raises(TypeError, match="got str"):
            await xichan.aselect([(tx, "a")])
        assert await rx.arecv() == 1

    asyncio.run(main())


def test_instances_of_subclasses_are_accepted():
    tx, rx = xichan.channel(type=Order, pickle=True)
    tx.send(LargeOrder(3))
    assert type(rx.recv()) is LargeOrder
    with pytest.raises(TypeError, match=r"got builtins\.object|got object"):
        tx.send(object())


def test_clones_check_but_other_senders_do_not():
    tx, rx = xichan.channel(type=int, name="typed channel")
    with pytest.raises(TypeError):
        tx.clone().send("a")
    for other in (xichan.Sender.lookup("typed channel"), xichan.Sender.from_id(tx.id)):
        other.send("a")
        assert rx.recv() == "a"


def test_sender_in_another_interpreter_does_not_check():
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(type=int)
    with interpreter(tx=tx) as interp:
        interp.exec("tx.send('text')")
    assert rx.recv() == "text"


@pytest.mark.parametrize("wrong", [5, "int", (), (int, "a"), [int], typing.TypeVar("T"), lambda: 0], ids=repr)
def test_type_must_be_a_class(wrong):
    with pytest.raises(TypeError, match="^type must be a class, or a union or tuple of classes, got "):
        xichan.channel(type=wrong)


def test_channel_keeps_no_class_alive():
    import gc
    import weakref

    cls = type("Temporary", (), {})
    tx, _ = xichan.channel(type=cls)
    cls.tx = tx
    reference = weakref.ref(cls)
    del cls
    gc.collect()
    assert reference() is None
    with pytest.raises(TypeError, match="a class that was deleted, got int"):
        tx.send(1)


def test_type_check_may_close_the_sender():
    class Closing(type):
        def __instancecheck__(cls, value):
            tx.close()
            return True

    tx, _ = xichan.channel(type=Closing("Any", (), {}))
    with pytest.raises(xichan.ChannelClosed):
        tx.send(1)


def test_queue_checks_the_type():
    q = xichan.Queue(type=int)
    q.put(1)
    for put in (q.put, q.put_nowait):
        with pytest.raises(TypeError, match="got str"):
            put("a")
    assert q.get() == 1 and q.empty()
