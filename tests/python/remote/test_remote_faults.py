"""Servers that are killed or stopped, connections that break, consumers that die: single faults, one by one.

tests/stress/python/remote_faults.py repeats them under load.
"""

import signal
import subprocess
import sys

import pytest
from support import Call, environment, wait_until
from support.nats_server import Cluster, Server, newest, unavailable

import xichan

if unavailable():
    pytest.skip(unavailable(), allow_module_level=True)

import xichan.nats  # noqa: E402

COUNT = 50

HOLDER = """
import sys, xichan.nats
rx = xichan.nats.connect(sys.argv[1]).receiver(sys.argv[2])
lease = rx.lease()
print(lease.value, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may kill."""
    with Server(tmp_path) as server:
        yield server


def start_holder(server, name):
    """Start a process that holds a value of a channel; return it and the value."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, server.url, name],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return holder, holder.stdout.readline().strip()


def kill(holder):
    holder.send_signal(signal.SIGKILL)
    holder.communicate()


def exchange(tx, rx, number=COUNT):
    """Send and receive values, each once and in order."""
    sending = Call(lambda: [tx.send(i) for i in range(number)])
    assert [rx.recv(timeout=30) for _ in range(number)] == list(range(number))
    sending.result()


def test_file_channel_survives_a_killed_server(own_server):
    with xichan.nats.connect(own_server.url) as hub:
        tx, rx = hub.channel("kept", storage="file")
        assert tx.send_many(range(COUNT)) == COUNT
        own_server.restart()
        assert [rx.recv(timeout=30) for _ in range(COUNT)] == list(range(COUNT))
        exchange(tx, rx)


def test_memory_channel_ends_with_the_server(own_server):
    with xichan.nats.connect(own_server.url) as hub:
        tx, rx = hub.channel("lost", storage="memory")
        tx.send(1)
        waiting = Call(lambda: [rx.recv(), rx.recv()])
        wait_until(lambda: rx.stats().waiting_receivers == 1)
        own_server.restart()
        with pytest.raises(xichan.ChannelClosed):
            waiting.result()
        with pytest.raises(xichan.ChannelClosed):
            tx.send(2)


def test_sends_wait_while_the_server_is_away(own_server):
    with xichan.nats.connect(own_server.url) as hub:
        tx, rx = hub.channel("patient", storage="file")
        own_server.kill()
        sending = Call(lambda: [tx.send(i) for i in range(COUNT)])
        receiving = Call(lambda: [rx.recv() for _ in range(COUNT)])
        wait_until(lambda: not hub.connected)
        with pytest.raises(TimeoutError):
            tx.send("too late", timeout=0.1)
        with pytest.raises(TimeoutError):
            rx.recv(timeout=0.1)
        own_server.start()
        sending.result()
        got = receiving.result()
    assert [value for value in got if value != "too late"] == list(range(len(got) - got.count("too late")))


@pytest.mark.parametrize("how", ["receiver", "hub"])
def test_value_on_its_way_to_a_receiver_that_closes_is_returned_at_once(server, proxy, how):
    """The server has sent it, and would wait for the acknowledgment: here for an hour."""
    with xichan.nats.connect(server.url) as hub, xichan.nats.connect(proxy.url, timeout=60) as slow:
        tx, rx = hub.channel("returned", ack_wait=3600)
        try:
            closing_rx = slow.receiver("returned")
            waiting = Call(closing_rx.recv)
            wait_until(lambda: rx.stats().waiting_receivers == 1)
            proxy.hold(proxy.down)
            tx.send("on its way")
            wait_until(lambda: rx.stats().unacknowledged == 1)
            closing = Call(closing_rx.close if how == "receiver" else slow.close)
            wait_until(lambda: closing_rx._closed)
            proxy.release()
            closing.result()
            with pytest.raises(xichan.Error):  # unless it received the value before
                waiting.result()
            assert rx.recv(timeout=60) == "on its way"
        finally:
            proxy.release()
            hub.delete("returned")


def test_stopped_server_delays_and_loses_nothing(own_server):
    with xichan.nats.connect(own_server.url) as hub:
        tx, rx = hub.channel("slow")
        own_server.pause()
        sending = Call(tx.send, "value")
        with pytest.raises(TimeoutError):
            rx.recv(timeout=0.2)
        assert sending.is_alive()
        own_server.resume()
        sending.result()
        assert rx.recv(timeout=30) == "value"
        exchange(tx, rx)


def test_cut_connection_is_made_again(proxy, shaky, name):
    tx, rx = shaky.channel(name)
    for _ in range(3):
        exchange(tx, rx)
        proxy.cut()
    waiting = Call(rx.recv)
    proxy.cut()
    tx.send("after")
    assert waiting.result() == "after"
    assert proxy.connections >= 3


@pytest.mark.parametrize("size", [1, 100, 1000])
def test_message_that_is_cut_on_its_way_to_the_server_is_sent_again_in_order(proxy, shaky, name, size):
    tx, rx = shaky.channel(name)
    exchange(tx, rx)
    proxy.up.cut_after = size
    assert tx.send_many(range(COUNT)) == COUNT
    assert rx.recv_many(COUNT) + rx.drain() == list(range(COUNT))
    assert proxy.connections == 2


@pytest.mark.parametrize("size", [1, 100, 1000])
def test_message_that_is_cut_on_its_way_to_a_receiver_is_delivered_again(proxy, shaky, name, size):
    """It is delivered when ack_wait has passed, so after others."""
    tx, rx = shaky.channel(name, ack_wait=0.5)
    sending = Call(lambda: [tx.send(i) for i in range(COUNT)])
    got = [rx.recv(timeout=30)]
    proxy.down.cut_after = size
    got += [rx.recv(timeout=30) for _ in range(COUNT - 1)]
    sending.result()
    assert sorted(got) == list(range(COUNT))
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=1.0)


def test_message_that_is_cut_in_its_content_is_not_received_damaged(proxy, shaky, name):
    """What follows on the new connection does not complete it."""
    tx, rx = shaky.channel(name, ack_wait=0.5)
    values = [bytes([number]) * 100_000 for number in range(3)]
    for value in values:
        tx.send(value)
    proxy.down.cut_after = 50_000
    got = [rx.recv(timeout=30) for _ in values]
    assert sorted(got) == values
    assert rx.stats().dead_letters == 0


@pytest.mark.parametrize("direction", ["up", "down"])
def test_held_direction_is_survived(proxy, shaky, name, direction):
    tx, rx = shaky.channel(name)
    proxy.hold(getattr(proxy, direction))
    sending = Call(tx.send, "value")
    with pytest.raises(TimeoutError):
        rx.recv(timeout=0.2)
    proxy.release()
    sending.result()
    assert rx.recv(timeout=30) == "value"
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()


def test_slow_and_divided_connection_delivers_everything(proxy, shaky, name):
    tx, rx = shaky.channel(name)
    proxy.up.halve, proxy.down.halve, proxy.up.size, proxy.down.delay = True, True, 100, 0.001
    exchange(tx, rx, 20)
    tx.send(b"x" * 5_000)
    assert rx.recv(timeout=30) == b"x" * 5_000


def test_connection_that_is_silent_is_given_up_and_made_again(proxy, server, name):
    with xichan.nats.connect(proxy.url, ping_interval=0.2) as hub:
        tx, rx = hub.channel(name)
        proxy.hold()
        wait_until(lambda: not hub.connected)
        proxy.release()
        exchange(tx, rx)
    with xichan.nats.connect(server.url) as hub:
        hub.delete(name)


def test_value_of_a_killed_consumer_is_received_by_another(server, hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=1.0)
    tx.send("held")
    holder, value = start_holder(server, name)
    assert value == "held"
    with pytest.raises(xichan.ChannelTimeout):
        rx.lease(timeout=0)
    kill(holder)
    lease = rx.lease(timeout=30)
    with lease as value:
        assert value == "held" and lease.delivery == 2
    with pytest.raises(xichan.ChannelTimeout):
        rx.lease(timeout=0.1)


@pytest.mark.parametrize("end", ["close", "shutdown"])
def test_channel_that_has_ended_still_delivers_what_a_killed_consumer_held(server, hub, name, end):
    """A Receiver must not take the channel for drained while another one holds a value."""
    tx, rx = hub.channel(name, ack="lease", ack_wait=1.0)
    tx.send("held")
    holder, _ = start_holder(server, name)
    getattr(tx, end)()
    waiting = Call(lambda: [lease.value for lease in rx.leases() if lease.ack() is None])
    kill(holder)
    assert waiting.result() == ["held"]


def test_long_work_extends_its_lease(hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=0.5)
    tx.send("slow")
    lease = rx.lease()
    for _ in range(6):
        with pytest.raises(xichan.ChannelTimeout):
            rx.lease(timeout=0.2)
        lease.extend()
    lease.ack()
    wait_until(lambda: len(rx) == 0)


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path) as cluster:
        yield cluster


def kill_leader(cluster, stream):
    """Kill the server that leads a stream; return it."""
    wait_until(lambda: cluster.leader(stream))
    leader = cluster.leader(stream)
    leader.kill()
    return leader


def test_cluster_goes_on_without_its_leader(cluster):
    with xichan.nats.connect(cluster.url) as hub:
        tx, rx = hub.channel("durable", storage="durable", ack_wait=5)
        exchange(tx, rx)
        assert tx.send_many(range(COUNT)) == COUNT
        leader = kill_leader(cluster, "XICHAN_durable")
        assert sorted(rx.recv(timeout=90) for _ in range(COUNT)) == list(range(COUNT))
        exchange(tx, rx)
        leader.start(wait=False)
        cluster.wait_ready()
        exchange(tx, rx)


def test_hub_finds_the_other_servers_of_a_cluster(cluster):
    first = cluster.servers[0]
    with xichan.nats.connect(first.url) as hub:
        tx, rx = hub.channel("durable", storage="durable", ack_wait=5)
        exchange(tx, rx)
        first.kill()
        assert sorted(Call(exchange_anyhow, tx, rx).result(90)) == list(range(COUNT))


def exchange_anyhow(tx, rx):
    """Send values, and return what is received; a value that was lost on its way comes after others."""
    sending = Call(lambda: [tx.send(i) for i in range(COUNT)])
    got = [rx.recv() for _ in range(COUNT)]
    sending.result()
    return got


def test_leases_of_durable_channels_are_durable(cluster):
    """The Sender of a durable channel is known after the loss of any server: the channel neither ends nor hangs."""
    with xichan.nats.connect(cluster.url) as hub:
        tx, rx = hub.channel("durable", storage="durable", sender_timeout=2)
        (bucket,) = cluster.streams("KV_xichan_leases")
        kill_leader(cluster, bucket)

        def senders():
            try:
                return rx.stats().senders
            except xichan.nats.NatsError:
                return None  # no reply during the election

        wait_until(lambda: senders() == 1)
        tx.send("still open")
        assert rx.recv(timeout=30) == "still open"
        other = hub.sender("durable")
        tx.close()
        other.close()
        assert Call(list, rx).result() == []


@pytest.mark.skipif(newest() < (2, 10), reason="needs sync_interval of nats-server 2.10")
def test_every_value_can_be_synced(tmp_path):
    with Server(tmp_path, jetstream={"sync_interval": "always"}) as server, xichan.nats.connect(server.url) as hub:
        tx, rx = hub.channel("synced", storage="file")
        exchange(tx, rx)


def test_eight_consumers_in_four_processes_share_the_values(server, hub, name):
    """No value is delivered twice, and no consumer is left out."""
    program = """
    import sys, threading, xichan.nats
    hub = xichan.nats.connect(sys.argv[1])
    def consume(rx):
        numbers = []
        for lease in rx.leases():
            with lease as number:
                numbers.append((number, lease.delivery))
        print(numbers, flush=True)
    threads = [threading.Thread(target=consume, args=(hub.receiver(sys.argv[2]),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()
    """
    import ast
    import textwrap

    tx, rx = hub.channel(name, ack="lease")
    rx.close()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), server.url, name],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    wait_until(lambda: tx.stats().waiting_receivers == 8)
    assert tx.send_many(range(800)) == 800
    tx.close()
    shares = [ast.literal_eval(line) for process in processes for line in process.communicate()[0].splitlines()]
    assert sorted(item for share in shares for item in share) == [(number, 1) for number in range(800)]
    assert len(shares) == 8 and all(shares)
    print("shares:", sorted(map(len, shares)))
