"""broadcast(): each message goes to all subscribers."""

import asyncio
import contextlib
import gc
import threading

import pytest
from support import Call, execute, interpreter, run_loop, run_script, wait_until

import xichan
from xichan import Lagged, _core

MODES = pytest.mark.parametrize("overflow", ["block", "drop_oldest"])
TEXT = "text that needs a block of its own"


def waiting(subscribe):
    """Return the number of calls that wait for room or for a message."""
    return _core._waiting(subscribe)


def drain(rx):
    """Return all messages that can be received now, and a ("lagged", n) for each Lagged."""
    received = []
    while True:
        try:
            received.append(rx.recv_nowait())
        except Lagged as error:
            received.append(("lagged", error.missed))
        except xichan.ChannelEmpty:
            return received


@MODES
def test_every_subscriber_receives_every_message_in_order(overflow):
    tx, subscribe = xichan.broadcast(8, overflow)
    receivers = [subscribe() for _ in range(3)]
    for number in range(8):
        tx.send((number, TEXT))
    for rx in receivers:
        assert len(rx) == 8
        assert drain(rx) == [(number, TEXT) for number in range(8)]
        assert len(rx) == 0


@MODES
def test_subscriber_receives_only_what_is_sent_after_it_subscribed(overflow):
    tx, subscribe = xichan.broadcast(4, overflow)
    first = subscribe()
    tx.send(1)
    second = subscribe()
    tx.send(2)
    assert drain(first) == [1, 2]
    assert drain(second) == [2]


@MODES
def test_message_without_subscribers_is_dropped(overflow):
    tx, subscribe = xichan.broadcast(1, overflow)
    for _ in range(10):
        tx.send(TEXT)
    rx = subscribe()
    assert drain(rx) == []
    rx.close()
    for _ in range(10):
        tx.send(TEXT)
    assert tx.subscribers == subscribe.subscribers == 0


def test_properties_describe_the_channel():
    tx, subscribe = xichan.broadcast(3, "drop_oldest", name="prices")
    assert (tx.capacity, tx.overflow, tx.subscribers) == (3, "drop_oldest", 0)
    assert (subscribe.capacity, subscribe.overflow, subscribe.name) == (3, "drop_oldest", "prices")
    assert repr(subscribe) == "<xichan.Broadcast 'prices' capacity 3 subscribers 0>"
    with subscribe() as rx:
        assert tx.subscribers == 1 and bool(rx) and not rx.closed
        assert "pending 0" in repr(rx)
    assert rx.closed and repr(rx) == "<xichan.BroadcastReceiver closed>" and len(rx) == 0
    assert xichan.Broadcast.lookup("prices") == subscribe == xichan.lookup("prices")


# Overflow.


@pytest.mark.parametrize("capacity", [1, 2, 3, 64])
def test_send_nowait_raises_while_a_subscriber_has_capacity_messages_left(capacity):
    tx, subscribe = xichan.broadcast(capacity)
    fast, slow = subscribe(), subscribe()
    for number in range(capacity):
        tx.send_nowait(number)
        assert fast.recv_nowait() == number
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait("one more")
    for timeout in (0, 0.01):
        with pytest.raises(xichan.ChannelTimeout):
            tx.send("one more", timeout)
    assert slow.recv_nowait() == 0
    tx.send_nowait("one more")
    assert drain(slow) == [*range(1, capacity), "one more"]
    assert drain(fast) == ["one more"]


def test_slow_subscriber_blocks_the_sender_until_it_receives():
    tx, subscribe = xichan.broadcast(1)
    fast, slow = subscribe(), subscribe()
    tx.send(1)
    call = Call(tx.send, 2)
    wait_until(lambda: waiting(subscribe) == 1)
    assert drain(fast) == [1]
    assert waiting(subscribe) == 1 and call.is_alive()
    assert slow.recv() == 1
    call.result()
    assert drain(fast) == drain(slow) == [2]


