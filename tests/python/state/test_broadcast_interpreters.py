"""broadcast(): other interpreters, Ctrl-C, and the child of a fork."""

import pytest
from support import Call, execute, interpreter, run_script, wait_until
from support.broadcasts import MODES, TEXT, waiting

import xichan


@MODES
def test_subscribers_in_other_interpreters_receive_every_message(overflow):
    tx, subscribe = xichan.broadcast(100, overflow, name="broadcast")
    results, collected = xichan.channel()
    with interpreter(subscribe=subscribe, results=results) as one, interpreter(results=results) as other:
        source = """
            import xichan
            rx = xichan.Broadcast.lookup("broadcast")()
            results.send("ready")
            results.send(list(rx))
        """
        calls = [execute(one, source), execute(other, source)]
        assert [collected.recv(30), collected.recv(30)] == ["ready"] * 2
        for number in range(100):
            tx.send((number, TEXT))
        tx.close()
        for call in calls:
            call.result()
    assert collected.drain() == [[(number, TEXT) for number in range(100)]] * 2


def test_sender_in_another_interpreter_reaches_subscribers_here():
    tx, subscribe = xichan.broadcast(4)
    rx = subscribe()
    with interpreter(subscribe=subscribe) as interp:
        execute(interp, "with subscribe.sender() as tx: tx.send('from there')").result()
    assert rx.recv(30) == "from there"
    assert waiting(subscribe) == 0 and not tx.closed


@pytest.mark.parametrize("blocked", [False, True])
def test_interpreter_that_ends_unsubscribes_and_closes(blocked):
    tx, subscribe = xichan.broadcast(1)
    with interpreter(tx=tx, subscribe=subscribe) as interp:
        execute(interp, "rx = subscribe()").result()
        assert tx.subscribers == 1
        tx.send(TEXT)
        call = Call(tx.send, TEXT) if blocked else None
        if blocked:
            wait_until(lambda: waiting(subscribe) == 1)
        rx = subscribe() if not blocked else None
        tx.close() if not blocked else None
    if blocked:
        call.result()  # the subscription that had no room has ended
        assert tx.subscribers == 0
    else:
        assert list(rx) == []  # the sender of the interpreter was the last one
        assert subscribe.subscribers == 1


def test_interpreter_can_end_while_its_threads_wait():
    run_script("""
from concurrent import interpreters
import xichan
from support import HERE, PACKAGE, wait_until
from xichan._core import _waiting

tx, subscribe = xichan.broadcast(1)
slow = subscribe()
tx.send("first")
interp = interpreters.create()
interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}; import xichan")
interp.prepare_main(tx=tx, subscribe=subscribe)
interp.exec('''
import contextlib, threading, xichan
def wait(call, *args):
    with contextlib.suppress(xichan.ChannelClosed):
        call(*args)
threading.Thread(target=wait, args=(tx.send, "never")).start()
threading.Thread(target=wait, args=(subscribe().recv,)).start()
''')
wait_until(lambda: _waiting(subscribe) == 2)
interp.close()
assert _waiting(subscribe) == 0 and subscribe.subscribers == 1
tx.close()
assert list(slow) == ["first"]
""")


def test_ctrl_c_interrupts_blocked_calls_without_side_effects():
    run_script("""
import os, signal
import xichan
from support import Call, wait_until
from xichan._core import _waiting

signal.signal(signal.SIGINT, signal.default_int_handler)
tx, subscribe = xichan.broadcast(1)
rx, slow = subscribe(), subscribe()

def interrupt():
    wait_until(lambda: _waiting(subscribe) == 1)
    os.kill(os.getpid(), signal.SIGINT)

def interrupted(call, *args):
    helper = Call(interrupt)
    try:
        call(*args)
    except KeyboardInterrupt:
        return helper.result()
    raise AssertionError("not interrupted")

interrupted(rx.recv)
tx.send(1)
interrupted(tx.send, 2)
assert [rx.recv(), slow.recv()] == [1, 1] and len(rx) == len(slow) == 0
""")


def test_inherited_handles_raise_in_the_child_of_a_fork():
    run_script("""
import os, warnings
import xichan

warnings.simplefilter("ignore", DeprecationWarning)
tx, subscribe = xichan.broadcast(4, name="inherited")
rx = subscribe()
tx.send(1)
child = os.fork()
if not child:
    status = 1
    try:
        for call in (lambda: tx.send(1), lambda: tx.send_nowait(1), subscribe, subscribe.sender, rx.recv,
                     rx.recv_nowait, lambda: next(rx), lambda: tx.subscribers, lambda: subscribe.capacity):
            try:
                call()
            except xichan.Error as error:
                assert "parent process" in str(error), error
            else:
                raise AssertionError(call)
        assert len(rx) == 0 and "unusable" in repr(tx) + repr(rx)
        tx.close()
        rx.close()
        del tx, rx, subscribe
        assert xichan.objects() == []
        tx, subscribe = xichan.broadcast(1, name="inherited")
        rx = subscribe()
        tx.send("child")
        assert rx.recv() == "child"
        status = 0
    finally:
        os._exit(status)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
tx.send(2)
assert [rx.recv(), rx.recv()] == [1, 2]
""")
