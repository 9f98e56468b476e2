"""Sending a Buffer moves it: the receiver owns the writable memory."""

import asyncio
import ctypes
import dataclasses
import threading
import weakref

import pytest
from support import alive, left_over

import xichan
from xichan import _core

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)


def filled(size=SIZE):
    buffer = xichan.Buffer(size)
    with memoryview(buffer) as seen:
        seen[:] = CONTENT[:size]
    return buffer


def address(buffer):
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


def check_usable(buffer, size=SIZE):
    assert buffer and len(buffer) == buffer.nbytes == size and repr(buffer) == f"<xichan.Buffer of {size} bytes>"
    with memoryview(buffer) as seen:
        assert not seen.readonly and seen == CONTENT[:size]
        seen[0] ^= 1
        seen[0] ^= 1


def check_unusable(buffer, condition="sent", text="the buffer was sent"):
    assert not buffer and repr(buffer) == f"<xichan.Buffer {condition}>"
    tx, rx = xichan.channel()
    uses = (
        buffer.freeze, lambda: memoryview(buffer), lambda: len(buffer), lambda: buffer.nbytes, lambda: bytes(buffer),
        lambda: tx.send(buffer), lambda: tx.send([1, buffer]), lambda: tx.send_nowait((buffer,)),
    )  # fmt: skip
    for use in uses:
        with pytest.raises(ValueError, match=f"^{text}$"):
            use()
    assert len(rx) == 0 and not xichan.is_shareable(buffer)


@dataclasses.dataclass
class Frame:
    number: int
    pixels: xichan.Buffer


class Image:
    def __init__(self, memory):
        self.memory = memory


@pytest.fixture
def images():
    xichan.register(Image, lambda image: image.memory, Image)
    yield
    _core._forget_plan(Image)


@pytest.mark.parametrize("size", [0, 1, 14, 15, 100, 1000, 5000, 1 << 20])
def test_send_moves_the_memory_without_a_copy(size):
    tx, rx = xichan.channel()
    buffer = xichan.Buffer(size)
    place = address(buffer) if size else None
    before = alive()
    tx.send(buffer)
    check_unusable(buffer)
    assert alive()["bytes"] - before["bytes"] < 200
    received = rx.recv()
    assert type(received) is xichan.Buffer and received is not buffer and len(received) == size
    assert bool(received) == (size != 0) and left_over(before) == {}
    if size:
        assert address(received) == place and place % 64 == 0
    with memoryview(received) as seen:
        assert not seen.readonly
        seen[:] = b"x" * size
    assert received.freeze() == b"x" * size
    check_unusable(buffer)


