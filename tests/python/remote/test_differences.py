"""The rules that differ for remote channels: the rows of docs/reference/nats-differences.md."""

import array
import dataclasses
import pickle

import pytest
from support import run_script, wait_until
from test_rules import asleep

import xichan


@dataclasses.dataclass
class Point:
    x: int
    y: int


def test_rule_1_rendezvous_is_refused(hub, name):
    with pytest.raises(ValueError, match="rendezvous"):
        hub.channel(name, 0)


def test_rule_1_capacity_includes_what_is_not_acknowledged(hub, name):
    tx, rx = hub.channel(name, 1, ack="lease")
    tx.send(1)
    lease = rx.lease()
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(2)
    with lease as value:
        assert value == 1
    tx.send(2, timeout=30)


def test_rule_2_endpoints_are_in_several_processes(server, hub, name):
    tx, rx = hub.channel(name)
    done = run_script(
        """
        import sys, xichan.nats
        with xichan.nats.connect(sys.argv[1]) as hub, hub.sender(sys.argv[2]) as tx:
            tx.send_many(["from", "another", "process"])
        """,
        server.url,
        name,
    )
    assert done.stderr == ""
    assert rx.recv_many(3) == ["from", "another", "process"]


def test_rule_4_objects_of_unlisted_classes_arrive_as_record_views(hub, name):
    tx, rx = hub.channel(name)
    tx.send([Point(1, 2)])
    (got,) = rx.recv()
    assert type(got) is xichan.RecordView and (got.x, got.y) == (1, 2)
    listed = hub.receiver(name, classes=[Point])
    tx.send([Point(1, 2)])
    assert listed.recv() == [Point(1, 2)]


@pytest.mark.parametrize(
    "make", [lambda: xichan.channel()[0], xichan.Queue, lambda: xichan.AtomicInt(1), lambda: xichan.Buffer(10)]
)
def test_rule_8_objects_of_one_process_are_refused(hub, name, make):
    tx, rx = ends = hub.channel(name)
    for value in (make(), [1, make()]):
        with pytest.raises(TypeError):
            tx.send(value)
    for own in ends:
        with pytest.raises(TypeError):
            tx.send(own)
    assert len(rx) == 0


def test_rule_8_arrays_arrive(hub, name):
    tx, rx = hub.channel(name)
    tx.send((array.array("d", [1.5, 2.5]), memoryview(b"bytes")))
    numbers, view = rx.recv()
    assert numbers == array.array("d", [1.5, 2.5]) and view == b"bytes"


def test_rule_9_value_that_is_not_acknowledged_is_received_again(hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=0.5)
    tx.send_many("abc")
    first = rx.lease()
    assert (first.value, first.delivery) == ("a", 1)
    got = []
    while len(got) < 3:
        lease = rx.lease(timeout=30)
        with lease as value:
            got.append((value, lease.delivery))
    assert sorted(got) == [("a", 2), ("b", 1), ("c", 1)]


def test_rule_13_unconfirmed_send_may_have_sent(server, tmp_path):
    from support.fault_proxy import FaultProxy

    with FaultProxy(server.port) as proxy, xichan.nats.connect(proxy.url) as hub:
        tx, rx = hub.channel("unconfirmed")
        try:
            proxy.hold(proxy.down)
            with pytest.raises(xichan.nats.Unconfirmed):
                tx.send("perhaps", timeout=0.2)
            proxy.release()
            assert rx.recv(timeout=30) == "perhaps"
        finally:
            proxy.release()
            hub.delete("unconfirmed")


def test_rule_13_value_that_cannot_be_decoded_becomes_a_dead_letter(hub, name):
    tx, rx = hub.channel(name)
    xichan.register(Picky, lambda picky: picky.content, Picky)
    picky = Picky(1)
    picky.content = 2
    tx.send(picky)
    with pytest.raises(xichan.DecodeError):
        hub.receiver(name, classes=[Picky]).recv()
    wait_until(lambda: len(rx) == 0)
    assert rx.stats().dead_letters == 1
    with hub.receiver(name, dead=True) as dead:
        assert type(dead.recv()) is xichan.RecordView


class Picky:
    """Cannot be made of anything but 1."""

    def __init__(self, content):
        if content != 1:
            raise ValueError("not 1")
        self.content = content


def test_rule_14_each_value_goes_to_one_of_the_waiting_receivers(server, hub, name):
    tx, rx = hub.channel(name)
    with xichan.nats.connect(server.url) as another:
        calls = [asleep(receiver.recv) for receiver in (rx, hub.receiver(name), another.receiver(name))]
        wait_until(lambda: rx.stats().waiting_receivers == 3)
        tx.send_many(range(3))
        assert sorted(call.result() for call in calls) == [0, 1, 2]


def test_rule_16_sender_that_crashed_is_noticed_after_its_lease(server, hub, name):
    _, rx = ends = hub.channel(name, sender_timeout=1.0)
    run_script(
        """
        import os, sys, xichan.nats
        tx = xichan.nats.connect(sys.argv[1]).sender(sys.argv[2])
        tx.send("last words")
        os._exit(0)
        """,
        server.url,
        name,
    )
    ends[0].close()
    assert list(rx) == ["last words"]


