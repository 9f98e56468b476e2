"""Connections: how they are made, refused, lost and closed, and the errors that calls raise."""

import copy
import os
import pickle
import signal
import threading
import time

import pytest
from support import Call, run_script, wait_for_sleep, wait_until
from support.descriptors import open_descriptors
from support.nats_server import Server, free_port, make_certificates

import xichan

nats = pytest.importorskip("xichan.nats")


def test_unreachable_server_is_reported_at_once():
    started = time.monotonic()
    with pytest.raises(nats.NatsError, match="cannot connect to nats://127.0.0.1:") as caught:
        nats.connect(f"nats://user:secret@127.0.0.1:{free_port()}")
    assert time.monotonic() - started < 30
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, ConnectionError) and isinstance(caught.value, xichan.Error)


@pytest.mark.parametrize(
    ("servers", "error", "message"),
    [
        (3, TypeError, "servers must be a URL or an iterable of URLs, got int"),
        (None, TypeError, "got NoneType"),
        (b"nats://127.0.0.1", TypeError, "got bytes"),
        ([3], TypeError, "servers must contain URLs, got int"),
        ([], ValueError, "at least one server"),
        ("", ValueError, "empty URL"),
        ("nats://127.0.0.1,", ValueError, "empty URL"),
        ("http://me:secret@127.0.0.1", ValueError, "begins with nats:// or tls://, got 'http://127.0.0.1'"),
    ],
)
def test_connect_rejects_invalid_servers(servers, error, message):
    with pytest.raises(error, match=message) as caught:
        nats.connect(servers)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("login", ["me:secret@", "me:a//secret@", "me:a://secret@", "me:[secret@"])
@pytest.mark.parametrize("scheme", ["nats://", "NATS://", ""])
def test_failure_to_connect_shows_no_password(scheme, login):
    with pytest.raises((nats.NatsError, ValueError)) as caught:
        nats.connect(f"{scheme}{login}127.0.0.1:{free_port()}")
    assert "127.0.0.1" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("secret", "me:", "a:"))


def test_connect_rejects_invalid_times(server):
    for name in ("timeout", "ping_interval", "reconnect_wait", "max_reconnect_wait"):
        for value in (None, "5", True):
            with pytest.raises(TypeError, match=f"{name} must be a number of seconds, got {type(value).__name__}"):
                nats.connect(server.url, **{name: value})
        for value in (-1, float("nan")):
            with pytest.raises(ValueError, match=f"{name} must not be negative"):
                nats.connect(server.url, **{name: value})
        with nats.connect(server.url, **{name: float("inf")}) as hub:
            assert hub.connected


def test_programs_that_are_started_do_not_inherit_the_connection(server):
    before = open_descriptors()
    with nats.connect(server.url):
        opened = {number: link for number, link in open_descriptors().items() if number not in before}
        assert any(link.startswith("socket:") for link in opened.values())
        assert [link for number, link in opened.items() if os.get_inheritable(number)] == []


def test_connect_rejects_invalid_numbers_of_reconnects(server):
    for value in ("5", 1.0, True):
        with pytest.raises(TypeError, match=f"max_reconnects must be an int or None, got {type(value).__name__}"):
            nats.connect(server.url, max_reconnects=value)
    with pytest.raises(ValueError, match="max_reconnects must not be negative, got -1; None means without end"):
        nats.connect(server.url, max_reconnects=-1)
    for value in (0, 1 << 40, None):
        with nats.connect(server.url, max_reconnects=value) as hub:
            assert hub.connected


def test_channel_rejects_invalid_arguments_before_it_is_made(hub, name):
    for wrong in (3, str, [3]):
        with pytest.raises(TypeError, match="classes must "):
            hub.channel(name, classes=wrong)
    for setting in ("capacity", "max_bytes", "max_deliver"):
        with pytest.raises(ValueError, match=f"{setting} must be less than"):
            hub.channel(name, **{setting: 1 << 63})
    with pytest.raises(xichan.NotFound):
        hub.sender(name)


def test_endpoints_name_what_to_use_instead(hub, name):
    tx, rx = hub.channel(name)
    for endpoint, missing, hint in [
        (tx, "put", "send()"), (tx, "recv", "the Receiver"), (rx, "get", "recv()"), (rx, "send", "the Sender"),
        (tx, "clone", "hub.sender(name)"), (rx, "fileno", "select()"),
    ]:  # fmt: skip
        with pytest.raises(AttributeError, match=f"'xichan.nats.{type(endpoint).__name__}' .* '{missing}'") as caught:
            getattr(endpoint, missing)
        assert hint in str(caught.value)
    assert not hasattr(tx, "unknown")


