"""Bridges between local channels and channels on a server: values, ends and errors cross them, and none is lost."""

import os
import signal
import subprocess
import sys

import pytest
from support import Call, environment, execute, interpreter, run_script, wait_until

import xichan

nats = pytest.importorskip("xichan.nats")


def test_export_sends_what_the_local_channel_holds(hub, name):
    tx, rx = xichan.channel()
    tx.send_many(range(50))
    bridge = hub.export(rx, name, storage="file")
    tx.send_many(range(50, 100))
    tx.close()
    assert list(hub.receiver(name)) == list(range(100))
    bridge.wait_closed(30)
    assert (bridge.closed, bridge.error, bridge.moved, bridge.unsent) == (True, None, 100, ())
    assert "closed" in repr(bridge) and name in repr(bridge)
    bridge.close()


def test_import_sends_what_the_server_holds(hub, name):
    tx, _ = hub.channel(name)
    with hub.import_(name) as bridge:
        sending = Call(lambda: [tx.send(i) for i in range(30)])
        assert [bridge.receiver.recv(30) for _ in range(30)] == list(range(30))
        sending.result()
        tx.close()
        assert list(bridge.receiver) == []
    assert bridge.moved == 30 and bridge.error is None


def test_workers_in_interpreters_use_bridges_without_a_change(hub, name):
    jobs_tx, jobs = hub.channel(name)
    results_tx, results = xichan.channel()
    answers = f"{name}-answers"
    try:
        with hub.import_(name) as jobs_bridge, hub.export(results, answers, keep=True):
            with interpreter(rx=jobs_bridge.receiver, tx=results_tx) as worker:
                working = execute(worker, "for number in rx:\n    tx.send(number * number)\ntx.close()")
                jobs_tx.send_many(range(20))
                received = hub.receiver(answers)
                assert [received.recv(30) for _ in range(20)] == [n * n for n in range(20)]
                jobs_tx.close()
                working.result()
    finally:
        hub.delete(answers)


def test_full_channel_on_the_server_blocks_local_senders(hub, name):
    tx, rx = xichan.channel(2)
    with hub.export(rx, name, capacity=2) as bridge:
        assert [tx.send(i, timeout=30) for i in range(5)] == [None] * 5  # 2 there, 1 on its way, 2 here
        with pytest.raises(xichan.ChannelTimeout):
            tx.send(5, timeout=0.2)
        assert bridge.moved == 2 and bridge.unsent == (2,)
        remote = hub.receiver(name)
        assert [remote.recv(30) for _ in range(5)] == list(range(5))


def test_import_acknowledges_after_the_local_channel_has_taken_the_value(hub, name):
    tx, rx = hub.channel(name, ack_wait=2.0)
    tx.send_many("ab")
    with hub.import_(name) as bridge:
        wait_until(lambda: rx.stats().unacknowledged == 1)
        other = Call(lambda: [rx.recv(30)])
        assert other.result() == ["b"]
        for _ in range(5):  # longer than ack_wait: it is extended
            with pytest.raises(xichan.ChannelTimeout):
                rx.recv(0.6)
        assert len(rx) == 1 and bridge.moved == 0
        assert bridge.receiver.recv(30) == "a"
        wait_until(lambda: len(rx) == 0)


def test_closed_import_returns_its_value_to_the_server(hub, name):
    tx, rx = hub.channel(name)
    tx.send_many(range(5))
    bridge = hub.import_(name)
    wait_until(lambda: rx.stats().unacknowledged == 1)
    bridge.close()
    with pytest.raises(xichan.ChannelClosed):
        bridge.receiver.recv()
    assert sorted(rx.recv(30) for _ in range(5)) == list(range(5))
    assert bridge.error is None and bridge.moved == 0


