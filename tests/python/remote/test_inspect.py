"""What a hub reports: its connection, and the channels of its server."""

import dataclasses

import pytest
from support import Call, wait_until
from support.nats_server import Cluster, Server
from support.refusing_server import RefusingServer

import xichan

nats = pytest.importorskip("xichan.nats")


def test_inspect_shows_the_hub_and_all_channels(server, hub, name):
    tx, rx = hub.channel(name, capacity=7, ack="lease")
    tx.send_many("abc")
    lease = rx.lease(30)
    wait_until(lambda: hub.stats().unconfirmed == 0)
    found = hub.inspect()
    (channel,) = [stats for stats in found.channels if stats.name == name]
    assert (channel.depth, channel.unacknowledged, channel.senders, channel.receivers) == (3, 1, 1, 1)
    assert (found.hub.server, found.hub.servers) == (server.url, (server.url,))
    assert (found.hub.connected, found.hub.closed, found.hub.reconnects) == (True, False, 0)
    assert (found.hub.senders, found.hub.receivers, found.hub.bridges, found.hub.held) == (1, 1, 0, 0)
    assert found.memory > 0 and found.streams >= 2 and found.consumers >= 1
    lease.nak()
    while (lease := rx.lease(30)).delivery == 1:
        pass
    assert [stats.redelivered for stats in hub.inspect().channels if stats.name == name] == [1]
    lease.ack()


def test_stats_of_a_hub_count_what_is_open(hub, name):
    tx, rx = hub.channel(name)
    more = [hub.sender(name), hub.receiver(name), hub.receiver(name)]
    assert (hub.stats().senders, hub.stats().receivers) == (2, 3)
    more[2].close()
    local_tx, local_rx = xichan.channel()
    with hub.export(local_rx, name):
        assert (hub.stats().senders, hub.stats().receivers, hub.stats().bridges) == (3, 2, 1)
    assert hub.stats().bridges == 0
    tx.close()


def test_stats_of_a_hub_show_reconnections_and_no_password(tmp_path):
    with Server(tmp_path, authorization={"user": "me", "password": "secret"}) as server:
        url = server.url.replace("//", "//me:secret@")
        with nats.connect(url) as hub:
            server.kill()
            wait_until(lambda: not hub.stats().connected)
            server.start()
            wait_until(lambda: hub.stats().connected)
            assert hub.stats().reconnects == 1 and not hub.stats().closed
            assert hub.stats().servers == (server.url,) and "secret" not in repr(hub.inspect())
        stats = hub.stats()
        assert stats.closed and not stats.connected and stats.server == server.url
        with pytest.raises(nats.NatsError):
            hub.inspect()
        with pytest.raises(dataclasses.FrozenInstanceError):
            stats.closed = False


def test_stats_of_a_hub_list_all_servers_of_a_cluster(tmp_path):
    with Cluster(tmp_path) as cluster, nats.connect(cluster.servers[0].url) as hub:
        expected = {server.url for server in cluster.servers}
        wait_until(lambda: set(hub.stats().servers) == expected)
        assert hub.stats().server == cluster.servers[0].url


def test_waits_belong_to_their_endpoint(hub, name):
    def waits():
        found = {end.side: end.waits for end in xichan.inspect().remote if end.name == name}
        return {side: [wait.call for wait in of_side] for side, of_side in found.items()}

    def wait_for(**expected):
        wait_until(lambda: waits() == {"sender": [], "receiver": [], **expected})

    tx, rx = hub.channel(name, capacity=1)
    wait_for()
    receiving = Call(rx.recv)
    wait_for(receiver=["nats.Receiver.recv"])
    tx.send(1)
    assert receiving.result() == 1
    wait_for()
    tx.send(2)
    sending = Call(lambda: tx.send(3))
    wait_for(sender=["nats.Sender.send"])
    closing = Call(tx.wait_closed)
    wait_until(lambda: sorted(waits()["sender"]) == ["nats.Endpoint.wait_closed", "nats.Sender.send"])
    assert rx.recv() == 2
    sending.result()
    wait_for(sender=["nats.Endpoint.wait_closed"])
    rx.shutdown()
    closing.result()
    wait_for()


@pytest.mark.parametrize(
    "verb", ["CONSUMER.INFO.XICHAN_some.receivers", "STREAM.INFO.KV_xichan_leases_10000", "STREAM.INFO.XICHANDEAD_some"]
)
def test_stats_raise_what_the_server_refuses_and_count_what_is_missing_as_zero(tmp_path, verb):
    with RefusingServer(tmp_path, verb) as server, nats.connect(server.url) as hub:
        tx, rx = hub.channel("some")
        server.error = {"code": 503, "err_code": 10023, "description": "insufficient resources"}
        for stats in (tx.stats, rx.stats, hub.channels, hub.inspect):
            with pytest.raises(nats.NatsError, match="insufficient resources") as caught:
                stats()
            assert caught.value.code == 10023
        for missing in (10059, 10014):
            server.error = {"code": 404, "err_code": missing, "description": "not found"}
            found = rx.stats()
            assert (found.depth, found.unacknowledged, found.dead_letters) == (0, 0, 0)
        assert server.refused == 6