def test_blocked_senders_all_continue_as_room_appears():
    tx, subscribe = xichan.broadcast(2)
    rx = subscribe()
    tx.send(0)
    tx.send(0)
    calls = [Call(tx.send, 1) for _ in range(8)]
    wait_until(lambda: waiting(subscribe) == 8)
    assert sum(rx.recv(timeout=30) for _ in range(10)) == 8
    for call in calls:
        call.result()
    assert drain(rx) == []


@pytest.mark.parametrize("end", ["close", "release"])
def test_unsubscribing_unblocks_the_sender(end):
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    tx.send(1)
    call = Call(tx.send, 2)
    wait_until(lambda: waiting(subscribe) == 1)
    if end == "close":
        rx.close()
    else:
        del rx
        gc.collect()
    call.result()
    assert tx.subscribers == 0


@pytest.mark.parametrize("capacity", [1, 2, 3, 64])
@pytest.mark.parametrize("extra", [0, 1, 2, 5, 200])
def test_lagged_counts_exactly_the_dropped_messages(capacity, extra):
    tx, subscribe = xichan.broadcast(capacity, "drop_oldest")
    rx = subscribe()
    total = capacity + extra
    for number in range(total):
        tx.send(number)
    lag = [("lagged", extra)] if extra else []
    assert len(rx) == capacity
    assert drain(rx) == lag + list(range(extra, total))
    tx.send("next")
    assert drain(rx) == ["next"]  # raised once


def test_only_the_slow_subscriber_lags():
    tx, subscribe = xichan.broadcast(2, "drop_oldest")
    fast, slow = subscribe(), subscribe()
    received = []
    for number in range(10):
        tx.send(number)
        received += drain(fast)
    assert received == list(range(10))
    assert drain(slow) == [("lagged", 8), 8, 9]


def test_lagged_is_an_error_with_the_number_of_missed_messages():
    tx, subscribe = xichan.broadcast(1, "drop_oldest")
    rx = subscribe()
    tx.send(1)
    tx.send(2)
    with pytest.raises(Lagged) as raised:
        next(rx)
    assert isinstance(raised.value, xichan.Error)
    assert raised.value.missed == 1 and raised.value.args == (1,)
    assert next(rx) == 2


def test_lagged_subscriber_receives_the_rest_after_the_senders_closed():
    tx, subscribe = xichan.broadcast(2, "drop_oldest")
    rx = subscribe()
    for number in range(5):
        tx.send(number)
    tx.close()
    assert [len(rx)] == [2]
    with pytest.raises(Lagged):
        rx.recv()
    assert list(rx) == [3, 4]


def test_no_message_is_lost_or_repeated_between_concurrent_threads():
    tx, subscribe = xichan.broadcast(16)
    receivers = [subscribe() for _ in range(3)]

    def produce(producer):
        for number in range(500):
            tx.send((producer, number))

    consumers = [Call(lambda rx=rx: [rx.recv(timeout=60) for _ in range(1000)]) for rx in receivers]
    producers = [Call(produce, number) for number in range(2)]
    for call in producers:
        call.result(60)
    results = [call.result(60) for call in consumers]
    assert results[0] == results[1] == results[2]
    for producer in range(2):
        assert [n for p, n in results[0] if p == producer] == list(range(500))


def test_received_and_missed_messages_add_up_under_concurrent_sends():
    tx, subscribe = xichan.broadcast(3, "drop_oldest")
    total = 3000

    def consume(rx):
        received, missed = [], 0
        while True:
            try:
                received.append(rx.recv(timeout=60))
            except Lagged as error:
                missed += error.missed
            except xichan.ChannelClosed:
                return received, missed

    consumers = [Call(consume, subscribe()) for _ in range(3)]

    def produce():
        with tx:
            for number in range(total):
                tx.send(number)

    Call(produce).result(60)
    for call in consumers:
        received, missed = call.result(60)
        assert received == sorted(set(received)) and received[-1] == total - 1
        assert len(received) + missed == total


# Handles.