def test_closed_export_sends_the_value_it_has_and_leaves_the_others(hub, name):
    tx, rx = xichan.channel()
    bridge = hub.export(rx, name, capacity=1, keep=True)
    tx.send_many(range(5))
    wait_until(lambda: bridge.moved == 1 and bridge.unsent == (1,))
    with pytest.raises(xichan.ChannelTimeout):
        bridge.close(timeout=0.1)
    remote = hub.receiver(name)
    assert remote.recv(30) == 0
    bridge.close(30)
    assert bridge.unsent == () and remote.recv(30) == 1
    assert rx.drain() == [2, 3, 4] and not rx.closed


@pytest.mark.parametrize("leaves", ["bridge", "hub"])
@pytest.mark.parametrize("ends", [True, False])
def test_left_export_sends_what_the_local_channel_holds(server, hub, name, leaves, ends):
    tx, rx = xichan.channel()
    with nats.connect(server.url, timeout=60) as other:
        bridge = other.export(rx, name, capacity=1, keep=True)
        tx.send_many(range(5))
        if ends:
            tx.close()
        wait_until(lambda: bridge.unsent == (1,))
        leaving = Call(lambda: (bridge if leaves == "bridge" else other).__exit__(None, None, None))
        wait_until(lambda: bridge._stop.stats().sent == 1)
        remote = hub.receiver(name)
        assert [remote.recv(30) for _ in range(5)] == list(range(5))
        leaving.result()
    assert bridge.unsent == () and bridge.moved == 5 and len(rx) == 0


def test_export_that_is_left_by_an_exception_ends_at_once(hub, name):
    tx, rx = xichan.channel()
    remote = None
    with pytest.raises(OSError, match="disk"), hub.export(rx, name, capacity=1) as bridge:
        tx.send_many(range(5))
        remote = hub.receiver(name)
        wait_until(lambda: bridge.unsent == (1,))

        def receive():
            wait_until(lambda: bridge._stop.stats().sent == 1)
            return [remote.recv(30), remote.recv(30)]

        receiving = Call(receive)
        raise OSError("the disk is full")
    assert receiving.result() == [0, 1] and rx.drain() == [2, 3, 4]
    with pytest.raises(xichan.ChannelFailed):
        remote.recv(30)


def test_left_export_does_not_wait_for_senders_that_go_on(hub, name):
    tx, rx = xichan.channel(0)
    sent = 0

    def send():
        nonlocal sent
        while not bridge.closed:
            try:
                tx.send(sent, 0.1)
                sent += 1
            except xichan.ChannelTimeout:
                pass

    with hub.export(rx, name, keep=True) as bridge:
        sending = Call(send)
        wait_until(lambda: bridge.moved > 3)
    sending.result()
    assert hub.receiver(name).drain() == list(range(sent))


def test_closed_export_ends_the_channel_on_the_server(hub, name):
    tx, rx = xichan.channel()
    with hub.export(rx, name):
        tx.send(1)
        remote = hub.receiver(name)
        assert remote.recv(30) == 1
    assert list(remote) == []


def test_error_of_the_local_channel_reaches_the_receivers_on_the_server(hub, name):
    tx, rx = xichan.channel()
    bridge = hub.export(rx, name)
    remote = hub.receiver(name)
    tx.send(1)
    tx.close(error=OSError("the disk is full"))
    assert remote.recv(30) == 1
    with pytest.raises(xichan.ChannelFailed) as caught:
        remote.recv(30)
    assert repr(caught.value.__cause__) == "OSError('the disk is full')"
    bridge.wait_closed(30)
    assert isinstance(bridge.error, xichan.ChannelFailed)


def test_error_of_the_channel_on_the_server_reaches_local_receivers(hub, name):
    tx, _ = hub.channel(name)
    bridge = hub.import_(name)
    tx.send(1)
    tx.close(error=OSError("the disk is full"))
    assert bridge.receiver.recv(30) == 1
    with pytest.raises(xichan.ChannelFailed) as caught:
        bridge.receiver.recv(30)
    assert repr(caught.value.__cause__) == "OSError('the disk is full')"


