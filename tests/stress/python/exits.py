"""The process ends while daemon threads are blocked, in this interpreter and in others: no crash, no hang."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from common import TESTS, progress, size

SOURCE = """
import os, signal, sys, threading
import xichan
from support import Call, wait_for_blocked
tx, rx = xichan.channel(1)
full, other = xichan.channel(1)
full.send("text that needs a block")
way, where = sys.argv[1:]
for _ in range(4):
    threading.Thread(target=list, args=(rx,), daemon=True).start()
    threading.Thread(target=full.send, args=("x" * 100,), daemon=True).start()
if where == "others":
    from concurrent import interpreters
    for source in ("list(rx)", "full.send('x' * 100)"):
        interp = interpreters.create()
        interp.prepare_main(rx=rx, full=full)
        Call(interp.exec, source)
wait_for_blocked(tx, receivers=5 if where == "others" else 4)
wait_for_blocked(other, senders=5 if where == "others" else 4)
if way == "traffic":
    def traffic():
        while True:
            tx.send(("text that needs a block", tx))
    Call(traffic)
if way == "exit":
    sys.exit(0)
if way == "signal":
    os.kill(os.getpid(), signal.SIGTERM)
"""

EXPECTED = {"end": 0, "exit": 0, "signal": -signal.SIGTERM, "traffic": 0}
# Not with traffic in other interpreters: CPython itself crashes if a thread happens to come back into one that ends.
CASES = [("here", way) for way in EXPECTED] + [("others", way) for way in EXPECTED if way != "traffic"]


def leave(way, where):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [TESTS, os.environ.get("PYTHONPATH")]))}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", SOURCE, way, where],
        env=environment, capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == EXPECTED[way], (way, where, done.returncode, done.stderr)
    progress()
    return time.perf_counter() - start


def main():
    number = size(1000)
    for where, way in CASES:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            times = list(pool.map(leave, [way] * number, [where] * number))
        print(f"exits: {number} x {way} ({where}), slowest {max(times):.2f} s")


if __name__ == "__main__":
    main()
