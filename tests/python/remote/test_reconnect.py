"""Connections that break while calls wait, and servers that are killed or stopped."""

import pytest
from support import Call, wait_for_sleep, wait_until
from support.nats_server import Server

import xichan

nats = pytest.importorskip("xichan.nats")

from xichan.nats._steps import run  # noqa: E402


@pytest.fixture
def mortal(server, tmp_path):
    with Server(tmp_path) as mortal:
        yield mortal


@pytest.fixture
def hub(mortal):
    with nats.connect(mortal.url, timeout=10) as hub:
        yield hub


def asleep(function, *args):
    call = Call(function, *args)
    wait_until(lambda: call.native_id)
    wait_for_sleep(call.native_id)
    return call


def test_calls_go_on_after_the_server_was_killed(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file")
    for i in range(5):
        receiving = asleep(rx.recv)
        mortal.kill()
        wait_until(lambda: not hub.connected)
        sending = asleep(tx.send, i)
        mortal.start()
        sending.result()
        assert receiving.result() == i
    assert hub.connected and "open" in repr(hub)


def test_values_that_were_sent_survive_a_killed_server(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file", capacity=None)
    tx.send_many(range(500))
    mortal.restart()
    assert [rx.recv(timeout=60) for _ in range(500)] == list(range(500))


def test_values_are_sent_once_although_the_server_is_killed(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file", capacity=None)
    sending = Call(lambda: [tx.send(i) for i in range(300)])
    for reached in (50, 150):
        wait_until(lambda reached=reached: not hub.connected or len(rx) > reached)
        mortal.restart()
        wait_until(lambda: hub.connected)
    sending.result()
    tx.close()
    assert list(rx) == list(range(300))


def test_blocked_send_goes_on_after_the_server_was_killed(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file", capacity=1)
    tx.send(0)
    sending = asleep(tx.send, 1)
    mortal.restart()
    assert rx.recv(timeout=60) == 0
    sending.result()
    assert rx.recv(timeout=60) == 1


def test_memory_channel_is_gone_with_the_server(mortal, hub):
    tx, rx = hub.channel("jobs", storage="memory")
    tx.send(1)
    mortal.restart()
    with pytest.raises(xichan.ChannelClosed):
        rx.recv(timeout=60)
    with pytest.raises(xichan.ChannelClosed, match="deleted"):
        tx.send(1, timeout=60)


def test_unconfirmed_send_is_reported_as_such(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file")
    mortal.pause()
    with pytest.raises(nats.Unconfirmed):
        tx.send("maybe", timeout=0.3)
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=0.3)
    mortal.resume()
    tx.send("certain", timeout=60)
    assert rx.recv(timeout=60) in ("maybe", "certain")


def test_stopped_server_delays_calls(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file")
    receiving = asleep(rx.recv)
    mortal.pause()
    sending = asleep(tx.send, "late")
    mortal.resume()
    sending.result()
    assert receiving.result() == "late"


def test_leases_of_senders_survive_a_restart(mortal, hub):
    tx, rx = hub.channel("jobs", storage="file", sender_timeout=1)
    for _ in range(2):
        mortal.restart()
        with pytest.raises(xichan.ChannelTimeout):
            rx.recv(timeout=2)
    tx.send("open")
    assert rx.recv(timeout=60) == "open"


def test_calls_wait_while_no_server_serves_the_channel(hub):
    """As while the servers of a cluster elect a leader: the server replies that there is none."""
    tx, rx = hub.channel("jobs")
    names, settings = tx._names, tx._settings
    run(hub._calls.api(f"STREAM.UPDATE.{names.stream}", {**settings.stream(names), "subjects": ["elsewhere"]}))
    run(hub._calls.api(f"CONSUMER.DELETE.{names.stream}.receivers"))
    sending, receiving = asleep(tx.send, "late"), asleep(rx.recv)
    with pytest.raises(nats.Unconfirmed):
        tx.send("never", timeout=2)
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=2)
    assert sending.is_alive() and receiving.is_alive()
    run(hub._calls.api(f"STREAM.UPDATE.{names.stream}", settings.stream(names)))
    run(hub._calls.api(f"CONSUMER.DURABLE.CREATE.{names.stream}.receivers", settings.consumer(names)))
    sending.result()
    assert receiving.result() == "late"
    tx.close()
    assert list(rx) == []
