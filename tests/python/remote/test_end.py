"""The end of a channel: shutdown, the last Sender, and processes that die."""

import subprocess
import sys

import pytest
from support import Call, environment, run_loop, wait_for_sleep, wait_until

import xichan

nats = pytest.importorskip("xichan.nats")

from xichan.nats._kv import Leases  # noqa: E402
from xichan.nats._steps import run  # noqa: E402

SENDER = """
import sys, xichan.nats
hub = xichan.nats.connect(sys.argv[1])
tx = hub.sender(sys.argv[2])
tx.send("from the child")
print("sent", flush=True)
{}
"""


def child(server, name, ending):
    """Start a process that opens a Sender, sends a value and ends as the lines say."""
    started = subprocess.Popen(
        [sys.executable, "-c", SENDER.format(ending), server.url, name],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert started.stdout.readline() == b"sent\n"
    return started


def asleep(function, *args):
    call = Call(function, *args)
    wait_until(lambda: call.native_id)
    wait_for_sleep(call.native_id)
    return call


@pytest.mark.parametrize("ending", ["", "tx.close()", "del tx, hub", "hub.close()"])
def test_end_of_the_last_senders_program_ends_the_channel(server, hub, name, ending):
    tx, rx = hub.channel(name, sender_timeout=1)
    process = child(server, name, ending)
    tx.close()
    assert list(rx) == ["from the child"]
    process.communicate()
    assert process.returncode == 0


def test_killed_sender_is_noticed_by_its_lease(server, hub, name):
    tx, rx = hub.channel(name, sender_timeout=1)
    process = child(server, name, "sys.stdin.read()")
    tx.close()
    assert rx.recv() == "from the child"
    call = asleep(rx.recv)
    process.kill()
    process.communicate()
    with pytest.raises(xichan.ChannelClosed):
        call.result()


def test_sender_that_lives_keeps_the_channel_open(server, hub, name):
    tx, rx = hub.channel(name, sender_timeout=2)
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=5)
    tx.send("still here")
    assert rx.recv() == "still here"


def test_sender_whose_lease_is_missing_keeps_the_channel_open(server, hub, name):
    """An outage of the server can remove the leases of Senders that live: they renew them some time later."""
    tx, rx = hub.channel(name, sender_timeout=3600)
    with nats.connect(server.url) as another:
        other = another.sender(name)
        leases = Leases(other._names, other._settings)
        run(leases.release(hub._calls, f"{leases.stream}.>"))
        tx.close()
        other.send("still here")
        assert rx.recv(timeout=30) == "still here" and not rx.closed
        other.close()
    assert list(rx) == []


def test_new_channel_does_not_wait_for_dead_senders_of_its_predecessor(server, hub, name):
    tx, rx = hub.channel(name, sender_timeout=3600)
    process = child(server, name, "sys.stdin.read()")
    process.kill()
    process.communicate()
    assert hub.delete(name)
    tx.close()
    tx, rx = hub.channel(name, sender_timeout=3599)  # leases of its own
    tx.send("new")
    tx.close()
    assert list(rx) == ["new"]


def test_kept_channel_outlives_its_senders(hub, name):
    tx, rx = hub.channel(name, sender_timeout=0.5, keep=True)
    tx.send(1)
    tx.close()
    assert rx.recv() == 1
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=2)
    with hub.sender(name) as tx:
        tx.send(2)
    assert rx.recv() == 2
    rx.shutdown()
    assert list(rx) == []


def test_receivers_wait_for_values_that_others_have_not_acknowledged(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    tx.send("job")
    lease = rx.lease()
    tx.close()
    call = asleep(hub.receiver(name).lease)
    assert not rx.closed
    lease.nak()
    again = call.result()
    assert (again.value, again.delivery) == ("job", 2)
    waiting = asleep(rx.lease)
    again.ack()
    with pytest.raises(xichan.ChannelClosed):
        waiting.result()


def test_deleted_channel_ends_for_all(server, hub, name):
    tx, rx = hub.channel(name)
    receiving = asleep(rx.recv)
    assert hub.delete(name)
    assert not hub.delete(name)
    with pytest.raises(xichan.ChannelClosed):
        receiving.result()
    with pytest.raises(xichan.ChannelClosed, match="deleted"):
        tx.send(1, timeout=60)
    assert tx.closed and rx.closed


def test_error_crosses_processes(server, hub, name):
    tx, rx = hub.channel(name, sender_timeout=1)
    process = child(server, name, "tx.close(error=LookupError('in the child'))")
    tx.close()
    assert rx.recv() == "from the child"
    with pytest.raises(xichan.ChannelFailed, match="in the child") as caught:
        rx.recv()
    assert type(caught.value.__cause__) is LookupError
    process.communicate()
    with pytest.raises(xichan.ChannelFailed, match="in the child"):
        hub.sender(name).send(1)


def test_blocked_call_ends_with_the_process(server, hub, name):
    hub.channel(name, keep=True)
    program = (
        "import sys, threading, xichan.nats\n"
        "rx = xichan.nats.connect(sys.argv[1]).receiver(sys.argv[2])\n"
        "thread = threading.Thread(target=rx.recv)\n"
        "thread.start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, server.url, name], env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "shutting down" in done.stderr


def test_ctrl_c_interrupts_a_blocked_receive(server, hub, name):
    tx, rx = hub.channel(name, keep=True)
    program = (
        "import sys, threading, signal, xichan.nats\n"
        "rx = xichan.nats.connect(sys.argv[1]).receiver(sys.argv[2])\n"
        "threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT)).start()\n"
        "try: rx.recv()\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "print(rx.recv())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, server.url, name], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "interrupted\n"
    tx.send("after")
    assert process.communicate()[0] == "after\n"


def test_endpoints_of_an_interpreter_end_with_it(server, hub, name):
    from concurrent import interpreters

    tx, rx = hub.channel(name, sender_timeout=1)
    interpreter = interpreters.create()
    interpreter.prepare_main(url=server.url, name=name)
    interpreter.exec("import xichan.nats\nhub = xichan.nats.connect(url)\ntx = hub.sender(name)\ntx.send('from there')")
    tx.close()
    assert rx.recv() == "from there"
    assert not rx.closed
    interpreter.close()
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()


def test_await_closed(hub, name):
    import asyncio

    tx, rx = hub.channel(name)

    async def main():
        waiting = asyncio.create_task(rx.await_closed())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        tx.close()
        await waiting

    run_loop(main())