NESTED = {
    "list": (lambda b: [1, b], lambda v: v[1]),
    "tuple": (lambda b: (b, "text of more than fourteen characters"), lambda v: v[0]),
    "dict": (lambda b: {"k": {"n": b}}, lambda v: v["k"]["n"]),
    "dataclass": (lambda b: Frame(7, b), lambda v: v.pixels),
    "registered": (Image, lambda v: v.memory),
    "deep": (lambda b: [[[[(b,)]]]], lambda v: v[0][0][0][0][0]),
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("pickle", [False, True])
def test_buffer_moves_inside_other_values(images, kind, pickle):
    wrap, unwrap = NESTED[kind]
    tx, rx = xichan.channel(pickle=pickle)
    buffer = filled()
    place = address(buffer)
    tx.send(wrap(buffer))
    check_unusable(buffer)
    received = unwrap(rx.recv())
    check_usable(received)
    assert address(received) == place and tx.stats().pickled == 0


class Odd:
    """Not shareable, but can be pickled."""

    def __init__(self, content):
        self.content = content


def test_buffer_moves_beside_a_pickle():
    tx, rx = xichan.channel(pickle=True)
    buffer = filled()
    tx.send([Odd(1), buffer, buffer])
    check_unusable(buffer)
    assert tx.stats().pickled == 1
    odd, one, other = rx.recv()
    assert odd.content == 1 and one is other
    check_usable(one)


def test_one_buffer_twice_in_a_message_arrives_as_one():
    tx, rx = xichan.channel()
    one, other = filled(), filled(100)
    tx.send([one, other, {"again": one}, [other, one]])
    check_unusable(one)
    check_unusable(other)
    a, b, again, (d, c) = rx.recv()
    assert a is again["again"] is c and b is d and a is not b
    check_usable(a)
    check_usable(b, 100)


def test_a_received_buffer_can_be_sent_on():
    tx, rx = xichan.channel()
    buffer = filled()
    for _ in range(10):
        tx.send([buffer])
        check_unusable(buffer)
        [buffer] = rx.recv()
    check_usable(buffer)


def test_many_buffers_move_in_one_message():
    tx, rx = xichan.channel()
    buffers = [filled(size) for size in range(1, 300)]
    tx.send(buffers)
    assert not any(buffers)
    for received, size in zip(rx.recv(), range(1, 300), strict=True):
        check_usable(received, size)


def test_buffer_with_exports_is_refused():
    tx, rx = xichan.channel()
    buffer = filled()
    seen = memoryview(buffer)
    for value in (buffer, [1, buffer], {"k": (buffer, buffer)}):
        assert not xichan.is_shareable(value)
        for send in (tx.send, tx.send_nowait, lambda v: tx.send_many([v]), lambda v: xichan.select([(tx, v)])):
            with pytest.raises(BufferError, match="^cannot send: the buffer has 1 active export$"):
                send(value)
    seen.release()
    assert xichan.is_shareable([buffer]) and len(rx) == 0
    check_usable(buffer)
    tx.send(buffer)
    check_usable(rx.recv())


def test_frozen_buffer_is_refused():
    tx, _ = xichan.channel()
    buffer = filled()
    buffer.freeze()
    with pytest.raises(ValueError, match="^the buffer is frozen$"):
        tx.send([buffer])
    assert not xichan.is_shareable(buffer)


@pytest.mark.parametrize("other", ["exported", "frozen", "sent"])
def test_refused_buffer_leaves_those_before_it_usable(other):
    tx, rx = xichan.channel()
    buffer, last = filled(), filled()
    held = [memoryview(last)] if other == "exported" else [last.freeze()] if other == "frozen" else []
    if other == "sent":
        tx.send(last)
        rx.recv()
    with pytest.raises(BufferError if held and other == "exported" else ValueError):
        tx.send([buffer, last])
    check_usable(buffer)
    assert len(rx) == 0


def test_value_refused_after_a_buffer_leaves_it_usable(images):
    tx, rx = xichan.channel()
    buffer = filled()

    def fail(image):
        raise RuntimeError("encode() failed")

    xichan.register(Image, fail, Image)
    for value, error in (([buffer, object()], xichan.NotShareableError), ([buffer, Image(1)], RuntimeError)):
        with pytest.raises(error):
            tx.send(value)
        check_usable(buffer)
    assert len(rx) == 0


def test_encode_runs_once_beside_a_buffer():
    tx, rx = xichan.channel()
    calls = []

    def encode(image):
        calls.append(image)
        return image.memory

    xichan.register(Image, encode, Image)
    buffer = filled()
    tx.send([buffer, Image(5), Image(buffer)])
    received = rx.recv()
    assert len(calls) == 2 and received[2].memory is received[0]
    _core._forget_plan(Image)


@pytest.mark.parametrize("keep", ["share", "publish", "dumps", "share pickled"])
def test_buffer_is_refused_where_a_value_is_kept(keep):
    calls = {
        "share": xichan.share,
        "share pickled": lambda value: xichan.share(value, pickle=True),
        "publish": lambda value: xichan.publish("name", value),
        "dumps": xichan.dumps,
    }
    buffer = filled()
    for value, path in ((buffer, "value"), ([1, {"k": buffer}], r"value\[1\]\['k'\]")):
        with pytest.raises(xichan.NotShareableError, match=rf"^{path}: xichan\.Buffer is not shareable.*freeze\(\)"):
            calls[keep](value)
    check_usable(buffer)


def test_views_that_contain_a_buffer_cannot_be_dumped():
    tx, rx = xichan.channel()
    tx.send((1, filled()))
    view = rx.recv(copy=False)
    with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]: xichan\.Buffer"):
        xichan.dumps(view)
    check_usable(view[1])


def test_first_access_of_a_view_takes_the_buffer():
    tx, rx = xichan.channel()
    buffer = filled()
    place = address(buffer)
    tx.send(("head", buffer, [buffer]))
    view = rx.recv(copy=False)
    received = view[1]
    check_usable(received)
    assert address(received) == place
    for use in (lambda: view[1], lambda: view[2][0], view.value):
        with pytest.raises(ValueError, match="was received before"):
            use()
    assert view[0] == "head"
    tx.send(received)  # a view of the old message does not reach the memory
    with pytest.raises(ValueError, match="was received before"):
        view[1]
    check_usable(rx.recv(copy=False))