def test_each_message_goes_to_one_of_several_handles_of_a_subscription():
    tx, subscribe = xichan.broadcast(64)
    rx, whole = subscribe(), subscribe()
    carrier, carried = xichan.channel(1)
    carrier.send(rx)
    same = carried.recv()
    assert same == rx and same is not rx and tx.subscribers == 2
    for number in range(20):
        tx.send(number)
    assert [rx.recv(), same.recv(), rx.recv()] == [0, 1, 2]
    rx.close()
    assert not same.closed and tx.subscribers == 2
    assert drain(same) == list(range(3, 20))
    assert drain(whole) == list(range(20))
    same.close()
    assert tx.subscribers == 1


def test_handles_of_one_subscription_share_messages_between_threads():
    tx, subscribe = xichan.broadcast(8)
    rx = subscribe()
    calls = [Call(list, rx) for _ in range(4)]
    for number in range(400):
        tx.send(number)
    tx.close()
    results = [call.result(60) for call in calls]
    assert sorted(number for result in results for number in result) == list(range(400))
    assert all(result == sorted(result) for result in results)


@MODES
def test_subscribers_in_other_interpreters_receive_every_message(overflow):
    tx, subscribe = xichan.broadcast(100, overflow, name="broadcast")
    results, collected = xichan.channel()
    with interpreter(subscribe=subscribe, results=results) as one, interpreter(results=results) as other:
        source = """
            import xichan
            rx = xichan.Broadcast.lookup("broadcast")()
            results.send("ready")
            results.send(list(rx))
        """
        calls = [execute(one, source), execute(other, source)]
        assert [collected.recv(30), collected.recv(30)] == ["ready"] * 2
        for number in range(100):
            tx.send((number, TEXT))
        tx.close()
        for call in calls:
            call.result()
    assert collected.drain() == [[(number, TEXT) for number in range(100)]] * 2


def test_sender_in_another_interpreter_reaches_subscribers_here():
    tx, subscribe = xichan.broadcast(4)
    rx = subscribe()
    with interpreter(subscribe=subscribe) as interp:
        execute(interp, "with subscribe.sender() as tx: tx.send('from there')").result()
    assert rx.recv(30) == "from there"
    assert waiting(subscribe) == 0 and not tx.closed


# Closing.


@MODES
def test_subscriber_sees_the_end_once_all_senders_are_closed(overflow):
    tx, subscribe = xichan.broadcast(4, overflow)
    other, rx = subscribe.sender(), subscribe()
    tx.send(1)
    tx.close()
    tx.close()
    other.send(2)
    with pytest.raises(xichan.ChannelClosed, match="this BroadcastSender is closed"):
        tx.send(3)
    del other
    gc.collect()
    assert [rx.recv(), rx.recv()] == [1, 2]
    for call in (rx.recv, rx.recv_nowait, lambda: rx.recv(timeout=0)):
        with pytest.raises(xichan.ChannelClosed, match="all BroadcastSenders are closed"):
            call()
    assert list(rx) == [] and not rx.closed
    with pytest.raises(xichan.ChannelClosed):
        subscribe.sender()
    assert list(subscribe()) == []


@pytest.mark.parametrize("calls", [1, 4])
def test_closing_the_last_sender_wakes_subscribers(calls):
    tx, subscribe = xichan.broadcast(4)
    waits = [Call(list, subscribe()) for _ in range(calls)]
    wait_until(lambda: waiting(subscribe) == calls)
    tx.close()
    assert [call.result() for call in waits] == [[]] * calls


def test_closing_a_receiver_wakes_its_call():
    tx, subscribe = xichan.broadcast(4)
    rx, other = subscribe(), subscribe()
    call, unaffected = Call(rx.recv), Call(other.recv)
    wait_until(lambda: waiting(subscribe) == 2)
    rx.close()
    with pytest.raises(xichan.ChannelClosed, match="this BroadcastReceiver is closed"):
        call.result()
    tx.send(1)
    assert unaffected.result() == 1


