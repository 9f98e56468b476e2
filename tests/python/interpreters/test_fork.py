"""os.fork: inherited endpoints are closed in the child, and the parent is unaffected.

Each test in a process of its own. The child of a fork has only the thread that forked, whatever the others were doing.
"""

from support import run_script

PRELUDE = """
import os, signal, sys, threading, time, warnings
import xichan
from support import Call, alive, left_over, wait_for_blocked, wait_until

warnings.simplefilter("ignore", DeprecationWarning)  # of forking while there are threads

def watch_child():
    "faulthandler's own watchdog is a thread, which the child does not have but would wait for."
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(50)

def in_child(check):
    "Run a check in the child of a fork; it must come to its end."
    child = os.fork()
    if not child:
        watch_child()
        status = 1
        try:
            check()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def raises(error, call, *args):
    try:
        call(*args)
    except error:
        return
    raise AssertionError(f"{call} did not raise {error}")
"""


def run(source):
    return run_script(PRELUDE + source)


def test_inherited_endpoints_raise_and_new_channels_work():
    run("""
import asyncio, pickle
pairs = [xichan.channel(1), xichan.channel(None), xichan.channel(0), xichan.channel(2, flavor="spsc"),
         xichan.channel(2, flavor="relaxed"), xichan.channel(1, max_bytes=1000, name="before")]
for tx, rx in pairs:
    if tx.capacity != 0:
        tx.send("text that needs a block")
tx, rx = pairs[0]
xichan.publish("kept", ("a value", 2**100))
ids, pickled = [tx.id for tx, _ in pairs], pickle.dumps(tx)
descriptor = rx.fileno()

def check():
    for tx, rx in pairs:
        assert tx.closed and rx.closed and len(tx) == 0 and "closed" in repr(rx)
        for call in (lambda: tx.send(1), lambda: tx.send_nowait(1), lambda: tx.send_many([1]), rx.recv, rx.recv_nowait,
                     lambda: rx.recv_many(1), rx.drain, tx.clone, rx.clone, tx.shutdown, rx.fileno, tx.stats,
                     lambda: next(rx), lambda: xichan.select([rx]), lambda: asyncio.run(rx.arecv()),
                     lambda: xichan.channel(1)[0].send(tx), tx.__enter__):
            raises(xichan.ChannelClosed, call)
    for number in ids:
        raises(xichan.NotFound, xichan.Sender.from_id, number)
    raises(xichan.NotFound, pickle.loads, pickled)
    raises(xichan.NotFound, xichan.Sender.lookup, "before")
    assert xichan.lookup("kept") == ("a value", 2**100)
    assert xichan.channels() == []
    new, there = xichan.channel(1, name="before")
    call = Call(lambda: list(there))
    for i in range(100):
        new.send((i, "text that needs a block"))
    new.close()
    assert [i for i, _ in call.result()] == list(range(100))
    asyncio.run(again())
    for tx, rx in pairs:
        tx.close()
        rx.close()
    pairs.clear()

async def again():
    tx, rx = xichan.channel(1)
    task = asyncio.create_task(rx.arecv())
    await asyncio.sleep(0)
    await tx.asend("there")
    assert await task == "there"

in_child(check)
in_child(check)
for tx, rx in pairs:
    assert not tx.closed and not rx.closed and len(rx) == (tx.capacity != 0), "the parent is as it was"
    if tx.capacity != 0:
        assert rx.recv() == "text that needs a block"
""")


def test_blocked_call_ends_in_the_child():
    """A signal handler that interrupts the call forks."""
    run("""
for kind in ("recv", "send", "select", "lookup", "join"):
    tx, rx = xichan.channel(1)
    queue = xichan.Queue()
    queue.put(1)
    if kind == "send":
        tx.send(0)
    children = []

    def handler(number, frame):
        child = os.fork()
        children.append(child)
        if child == 0:
            watch_child()

    def release():
        wait_until(lambda: children)
        if kind == "send": rx.recv()
        elif kind == "lookup": xichan.publish("name", 1)
        elif kind == "join": queue.task_done()
        else: tx.send(1)

    signal.signal(signal.SIGUSR1, handler)
    def interrupt():
        time.sleep(0.02)  # so that it is mostly waiting; a call that only begins then must end alike
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    calls = [Call(interrupt), Call(release)]
    try:
        if kind == "send": tx.send(1)
        elif kind == "select": xichan.select([rx])
        elif kind == "lookup": xichan.lookup("name", 1 if children and not children[0] else None)
        elif kind == "join": queue.join()
        else: rx.recv()
    except xichan.ChannelClosed:
        os._exit(7 if children[0] == 0 else 1)
    if children[0] == 0:
        os._exit(1)
    status = 7
    if kind == "lookup":  # waits for a name that never appears
        os.kill(children[0], signal.SIGKILL)
        status = -signal.SIGKILL
        xichan.unpublish("name")
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == status, kind
    for call in calls:
        call.result()
""")


def test_40_forks_under_traffic_leave_the_parent_intact():
    """Threads of the parent are anywhere in the core at the fork; the child must not inherit a held lock."""
    run("""
import asyncio
tx, rx = xichan.channel(4)
names, stop, received = [0], [], []

def produce():
    i = 0
    while not stop:
        tx.send((i, "text that needs a block"))
        i += 1
    tx.close()
    return i

def churn():
    "Registry, names, tickets, wait lists, in turn."
    import pickle
    while not stop:
        one, other = xichan.channel(1, name="churn")
        pickle.loads(pickle.dumps(one))
        raises(xichan.ChannelTimeout, other.recv, 1e-5)
        xichan.lookup("churn")
        del one, other  # the name is free again
        names[0] += 1

async def loop():
    a, b = xichan.channel(1)
    while not stop:
        task = asyncio.create_task(b.arecv())
        await asyncio.sleep(0)
        await a.asend("text that needs a block")
        await task

def check():
    raises(xichan.ChannelClosed, rx.recv)
    new, there = xichan.channel(1, name="child")
    call = Call(there.recv)
    new.send("text that needs a block")
    assert call.result() == "text that needs a block" and len(xichan.channels()) == 1
    xichan.lookup("child")

calls = [Call(produce), Call(lambda: received.extend(i for i, _ in rx)), Call(churn), Call(lambda: asyncio.run(loop()))]
wait_until(lambda: names[0])
for i in range(40):
    in_child(check)
stop.append(True)
sent = calls[0].result()
for call in calls:
    call.result()
assert received == list(range(sent)) and sent
""")


def test_child_can_exit_via_sys_exit():
    """The child runs its exit hooks and finalizers with the inherited handles; nothing of the parent's is released."""
    run("""
import faulthandler
faulthandler.cancel_dump_traceback_later()  # see watch_child: the child would wait for it when it leaves
tx, rx = xichan.channel(1)
tx.send((xichan.channel(1), "text that needs a block"))
helper, blocked = xichan.channel(1)
waiting = Call(blocked.recv)
wait_for_blocked(helper, receivers=1)
before = alive()
for _ in range(10):
    child = os.fork()
    if not child:
        watch_child()
        new, there = xichan.channel(1)
        new.send(1)
        sys.exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
assert alive() == before
helper.send("woken")
assert waiting.result() == "woken"
assert rx.recv()[1] == "text that needs a block"
""")
