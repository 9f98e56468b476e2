"""The process exits while threads are blocked, in this interpreter or in others, or still have messages to pass.

No crash, no hang; threads that are not blocked finish first. Prints the time from the end of the main thread to the
end of the process: on a machine without other load, at most 2 s with blocked threads. Runs the cases named after the
number, such as "not daemon", by default all.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from common import TESTS, feed_watchdog, size

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

EXPECTED = {"end": 0, "not daemon": 0, "exit": 0, "signal": -signal.SIGTERM, "traffic": 0, "work left": 0}
# No traffic in other interpreters: CPython crashes if a thread re-enters an interpreter that is finalizing.
CASES = [("here", way) for way in EXPECTED]
CASES += [("others", way) for way in EXPECTED if way != "traffic"]
CASES += [("inside", "not daemon"), ("inside", "work left")]


def leave(way, where):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [TESTS, os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", SOURCE, way, where],
        env=environment, capture_output=True, text=True, timeout=55,  # before the watchdog, to name the case that hung
    )  # fmt: skip
    end = time.monotonic_ns()
    assert done.returncode == EXPECTED[way], (way, where, done.returncode, done.stdout, done.stderr)
    lines = done.stdout.splitlines()
    assert way != "work left" or "all received" in lines, (way, where, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, (way, where, done.stderr)
    feed_watchdog()
    return (end - next(int(line.split()[1]) for line in lines if line.startswith("ends "))) / 1e9


def main():
    number = size()
    for where, way in CASES:
        if sys.argv[2:] and way not in sys.argv[2:]:
            continue
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            times = sorted(pool.map(leave, [way] * number, [where] * number))
        print(
            f"exits: {number} x {way} ({where}), half within {times[number // 2]:.2f} s, slowest {times[-1]:.2f} s, "
            f"{sum(took > 2 for took in times)} over 2 s",
            flush=True,
        )


if __name__ == "__main__":
    main()