def test_iteration_of_a_closed_receiver_raises():
    _tx, subscribe = xichan.broadcast(4)
    rx = subscribe()
    call = Call(list, rx)
    wait_until(lambda: waiting(subscribe) == 1)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()
    with pytest.raises(xichan.ChannelClosed):
        next(rx)


@pytest.mark.parametrize("is_last", [True, False])
def test_closing_a_sender_wakes_its_blocked_call_and_sends_nothing(is_last):
    tx, subscribe = xichan.broadcast(1)
    rx, other = subscribe(), None if is_last else subscribe.sender()
    tx.send(1)
    call = Call(tx.send, TEXT)
    wait_until(lambda: waiting(subscribe) == 1)
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()
    if other is not None:
        other.close()
    assert list(rx) == [1]


def test_exception_in_a_with_block_closes_the_handles():
    tx, subscribe = xichan.broadcast(1)
    with pytest.raises(KeyError), tx, subscribe() as rx:
        raise KeyError
    assert tx.closed and rx.closed


@pytest.mark.parametrize("blocked", [False, True])
def test_interpreter_that_ends_unsubscribes_and_closes(blocked):
    tx, subscribe = xichan.broadcast(1)
    with interpreter(tx=tx, subscribe=subscribe) as interp:
        execute(interp, "rx = subscribe()").result()
        assert tx.subscribers == 1
        tx.send(TEXT)
        call = Call(tx.send, TEXT) if blocked else None
        if blocked:
            wait_until(lambda: waiting(subscribe) == 1)
        rx = subscribe() if not blocked else None
        tx.close() if not blocked else None
    if blocked:
        call.result()  # the subscription that had no room has ended
        assert tx.subscribers == 0
    else:
        assert list(rx) == []  # the sender of the interpreter was the last one
        assert subscribe.subscribers == 1


def test_interpreter_can_end_while_its_threads_wait():
    run_script("""
from concurrent import interpreters
import xichan
from support import HERE, PACKAGE, wait_until
from xichan._core import _waiting

tx, subscribe = xichan.broadcast(1)
slow = subscribe()
tx.send("first")
interp = interpreters.create()
interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}; import xichan")
interp.prepare_main(tx=tx, subscribe=subscribe)
interp.exec('''
import contextlib, threading, xichan
def wait(call, *args):
    with contextlib.suppress(xichan.ChannelClosed):
        call(*args)
threading.Thread(target=wait, args=(tx.send, "never")).start()
threading.Thread(target=wait, args=(subscribe().recv,)).start()
''')
wait_until(lambda: _waiting(subscribe) == 2)
interp.close()
assert _waiting(subscribe) == 0 and subscribe.subscribers == 1
tx.close()
assert list(slow) == ["first"]
""")


# Memory.


@MODES
def test_unread_messages_are_released_with_their_subscription(overflow):
    tx, subscribe = xichan.broadcast(16, overflow)
    before = xichan.memory_stats().blocks
    first, second = subscribe(), subscribe()
    for _ in range(16):
        tx.send(TEXT * 100)
    assert xichan.memory_stats().blocks > before
    first.close()
    assert len(second) == 16
    second.close()
    assert xichan.memory_stats().blocks == before


@MODES
def test_message_is_released_once_all_subscribers_received_it(overflow):
    tx, subscribe = xichan.broadcast(16, overflow)
    first, second = subscribe(), subscribe()
    before = xichan.memory_stats().blocks
    for _ in range(100):
        tx.send(TEXT * 100)
        assert first.recv() == second.recv() == TEXT * 100
    assert xichan.memory_stats().blocks == before


def test_dropped_messages_are_released():
    tx, subscribe = xichan.broadcast(2, "drop_oldest")
    rx = subscribe()
    tx.send(TEXT * 100)
    tx.send(TEXT * 100)
    before = xichan.memory_stats().blocks
    for _ in range(100):
        tx.send(TEXT * 100)
    assert xichan.memory_stats().blocks == before
    assert len(rx) == 2