def test_rule_16_kept_channel_does_not_end_with_its_senders(hub, name):
    tx, rx = hub.channel(name, keep=True)
    tx.send(1)
    tx.close()
    assert rx.recv() == 1
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=0.1)
    with hub.sender(name) as again:
        again.send(2)
    assert rx.recv() == 2


def test_rule_18_values_outlive_the_last_receiver(hub, name):
    tx, rx = hub.channel(name)
    rx.close()
    tx.send("kept")
    assert hub.receiver(name).recv() == "kept"


def test_rules_19_28_43_and_46_what_does_not_exist_is_an_error_by_name(hub, name):
    for end in hub.channel(name):
        for missing in ("clone", "from_id", "id", "fileno"):
            assert not hasattr(end, missing)
        with pytest.raises(TypeError):
            pickle.dumps(end)


def test_rule_22_endpoints_cannot_be_queued_in_their_channel_or_in_others(hub, name):
    tx, rx = hub.channel(name)
    local_tx, local_rx = xichan.channel()
    for end in (tx, rx):
        for sender in (tx, local_tx):
            with pytest.raises(TypeError):
                sender.send(end)
    assert len(rx) == len(local_rx) == 0


def test_rule_24_immediate_shutdown_deletes_the_channel(hub, name):
    tx, rx = hub.channel(name)
    tx.send(1)
    tx.shutdown(immediate=True)
    with pytest.raises(xichan.NotFound):
        hub.sender(name)
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()


def test_rule_27_endpoints_with_the_same_name_are_of_one_channel(server, hub, name):
    tx, rx = hub.channel(name)
    assert (tx.name, rx.name) == (name, name)
    with xichan.nats.connect(server.url) as another, another.sender(name) as same:
        same.send("by name")
        other, other_rx = another.channel(f"{name}-other")
        other.send("elsewhere")
        assert rx.recv(timeout=30) == "by name" and other_rx.recv(timeout=30) == "elsewhere"
        wait_until(lambda: len(rx) == 0)
        another.delete(f"{name}-other")


@pytest.mark.parametrize("storage", ["memory", "file"])
def test_rule_29_values_outlive_the_process_of_their_sender(server, hub, name, storage):
    run_script(
        """
        import os, sys, xichan.nats
        hub = xichan.nats.connect(sys.argv[1])
        tx, rx = hub.channel(sys.argv[2], storage=sys.argv[3], keep=True)
        tx.send("kept")
        os._exit(0)
        """,
        server.url,
        name,
        storage,
    )
    assert hub.receiver(name).recv() == "kept"