def test_view_sent_on_takes_the_buffer_once():
    tx, rx = xichan.channel()
    tx.send((1, filled()))
    view = rx.recv(copy=False)
    tx.send(view)
    tx.send(view)
    check_usable(rx.recv()[1])
    with pytest.raises(xichan.DecodeError, match="was received before"):
        rx.recv()
    assert len(rx) == 0


def test_view_with_a_buffer_is_not_hashable():
    tx, rx = xichan.channel()
    tx.send((1, filled()))
    view = rx.recv(copy=False)
    with pytest.raises(TypeError, match="Buffer"):
        hash(view)


def test_dropped_message_frees_the_memory():
    before = alive()
    tx, rx = xichan.channel()
    for value in (filled(), [filled()]):
        tx.send(value)
    del value, tx, rx
    assert left_over(before) == {}
    tx, rx = xichan.channel(1, overflow="drop_oldest")
    buffers = [filled(), filled()]
    for buffer in buffers:
        tx.send(buffer)
        check_unusable(buffer)
    check_usable(rx.recv())
    del tx, rx
    assert left_over(before) == {}


def test_memory_limit_counts_a_moved_buffer_once():
    tx, rx = xichan.channel()
    buffer = filled(10_000)
    xichan.set_memory_limit(alive()["bytes"] + 2_000)
    tx.send(buffer)
    received = rx.recv()
    with pytest.raises(xichan.MemoryLimitExceeded):
        xichan.Buffer(10_000)
    del received, buffer
    assert len(xichan.Buffer(9_000)) == 9_000


def test_reference_to_a_sent_buffer_keeps_no_memory():
    before = alive()
    tx, rx = xichan.channel()
    buffer = filled()
    watched = weakref.ref(buffer)
    tx.send(buffer)
    del tx, rx
    assert left_over(before) == {} and watched() is buffer


def test_queue_moves_buffers():
    queue = xichan.Queue()
    buffer = filled()
    queue.put((1, buffer))
    check_unusable(buffer)
    check_usable(queue.get()[1])


def double(buffer):
    with memoryview(buffer) as seen:
        for i in range(len(seen)):
            seen[i] = seen[i] * 2 % 256
    return buffer


def test_pool_moves_arguments_and_results(pool):
    buffer = xichan.Buffer(3)
    with memoryview(buffer) as seen:
        seen[:] = b"\x01\x02\x03"
    result = pool.submit(double, buffer).result()
    check_unusable(buffer)
    assert bytes(result) == b"\x02\x04\x06"
    results = list(pool.map(double, [result, xichan.Buffer(2)]))
    assert [bytes(each) for each in results] == [b"\x04\x08\x0c", b"\0\0"] and not result


def test_threads_move_a_buffer_around():
    channels = [xichan.channel(2) for _ in range(4)]

    def forward(rx, tx):
        for buffer in rx:
            with memoryview(buffer) as seen:
                seen[0] += 1
            tx.send(buffer)
        tx.close()

    threads = [
        threading.Thread(target=forward, args=(channels[i][1], channels[i + 1][0]), daemon=True) for i in range(3)
    ]
    for thread in threads:
        thread.start()
    tx, rx = channels[0][0], channels[3][1]
    buffers = [xichan.Buffer(100) for _ in range(50)]
    places = [address(buffer) for buffer in buffers]
    sender = threading.Thread(target=lambda: (tx.send_many(buffers), tx.close()), daemon=True)
    sender.start()
    received = list(rx)
    for thread in (sender, *threads):
        thread.join(30)
    assert [address(buffer) for buffer in received] == places
    assert [memoryview(buffer)[0] for buffer in received] == [3] * 50 and not any(buffers)


def test_asyncio_moves_buffers():
    async def run():
        tx, rx = xichan.channel(0)
        buffer = filled()
        sending = asyncio.ensure_future(tx.asend([buffer]))
        await asyncio.sleep(0)
        [received] = await rx.arecv()
        await sending
        check_unusable(buffer)
        check_usable(received)
        await asyncio.gather(tx.asend_many([received]), take(rx))

    async def take(rx):
        check_usable(await rx.arecv())

    asyncio.run(run())