def test_failed_send_has_sent_nothing():
    tx, subscribe = xichan.broadcast(4)
    rx = subscribe()
    with pytest.raises(xichan.NotShareableError):
        tx.send(object())
    xichan.set_memory_limit(xichan.memory_stats().bytes + 1000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        tx.send(b"x" * 10**7)
    xichan.set_memory_limit(None)
    assert drain(rx) == []


def test_subscribers_view_one_copy_of_a_large_message():
    tx, subscribe = xichan.broadcast(1)
    receivers = [subscribe() for _ in range(4)]
    tx.send(b"x" * 10**6)
    views = [rx.recv(copy=False) for rx in receivers]
    assert all(type(view) is xichan.BytesView and len(view) == 10**6 for view in views)
    assert xichan.memory_stats().bytes < 2 * 10**6


# asyncio.


@MODES
def test_async_iteration_receives_every_message(overflow):
    async def main():
        tx, subscribe = xichan.broadcast(64, overflow)

        async def consume(rx):
            return [value async for value in rx]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(consume(subscribe())) for _ in range(3)]
            for number in range(50):
                await tx.asend(number)
                if number % 10 == 0:
                    await asyncio.sleep(0)
            tx.close()
        assert [task.result() for task in tasks] == [list(range(50))] * 3

    run_loop(main())


def test_asend_waits_for_the_slowest_subscriber():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx = subscribe()
        await tx.asend(1)
        task = asyncio.create_task(tx.asend(2))
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        assert await rx.arecv() == 1
        await task
        assert await rx.arecv() == 2

    run_loop(main())


def test_cancelled_calls_have_sent_and_received_nothing():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx = subscribe()
        receiving = asyncio.create_task(rx.arecv())
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        receiving.cancel()
        tx.send(1)
        with pytest.raises(asyncio.CancelledError):
            await receiving
        sending = asyncio.create_task(tx.asend("never"))
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert waiting(subscribe) == 0
        assert drain(rx) == [1]

    run_loop(main())


def test_async_calls_raise_when_their_handle_is_closed():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx, full = subscribe(), subscribe()
        tx.send(1)
        assert rx.recv() == 1
        tasks = [asyncio.create_task(call) for call in (rx.arecv(), anext(rx), tx.asend(2))]
        while waiting(subscribe) != 3:
            await asyncio.sleep(0)
        rx.close()
        tx.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [xichan.ChannelClosed] * 3
        assert [value async for value in full] == [1]

    run_loop(main())


def test_async_iteration_raises_lagged_and_continues():
    async def main():
        tx, subscribe = xichan.broadcast(2, "drop_oldest")
        rx = subscribe()
        for number in range(5):
            tx.send(number)
        tx.close()
        with pytest.raises(Lagged) as raised:
            await anext(rx)
        assert raised.value.missed == 3
        assert [value async for value in rx] == [3, 4]

    run_loop(main())


def test_sender_thread_wakes_a_waiting_coroutine():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx = subscribe()
        task = asyncio.create_task(rx.arecv())
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        await asyncio.to_thread(tx.send, 1)
        assert await task == 1

    run_loop(main())


# Signals, fork and arguments.


def test_ctrl_c_interrupts_blocked_calls_without_side_effects():
    run_script("""
import os, signal
import xichan
from support import Call, wait_until
from xichan._core import _waiting

signal.signal(signal.SIGINT, signal.default_int_handler)
tx, subscribe = xichan.broadcast(1)
rx, slow = subscribe(), subscribe()

def interrupt():
    wait_until(lambda: _waiting(subscribe) == 1)
    os.kill(os.getpid(), signal.SIGINT)

def interrupted(call, *args):
    helper = Call(interrupt)
    try:
        call(*args)
    except KeyboardInterrupt:
        return helper.result()
    raise AssertionError("not interrupted")

interrupted(rx.recv)
tx.send(1)
interrupted(tx.send, 2)
assert [rx.recv(), slow.recv()] == [1, 1] and len(rx) == len(slow) == 0
""")


