"""The process exits while threads or tasks of pools are blocked, in this interpreter or in others, while threads come
back from calls into other interpreters, or while there are still messages to pass.

No crash, no hang, no dump of stacks; threads that are not blocked finish first. Prints the time from the end of the
main thread to the end of the process: on a machine without other load, at most 2 s with blocked threads. If an exit
takes longer, the excess is at most ten times what an exit without blocked threads takes at that moment.

Runs the cases named after the number, such as "not daemon" or "xichan pool", by default all. A run of less than ten
takes a sample of the cases with pools.
"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from common import TESTS, feed_watchdog, rng, size

SOURCE = """
import faulthandler
faulthandler.dump_traceback_later(40, exit=True)
import os, signal, sys, threading, time
import xichan
from support import HERE, PACKAGE, Call, wait_for_blocked

way, where = sys.argv[1:]
daemon = way != "not daemon"
kept = []  # keeps the interpreters alive

def new_interpreter():
    from concurrent import interpreters
    interp = interpreters.create()
    interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}\\nimport threading, xichan")
    return interp


def start(source, **names):
    "Run source in a thread, in this interpreter or in a new one."
    if where == "here":
        threading.Thread(target=exec, args=(source, {**names, "xichan": xichan}), daemon=daemon).start()
        return
    interp = new_interpreter()
    kept.append(interp)
    interp.prepare_main(**names)
    if where == "inside":  # in a thread that the other interpreter starts
        interp.exec(f"threading.Thread(target=exec, args=({source!r}, globals())).start()")
    else:
        threading.Thread(target=interp.exec, args=(source,), daemon=daemon).start()

BLOCKED = '''
try:
    %s
except xichan.ChannelClosed:
    pass
'''
PRODUCE = '''
with tx:
    for i in range(10_000):
        tx.send((i, "text that needs a block"))
'''
CONSUME = '''
with rx:
    assert [i for i, _ in rx] == list(range(10_000))
print("all received", flush=True)
'''

if way == "work left":
    daemon = False
    tx, rx = xichan.channel(8)
    start(CONSUME, rx=rx)
    start(PRODUCE, tx=tx)
    if where != "here":
        tx.close()
        rx.close()
else:
    tx, rx = xichan.channel(1)
    full, other = xichan.channel(1)
    full.send("text that needs a block")
    start(BLOCKED % "list(rx)", rx=rx)
    start(BLOCKED % "full.send('x' * 100)", full=full)
    wait_for_blocked(tx, receivers=1)
    wait_for_blocked(other, senders=1)
if way == "traffic":
    def traffic():
        while True:
            tx.send(("text that needs a block", tx))
    Call(traffic)
print("ends", time.monotonic_ns(), flush=True)
if way == "exit":
    sys.exit(0)
if way == "signal":
    os.kill(os.getpid(), signal.SIGTERM)
"""

POOL_SOURCE = """
import faulthandler
faulthandler.dump_traceback_later(40, exit=True)
import sys
pool, way, imports = sys.argv[1:]
if imports == "executor first":
    import concurrent.futures.thread, concurrent.futures.interpreter
import xichan
if imports == "executor last":
    import concurrent.futures.thread, concurrent.futures.interpreter
import asyncio, operator, os, signal, threading, time
from support import wait_for_blocked

tx, rx = xichan.channel(1)
kept = []

def submit():
    if pool == "to_thread":
        async def main():
            kept.append(asyncio.create_task(asyncio.to_thread(rx.recv)))
            await asyncio.to_thread(wait_for_blocked, tx, receivers=1)
        kept.append(asyncio.new_event_loop())
        kept[0].run_until_complete(main())
        return
    if pool == "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor as Pool
    elif pool == "InterpreterPoolExecutor":
        from concurrent.futures import InterpreterPoolExecutor as Pool
    else:
        from xichan import InterpreterPoolExecutor as Pool
    kept.append(Pool(1))
    kept[0].submit(operator.methodcaller("recv"), rx)

if way == "daemon":  # and so are the threads that this one starts
    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    thread.join()
else:
    submit()
wait_for_blocked(tx, receivers=1)
print("ends", time.monotonic_ns(), flush=True)
if way == "exit":
    sys.exit(0)
if way == "signal":
    os.kill(os.getpid(), signal.SIGTERM)
if way == "Ctrl-C":
    signal.raise_signal(signal.SIGINT)
