"""Process exit while tasks of pools wait or work, and how long all waits of an exit may take together.

Each case in a process of its own, which a watchdog ends if it hangs. tests/stress/python/exits.py has all combinations.
"""

import signal

import pytest
from support import run_script

pytest.importorskip("concurrent.interpreters")

IMPORTS = {
    "executor first": "from concurrent.futures import thread\nimport xichan",
    "executor last": "import xichan\nfrom concurrent.futures import thread",
}
POOLS = {
    "ThreadPoolExecutor": """
from concurrent.futures import ThreadPoolExecutor
ThreadPoolExecutor(1).submit(rx.recv)
""",
    "default executor of asyncio": """
import asyncio
async def main():
    task = asyncio.create_task(asyncio.to_thread(rx.recv))
    await asyncio.to_thread(wait_for_blocked, tx, receivers=1)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
""",
    "InterpreterPoolExecutor": """
from concurrent.futures import InterpreterPoolExecutor
InterpreterPoolExecutor(1).submit(rx.recv)
""",
    "xichan.InterpreterPoolExecutor": """
import operator
pool = xichan.InterpreterPoolExecutor(1)
pool.submit(operator.methodcaller("recv"), rx)
""",
}
LEAVE = {
    "end": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "Ctrl-C": ("signal.raise_signal(signal.SIGINT)", -signal.SIGINT),
}


@pytest.mark.parametrize(
    "pool, imports, leave",
    [(pool, imports, "end") for pool in POOLS for imports in IMPORTS]
    + [(pool, "executor last", leave) for pool in POOLS for leave in ("sys.exit", "Ctrl-C")],
)
def test_waiting_task_of_a_pool_does_not_prevent_process_exit(pool, imports, leave):
    source, status = LEAVE[leave]
    run_script(
        f"""
{IMPORTS[imports]}
import signal, sys
from support import wait_for_blocked
tx, rx = xichan.channel()
{POOLS[pool]}
wait_for_blocked(tx, receivers=1)
{source}
""",
        timeout=30,
        expect=status,
    )


def test_hook_registered_later_does_not_prevent_process_exit():
    """Such hooks run first, and this one joins a thread that has waited since before it was registered."""
    run_script(
        """
import threading, xichan
from support import wait_for_blocked
tx, rx = xichan.channel()
thread = threading.Thread(target=rx.recv)
threading.excepthook = lambda args: print(args.exc_type.__name__)
thread.start()
wait_for_blocked(tx, receivers=1)
threading._register_atexit(thread.join)
""",
        timeout=30,
    )


def test_pool_completes_its_tasks_at_exit():
    """The threads of a pool wait longer than a second for tasks that work."""
    done = run_script(
        """
import time, xichan
pool = xichan.InterpreterPoolExecutor(1)
for number in range(3):
    pool.submit(time.sleep, 1.2).add_done_callback(lambda future: print(future.exception(), flush=True))
""",
        timeout=60,
    )
    assert done.stdout.split() == ["None"] * 3, done.stdout + done.stderr


def test_waits_of_an_exit_share_one_second():
    """Threads, `atexit` functions and interpreters wait in turn: together about one second, not one second each."""
    run_script(
        """
import atexit, threading, xichan
from concurrent import interpreters
from concurrent.futures import ThreadPoolExecutor
from support import PACKAGE, HERE, wait_for_blocked

WAIT = '''
def wait(call=rx.recv):
    try:
        call()
    except xichan.ChannelClosed:
        pass
'''
tx, rx = xichan.channel()
exec(WAIT)
executor = ThreadPoolExecutor(1)
for _ in range(15):
    executor.submit(wait)
    atexit.register(wait)
kept = []
for _ in range(3):
    interp = interpreters.create()
    kept.append(interp)
    interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}\\nimport atexit, threading, xichan")
    interp.prepare_main(rx=rx)
    interp.exec(WAIT + "threading.Thread(target=wait).start()\\nfor _ in range(10): atexit.register(wait)")
wait_for_blocked(tx, receivers=4)
""",
        timeout=25,  # 60 seconds if each waited for one
    )


def test_retried_timeouts_end_at_exit():
    run_script(
        """
import threading, xichan
from support import wait_for_blocked
tx, rx = xichan.channel()
def work():
    while True:
        try:
            rx.recv(timeout=0.3)
        except xichan.ChannelTimeout:
            pass
        except xichan.ChannelClosed:
            return
threading.Thread(target=work).start()
wait_for_blocked(tx, receivers=1)
""",
        timeout=30,
    )


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_thread_that_works_before_it_waits_has_its_own_second(way):
    """It works for longer than the second of the exit, then exchanges requests and replies."""
    exchange = {
        "threads": "requests.send(i); assert replies.recv() == i",
        "asyncio": "asyncio.run(ask(i))",
    }[way]
    done = run_script(
        f"""
import asyncio, threading, time, xichan
requests, incoming = xichan.channel(1)
outgoing, replies = xichan.channel(1)
open_end, idle = xichan.channel(1)
async def ask(i):
    await requests.asend(i)
    assert await replies.arecv() == i
def serve():
    time.sleep(1.5)  # else it would wait in vain for a second
    with outgoing, incoming:
        for request in incoming:
            time.sleep(0.3)  # four exchanges take longer than a second
            outgoing.send(request)
def work():
    time.sleep(1.5)  # the work that takes longer than the second of the exit
    with requests, replies:
        for i in range(4):
            {exchange}
    print("finished")
def wait():
    try:
        idle.recv()
    except xichan.ChannelClosed:
        pass
for target in work, wait:
    threading.Thread(target=target).start()
threading.Thread(target=serve, daemon=True).start()
""",
        timeout=60,
    )
    assert done.stdout == "finished\n", done.stdout + done.stderr


RETURNING = """
import _interpreters, os, sys, threading, time, xichan
from support import HERE, PACKAGE
tx, rx = xichan.channel(None)
there, here = xichan.channel(None)
isolated = _interpreters.new_config("isolated", allow_daemon_threads=True)
interps = []
for _ in range(4):
    interp = _interpreters.create(isolated)
    interps.append(interp)
    _interpreters.set___main___attrs(interp, {"rx": rx, "there": there})
    error = _interpreters.exec(interp, f'''if True:
        import sys; sys.path[:0] = {[PACKAGE, HERE]!r}
        import threading, xichan
        sys.setswitchinterval(2)  # a thread that waits for the lock looks every 2 s whether it has to end
        def work():
            there.send(1)
            try:
                for _ in rx.views():
                    pass
            except xichan.ChannelClosed:
                pass
        for _ in range(6):
            threading.Thread(target=work, daemon=True).start()
    ''')
    assert error is None, error
for _ in range(24):
    here.recv()
def feed():
    while True:
        tx.send((1, "s" * 900))
        time.sleep(0)  # lets the receivers attach
threading.Thread(target=feed, daemon=True).start()
time.sleep(0.03)  # traffic at the exit; the test holds without it, but provokes less
"""


@pytest.mark.parametrize("run", range(4))
@pytest.mark.parametrize("way", ["exit", "destroy"])
def test_threads_may_return_from_waits_while_their_interpreter_ends(way, run):
    """The process crashed in two of five such exits."""
    pytest.importorskip("_interpreters")
    destroy = "for interp in interps: _interpreters.destroy(interp)"
    done = run_script(RETURNING + (destroy if way == "destroy" else ""), timeout=30)
    assert "Fatal" not in done.stderr
