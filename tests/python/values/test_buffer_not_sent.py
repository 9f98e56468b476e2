"""A send that fails leaves the sender's Buffer usable; while it waits, the Buffer is unusable."""

import asyncio
import signal
import threading
import time

import pytest
from support import alive, left_over, wait_until
from test_buffer_moved import CONTENT, check_unusable, check_usable, filled

import xichan
from xichan import _core

LONG = 60


def full_channel(capacity=1, **options):
    tx, rx = xichan.channel(capacity, **options)
    for _ in range(capacity):
        tx.send(0)
    return tx, rx


@pytest.fixture(params=["alone", "in a list", "twice"])
def wrap(request):
    return {"alone": lambda b: b, "in a list": lambda b: [1, b], "twice": lambda b: (b, {"k": b})}[request.param]


FORMS = {
    "send": lambda tx, value: tx.send(value, timeout=0),
    "send with timeout": lambda tx, value: tx.send(value, timeout=0.01),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "send_many": lambda tx, value: tx.send_many([value, 1], timeout=0.01),
    "send_many at once": lambda tx, value: tx.send_many(iter([value]), timeout=0),
    "select": lambda tx, value: xichan.select([(tx, value)], timeout=0.01),
    "select at once": lambda tx, value: xichan.select([(tx, value)], timeout=0),
    "_try_select": lambda tx, value: _core._try_select([(tx, value)]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("capacity", [0, 1])
def test_full_channel_leaves_the_buffer_usable(form, capacity, wrap):
    tx, rx = full_channel(capacity)
    buffer = filled()
    before = alive()
    try:
        assert FORMS[form](tx, wrap(buffer)) is None  # _try_select
    except (xichan.ChannelTimeout, xichan.ChannelFull):
        pass
    check_usable(buffer)
    assert alive() == before
    sender = threading.Thread(target=tx.send, args=(wrap(buffer), LONG), daemon=True)
    sender.start()
    assert capacity == 0 or rx.recv(LONG) == 0
    assert type(rx.recv(LONG)) is type(wrap(buffer))
    sender.join(LONG)
    check_unusable(buffer)


@pytest.mark.parametrize("form", FORMS)
def test_closed_channel_leaves_the_buffer_usable(form, wrap):
    for close in ("receiver", "sender", "shutdown", "error"):
        tx, rx = xichan.channel()
        buffer = filled()
        if close == "error":
            rx.close(error=OSError(1))
        else:
            {"receiver": rx.close, "sender": tx.close, "shutdown": rx.shutdown}[close]()
        with pytest.raises(xichan.ChannelClosed):
            FORMS[form](tx, wrap(buffer))
        check_usable(buffer)


@pytest.mark.parametrize("form", FORMS)
def test_too_large_message_leaves_the_buffer_usable(form):
    tx, _ = xichan.channel(max_bytes=400)
    buffer = filled()
    with pytest.raises(ValueError, match="max_bytes"):
        FORMS[form](tx, [buffer, bytes(1000)])
    check_usable(buffer)


@pytest.mark.parametrize("form", FORMS)
def test_failing_allocations_leave_the_buffer_usable(form, wrap):
    tx, rx = xichan.channel()
    buffer = filled()
    before = alive()
    for count in range(20):
        _core._fail_after(count)
        try:
            FORMS[form](tx, wrap(buffer))
        except MemoryError:
            _core._fail_after(-1)
            check_usable(buffer)
            assert alive() == before and len(rx) == 0
        else:
            break
    _core._fail_after(-1)
    assert count > 0 and rx.recv()
    check_unusable(buffer)


def test_memory_limit_leaves_the_buffer_usable(wrap):
    tx, rx = xichan.channel()
    buffer = filled()
    xichan.set_memory_limit(alive()["bytes"])
    with pytest.raises(xichan.MemoryLimitExceeded):
        tx.send(wrap(buffer))
    xichan.set_memory_limit(None)
    check_usable(buffer)
    assert len(rx) == 0


WAITS = {
    "send": lambda tx, value: tx.send(value),
    "send_many": lambda tx, value: tx.send_many([value]),
    "select": lambda tx, value: xichan.select([(tx, value)]),
}


@pytest.mark.parametrize("form", WAITS)
@pytest.mark.parametrize("capacity", [0, 1])
@pytest.mark.parametrize("end", ["received", "closed"])
def test_buffer_is_unusable_while_a_send_waits(form, capacity, end, wrap):
    tx, rx = full_channel(capacity)
    buffer = filled()
    errors = []

    def send():
        try:
            WAITS[form](tx, wrap(buffer))
        except xichan.ChannelClosed as error:
            errors.append(error)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    wait_until(lambda: tx.stats().waiting_senders == 1)
    check_unusable(buffer, "being sent", "the buffer is being sent")
    if end == "received":
        received = [rx.recv(LONG) for _ in range(capacity + 1)]
        assert received[-1]
    else:
        rx.close()
    sender.join(LONG)
    if end == "received":
        check_unusable(buffer)
    else:
        check_usable(buffer)
    assert len(errors) == (end == "closed")


def test_interrupted_send_leaves_the_buffer_usable(wrap):
    for form in WAITS.values():
        tx, rx = full_channel()
        buffer = filled()
        seen = []

        def interrupt(number, frame, buffer=buffer, seen=seen):
            seen.append(repr(buffer))
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGUSR1, interrupt)
        main = threading.get_ident()

        def kill(tx=tx, main=main):
            wait_until(lambda: tx.stats().waiting_senders == 1)
            signal.pthread_kill(main, signal.SIGUSR1)

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                form(tx, wrap(buffer))
        finally:
            thread.join(LONG)
            signal.signal(signal.SIGUSR1, before)
        assert seen == ["<xichan.Buffer being sent>"] and rx.drain() == [0]
        check_usable(buffer)


def test_sender_closed_while_a_send_waits_leaves_the_buffer_usable(wrap):
    tx, rx = full_channel()
    buffer = filled()
    failed = []

    def send():
        try:
            tx.send(wrap(buffer))
        except xichan.ChannelClosed as error:
            failed.append(error)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    wait_until(lambda: rx.stats().waiting_senders == 1)
    tx.close()
    sender.join(LONG)
    assert failed and rx.drain() == [0]
    check_usable(buffer)


def test_send_many_moves_only_what_was_sent():
    tx, rx = xichan.channel(3)
    buffers = [filled(size) for size in (100, 200, 300, 400, 500)]
    assert tx.send_many([buffers[0], [buffers[1], ""], 1, buffers[2], (buffers[3],), buffers[4]], 0.01) == 3
    for buffer in buffers[:2]:
        check_unusable(buffer)
    for buffer, size in zip(buffers[2:], (300, 400, 500), strict=True):
        check_usable(buffer, size)
    first, (second, _), one = rx.drain()
    check_usable(first, 100)
    check_usable(second, 200)
    assert one == 1


def test_send_many_sends_the_values_before_a_refused_one():
    tx, rx = xichan.channel()
    buffer, exported = filled(), filled()
    with memoryview(exported), pytest.raises(BufferError):
        tx.send_many([buffer, exported, filled()])
    check_unusable(buffer)
    check_usable(exported)
    [received] = rx.drain()
    check_usable(received)


def test_send_many_refuses_a_buffer_that_occurs_twice():
    tx, rx = xichan.channel()
    buffer = filled()
    with pytest.raises(ValueError, match="^the buffer is being sent$"):
        tx.send_many([buffer, [buffer]])
    check_unusable(buffer)
    check_usable(rx.recv())
    assert len(rx) == 0


def test_send_many_of_many_buffers():
    tx, rx = xichan.channel(1000)
    buffers = [xichan.Buffer(i + 1) for i in range(500)]
    values = [buffer if i % 3 else [buffer, i] for i, buffer in enumerate(buffers)]
    assert tx.send_many(values) == 500 and not any(buffers)
    received = [value[0] if type(value) is list else value for value in rx.recv_many(500)]
    assert [len(buffer) for buffer in received] == list(range(1, 501))


def test_select_moves_only_the_chosen_value():
    tx, rx = full_channel()
    open_tx, open_rx = xichan.channel()
    kept, moved = filled(100), filled(200)
    case = (open_tx, [moved])
    assert xichan.select([(tx, [kept]), case, (tx, kept.nbytes)]) == (case, None)
    check_usable(kept, 100)
    check_unusable(moved)
    check_usable(open_rx.recv()[0], 200)
    other = filled(300)
    found, value = xichan.select([(tx, other), rx])
    assert found is rx and value == 0
    check_usable(other, 300)


def test_select_refuses_a_buffer_in_two_cases():
    tx, rx = xichan.channel()
    buffer = filled()
    with pytest.raises(ValueError, match="being sent"):
        xichan.select([(tx, buffer), (tx, buffer)])
    check_usable(buffer)
    assert len(rx) == 0


def test_drop_newest_drops_the_buffer():
    before = alive()
    tx, rx = full_channel(overflow="drop_newest")
    buffer = filled()
    tx.send(buffer)
    check_unusable(buffer)
    assert rx.drain() == [0] and rx.stats().dropped == 1
    del tx, rx
    assert left_over(before) == {}


def test_class_check_leaves_the_buffer_usable():
    tx, rx = xichan.channel(type=int)
    buffer = filled()
    with pytest.raises(TypeError):
        tx.send(buffer)
    check_usable(buffer)
    tx, rx = xichan.channel(type=xichan.Buffer)
    tx.send(buffer)
    check_usable(rx.recv())


SENDS = {
    "send": lambda tx, value: tx.send(value),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "send_many": lambda tx, value: tx.send_many([value]),
}


class Sly:
    pass


@pytest.mark.parametrize("form", SENDS)
@pytest.mark.parametrize("pickle", [False, True])
def test_sender_closed_by_encode_leaves_the_buffer_usable(form, pickle):
    tx, _ = xichan.channel(pickle=pickle)
    xichan.register(Sly, lambda _: tx.close(), lambda _: Sly())
    buffer = filled()
    with pytest.raises(xichan.ChannelClosed):
        SENDS[form](tx, [buffer, Sly()])
    check_usable(buffer)
    _core._forget_plan(Sly)


# asyncio


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, LONG))


