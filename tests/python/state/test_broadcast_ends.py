"""broadcast(): closed handles, the end of an iteration, and messages that cannot be delivered."""

import asyncio
import threading
import time
from concurrent import interpreters

import pytest
from support import PATIENCE, Call, run_loop, run_script, wait_until

import xichan
from xichan._core import _waiting


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_closing_a_handle_ends_its_waiting_call(side):
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    if side == "sender":
        tx.send(1)
    other = subscribe.sender()
    cpu = []

    def wait():
        begin = time.thread_time()
        try:
            tx.send("large" * 1000) if side == "sender" else rx.recv()
        finally:
            cpu.append(time.thread_time() - begin)

    call = Call(wait)
    wait_until(lambda: _waiting(subscribe) == 1)
    (tx if side == "sender" else rx).close()
    with pytest.raises(xichan.ChannelClosed, match="is closed"):
        call.result()
    assert cpu[0] < 5  # it did not repeat the wait until something else ended it
    other.close()


def test_closed_receiver_ends_iteration_with_exception():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    call = Call(lambda: list(rx))
    wait_until(lambda: _waiting(subscribe) == 1)
    rx.close()
    with pytest.raises(xichan.ChannelClosed, match="is closed"):
        call.result()
    tx.close()


def test_iteration_ends_once_all_is_received():
    tx, subscribe = xichan.broadcast(4)
    rx, other = subscribe(), subscribe()
    tx.send(1)
    tx.send(2)
    tx.close()
    assert list(rx) == [1, 2] and list(rx) == []

    async def main():
        return [value async for value in other]

    assert run_loop(main()) == [1, 2]


def test_iteration_raises_at_shutdown_of_the_process():
    output = run_script("""
import threading, xichan
tx, subscribe = xichan.broadcast(1)
rx = subscribe()
def loop():
    try:
        for value in rx:
            pass
    except xichan.ChannelClosed as error:
        print("raised", error, flush=True)
    else:
        print("ended", flush=True)
threading.Thread(target=loop).start()
""")
    assert "raised the interpreter is shutting down" in str(output)


def test_async_iteration_raises_at_end_of_interpreter():
    tx, subscribe = xichan.broadcast(1, name="ends")
    results, results_end = xichan.channel(4, name="ends results")
    interpreter = interpreters.create()
    interpreter.exec("""
import asyncio, threading, xichan
rx = xichan.Broadcast.lookup("ends")()
results = xichan.Sender.lookup("ends results")
async def main():
    try:
        async for value in rx:
            pass
        outcome = "ended"
    except xichan.ChannelClosed as error:
        outcome = str(error)
    results.send(outcome)
threading.Thread(target=lambda: asyncio.run(main())).start()
""")
    wait_until(lambda: _waiting(subscribe) == 1)
    interpreter.close()
    assert "shutting down" in results_end.recv(PATIENCE)
    tx.close()


def test_handler_error_does_not_end_iteration():
    output = run_script("""
import signal, xichan
tx, subscribe = xichan.broadcast(1)
rx = subscribe()
def handler(*_):
    raise xichan.ChannelClosed("from the handler")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    print("ended", list(rx))
except xichan.ChannelClosed as error:
    print("raised", error)
""")
    assert "raised from the handler" in str(output)


def test_memory_error_loses_no_message():
    testcapi = pytest.importorskip("_testcapi")
    failed = 0
    for failing in range(60):
        tx, subscribe = xichan.broadcast(4)
        rx = subscribe()
        tx.send(["large" * 20_000])
        testcapi.set_nomemory(failing, failing + 1)
        try:
            rx.recv(0)
        except MemoryError:
            failed += 1
        else:
            continue
        finally:
            testcapi.remove_mem_hooks()
        assert rx.recv(0) == ["large" * 20_000]
    assert failed > 0


def test_memory_error_does_not_lose_lag():
    testcapi = pytest.importorskip("_testcapi")
    tx, subscribe = xichan.broadcast(1, "drop_oldest")
    rx = subscribe()
    for number in range(1000):
        tx.send(number)
    raised = None
    testcapi.set_nomemory(0, 1)  # when the exception is made; later allocations are Python's own
    try:
        rx.recv(0)
    except (MemoryError, xichan.Lagged) as error:
        raised = type(error)
    finally:
        testcapi.remove_mem_hooks()
    assert raised is MemoryError
    with pytest.raises(xichan.Lagged):
        rx.recv(0)
    assert rx.recv(0) == 999


def test_closed_handles_compare_by_their_object():
    tx, subscribe = xichan.broadcast(1)
    one, other = subscribe(), subscribe()
    handles = {one, other}
    one.close()
    other.close()
    assert one != other and one in handles and other in handles
    tx.close()


def test_large_channel_is_destroyed_without_touching_its_slots():
    output = run_script("""
import resource, xichan
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tx, subscribe = xichan.broadcast(1 << 24)
rx = subscribe()
tx.send(1)
assert rx.recv() == 1
before = peak()
del tx, subscribe, rx
assert peak() - before < 50_000, peak() - before  # KiB; all slots take 128 MiB
print("done")
""")
    assert "done" in str(output)


def test_asend_keeps_its_place():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    tx.send("first")

    async def main():
        calls = [asyncio.create_task(tx.asend(number)) for number in range(5)]
        while _waiting(subscribe) < 5:
            await asyncio.sleep(0)
        received = [rx.recv_nowait()]
        while len(received) < 6:
            received.append(await rx.arecv())
        await asyncio.gather(*calls)
        return received

    assert run_loop(main()) == ["first", 0, 1, 2, 3, 4]


def test_named_channel_has_a_listed_sender_at_once():
    stop = threading.Event()
    found = []

    def look():
        while not stop.is_set():
            try:
                sender = xichan.Broadcast.lookup("at once").sender()
            except (xichan.NotFound, xichan.ChannelClosed):
                continue
            found.append(sender in xichan.objects() or sender.closed)
            sender.close()

    call = Call(look)
    made = 0
    while made < 300:
        try:
            tx, subscribe = xichan.broadcast(1, name="at once")
        except xichan.Error:  # the other thread still holds the one before
            continue
        made += 1
        tx.close()
        del tx, subscribe
    stop.set()
    call.result()
    assert all(found)


def test_closing_a_receiver_ends_its_waiting_coroutine():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()

    async def main():
        call = asyncio.create_task(rx.arecv())
        while _waiting(subscribe) < 1:
            await asyncio.sleep(0)
        rx.close()
        with pytest.raises(xichan.ChannelClosed, match="is closed"):
            await call

    run_loop(main())
    tx.close()