@pytest.mark.parametrize("error", [None, ValueError("no more")])
def test_shutdown_on_the_server_shuts_the_local_channel_down(hub, name, error):
    tx, rx = xichan.channel()
    bridge = hub.export(rx, name)
    hub.receiver(name).shutdown(error=error)
    bridge.wait_closed(30)
    with pytest.raises(xichan.ChannelFailed if error else xichan.ChannelClosed) as caught:
        tx.send(1)
    assert repr(caught.value.__cause__) == repr(error)
    assert isinstance(bridge.error, xichan.ChannelClosed)


def test_shutdown_on_the_server_keeps_the_value_that_was_not_sent(hub, name):
    tx, rx = xichan.channel()
    bridge = hub.export(rx, name, capacity=1)
    tx.send_many(range(3))
    wait_until(lambda: bridge.unsent == (1,))
    remote = hub.receiver(name)
    remote.shutdown()
    bridge.wait_closed(30)
    assert list(remote) == [0] and bridge.unsent == (1,) and list(rx) == [2]


@pytest.mark.parametrize("options", [{}, {"type": int}])
@pytest.mark.parametrize("error", [None, ValueError("no more")])
def test_local_shutdown_shuts_the_channel_on_the_server_down(hub, name, error, options):
    tx, _ = hub.channel(name)
    local_tx, local_rx = xichan.channel(0, **options)
    bridge = hub.import_(name, local_tx)
    local_rx.shutdown(error=error)
    bridge.wait_closed(30)
    with pytest.raises(xichan.ChannelFailed if error else xichan.ChannelClosed) as caught:
        tx.send(1)
    assert repr(caught.value.__cause__) == repr(error)
    assert local_tx.closed


def test_import_with_a_type_leaves_the_values_if_its_last_local_receiver_is_closed(hub, name):
    tx, rx = hub.channel(name)
    local_tx, local_rx = xichan.channel(0, type=int)
    bridge = hub.import_(name, local_tx)
    local_rx.close()
    bridge.wait_closed(30)
    assert str(bridge.error) == "all Receivers are closed" and not rx.closed
    tx.send(1)
    assert rx.recv(30) == 1


def test_import_ends_with_the_last_local_receiver_and_leaves_the_values(hub, name):
    tx, rx = hub.channel(name)
    tx.send_many(range(5))
    first, second = hub.import_(name), hub.import_(name)
    got = [first.receiver.recv(30)]
    first.receiver.close()
    first.wait_closed(30)
    assert isinstance(first.error, xichan.ChannelClosed)
    got += [second.receiver.recv(30) for _ in range(4)]
    assert sorted(got) == list(range(5)) and not tx.closed
    second.receiver.close()  # without a value on its way
    second.wait_closed(30)
    assert not rx.closed


def test_import_uses_the_sender_that_it_is_given(hub, name):
    tx, _ = hub.channel(name)
    local_tx, local_rx = xichan.channel(10)
    with hub.import_(name, local_tx) as bridge:
        assert bridge.receiver is None
        tx.send_many(range(5))
        tx.close()
        assert list(local_rx) == list(range(5))
    assert local_tx.closed


def test_value_that_cannot_be_sent_fails_both_channels(hub, name):
    tx, rx = xichan.channel()
    bridge = hub.export(rx, name)
    remote = hub.receiver(name)
    endpoint = xichan.channel()[0]
    tx.send(endpoint)
    bridge.wait_closed(30)
    assert isinstance(bridge.error, xichan.NotShareableError) and len(bridge.unsent) == 1
    for call in (lambda: tx.send(1), lambda: remote.recv(30)):
        with pytest.raises(xichan.ChannelFailed, match="NotShareableError"):
            call()