@pytest.mark.parametrize("capacity", [0, 1])
@pytest.mark.parametrize("form", ["asend", "asend_many", "aselect"])
def test_cancelled_coroutine_leaves_the_buffer_usable(capacity, form, wrap):
    async def main():
        tx, rx = full_channel(capacity)
        buffer = filled()
        before = alive()
        value = wrap(buffer)
        calls = {"asend": tx.asend, "asend_many": tx.asend_many, "aselect": xichan.aselect}
        values = {"asend": value, "asend_many": [value], "aselect": [(tx, value)]}
        task = asyncio.ensure_future(calls[form](values[form]))
        for _ in range(3):
            await asyncio.sleep(0)
        if capacity == 0:
            check_unusable(buffer, "being sent", "the buffer is being sent")  # it is offered
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        check_usable(buffer)
        assert left_over(before) == {} and rx.drain() == [0] * capacity

    run(main())


@pytest.mark.parametrize("capacity", [0, 1])
@pytest.mark.parametrize("form", ["asend", "aselect"])
def test_coroutine_moves_the_buffer_once_there_is_room(capacity, form, wrap):
    async def main():
        tx, rx = full_channel(capacity)
        buffer, other = filled(), filled()
        busy_tx, busy_rx = full_channel()
        call = {"asend": tx.asend, "aselect": lambda v: xichan.aselect([(busy_tx, other), (tx, v)])}
        task = asyncio.ensure_future(call[form](wrap(buffer)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert capacity == 0 or rx.recv_nowait() == 0
        assert type(await rx.arecv()) is type(wrap(buffer))
        await task
        check_unusable(buffer)
        check_usable(other)
        assert len(busy_rx) == 1

    run(main())


def test_closed_channel_ends_a_coroutine_and_leaves_the_buffer_usable(wrap):
    async def main():
        for capacity in (0, 1):
            tx, rx = full_channel(capacity)
            buffer = filled()
            task = asyncio.ensure_future(tx.asend(wrap(buffer)))
            await asyncio.sleep(0)
            rx.close()
            with pytest.raises(xichan.ChannelClosed):
                await task
            check_usable(buffer)

    run(main())


def test_races_of_timeouts_and_receivers_lose_no_buffer():
    """A send with a short timeout either moves the Buffer or leaves it usable."""
    tx, rx = xichan.channel(0)
    received = []
    stop = threading.Event()

    def receive():
        while not stop.is_set():
            try:
                received.append(rx.recv(0.0005))
            except xichan.ChannelTimeout:
                pass

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    moved = 0
    end = time.monotonic() + 1
    buffer = filled(100)
    while time.monotonic() < end:
        try:
            tx.send([buffer], 0.0003)
        except xichan.ChannelTimeout:
            assert len(buffer) == 100
        else:
            assert not buffer
            moved += 1
            buffer = xichan.Buffer(100)
    stop.set()
    thread.join(LONG)
    assert len(received) == moved and all(len(each) == 100 for [each] in received)
    assert CONTENT
