"""Signals while the main thread is blocked. Each test runs in its own process."""

import pytest
from support import run_script

PRELUDE = """
import os, signal, sys, threading, time
import xichan
from support import Call, alive, left_over, wait_for_blocked, wait_until

kind, target = sys.argv[1], sys.argv[2]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have told us to ignore it

def new_channel():
    "A channel in which a call of this kind waits."
    tx, rx = xichan.channel(1)
    if kind == "send":
        tx.send("first")
    return tx, rx

def wait_in(tx, rx, timeout=None):
    return tx.send("text that needs a block", timeout) if kind == "send" else rx.recv(timeout)

def blocked(end):
    wait_for_blocked(end, **{"senders" if kind == "send" else "receivers": 1})

def deliver(number):
    "To the process, to this (another) thread, or to the main thread."
    if target == "process":
        os.kill(os.getpid(), number)
    elif target == "other thread":
        signal.pthread_kill(threading.get_ident(), number)
    else:
        signal.pthread_kill(threading.main_thread().ident, number)
"""

KINDS = pytest.mark.parametrize("kind", ["recv", "send"])
TARGETS = pytest.mark.parametrize("target", ["process", "other thread", "main thread"])


def run(source, kind, target="process"):
    return run_script(PRELUDE + source, kind, target)


@KINDS
@TARGETS
def test_ctrl_c_interrupts_a_wait_without_side_effects(kind, target):
    run(
        """
tx, rx = new_channel()
before = alive()
for i in range(20):
    helper = Call(lambda: (blocked(tx), deliver(signal.SIGINT)))
    try:
        wait_in(tx, rx, None if i % 2 else 1000)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("not interrupted")
    helper.result()
    wait_for_blocked(tx)
    assert left_over(before) == {}
    # It has sent and taken nothing, and the channel goes on.
    assert len(rx) == (kind == "send")
    if kind == "send":
        assert rx.recv() == "first"
        tx.send("first")
    else:
        tx.send(i)
        assert rx.recv() == i
""",
        kind,
        target,
    )


@KINDS
@TARGETS
def test_handled_signal_does_not_interrupt_a_wait(kind, target):
    run(
        """
tx, rx = new_channel()
handled = []
signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))

def send_signals(number=40):
    blocked(tx)
    for i in range(number):
        deliver(signal.SIGUSR1)
        wait_until(lambda: len(handled) > i)  # a second one that comes before the first is handled is lost

def send_signals_and_serve():
    send_signals()
    blocked(tx)  # still
    rx.recv() if kind == "send" else tx.send("served")

helper = Call(send_signals_and_serve)
assert wait_in(tx, rx, 1000) == (None if kind == "send" else "served")
helper.result()
assert len(handled) == 40
if kind == "send":
    assert rx.recv() == "text that needs a block"
    tx.send("first")

# Nor does it shorten a timeout.
handled.clear()
helper = Call(send_signals, 5)
start = time.monotonic()
try:
    wait_in(tx, rx, 1 if kind == "send" else 1.0)
except xichan.ChannelTimeout:
    assert time.monotonic() - start >= 1
else:
    raise AssertionError("did not wait")
while helper.is_alive():
    time.sleep(0.001)  # the handlers run here
helper.result()
""",
        kind,
        target,
    )


@KINDS
def test_exception_from_a_handler_propagates_from_the_call(kind):
    run(
        """
class Stop(Exception):
    pass

def handler(number, frame):
    raise Stop

signal.signal(signal.SIGUSR1, handler)
tx, rx = new_channel()
helper = Call(lambda: (blocked(tx), deliver(signal.SIGUSR1)))
try:
    wait_in(tx, rx)
except Stop:
    pass
else:
    raise AssertionError
helper.result()
assert len(rx) == (kind == "send") and not tx.closed and not rx.closed
""",
        kind,
    )


@KINDS
@pytest.mark.parametrize("act", ["tx.close()", "rx.close()", "tx.shutdown()", "rx.shutdown(immediate=True)"])
def test_handler_may_close_the_awaited_endpoint(kind, act):
    run(
        f"""
signal.signal(signal.SIGUSR1, lambda number, frame: {act})
tx, rx = new_channel()
before = alive()
helper = Call(lambda: (blocked(tx), deliver(signal.SIGUSR1)))
try:
    wait_in(tx, rx, 60)
except xichan.ChannelClosed:
    pass
else:
    raise AssertionError
helper.result()
assert left_over(before) == {{}}
""",
        kind,
    )


def test_handler_may_use_the_awaited_channel():
    run(
        """
tx, rx = new_channel()
signal.signal(signal.SIGUSR1, lambda number, frame: tx.send("from the handler"))
helper = Call(lambda: (blocked(tx), deliver(signal.SIGUSR1)))
assert wait_in(tx, rx) == "from the handler"
helper.result()

signal.signal(signal.SIGUSR1, lambda number, frame: tx.send(rx.recv(0.1) if len(rx) else "nested"))
helper = Call(lambda: (blocked(tx), deliver(signal.SIGUSR1)))
assert wait_in(tx, rx) == "nested"
helper.result()
""",
        "recv",
    )


def test_signals_interrupt_only_the_main_thread():
    run(
        """
tx, rx = new_channel()
signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(threading.current_thread()))
handled = []
waiting = Call(wait_in, tx, rx)
blocked(tx)
for i in range(40):
    signal.pthread_kill(waiting.ident, signal.SIGUSR1)
    wait_until(lambda: len(handled) > i)
assert set(handled) == {threading.main_thread()}
blocked(tx)
tx.send("here")
assert waiting.result() == "here"
""",
        "recv",
    )


def test_ctrl_c_interrupts_iteration():
    run(
        """
tx, rx = new_channel()
got = []

def traffic():
    for i in range(100):
        tx.send(i)
    blocked(tx)
    deliver(signal.SIGINT)

helper = Call(traffic)
try:
    for item in rx:
        got.append(item)
except KeyboardInterrupt:
    pass
else:
    raise AssertionError("ended by itself")
helper.result()
assert got == list(range(100))
""",
        "recv",
    )