"""

RETURNING_SOURCE = """
import faulthandler
faulthandler.dump_traceback_later(40, exit=True)
import _interpreters, os, threading, time
import xichan
from support import HERE, PACKAGE

tx, rx = xichan.channel(None)
there, here = xichan.channel(None)
isolated = _interpreters.new_config("isolated", allow_daemon_threads=True)

def feed():
    while True:
        tx.send((1, os.urandom(2000), "s" * 900))
        time.sleep(0)

RECEIVE = f'''
import sys; sys.path[:0] = {[PACKAGE, HERE]!r}
import threading, xichan
sys.setswitchinterval(2)  # a thread that waits for the lock looks every 2 s whether it has to end
def work():
    there.send(None)
    try:
        for _ in rx.views():
            pass
    except xichan.ChannelClosed:
        pass
for _ in range(6):
    threading.Thread(target=work, daemon=True).start()
'''
for _ in range(4):
    interp = _interpreters.create(isolated)
    _interpreters.set___main___attrs(interp, {"rx": rx, "there": there})
    assert _interpreters.exec(interp, RECEIVE) is None
for _ in range(24):
    here.recv()
threading.Thread(target=feed, daemon=True).start()
time.sleep(0.03)  # traffic at the exit; orders nothing
print("ends", time.monotonic_ns(), flush=True)
"""

IDLE_SOURCE = """
import time, xichan
from concurrent import interpreters
from support import HERE, PACKAGE
kept = interpreters.create()
kept.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}\\nimport threading, xichan")
print("ends", time.monotonic_ns(), flush=True)
"""

WAYS = ("end", "not daemon", "exit", "signal", "traffic", "work left")
EXPECTED = {"signal": -signal.SIGTERM, "Ctrl-C": -signal.SIGINT}  # 0 for all others
CASES = [(SOURCE, way, "here") for way in WAYS]
CASES += [(SOURCE, way, "others") for way in WAYS if way != "traffic"]
CASES += [(SOURCE, "not daemon", "inside"), (SOURCE, "work left", "inside"), (RETURNING_SOURCE, "returning")]
POOL_CASES = [
    (POOL_SOURCE, pool, way, imports)
    for pool in ("ThreadPoolExecutor", "to_thread", "InterpreterPoolExecutor", "xichan pool")
    for way in ("daemon", "not daemon", "exit", "signal", "Ctrl-C")
    for imports in ("executor first", "executor last", "executor not imported")
]


def leave(source, *case):
    """Run a process; return how long its exit took, in seconds."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [TESTS, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", source, *case],
        env=environment, capture_output=True, text=True, timeout=55,  # before the watchdog, to name the case that hung
    )  # fmt: skip
    end = time.monotonic_ns()
    status = next((EXPECTED[name] for name in case if name in EXPECTED), 0)
    assert done.returncode == status, (case, done.returncode, done.stdout, done.stderr)
    # Two interpreters print, so their lines may be mixed.
    assert "work left" not in case or "all received" in done.stdout, (case, done.stdout, done.stderr)
    refused = ("Fatal", "Timeout") if "Ctrl-C" in case else ("Fatal", "Timeout", "Traceback")
    assert not any(word in done.stderr for word in refused), (case, done.stderr)
    feed_watchdog()
    ends = re.search(r"ends\D*(\d+)", done.stdout)
    assert ends, (case, done.stdout, done.stderr)
    return (end - int(ends[1])) / 1e9


def leave_in_time(source, *case):
    took = leave(source, *case)
    if took > 2 and "work left" not in case:
        idle = leave(IDLE_SOURCE)
        assert took < 2 + 10 * idle, (case, took, idle)
    return took


def main():
    number = size()
    chosen = set(sys.argv[2:])
    pools = POOL_CASES if chosen or number >= 10 else rng.sample(POOL_CASES, 8)
    for source, *case in [*CASES, *pools]:
        if chosen and not chosen.intersection(case):
            continue
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            times = sorted(pool.map(leave_in_time, *([argument] * number for argument in (source, *case))))
        print(
            f"exits: {number} x {', '.join(case)}: half within {times[number // 2]:.2f} s, slowest {times[-1]:.2f} s, "
            f"{sum(took > 2 for took in times)} over 2 s",
            flush=True,
        )


if __name__ == "__main__":
    main()
