"""Large str and bytes are lent: a message shows the object of its sender, which gets the reference back."""

import asyncio
import dataclasses
import gc
import operator
import sys
import threading

import pytest
from support import Call, run_script, wait_for_blocked, wait_until

import xichan

SMALLEST = 8192  # bytes of the smallest object that is lent
BOUND = 64 << 20
LETTERS = {"ascii": "a", "latin1": "\xe9", "ucs2": "\u20ac", "ucs4": "\U0001f600"}
WIDTHS = {"bytes": 1, "ascii": 1, "latin1": 1, "ucs2": 2, "ucs4": 4}


def make(kind, count):
    """Return a new object of `count` bytes or characters."""
    if kind == "bytes":
        return bytes(bytearray(b"0123456789abcde\xff" * (count // 16 + 1))[:count])
    return "".join([LETTERS[kind] * (count - 1), LETTERS[kind]])


def lent():
    return xichan.memory_stats().lent_bytes


def references(value):
    """The references to an object apart from those of the caller."""
    xichan.memory_stats()  # takes back loans
    return sys.getrefcount(value)


@pytest.fixture
def ends():
    tx, rx = xichan.channel(100)
    with tx, rx:
        yield tx, rx


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("kind", WIDTHS)
def test_objects_are_lent_from_8_kib_on(ends, kind, more, copy):
    tx, rx = ends
    value = make(kind, SMALLEST // WIDTHS[kind] + more)
    size = len(value) * WIDTHS[kind]
    before = references(value)
    tx.send(value)
    assert lent() == (size if more >= 0 else 0)
    assert references(value) == before + (more >= 0)
    got = rx.recv(copy=copy)
    assert got == value
    assert hash(got) == hash(value)
    assert type(got) is type(value) or not copy
    del got
    assert references(value) == before
    assert lent() == 0


def test_message_takes_memory_for_its_header_only(ends):
    tx, rx = ends
    value = make("bytes", 1 << 20)
    before = xichan.memory_stats()
    tx.send(value)
    stats = xichan.memory_stats()
    assert stats.lent_bytes == 1 << 20
    assert 1 << 20 <= stats.bytes - before.bytes < (1 << 20) + 256  # it counts against the limit
    assert rx.recv() == value
    assert xichan.memory_stats().bytes == before.bytes


def ways():
    def plain(tx, rx, value):
        tx.send(value)
        return rx.recv()

    def nowait(tx, rx, value):
        tx.send_nowait(value)
        return rx.recv_nowait()

    def many(tx, rx, value):
        assert tx.send_many([1, value, "x"]) == 3
        return rx.recv_many(3)[1]

    def selected(tx, rx, value):
        assert xichan.select([(tx, value)]) == ((tx, value), None)
        return xichan.select([rx])[1]

    def awaited(tx, rx, value):
        async def main():
            await tx.asend(value)
            await tx.asend_many([value])
            return (await rx.arecv_many(2))[0]

        return asyncio.run(main())

    def queued(tx, rx, value):
        queue = xichan.Queue()
        queue.put(value)
        return queue.get()

    def waiting(tx, rx, value):
        call = Call(rx.recv)
        wait_for_blocked(rx, receivers=1)
        tx.send(value)
        return call.result()

    def rendezvous(tx, rx, value):
        there, here = xichan.channel(0)
        call = Call(here.recv)
        there.send(value)
        return call.result()

    def pickled(tx, rx, value):
        there, here = xichan.channel(pickle=True)
        there.send((value, operator.attrgetter("x")))
        return here.recv()[0]

    def forwarded(tx, rx, value):
        tx.send(value)
        tx.send((rx.recv(copy=False), 1))
        tx.send(rx.recv(copy=False))
        return rx.recv()[0]

    return [plain, nowait, many, selected, awaited, queued, waiting, rendezvous, pickled, forwarded]


@pytest.mark.parametrize("kind", ["bytes", "ascii", "ucs2"])
@pytest.mark.parametrize("way", ways(), ids=lambda way: way.__name__)
def test_every_way_of_sending_returns_the_reference(ends, way, kind):
    value = make(kind, 50_000)
    before = references(value)
    got = way(*ends, value)
    assert got == value
    assert got is not value
    gc.collect()
    assert references(value) == before
    assert lent() == 0


def test_pool_lends_arguments_and_results(pool):
    value = make("bytes", 50_000)
    before = references(value)
    assert pool.submit(bytes.upper, value).result() == value.upper()
    assert list(pool.map(len, [value] * 5)) == [len(value)] * 5
    wait_until(lambda: references(value) == before)


@dataclasses.dataclass
class Page:
    name: str
    content: bytes
    text: str


def test_nested_objects_are_lent(ends):
    tx, rx = ends
    content, text, key = make("bytes", 10_000), make("ucs4", 5_000), make("latin1", 9_000)
    before = [references(each) for each in (content, text, key)]
    value = [
        1,
        (content, {key: text, "a": [text, content]}),
        {content},
        Page("page", content, text),
        bytearray(content),
    ]
    tx.send(value)
    assert lent() == 10_000 + 20_000 + 9_000
    view = rx.recv(copy=False)
    assert view == value
    assert view[1][1][key] == text
    assert view[3].content == content
    assert xichan.loads(xichan.dumps(view)) == xichan.loads(xichan.dumps(value))
    part = view[1][0][5:9_000]
    del view
    assert lent() == 39_000  # the part shows a loan of the same message
    assert part == content[5:9_000]
    del part
    assert lent() == 0
    tx.send(value)
    got = rx.recv()
    assert got == value
    assert got[1][0] is got[3].content
    assert got[1][1][key] is got[3].text
    del got, value
    assert [references(each) for each in (content, text, key)] == before


def test_large_dict_finds_a_lent_key(ends):
    tx, rx = ends
    key = make("ascii", 100_000)
    value = {**dict.fromkeys(range(100)), key: "found"}
    tx.send(value)
    view = rx.recv(copy=False)
    assert view[key] == "found"
    assert view[make("ascii", 100_000)] == "found"
    assert make("ascii", 99_999) not in view


def test_object_in_many_messages_has_a_loan_each(ends):
    tx, rx = ends
    value = make("bytes", 20_000)
    before = references(value)
    tx.send_many([value] * 50)
    assert references(value) == before + 50
    views = [rx.recv(copy=False) for _ in range(30)]
    del views[::2]
    assert references(value) == before + 35
    assert all(view == value for view in views)
    del views
    rx.recv_many(50)
    assert references(value) == before


def test_lent_object_does_not_change(ends):
    tx, rx = ends
    text, content = make("ascii", 10_000), make("bytes", 10_000)
    tx.send((text, content))
    text += "b"
    content += b"b"
    assert rx.recv() == (text[:-1], content[:-1])


def refusals():
    def full(value):
        tx, rx = xichan.channel(1)
        with tx, rx:
            tx.send(1)
            with pytest.raises(xichan.ChannelFull):
                tx.send_nowait(value)
            with pytest.raises(xichan.ChannelTimeout):
                tx.send(value, timeout=0)
            with pytest.raises(xichan.ChannelTimeout):
                tx.send([value, value], timeout=0.01)
            with pytest.raises(xichan.ChannelTimeout):
                xichan.select([(tx, value)], timeout=0)

    def closed(value):
        tx, rx = xichan.channel(1)
        rx.close()
        with tx, pytest.raises(xichan.ChannelClosed):
            tx.send(value)

    def closed_while_blocked(value):
        tx, rx = xichan.channel(1)
        tx.send(1)
        call = Call(tx.send, value)
        wait_for_blocked(tx, senders=1)
        rx.close()
        with pytest.raises(xichan.ChannelClosed):
            call.result()

    def too_large(value):
        tx, rx = xichan.channel(max_bytes=len(value))
        with tx, rx, pytest.raises(ValueError, match="max_bytes"):
            tx.send(value)

    def refused_part(value):
        tx, rx = xichan.channel()
        with tx, rx, pytest.raises(xichan.NotShareableError):
            tx.send([value, {"a": (value, threading.Lock())}])

    def no_memory(value):
        tx, rx = xichan.channel()
        with tx, rx:
            for countdown in range(3):
                xichan._core._fail_after(countdown)
                try:
                    tx.send((value, "a"))
                except MemoryError:
                    pass
                xichan._core._fail_after(-1)

    def limited(value):
        tx, rx = xichan.channel()
        with tx, rx:
            xichan.set_memory_limit(xichan.memory_stats().bytes + len(value))
            with pytest.raises(xichan.MemoryLimitExceeded):
                tx.send((value, value + b"x", make("bytes", 10_000)))
            xichan.set_memory_limit(None)

    return [full, closed, closed_while_blocked, too_large, refused_part, no_memory, limited]


@pytest.mark.parametrize("refuse", refusals(), ids=lambda refuse: refuse.__name__)
def test_refused_send_keeps_no_reference(refuse):
    value = make("bytes", 10_000)
    before = references(value)
    refuse(value)
    gc.collect()  # exceptions and their frames
    assert references(value) == before
    assert lent() == 0


def test_dropped_values_return_their_references():
    value = make("bytes", 10_000)
    before = references(value)
    for overflow in ("drop_oldest", "drop_newest"):
        tx, rx = xichan.channel(2, overflow=overflow)
        tx.send_many([value] * 5)
        assert references(value) == before + 2
        tx.close()
        rx.close()
    tx, rx = xichan.channel(5)
    tx.send_many([value] * 5)
    rx.shutdown(immediate=True)
    assert references(value) == before


def test_beyond_the_bound_objects_are_copied():
    tx, rx = xichan.channel(None)
    with tx, rx:
        values = [make("bytes", 1 << 20) for _ in range(BOUND >> 20)]
        tx.send_many(values)
        assert lent() == BOUND
        another = make("bytes", 1 << 20)
        before = references(another)
        tx.send(another)
        assert lent() == BOUND
        assert references(another) == before
        assert rx.recv() == values[0]
        tx.send(another)  # room again
        assert lent() == BOUND
        assert references(another) == before + 1
        assert [rx.recv() for _ in range(len(values) - 1)] == values[1:]
        assert rx.recv() == rx.recv() == another
    assert lent() == 0


def test_hoarded_views_cannot_evade_the_limit():
    tx, rx = xichan.channel(None)
    limit = xichan.memory_stats().bytes + (20 << 20)
    xichan.set_memory_limit(limit)
    views = []
    with tx, rx:
        with pytest.raises(xichan.MemoryLimitExceeded):
            for i in range(100):
                tx.send(make("bytes", (1 << 20) + i))
                views.append(rx.recv(copy=False))
        assert 15 <= len(views) <= 20
        assert xichan.memory_stats().bytes <= limit
        assert 0 < lent() <= limit // 4
        del views[:]
        tx.send(make("bytes", 4 << 20))  # takes back what was returned
        assert len(rx.recv()) == 4 << 20


def test_returned_loans_do_not_count_against_the_limit():
    tx, rx = xichan.channel(None)
    with tx, rx:
        xichan.set_memory_limit(xichan.memory_stats().bytes + (20 << 20))
        for call in (xichan.Buffer, lambda size: tx.send(bytearray(size)), lambda size: xichan.share(bytes(size))):
            tx.send(make("bytes", 4 << 20))
            with pytest.raises(xichan.MemoryLimitExceeded):
                call(17 << 20)
            rx.recv()  # returns the loan, which is not taken back yet
            call(17 << 20)
            rx.recv_many(1, timeout=0) if len(rx) else None


def test_max_bytes_of_a_channel_counts_lent_bytes():
    tx, rx = xichan.channel(None, max_bytes=100_000)
    with tx, rx:
        for _ in range(9):
            tx.send_nowait(make("bytes", 10_000))
        with pytest.raises(xichan.ChannelFull):
            tx.send_nowait(make("bytes", 10_000))
        assert 90_000 < tx.stats().bytes < 100_000
        rx.recv()
        tx.send_nowait(make("bytes", 10_000))


@pytest.mark.parametrize(
    "look",
    [gc.collect, xichan.trim, xichan.memory_stats, lambda: xichan.set_memory_limit(None), lambda: xichan.channel(0)],
    ids=["gc", "trim", "memory_stats", "set_memory_limit", "close"],
)
def test_calls_take_back_loans(ends, look):
    tx, rx = ends
    gc.unfreeze()  # the fixture of all tests freezes the module, which the collector then ignores
    value = make("bytes", 10_000)
    before = sys.getrefcount(value)
    tx.send(value)
    rx.recv()
    assert sys.getrefcount(value) == before + 1
    made = look()
    if type(made) is tuple:
        for end in made:
            end.close()
    assert sys.getrefcount(value) == before


def test_blocked_thread_takes_back_loans(ends):
    run_script(
        """
import sys, threading, time
import xichan
from support import wait_for_blocked

tx, rx = xichan.channel()
back_tx, back_rx = xichan.channel()
value = bytes(bytearray(10_000))
before = sys.getrefcount(value)
tx.send(value)
waiting = threading.Thread(target=back_rx.recv)
waiting.start()
wait_for_blocked(back_tx, receivers=1)
got = rx.recv()
deadline = time.monotonic() + 20
while sys.getrefcount(value) != before:
    assert time.monotonic() < deadline
    time.sleep(0.01)
back_tx.send(1)
waiting.join()
"""
    )


def test_only_exact_immutable_objects_are_lent(ends):
    class Text(str):
        __slots__ = ()

    tx, rx = ends
    text = make("ascii", 10_000)
    for value in (bytearray(10_000), sys.intern("".join([text, "x"])), 1 << 100_000, memoryview(make("bytes", 10_000))):
        tx.send(value)
        assert lent() == 0, type(value)
        assert rx.recv() == value
    with pytest.raises(xichan.NotShareableError):
        tx.send(Text(text))


def test_share_publish_and_dumps_copy():
    value = make("bytes", 10_000)
    before = references(value)
    shared = xichan.share(value)
    xichan.publish("lending", value)
    data = xichan.dumps((value,))
    assert lent() == 0
    assert references(value) == before
    assert shared.nbytes > 10_000
    xichan.unpublish("lending")
    assert xichan.loads(data) == (value,)


def test_shared_of_a_received_view_keeps_the_loan(ends):
    tx, rx = ends
    value = make("bytes", 10_000)
    before = references(value)
    tx.send(value)
    shared = xichan.share(rx.recv(copy=False))
    assert shared.nbytes > 10_000
    assert references(value) == before + 1
    assert shared.value() == value
    del shared
    assert references(value) == before


ALLOCATORS = """
import sys
import xichan
tx, rx = xichan.channel()
value = bytes(bytearray(b"x" * 10_000))
text = "".join(["y" * 10_000, "z"])
tx.send((value, [text]))
assert xichan.memory_stats().lent_bytes == (20_001 if sys.argv[1] == "lent" else 0), xichan.memory_stats()
assert rx.recv() == (value, [text])
tx.send((value, [text]))
del value
view = rx.recv(copy=False)
assert view[0] == b"x" * 10_000
"""


@pytest.mark.parametrize(
    "outcome, options, env",
    [
        ("lent", (), {}),
        ("lent", (), {"PYTHONMALLOC": "malloc"}),
        ("copied", (), {"PYTHONMALLOC": "debug"}),
        ("copied", ("-X", "dev"), {}),
        ("copied", ("-X", "tracemalloc"), {}),
    ],
    ids=["default", "malloc", "debug", "dev", "tracemalloc"],
)
def test_objects_are_lent_with_default_allocators_only(outcome, options, env):
    run_script(ALLOCATORS, outcome, options=options, env=env)


def test_process_exits_with_loans_outstanding():
    run_script(
        """
import threading
import xichan
tx, rx = xichan.channel()
kept = [bytes(bytearray(20_000)), "".join(["\\xe9" * 20_000, "x"])]
kept[1].encode()  # caches its UTF-8
tx.send_many(kept * 3)
views = [rx.recv(copy=False) for _ in range(4)]
holder = views  # a cycle, so that they are released late
holder.append(holder)
del kept[0]
"""
    )
