"""Closing: in event loops, when it is interrupted, and when the server refuses requests or is away."""

import asyncio

import pytest
from support import Call, run_loop
from support.nats_server import Server
from support.refusing_server import RefusingServer

import xichan

nats = pytest.importorskip("xichan.nats")


async def begin_exit(hub, proxy, use):
    """Start a task that leaves an `async with` block, without replies of the server; return it when it waits."""
    task = asyncio.create_task(use)
    while hub.stats().unconfirmed == 0:
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def use(end, proxy, error=None):
    async with end:
        proxy.hold(proxy.down)
        if error is not None:
            raise error


async def use_lease(rx, proxy):
    async with rx.alease():
        proxy.hold(proxy.down)
        raise ValueError("broken")


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_event_loop_runs_while_an_endpoint_is_closed(shaky, proxy, name, side):
    tx, rx = shaky.channel(name)
    end = tx if side == "sender" else rx

    async def main():
        task = await begin_exit(shaky, proxy, use(end, proxy))
        proxy.release()
        await task
        with pytest.raises(xichan.ChannelClosed, match="is closed"):
            len(end)

    run_loop(main())
    assert getattr(hub_stats(shaky, name), f"{side}s") == 0


def hub_stats(hub, name):
    (found,) = [stats for stats in hub.channels() if stats.name == name]
    return found


def test_cancellation_lets_a_sender_record_its_error_and_close(shaky, proxy, hub, name):
    tx, rx = shaky.channel(name)

    async def main():
        task = await begin_exit(shaky, proxy, use(tx, proxy, ValueError("broken")))
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        proxy.release()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tx._closed

    run_loop(main())
    with pytest.raises(xichan.ChannelFailed) as failed:
        rx.recv(30)
    assert isinstance(failed.value.__cause__, ValueError)
    assert hub_stats(hub, name).senders == 0


@pytest.mark.parametrize("error", [None, ValueError("broken")])
def test_second_cancellation_closes_a_sender_without_the_server(shaky, proxy, hub, name, error):
    tx, _ = shaky.channel(name, sender_timeout=2)
    rx = hub.receiver(name)

    async def main():
        task = await begin_exit(shaky, proxy, use(tx, proxy, error))
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tx._closed

    run_loop(main())
    assert Call(list, rx).result(60) == []  # the end of its lease ends the channel
    proxy.release()


def test_cancellation_lets_a_lease_bury_its_value(shaky, proxy, hub, name):
    tx, rx = shaky.channel(name, ack="lease", ack_wait=3600, max_deliver=1)
    tx.send("poison")

    async def main():
        task = await begin_exit(shaky, proxy, use_lease(rx, proxy))
        task.cancel()
        await asyncio.sleep(0)
        proxy.release()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_loop(main())
    assert hub.receiver(name, dead=True).recv(30) == "poison"


@pytest.mark.parametrize("how", ["with", "async with"])
def test_block_closes_a_sender_whose_error_is_refused(tmp_path, how):
    refusal = {"code": 503, "err_code": 10023, "description": "insufficient resources"}
    with RefusingServer(tmp_path, "STREAM.CREATE.KV_xichan_errors", error=refusal) as server:
        with nats.connect(server.url) as hub:
            tx, rx = hub.channel("some", sender_timeout=2)

            async def use():
                async with tx:
                    raise ValueError("broken")

            with pytest.raises(nats.NatsError, match="insufficient resources") as caught:
                if how == "async with":
                    run_loop(use())
                with tx:
                    raise ValueError("broken")
            assert isinstance(caught.value.__context__, ValueError)
            with pytest.raises(xichan.ChannelClosed, match="this Sender is closed"):
                tx.send(1)
            assert Call(list, rx).result(60) == []


def test_coroutine_that_is_closed_closes_its_endpoints(hub, name):
    """It cannot await any more, and no event loop runs."""
    tx, rx = hub.channel(name)

    class Pause:
        def __await__(self):
            yield

    async def use():
        async with rx:
            await Pause()

    coroutine = use()
    coroutine.send(None)
    coroutine.close()
    assert rx._closed and tx.stats().receivers == 0


def test_sender_that_is_closed_while_the_server_is_away_ends_the_channel_later(tmp_path):
    with Server(tmp_path) as server, nats.connect(server.url) as hub:
        tx, rx = hub.channel("some", storage="file", sender_timeout=2)
        server.kill()
        tx.close()
        server.start()
        assert Call(list, rx).result(60) == []
        assert tx._closed


@pytest.mark.parametrize("error", [None, {"code": 503, "err_code": 10023, "description": "insufficient resources"}])
def test_endpoint_that_was_closed_in_vain_does_not_keep_others_from_closing(tmp_path, error):
    with RefusingServer(tmp_path, "STREAM.PURGE.KV_xichan_leases_10000", error=error) as server:
        with nats.connect(server.url) as hub:
            for timeout in (10, 3600):
                tx, rx = hub.channel(f"some-{timeout}", sender_timeout=timeout)
                tx.close()
            assert Call(list, rx).result() == []
