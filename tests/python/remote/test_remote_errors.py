"""What each kind of failure raises: unreachable servers, wrong credentials, full stores, large and poisoned values."""

import pytest
from support import run_script, wait_until
from support.nats_server import MIB, Server, free_port, make_certificates, unavailable

import xichan

if unavailable():
    pytest.skip(unavailable(), allow_module_level=True)

import xichan.nats  # noqa: E402


def test_unreachable_server_is_named():
    port = free_port()
    with pytest.raises(xichan.nats.NatsError, match=f"127.0.0.1:{port}"):
        xichan.nats.connect(f"nats://127.0.0.1:{port}")


def test_wrong_password_is_refused_and_not_shown(tmp_path):
    with Server(tmp_path, authorization={"user": "me", "password": "right"}) as server:
        for options in ({}, {"user": "me", "password": "wrong-secret"}):
            with pytest.raises(xichan.nats.NatsError, match="(?i)authorization") as caught:
                xichan.nats.connect(server.url, **options)
            assert "wrong-secret" not in str(caught.value)
        url = server.url.replace("//", "//me:wrong-secret@")
        with pytest.raises(xichan.nats.NatsError, match="(?i)authorization") as caught:
            xichan.nats.connect(url)
        assert "wrong-secret" not in str(caught.value)
        with xichan.nats.connect(server.url, user="me", password="right") as hub:
            tx, rx = hub.channel("secret")
            tx.send(1)
            assert rx.recv() == 1
            assert "right" not in repr(hub)


def test_token_is_accepted(tmp_path):
    with Server(tmp_path, authorization={"token": "t0ken"}) as server:
        with pytest.raises(xichan.nats.NatsError):
            xichan.nats.connect(server.url, token="other")
        xichan.nats.connect(server.url, token="t0ken").close()


def test_tls_verifies_the_certificate(tmp_path):
    files = make_certificates(tmp_path)
    if files is None:
        pytest.skip("the program openssl is missing")
    certificate, key = map(str, files)
    with Server(tmp_path, tls={"cert_file": certificate, "key_file": key}) as server:
        for tls in (False, True):
            with pytest.raises(xichan.nats.NatsError):
                xichan.nats.connect(server.url, tls=tls).close()
        with pytest.raises(xichan.nats.NatsError):
            xichan.nats.connect(server.url, tls={"ca": certificate, "hostname": "other.example"}).close()
        with xichan.nats.connect(server.url, tls={"ca": certificate}) as hub:
            tx, rx = hub.channel("secure")
            tx.send("over TLS")
            assert rx.recv() == "over TLS"
        with pytest.raises(ValueError, match="certificate"):
            xichan.nats.connect(server.url, tls={"cert": certificate})


def test_server_without_jetstream_is_named(tmp_path):
    server = Server(tmp_path)
    del server.settings["jetstream"]
    with server, xichan.nats.connect(server.url, timeout=1.0) as hub:
        with pytest.raises(xichan.nats.NatsError, match="(?i)jetstream"):
            hub.channel("any")


def test_full_store_of_the_server_raises(tmp_path):
    """The storage limit of the server, not of the channel: the disk is full."""
    with Server(tmp_path, jetstream={"max_file_store": MIB}) as server, xichan.nats.connect(server.url) as hub:
        tx, rx = hub.channel("big", None, storage="file")
        sent = 0
        with pytest.raises(xichan.nats.NatsError, match="(?i)storage|resources|store"):
            while sent < 100:
                tx.send((sent, b"x" * 50_000), timeout=30)
                sent += 1
        assert 10 < sent < 25
        assert [rx.recv(timeout=30)[0] for _ in range(sent)] == list(range(sent))
        tx.send("there is room again", timeout=30)
        assert rx.recv(timeout=30) == "there is room again"


def test_value_above_max_payload_is_refused_with_the_limit(tmp_path):
    with Server(tmp_path, max_payload=10_000) as server, xichan.nats.connect(server.url) as hub:
        tx, rx = hub.channel("small")
        with pytest.raises(ValueError, match="max_payload"):
            tx.send(b"x" * 10_001)
        assert tx.send_many([b"x" * 9000, b"y"]) == 2
        with pytest.raises(ValueError, match="max_payload"):
            tx.send_many([b"z", b"x" * 10_001])
        got = rx.recv_many(10)
        assert got[:2] == [b"x" * 9000, b"y"] and got[2:] in ([], [b"z"])


def test_durable_channel_needs_a_cluster(server, hub, name):
    with pytest.raises(xichan.nats.NatsError, match="(?i)replicas"):
        hub.channel(name, storage="durable")


def test_poisoned_value_becomes_a_dead_letter(hub, name):
    tx, rx = hub.channel(name, ack="lease", max_deliver=3)
    tx.send_many(["good", "poison", "better"])
    tx.close()
    good, deliveries = [], []
    for lease in rx.leases():
        try:
            with lease as value:
                if value == "poison":
                    deliveries.append(lease.delivery)
                    raise RuntimeError("cannot process this")
                good.append(value)
        except RuntimeError:
            pass
    assert good == ["good", "better"] and deliveries == [1, 2, 3]
    assert rx.stats().dead_letters == 1
    assert hub.receiver(name, dead=True).recv() == "poison"


def test_value_that_kills_its_consumers_becomes_a_dead_letter(server, hub, name):
    tx, rx = hub.channel(name, ack="lease", max_deliver=2, ack_wait=0.5)
    tx.send_many(["poison", "good"])
    for _ in range(2):
        run_script(
            """
            import os, signal, sys, xichan.nats
            rx = xichan.nats.connect(sys.argv[1]).receiver(sys.argv[2])
            while True:
                with rx.lease() as value:
                    if value == "poison":
                        os.kill(os.getpid(), signal.SIGKILL)
            """,
            server.url,
            name,
            expect=-9,
        )
    tx.close()
    assert [lease.value for lease in rx.leases() if lease.ack() is None] in ([], ["good"])
    assert hub.receiver(name, dead=True).recv(timeout=30) == "poison"


def test_channel_with_other_settings_is_refused(hub, name):
    hub.channel(name, 10)
    with pytest.raises(ValueError, match="capacity=10"):
        hub.channel(name, 20)
    tx, rx = hub.channel(name, 10)
    tx.send(1)
    assert rx.recv() == 1


@pytest.mark.parametrize("bad", ["", "a.b", "a b", "a*", "a>", "é", "x" * 300, "a/b"])
def test_invalid_names_are_rejected(hub, bad):
    with pytest.raises(ValueError, match="name"):
        hub.channel(bad)


def test_closed_hub_is_named(hub, name):
    tx, rx = hub.channel(name)
    hub.close()
    for call in (lambda: tx.send(1), rx.recv, lambda: len(rx), tx.shutdown):
        with pytest.raises((xichan.nats.NatsError, xichan.ChannelClosed), match="closed"):
            call()
    with pytest.raises(xichan.nats.NatsError, match="closed"):
        hub.channel("any")
    hub.close()


def test_hub_that_gives_up_wakes_blocked_calls(tmp_path):
    from support import Call

    server = Server(tmp_path)
    with server:
        hub = xichan.nats.connect(server.url, max_reconnects=2)
        tx, rx = hub.channel("gone")
        calls = [Call(rx.recv), Call(rx.lease)]
        wait_until(lambda: rx.stats().waiting_receivers == 1)
    for call in calls:
        with pytest.raises((xichan.nats.NatsError, TypeError)):
            call.result()
    assert hub.closed
    with pytest.raises(xichan.nats.NatsError):
        tx.send(1)
    hub.close()
