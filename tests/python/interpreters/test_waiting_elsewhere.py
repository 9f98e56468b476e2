"""The end of an interpreter, and the calls that wait in others."""

import asyncio
import select

import pytest
from support import Call, interpreter, run_loop, wait_for_blocked, wait_until

import xichan

pytest.importorskip("concurrent.interpreters")


def end_an_interpreter(**shared):
    with interpreter(**shared) as interp:
        interp.exec("import xichan")


def test_end_of_interpreter_wakes_no_call_elsewhere():
    tx, rx = xichan.channel()
    full, drain = xichan.channel(1)
    full.send(1)
    receivers = [Call(rx.recv) for _ in range(20)]
    senders = [Call(full.send, 2) for _ in range(20)]
    wait_for_blocked(tx, receivers=20)
    wait_for_blocked(drain, senders=20)
    before = [end.stats() for end in (tx, full)]
    for _ in range(3):
        end_an_interpreter(tx=tx, rx=rx)
    after = [end.stats() for end in (tx, full)]
    assert [stats.wakeups for stats in after] == [stats.wakeups for stats in before]
    assert [stats.parks for stats in after] == [stats.parks for stats in before]
    tx.send_many(range(20))
    assert [drain.recv() for _ in range(21)] == [1] + [2] * 20
    for call in receivers + senders:
        call.result()


def test_end_of_interpreter_wakes_no_lookup_and_no_coroutine_elsewhere():
    tx, rx = xichan.channel()
    looking = Call(xichan.lookup, "named later", None)

    async def main():
        task = asyncio.create_task(rx.arecv())
        await asyncio.sleep(0)
        wait_for_blocked(tx, receivers=1)
        before = tx.stats()
        await asyncio.to_thread(end_an_interpreter)
        await asyncio.sleep(0.01)
        assert tx.stats().waiting_receivers == 1 and tx.stats().wakeups == before.wakeups and not task.done()
        tx.send(5)
        assert await task == 5

    run_loop(main())
    xichan.publish("named later", 7)
    assert looking.result() == 7
    xichan.unpublish("named later")


def test_watched_descriptor_elsewhere_stays_unreadable_and_armed():
    tx, rx = xichan.channel(4)
    fd = rx.fileno()
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()
    end_an_interpreter(tx=tx, rx=rx)
    assert not select.select([fd], [], [], 0)[0]
    assert tx.stats().waiting_receivers == 1
    tx.send(1)
    wait_until(lambda: bool(select.select([fd], [], [], 0)[0]))
    assert rx.recv_nowait() == 1


def test_own_calls_of_an_ending_interpreter_are_woken():
    tx, rx = xichan.channel()
    (there, results), idle = xichan.channel(), Call(rx.recv)
    with interpreter(rx=rx, there=there) as interp:
        interp.exec("""if True:
            import threading, xichan

            def wait(call):
                try:
                    call()
                except (xichan.ChannelClosed, xichan.NotFound) as error:
                    there.send(type(error).__name__)

            calls = [rx.recv, lambda: xichan.select([rx]), lambda: xichan.lookup("never named", None)]
            for call in calls:
                threading.Thread(target=wait, args=(call,)).start()
        """)
        wait_for_blocked(tx, receivers=3)
    assert sorted(results.recv() for _ in range(3)) == ["ChannelClosed"] * 3
    assert tx.stats().waiting_receivers == 1
    tx.send(1)
    idle.result()