def test_value_that_cannot_be_decoded_is_put_aside_and_the_import_goes_on(hub, name):
    tx, rx = hub.channel(name)
    tx._calls.connection.publish(f"xichan.{name}.values", b"not a dump")
    wait_until(lambda: len(rx) == 1)
    tx.send("good")
    with hub.import_(name) as bridge:
        assert bridge.receiver.recv(30) == "good"
    assert rx.stats().dead_letters == 1


def test_closing_the_hub_closes_its_bridges(server, name):
    hub = nats.connect(server.url, timeout=0.5)
    tx, rx = xichan.channel()
    stuck = hub.export(rx, name, capacity=1, keep=True)
    tx.send_many(range(3))
    wait_until(lambda: stuck.unsent == (1,))
    idle = hub.import_(name)
    wait_until(lambda: hub.stats().bridges == 2)
    with pytest.raises(nats.NatsError, match=name):
        hub.close()
    assert stuck.closed and idle.closed and stuck.unsent == (1,) and rx.drain() == [2]
    hub.close()
    with nats.connect(server.url) as other:
        assert other.receiver(name).recv(30) == 0
        other.delete(name)


def test_program_that_ends_without_close_sends_what_it_has(server, hub, name):
    done = run_script(
        """
        import sys, xichan, xichan.nats
        hub = xichan.nats.connect(sys.argv[1])
        tx, rx = xichan.channel()
        bridge = hub.export(rx, sys.argv[2], keep=True)
        tx.send_many(range(200))
        """,
        server.url,
        name,
    )
    assert done.stderr == ""
    assert hub.receiver(name).drain() == list(range(200))


def test_program_that_ends_with_a_full_channel_says_so(server, hub, name):
    done = run_script(
        """
        import sys, xichan, xichan.nats
        hub = xichan.nats.connect(sys.argv[1], timeout=0.5)
        tx, rx = xichan.channel()
        bridge = hub.export(rx, sys.argv[2], capacity=2, keep=True)
        tx.send_many(range(5))
        """,
        server.url,
        name,
    )
    assert "values that the server has not confirmed" in done.stderr
    assert hub.receiver(name).drain() == [0, 1]


def test_killed_import_loses_no_value(server, hub, name):
    tx, rx = hub.channel(name, ack_wait=0.5)
    tx.send_many(range(10))
    script = """
        import sys, xichan.nats
        bridge = xichan.nats.connect(sys.argv[1]).import_(sys.argv[2])
        print(bridge.receiver.recv(), flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", "\n".join(line.strip() for line in script.splitlines()), server.url, name]
    process = subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    got = [int(process.stdout.readline())]
    wait_until(lambda: (rx.stats().depth, rx.stats().unacknowledged) == (9, 1))  # it holds the next one
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    got += [rx.recv(30) for _ in range(9)]
    assert sorted(got) == list(range(10))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda hub, name: hub.export(xichan.channel()[0], name), "expected a Receiver of a local channel, got Sender"),
        (
            lambda hub, name: hub.import_(name, xichan.channel()[1]),
            "expected a Sender of a local channel, got Receiver",
        ),
        (lambda hub, name: hub.export(xichan.channel()[1], name, size=1), "unexpected setting: size"),
        (lambda hub, name: nats.Bridge(), "use Hub.export"),
    ],
)
def test_invalid_arguments_are_refused(hub, name, call, message):
    with pytest.raises(TypeError, match=message):
        call(hub, name)


def test_import_of_a_missing_channel_raises_not_found(hub, name):
    with pytest.raises(xichan.NotFound):
        hub.import_(name)


def test_export_joins_a_channel_that_exists(hub, name):
    _, remote = hub.channel(name, capacity=7, storage="file", keep=True)
    tx, rx = xichan.channel()
    with hub.export(rx, name):
        tx.send(1)
        assert remote.recv(30) == 1
    with pytest.raises(ValueError, match="capacity=7, not 8"):
        hub.export(rx, name, capacity=8)