def test_rule_31_memory_limit_of_the_process_does_not_apply(hub, name):
    tx, rx = hub.channel(name)
    value = bytes(500_000)
    xichan.set_memory_limit(100_000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        xichan.channel()[0].send(value)
    xichan.set_memory_limit(None)
    for _ in range(5):
        tx.send(value)
    assert xichan.memory_stats().bytes < 500_000
    assert rx.recv() == value


def test_rule_34_blocked_thread_does_not_keep_the_process_from_exiting(server, hub, name):
    hub.channel(name)
    done = run_script(
        """
        import sys, threading, time, xichan.nats
        hub = xichan.nats.connect(sys.argv[1])
        rx = hub.receiver(sys.argv[2])
        thread = threading.Thread(target=rx.recv, daemon=True)
        thread.start()
        while rx.stats().waiting_receivers == 0:
            time.sleep(0.01)
        print("leaving")
        """,
        server.url,
        name,
    )
    assert done.stdout == "leaving\n" and done.stderr == ""


def test_rule_35_child_process_cannot_use_the_connection(server, hub, name):
    tx, rx = hub.channel(name)
    done = run_script(
        """
        import os, sys, xichan.nats
        hub = xichan.nats.connect(sys.argv[1])
        tx, rx = hub.sender(sys.argv[2]), hub.receiver(sys.argv[2])
        child = os.fork()
        if child == 0:
            for call in (lambda: tx.send(1), rx.recv, lambda: hub.sender("x"), lambda: len(rx)):
                try:
                    call()
                except xichan.nats.NatsError as error:
                    print(type(error).__name__, flush=True)
            tx.close(), rx.close(), hub.close()
            with xichan.nats.connect(sys.argv[1]) as own, own.sender(sys.argv[2]) as sender:
                sender.send("from the child")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        tx.send("from the parent")
        """,
        server.url,
        name,
        options=("-W", "ignore::DeprecationWarning"),
    )
    assert done.stdout.split() == ["NatsError"] * 4, done.stderr
    assert rx.recv_many(2) == ["from the child", "from the parent"]


def test_rule_38_max_bytes_limits_the_stream(hub, name):
    tx, rx = hub.channel(name, None, max_bytes=10_000)
    for _ in range(4):
        tx.send(b"x" * 2000)
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(b"x" * 2000)
    with pytest.raises(ValueError, match="max_bytes"):
        tx.send(b"x" * 20_000)
    call = asleep(tx.send, b"y" * 4000)
    while rx.recv() == b"x" * 2000:
        pass
    call.result()


def test_rule_41_remote_receivers_have_a_select_of_their_own(hub, name):
    tx, rx = hub.channel(name)
    local_tx, local_rx = xichan.channel()
    with pytest.raises(TypeError):
        xichan.select([rx, local_rx])
    tx.send("remote")
    assert xichan.nats.select([rx, local_rx]) == (rx, "remote")
    local_tx.send("local")
    assert xichan.nats.select([rx, local_rx]) == (local_rx, "local")


def test_rule_44_names_that_do_not_exist_are_not_found(hub):
    for find in (hub.sender, hub.receiver):
        with pytest.raises(xichan.NotFound, match="no-such-channel"):
            find("no-such-channel")


def test_rule_45_stats_are_those_of_the_server(hub, name):
    tx, rx = hub.channel(name, 10, ack="lease")
    tx.send_many(range(3))
    lease = rx.lease()
    found = rx.stats()
    assert (found.name, found.depth, found.sent, found.unacknowledged) == (name, 3, 3, 1)
    assert (found.senders, found.capacity, found.closed) == (1, 10, False)
    with hub.sender(name):
        assert rx.stats().senders == 2
    wait_until(lambda: rx.stats().senders == 1)
    lease.ack()
    wait_until(lambda: rx.stats().depth == 2)


@pytest.mark.parametrize("option", ["flavor", "overflow", "pickle", "type"])
def test_rules_37_54_57_and_58_options_of_local_channels_are_refused(hub, name, option):
    with pytest.raises(TypeError, match=option):
        hub.channel(name, **{option: None})
    with pytest.raises(xichan.NotFound):
        hub.sender(name)


def test_rules_12_20_and_26_calls_wait_for_a_reply_of_the_server(server, tmp_path):
    from support.nats_server import Server

    with Server(tmp_path) as own, xichan.nats.connect(own.url, timeout=0.3) as hub:
        tx, rx = hub.channel("paused")
        own.pause()
        try:
            with pytest.raises(xichan.nats.Unconfirmed):
                tx.send_nowait(1)
            for call in (rx.recv_nowait, rx.drain, lambda: rx.closed):
                with pytest.raises(xichan.nats.NatsError, match="no reply"):
                    call()
            tx.close()  # the server removes its lease later
        finally:
            own.resume()
        assert tx.closed


def test_rule_30_values_are_stored_as_dumps(hub, name):
    import base64

    from xichan.nats._steps import run

    tx, rx = hub.channel(name)
    tx.send({"a": [1, 2.5]})
    found = run(hub._calls.api(f"STREAM.MSG.GET.XICHAN_{name}", {"seq": 1}))
    assert xichan.loads(base64.b64decode(found["message"]["data"])) == {"a": [1, 2.5]}


def test_rule_32_memory_stats_do_not_include_the_server(hub, name):
    tx, rx = hub.channel(name)
    before = xichan.memory_stats().bytes
    tx.send(bytes(500_000))
    assert xichan.memory_stats().bytes < before + 100_000
    assert len(rx) == 1


def test_rule_36_unbounded_channel_takes_what_the_server_takes(hub, name):
    tx, rx = hub.channel(name, None)
    assert tx.capacity is None and tx.send_many(range(2000)) == 2000
    assert len(rx) == 2000


def test_rule_47_there_are_no_tickets(hub, name):
    assert not any(hasattr(end, "cancel_tickets") for end in hub.channel(name))


def test_rule_49_first_error_is_kept_and_receivers_give_none(hub, name):
    tx, rx = hub.channel(name)
    other = hub.sender(name)
    with pytest.raises(TypeError):
        hub.receiver(name).close(error=ValueError("from a Receiver"))
    tx.close(error=ValueError("first"))
    other.close(error=ValueError("second"))
    with pytest.raises(xichan.ChannelFailed, match="ValueError: first"):
        rx.recv(timeout=30)


def test_rule_53_closing_the_last_receiver_wakes_no_sender(hub, name):
    tx, rx = hub.channel(name)
    rx.close()
    with pytest.raises(xichan.ChannelTimeout):
        tx.wait_closed(timeout=0.2)
    tx.send("kept")


@pytest.mark.parametrize("bounds", [{"capacity": 3}, {"capacity": None, "max_bytes": 1000}])
def test_rules_55_and_56_no_values_are_dropped(hub, name, bounds):
    tx, rx = hub.channel(name, **bounds)
    sent = 0
    with pytest.raises(xichan.ChannelFull):
        while True:
            tx.send_nowait((sent, "x" * 50))
            sent += 1
    found = rx.stats()
    assert not hasattr(found, "dropped") and (found.sent, found.depth) == (sent, sent)
    assert [number for number, _ in rx.drain()] == list(range(sent))
