"""channel(pickle=True): what is not shareable travels as its pickle."""

import asyncio
import pickle

import pytest
from support import alive, counts, interpreter, left_over

import xichan


class Item:
    """Not shareable: its class is neither a dataclass nor registered."""

    def __init__(self, *parts):
        self.parts = parts

    def __eq__(self, other):
        return type(other) is Item and self.parts == other.parts

    def __reduce__(self):
        return Item, self.parts


class Broken:
    """Can be pickled, but not loaded."""

    def __reduce__(self):
        return _fail, ()


def _fail():
    raise KeyError("broken")


class Large:
    """Pickles its content as a buffer."""

    def __init__(self, content):
        self.content = content

    def __reduce_ex__(self, protocol):
        return Large, (pickle.PickleBuffer(self.content),)


VALUES = {
    "object": lambda: Item(1, "a"),
    "in a list": lambda: [Item(1), {"key": Item(2)}],
    "in a tuple": lambda: (Item(1), (Item(),)),
    "class": lambda: Item,
    "function": lambda: _fail,
    "long": lambda: Item("x" * 200_000, tuple(range(10_000))),
}


@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_unshareable_values_arrive_by_every_way(make):
    tx, rx = xichan.channel(pickle=True)
    tx.send(make())
    tx.send_nowait(make())
    assert tx.send_many([make(), 1, make()]) == 3
    assert xichan.select([(tx, make())])[1] is None
    assert rx.recv() == make() and rx.recv_nowait() == make()
    assert rx.recv_many(2) == [make(), 1] and xichan.select([rx])[1] == make()
    assert rx.recv(copy=False) == make() and rx.stats().pickled == 5


@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_coroutines_send_and_receive_pickled_values(make):
    async def main():
        tx, rx = xichan.channel(1, pickle=True)
        receiving = asyncio.ensure_future(rx.arecv())
        await asyncio.sleep(0)
        await tx.asend(make())
        assert await receiving == make()
        await tx.asend(make())
        sending = asyncio.ensure_future(tx.asend(make()))
        await asyncio.sleep(0)
        assert await rx.arecv(copy=False) == make() and (await xichan.aselect([rx]))[1] == make()
        await sending

    asyncio.run(main())


def test_shareable_values_are_not_pickled():
    tx, rx = xichan.channel(pickle=True)
    for value in (1, "text", b"x" * 1000, (1, ("a",)), [1, {"a": {2}}], None, ()):
        tx.send(value)
        assert rx.recv() == value
    assert rx.stats().pickled == 0


def test_channel_without_pickle_refuses():
    for options in ({}, {"pickle": False}):
        tx, _ = xichan.channel(**options)
        with pytest.raises(xichan.NotShareableError):
            tx.send(Item())


def test_rendezvous_and_named_channels_pickle():
    tx, rx = xichan.channel(0, pickle=True, name="pickling")
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(Item())
    other, _ = xichan.channel(pickle=True, name="pickling too")
    again, rx = xichan.lookup("pickling too")
    again.send(Item(1))
    assert rx.recv() == Item(1)


def test_endpoints_inside_a_pickle_are_never_lost():
    tx, rx = xichan.channel()
    queue = xichan.Queue()
    items_tx, items_rx = xichan.channel(pickle=True)
    items_tx.send(Item(tx, tx, rx, queue))
    assert counts(tx) == (2, 2)
    first, second, other, same_queue = items_rx.recv().parts
    assert first is second and same_queue == queue and counts(tx) == (2, 2)
    first.send("text")
    assert other.recv() == "text"
    items_tx.send(Item(rx))
    assert counts(tx) == (2, 3)
    items_tx.shutdown(immediate=True)
    del first, second, other, same_queue
    assert counts(tx) == (1, 1)


def test_closed_endpoint_inside_a_pickle_is_refused():
    tx, _ = xichan.channel()
    items_tx, items_rx = xichan.channel(pickle=True)
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        items_tx.send(Item(tx))
    assert len(items_rx) == 0 and not items_tx.closed


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 1_000_000])
@pytest.mark.parametrize("copy", [True, False])
def test_buffers_arrive_with_their_content(size, copy):
    tx, rx = xichan.channel(pickle=True)
    tx.send((Large(bytearray(size)), Large(bytes(size))))
    writable, read_only = rx.recv(copy=copy)
    for large in (writable, read_only):
        assert bytes(large.content) == bytes(size)
    assert memoryview(read_only.content).readonly
    if copy:
        memoryview(writable.content)[:] = b"x" * size
    elif size > 4096:
        assert memoryview(writable.content).readonly