def test_inherited_handles_raise_in_the_child_of_a_fork():
    run_script("""
import os, warnings
import xichan

warnings.simplefilter("ignore", DeprecationWarning)
tx, subscribe = xichan.broadcast(4, name="inherited")
rx = subscribe()
tx.send(1)
child = os.fork()
if not child:
    status = 1
    try:
        for call in (lambda: tx.send(1), lambda: tx.send_nowait(1), subscribe, subscribe.sender, rx.recv,
                     rx.recv_nowait, lambda: next(rx), lambda: tx.subscribers, lambda: subscribe.capacity):
            try:
                call()
            except xichan.Error as error:
                assert "parent process" in str(error), error
            else:
                raise AssertionError(call)
        assert len(rx) == 0 and "unusable" in repr(tx) + repr(rx)
        tx.close()
        rx.close()
        del tx, rx, subscribe
        assert xichan.objects() == []
        tx, subscribe = xichan.broadcast(1, name="inherited")
        rx = subscribe()
        tx.send("child")
        assert rx.recv() == "child"
        status = 0
    finally:
        os._exit(status)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
tx.send(2)
assert [rx.recv(), rx.recv()] == [1, 2]
""")


@pytest.mark.parametrize("capacity", [0, -1, 2**32 + 1, 2**64, True, 1.0, "1", None])
def test_invalid_capacity_is_rejected(capacity):
    with pytest.raises((TypeError, ValueError)):
        xichan.broadcast(capacity)


@pytest.mark.parametrize("overflow", ["", "BLOCK", "drop_oldest\0", "error", 1, None, b"block"])
def test_invalid_overflow_is_rejected(overflow):
    with pytest.raises((TypeError, ValueError)):
        xichan.broadcast(1, overflow)


def test_invalid_arguments_of_methods_are_rejected():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    for call, error in [
        (lambda: subscribe(1), TypeError),
        (lambda: subscribe(copy=True), TypeError),
        (tx.send, TypeError),
        (lambda: tx.send(1, -1), ValueError),
        (lambda: tx.send(1, "1"), TypeError),
        (lambda: tx.send(1, float("nan")), ValueError),
        (lambda: rx.recv(-1), ValueError),
        (lambda: rx.recv_nowait(True), TypeError),
        (xichan.Broadcast, TypeError),
        (xichan.BroadcastSender, TypeError),
        (xichan.BroadcastReceiver, TypeError),
        (lambda: xichan.broadcast(1, name=1), TypeError),
        (lambda: xichan.broadcast(), TypeError),
    ]:
        with pytest.raises(error):
            call()
    assert drain(rx) == []


def test_name_in_use_is_rejected():
    with contextlib.ExitStack() as stack:
        tx, _subscribe = xichan.broadcast(1, name="taken")
        stack.callback(tx.close)
        with pytest.raises(xichan.Error, match="taken"):
            xichan.broadcast(1, name="taken")


class Closes:
    """Closes a BroadcastSender while it is encoded."""

    def __init__(self, tx):
        self.tx = tx


def close_while_encoding(value):
    value.tx.close()
    return ()


def test_value_that_closes_its_sender_while_it_is_encoded_is_not_sent():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    xichan.register(Closes, close_while_encoding, Closes)
    with pytest.raises(xichan.ChannelClosed, match="this BroadcastSender is closed"):
        tx.send(Closes(tx))
    assert list(rx) == []


def test_subscribing_and_unsubscribing_during_sends_is_consistent():
    tx, subscribe = xichan.broadcast(4, "drop_oldest")
    stop = threading.Event()

    def come_and_go():
        while not stop.is_set():
            with subscribe() as rx:
                numbers = [value for value in drain(rx) if type(value) is int]
                assert numbers == sorted(set(numbers))

    calls = [Call(come_and_go) for _ in range(3)]
    for number in range(3000):
        tx.send(number)
    stop.set()
    for call in calls:
        call.result(60)
    assert tx.subscribers == 0
