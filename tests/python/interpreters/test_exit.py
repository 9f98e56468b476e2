"""Process and interpreter exit with threads inside calls: no crash, no hang, healthy threads finish.

Each case in a process of its own, which a watchdog ends if it hangs. tests/stress/python/exits.py measures the time.
"""

import pytest
from support import run_script

PRELUDE = """
import os, sys, threading, time
import xichan
from support import HERE, PACKAGE, Call, wait_for_blocked, wait_for_sleep, wait_until

def interpreter():
    from concurrent import interpreters
    interp = interpreters.create()
    interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}\\nimport xichan, threading")
    return interp
"""

BLOCKED = {
    "recv": "rx.recv()",
    "send": "full.send('text that needs a block')",
    "select": "xichan.select([rx, (full, 1)])",
    "for": "list(rx)",
    "lookup": "xichan.lookup('never', None)",
    "join": "queue.join()",
    "get": "empty.get()",
    "arecv": "__import__('asyncio').run(rx.arecv())",
    "async for": "async def loop():\n    async for _ in rx: pass\n__import__('asyncio').run(loop())",
    "asend": "__import__('asyncio').run(full.asend(1))",
    "aselect": "__import__('asyncio').run(xichan.aselect([rx, (full, 1)]))",
}


WORK = """
def work():
    there.send(threading.get_native_id())
    try:
        exec(source, globals())
    except xichan.ChannelClosed as error:
        print("ended:", error, flush=True)
"""


@pytest.mark.parametrize("kind", BLOCKED)
@pytest.mark.parametrize(
    "where, daemon",
    [
        ("here", True),
        ("here", False),
        ("a call into another", True),
        ("a call into another", False),
        ("a thread of another", False),  # such interpreters have no daemon threads
    ],
)
def test_blocked_thread_does_not_prevent_process_exit(where, daemon, kind):
    if where != "here":
        pytest.importorskip("concurrent.interpreters")
    run_script(
        PRELUDE
        + f"""
source, daemon, where = {BLOCKED[kind]!r}, {daemon}, {where!r}
tx, rx = xichan.channel(1)
full, other = xichan.channel(1)
full.send(0)
queue, empty = xichan.Queue(), xichan.Queue()
queue.put(1)
there, here = xichan.channel(1)
shared = dict(rx=rx, full=full, queue=queue, empty=empty, there=there)

work_source = {WORK!r}
exec(work_source)

if where == "here":
    threading.Thread(target=work, daemon=daemon).start()
else:
    interp = interpreter()
    interp.prepare_main(**shared, source=source)
    if where == "a thread of another":
        interp.exec(work_source + "\\nthreading.Thread(target=work).start()")
    else:
        threading.Thread(target=interp.exec, args=(work_source + "\\nwork()",), daemon=daemon).start()
wait_for_sleep(here.recv())
""",
        timeout=50,
    )


@pytest.mark.parametrize("where", ["here", "other interpreters"])
@pytest.mark.parametrize("flavor", ["mpmc", "rendezvous", "unbounded"])
def test_healthy_threads_deliver_their_messages_at_exit(where, flavor):
    """The main thread ends while 10,000 messages are undelivered."""
    if where != "here":
        pytest.importorskip("concurrent.interpreters")
    capacity = {"mpmc": 4, "rendezvous": 0, "unbounded": None}[flavor]
    done = run_script(
        PRELUDE
        + f"""
tx, rx = xichan.channel({capacity})
produce = '''
with tx:
    for i in range(10_000):
        tx.send((i, "text that needs a block"))
'''
consume = '''
received = [i for i, _ in rx]
print("received", received == list(range(10_000)), flush=True)
'''
if {where!r} == "here":
    def start(source, **names):
        threading.Thread(target=exec, args=(source, names)).start()
else:
    def start(source, **names):
        interp = interpreter()
        interp.prepare_main(**names)
        for end in names.values():
            end.close()
        threading.Thread(target=interp.exec, args=(source,)).start()
start(consume, rx=rx)
start(produce, tx=tx)
del tx, rx
""",
        timeout=100,
    )
    assert done.stdout == "received True\n", done.stdout + done.stderr


def test_lookup_may_block_while_its_interpreter_ends():
    """A name published later must not resume the thread in a finalized interpreter."""
    pytest.importorskip("_interpreters")
    run_script(
        PRELUDE
        + """
import _interpreters
for way in ("publish", "timeout"):
    there, here = xichan.channel(1)
    interp = _interpreters.create(_interpreters.new_config("isolated", allow_daemon_threads=True))
    _interpreters.set___main___attrs(interp, {"there": there})
    _interpreters.exec(interp, f'''if True:
        import sys; sys.path[:0] = {[PACKAGE, HERE]!r}
        import threading, xichan
        def work():
            there.send(threading.get_native_id())
            xichan.lookup("never", {None if way == "publish" else 1.5})
        threading.Thread(target=work, daemon=True).start()
    ''')
    wait_for_sleep(here.recv())
    _interpreters.destroy(interp)
    for i in range(20):
        if way == "publish":
            xichan.publish(f"name {i}", i)
        time.sleep(0.1 if way == "timeout" else 0.01)  # past the timeout, or between two names
""",
    )


def test_blocking_in_a_finalizer_at_exit_returns():
    """After the interpreter's endpoints are released, a call returns at once instead of blocking."""
    done = run_script(
        PRELUDE
        + """
import atexit
tx, rx = xichan.channel(1)

class Late:
    def __init__(self, when):
        self.when = when

    def __del__(self, xichan=xichan, rx=rx, write=os.write):
        for call in (lambda: rx.recv(timeout=30), lambda: xichan.lookup("never", 30), lambda: xichan.select([rx], 30)):
            try:
                call()
            except Exception as error:
                write(1, f"{self.when}: {type(error).__name__}\\n".encode())

sys.late = Late('at the very end')
atexit.register(lambda: Late("at exit"))
""",
        timeout=20,
    )
    lines = done.stdout.splitlines()
    assert lines[:4] == ["at exit: ChannelClosed"] * 3 + ["at the very end: ChannelClosed"], done.stdout
    assert len(lines) == 6, done.stdout  # the functions written in Python may have lost their globals by then