def test_large_buffers_stay_outside_the_pickle():
    data, external = xichan._core._pickle(Large(bytearray(100_000)))
    assert len(data) < 500 and [type(part) for part in external] == [xichan.Shared]
    assert bytes(xichan._core._unpickle(data, external).content) == bytes(100_000)


def test_failed_pickling_names_the_place_and_the_reason():
    tx, rx = xichan.channel(pickle=True)
    with pytest.raises(
        xichan.NotShareableError, match=r"^value\[1\]: function is not shareable; .*pickling it failed"
    ) as e:
        tx.send((1, lambda: 0))
    assert "lambda" in str(e.value) and e.value.__cause__ is not None and len(rx) == rx.stats().pickled == 0
    assert xichan.Queue(pickle=True).put([1, Item()]) is None
    tx.send(Item(1))
    assert rx.recv() == Item(1)


@pytest.mark.parametrize("copy", [True, False])
def test_value_that_cannot_be_loaded_raises_decode_error_and_is_consumed(copy):
    tx, rx = xichan.channel(pickle=True)
    for value in (Broken(), 1, Broken(), 2, Broken(), Broken(), 3):
        tx.send(value)
    with pytest.raises(xichan.DecodeError, match="KeyError: 'broken'") as caught:
        rx.recv(copy=copy)
    assert isinstance(caught.value.__cause__, KeyError)
    assert rx.recv(copy=copy) == 1
    with pytest.raises(xichan.DecodeError):
        rx.recv_nowait(copy=copy)
    assert rx.recv_many(2, copy=copy) == [2]  # the next call raises
    with pytest.raises(xichan.DecodeError):
        rx.drain(copy=copy)
    with pytest.raises(xichan.DecodeError):
        rx.drain(copy=copy)
    assert rx.drain(copy=copy) == [3]


def test_pickling_may_use_the_same_channel():
    class Sending:
        def __reduce__(self):
            tx.send(Item("inside"))
            return Item, ("outside",)

    tx, rx = xichan.channel(pickle=True)
    tx.send(Sending())
    assert rx.recv() == Item("inside") and rx.recv() == Item("outside")


def test_pickling_may_close_the_sender():
    class Closing:
        def __reduce__(self):
            tx.close()
            return Item, ()

    for send in (
        lambda tx, value: tx.send(value),
        lambda tx, value: tx.send_nowait(value),
        lambda tx, value: tx.send_many([value]),
        lambda tx, value: xichan.select([(tx, 1), (tx, value)]),
    ):
        tx, rx = xichan.channel(pickle=True)
        with pytest.raises(xichan.ChannelClosed):
            send(tx, Closing())
        assert len(rx) == 0


def test_share_and_publish_pickle():
    with pytest.raises(xichan.NotShareableError):
        xichan.share(Item(1))
    shared = xichan.share(Item(1), pickle=True)
    tx, rx = xichan.channel()
    tx.send(shared)
    assert shared.value() == shared.view() == rx.recv().value() == Item(1)
    xichan.publish("pickled", [Item(2)], pickle=True)
    assert xichan.lookup("pickled") == [Item(2)]
    xichan.unpublish("pickled")
    for value in (shared, (1, shared), Item(1)):
        with pytest.raises(xichan.NotShareableError):
            xichan.dumps(value)


def test_class_of_main_is_found_in_the_main_of_the_receiver():
    pytest.importorskip("concurrent.interpreters")
    source = "class Point:\n    __module__ = '__main__'\n    def __reduce__(self): return Point, ()\n"
    tx, rx = xichan.channel(pickle=True)
    with interpreter(tx=tx) as interp:
        interp.exec(f"{source}tx.send(Point())")
    with pytest.raises(xichan.DecodeError, match="Point"):
        rx.recv()


def test_discarded_pickles_leave_nothing():
    before = alive()
    tx, rx = xichan.channel(pickle=True)
    other_tx, other_rx = xichan.channel()
    for _ in range(100):
        tx.send(Item(other_tx, bytes(10_000), Large(bytearray(10_000))))
    del tx, rx, other_tx, other_rx
    assert left_over(before) == {}