def test_arguments_of_calls_are_checked(hub, name):
    tx, rx = hub.channel(name)
    for call in (tx.close, tx.shutdown, rx.shutdown):
        with pytest.raises(TypeError, match="error must be an exception or None, got str"):
            call(error="broken")
    tx.send_many("ab")
    assert rx.recv_many(1 << 70) == ["a", "b"]


def interrupted(call):
    """Send SIGINT to this process while a call blocks; return the KeyboardInterrupt that it raises."""
    main = threading.get_native_id()

    def interrupt():
        wait_until(lambda: main in [wait.thread for wait in xichan.inspect().waits])
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        call()
    thread.join()
    return caught.value


def test_interrupted_call_names_the_channel_and_the_server(hub, name):
    _, rx = hub.channel(name)
    (note,) = interrupted(rx.recv).__notes__
    assert note.startswith(f"recv() was waiting for channel {name!r} of nats://127.0.0.1:")


def test_interrupted_call_keeps_the_notes_of_a_signal_handler(hub, name):
    _, rx = hub.channel(name)
    notes = ["of the program"]

    def handler(number, frame):
        error = KeyboardInterrupt()
        error.__notes__ = notes
        raise error

    before = signal.signal(signal.SIGINT, handler)
    try:
        first, second = interrupted(rx.recv).__notes__
        assert first == "of the program" and second.startswith(f"recv() was waiting for channel {name!r}")
        notes = 1  # what add_note() cannot add to
        assert interrupted(rx.recv).__notes__ == 1
    finally:
        signal.signal(signal.SIGINT, before)


def test_endpoints_and_hubs_refuse_to_travel(hub, name):
    tx, rx = hub.channel(name)
    carry, _ = xichan.channel()
    for each, remedy in ((tx, "hub.sender(name)"), (rx, "hub.receiver(name)"), (hub, "xichan.nats.connect()")):
        for copy_of in (pickle.dumps, copy.copy):
            with pytest.raises(TypeError, match="cannot pickle xichan.nats") as caught:
                copy_of(each)
            assert remedy in str(caught.value)
        with pytest.raises(xichan.NotShareableError) as caught:
            carry.send(each)
        assert remedy in str(caught.value)


def test_wrong_password_is_reported(server, tmp_path):
    with Server(tmp_path, authorization={"user": "me", "password": "right"}) as guarded:
        with pytest.raises(nats.NatsError, match=r"(?i)authorization"):
            nats.connect(guarded.url, user="me", password="wrong")
        with nats.connect(guarded.url, user="me", password="right") as hub:
            assert hub.connected


def test_tls_verifies_the_server(server, tmp_path):
    files = make_certificates(tmp_path)
    if files is None:
        pytest.skip("no openssl")
    certificate, key = files
    with Server(tmp_path, tls={"cert_file": str(certificate), "key_file": str(key)}) as guarded:
        with pytest.raises(nats.NatsError):
            nats.connect(guarded.url, tls=True)
        with nats.connect(guarded.url, tls={"ca": certificate, "hostname": "localhost"}) as hub:
            tx, rx = hub.channel("tls")
            large = os.urandom(300_000)
            tx.send_many([1, large, 2])
            assert [rx.recv() for _ in range(3)] == [1, large, 2]


def test_server_without_jetstream_is_reported(server, tmp_path):
    with Server(tmp_path) as plain:
        plain.restart(jetstream="disabled")
        with nats.connect(plain.url, timeout=0.5) as hub, pytest.raises(nats.NatsError):
            hub.channel("any")


@pytest.mark.parametrize("tls", [{"cafile": "x"}])
def test_unknown_tls_option_is_refused(tls):
    with pytest.raises(ValueError, match="ca, certificate, key"):
        nats.connect("nats://127.0.0.1:1", tls=tls)


def test_join_of_missing_channel_raises_not_found(hub):
    for join in (hub.sender, hub.receiver):
        with pytest.raises(xichan.NotFound, match="no channel 'absent'"):
            join("absent")


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a*", "x" * 201])
def test_invalid_names_are_refused(hub, name):
    with pytest.raises(ValueError, match="letters"):
        hub.channel(name)


def test_channel_with_other_settings_is_refused_by_their_names(hub, name):
    with hub.channel(name, capacity=10)[0]:
        with pytest.raises(ValueError, match=r"capacity=10, not 20"):
            hub.channel(name, capacity=20)
        tx, rx = hub.channel(name, capacity=10)
        tx.send(1)
        assert rx.recv() == 1


