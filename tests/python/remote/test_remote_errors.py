"""What each kind of failure raises: unreachable servers, wrong credentials, full stores, large and poisoned values."""

import pytest
from support import Call, run_script, wait_until
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
        with pytest.raises(xichan.nats.NatsError, match="pass tls=True"):
            xichan.nats.connect(server.url)
        with pytest.raises(xichan.nats.NatsError) as caught:
            xichan.nats.connect(server.url, tls=True)
        assert "tls=True" not in str(caught.value)
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


def test_largest_value_passes_every_way_and_one_byte_more_is_refused(tmp_path):
    name = "n" * 200  # the longest headers of a dead letter
    with Server(tmp_path, max_payload=10_000) as server, xichan.nats.connect(server.url) as hub:
        most = hub.stats().max_value
        size = next(n for n in range(most, 0, -1) if len(xichan.dumps(bytes(n))) <= most)
        value, above = b"x" * size, b"x" * (size + 1)
        tx, rx = hub.channel(name, ack="lease", max_deliver=1, storage="file")
        limit = f"takes {len(xichan.dumps(above))} bytes, and the server accepts at most {most}"
        for send in (tx.send, tx.send_nowait, lambda value: tx.send_many([value])):
            send(value)
            with pytest.raises(ValueError, match=limit):
                send(above)
        with rx.lease(30) as got:
            assert got == value
        for _ in range(2):
            with pytest.raises(RuntimeError), rx.lease(30):
                raise RuntimeError("é" * 1000)
        dead = hub.receiver(name, dead=True)
        assert [dead.recv(30), dead.recv(30)] == [value, value] and len(rx) == 0


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


def test_trusted_server_that_requires_tls_unasked_is_refused(tmp_path):
    """The certificate is trusted, so only the missing option can be the reason."""
    files = make_certificates(tmp_path)
    if files is None:
        pytest.skip("the program openssl is missing")
    certificate, key = map(str, files)
    with Server(tmp_path, tls={"cert_file": certificate, "key_file": key}) as server:
        done = run_script(
            """
            import sys, xichan.nats
            try:
                xichan.nats.connect(sys.argv[1])
            except xichan.nats.NatsError as error:
                print(error)
            hub = xichan.nats.connect(sys.argv[1].replace("nats:", "tls:"))
            print(hub.connected)
            """,
            server.url,
            env={"SSL_CERT_FILE": certificate},
        )
        refused, connected = done.stdout.splitlines()
        assert "pass tls=True" in refused and connected == "True"


def test_certificate_for_another_host_is_refused(tmp_path):
    files = make_certificates(tmp_path, "subjectAltName=DNS:other.example")
    if files is None:
        pytest.skip("the program openssl is missing")
    certificate, key = map(str, files)
    with Server(tmp_path, tls={"cert_file": certificate, "key_file": key}) as server:
        with pytest.raises(xichan.nats.NatsError):
            xichan.nats.connect(server.url, tls={"ca": certificate})
        for tls in ({"ca": certificate, "hostname": "other.example"}, {"verify": False}):
            with xichan.nats.connect(server.url, tls=tls) as hub:
                assert hub.connected


def test_server_can_require_a_certificate_of_its_clients(tmp_path):
    files = make_certificates(tmp_path)
    if files is None:
        pytest.skip("the program openssl is missing")
    certificate, key = map(str, files)
    required = {"cert_file": certificate, "key_file": key, "ca_file": certificate, "verify": True}
    with Server(tmp_path, tls=required) as server:
        with pytest.raises(xichan.nats.NatsError):
            xichan.nats.connect(server.url, tls={"ca": certificate}).channel("any")
        with xichan.nats.connect(server.url, tls={"ca": certificate, "certificate": certificate, "key": key}) as hub:
            tx, rx = hub.channel("mutual")
            tx.send(1)
            assert rx.recv(30) == 1


def test_documented_permissions_suffice(tmp_path):
    user = {
        "user": "me",
        "password": "right",
        "permissions": {
            "publish": ["xichan.>", "$JS.API.>", "$JS.ACK.>", "$KV.>"],
            "subscribe": ["xichan.>", "$JS.EVENT.ADVISORY.STREAM.>", "_INBOX.>"],
        },
    }
    with Server(tmp_path, authorization={"users": [user]}) as server:
        with xichan.nats.connect(server.url, user="me", password="right") as hub:
            tx, rx = hub.channel("limited", 2, ack="lease", max_deliver=1)
            sending = Call(lambda: [tx.send(i) for i in range(5)])
            for number in range(5):
                lease = rx.lease(30)
                assert lease.value == number
                lease.ack() if number else lease.nak()
            sending.result()
            tx.close(error=ValueError("done"))
            with pytest.raises(xichan.ChannelFailed):
                rx.lease(30)
            assert hub.inspect().channels[0].dead_letters == 1
            hub.delete("limited")
        assert "Permissions Violation" not in server.log.read_text()