def test_times_as_int_and_float_are_the_same_settings(hub, name):
    """The server compares the settings as text."""
    tx, _ = hub.channel(name, ack_wait=30, duplicate_window=120, sender_timeout=10)
    tx.send(1)
    assert hub.channel(name)[1].recv() == 1


def test_channel_that_has_ended_is_made_anew_once_it_is_drained(hub, name):
    tx, rx = hub.channel(name)
    tx.send(1)
    tx.close(error=ValueError("first"))
    with pytest.raises(xichan.ChannelClosed, match="still holds 1 value"):
        hub.channel(name)
    assert rx.recv() == 1
    with pytest.raises(xichan.ChannelFailed):
        rx.recv()
    tx, rx = hub.channel(name)
    tx.send(2)
    tx.close()
    assert list(rx) == [2]


@pytest.mark.parametrize(
    "options, error",
    [
        ({"capacity": 0}, ValueError),
        ({"max_bytes": 0}, ValueError),
        ({"storage": "disk"}, ValueError),
        ({"ack": "never"}, ValueError),
        ({"ack_wait": 0}, ValueError),
        ({"ack_wait": "1"}, TypeError),
        ({"max_deliver": 0}, ValueError),
        ({"keep": 1}, TypeError),
    ],
)
def test_invalid_settings_are_refused(hub, name, options, error):
    with pytest.raises(error):
        hub.channel(name, **options)


def test_value_above_max_payload_is_refused_with_the_limit(server, tmp_path):
    with Server(tmp_path, max_payload=20_000) as small, nats.connect(small.url) as hub:
        tx, rx = hub.channel("small")
        with pytest.raises(ValueError, match="server accepts at most 19488: raise max_payload"):
            tx.send(bytes(20_000))
        tx.send(bytes(19_000))
        assert rx.recv() == bytes(19_000)


def test_value_above_max_bytes_is_refused(hub, name):
    tx, _ = hub.channel(name, max_bytes=5000)
    with pytest.raises(ValueError, match="max_bytes=5000"):
        tx.send(bytes(6000))


def test_close_ends_calls_and_is_idempotent(hub, server, name):
    other = nats.connect(server.url)
    _, rx = other.channel(name, keep=True)
    call = Call(rx.recv)
    wait_until(lambda: call.native_id)
    wait_for_sleep(call.native_id)
    other.close()
    other.close()
    with pytest.raises((xichan.ChannelClosed, nats.NatsError)):
        call.result()
    with pytest.raises(nats.NatsError):
        other.channel(name)
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()
    assert other.closed and rx.closed


def test_endpoints_of_the_parent_cannot_be_used_after_a_fork(hub, name):
    tx, rx = hub.channel(name)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            refused = 0
            for call in (lambda: tx.send(1), rx.recv, rx.recv_nowait, lambda: hub.channel("child"), hub.stats):
                try:
                    call()
                except nats.NatsError:
                    refused += 1
            closed = hub.closed and tx.closed and rx.closed and not hub.connected and "closed" in repr(hub)
            tx.close(), rx.close(), hub.close()
            status = 0 if refused == 5 and closed else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    tx.send("parent")
    assert rx.recv() == "parent"


def test_dead_server_is_given_up_after_the_attempts(server, tmp_path):
    with Server(tmp_path) as mortal:
        hub = nats.connect(mortal.url, max_reconnects=2, timeout=1)
        tx, rx = hub.channel("mortal")
        call = Call(rx.recv)
        mortal.kill()
        with pytest.raises((nats.NatsError, xichan.ChannelClosed)):
            call.result()
        with pytest.raises(nats.NatsError):
            tx.send(1)
        assert hub.closed


def test_dropped_receiver_with_values_in_its_inbox_does_not_warn(server, hub, name):
    """The channels inside xichan.nats are not those of the program: the server keeps the values."""
    tx, rx = hub.channel(name)
    done = run_script(
        """
        import sys, time, xichan.nats
        hub = xichan.nats.connect(sys.argv[1])
        rx = hub.receiver(sys.argv[2])
        rx._consumer.begin_wait(None)
        hub.sender(sys.argv[2]).send("for the inbox")
        while hub.stats().held == 0:
            time.sleep(0.01)
        print("held", flush=True)
        del rx
        """,
        server.url,
        name,
        options=("-X", "dev"),
    )
    assert done.stdout == "held\n" and done.stderr == ""
