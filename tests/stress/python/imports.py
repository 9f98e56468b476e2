"""Import races: several interpreters import xichan at the same time, as the first in their process. Then each removes
the module from sys.modules repeatedly while its handles are in use, also from a thread.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from common import TESTS, feed_watchdog, size

AT_ONCE = 5  # interpreters in a process

# The main interpreter imports xichan last, so that the others are first. It therefore uses no test helpers.
SOURCE = """
import faulthandler, sys, threading
faulthandler.enable()
faulthandler.dump_traceback_later(60, exit=True)
from concurrent import interpreters

IMPORT = "import xichan"
USE = '''
import gc, sys, threading

def forget():
    for name in [name for name in sys.modules if name.startswith("xichan")]:
        del sys.modules[name]
    gc.collect()

for i in range(3):
    import xichan
    tx, rx = xichan.channel(1, name=f"own {number} {i}")
    tx.send((tx, "text that needs a block"))
    view = xichan.share((i, "text that needs a block" * 9)).view()
    del xichan
    forget()
    end, text = rx.recv()
    assert text == "text that needs a block" and end.id == tx.id and view[0] == i
    thread = threading.Thread(target=lambda: [end.send(n) for n in range(20)])
    thread.start()
    assert [rx.recv() for _ in range(20)] == list(range(20))
    thread.join()
    try:
        rx.recv_nowait()
    except Exception as error:
        assert type(error).__name__ == "ChannelEmpty", error
    del tx, rx, end, thread, view
    gc.collect()
'''
AT_ONCE = int(sys.argv[1])
start = threading.Barrier(AT_ONCE)
errors = []

def work(number):
    try:
        interp = interpreters.create()
        interp.exec(f"import sys; sys.path[:] = {sys.path!r}; number = {number}")
        start.wait(50)
        interp.exec(IMPORT)
        interp.exec(USE)
        interp.close()
    except BaseException as error:
        errors.append(error)

threads = [threading.Thread(target=work, args=(number,)) for number in range(AT_ONCE)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if errors:
    raise errors[0]
import xichan
stats = xichan.memory_stats()
assert (stats.blocks, stats.bytes) == (0, 0), stats
assert not any(xichan._core._count_alive().values()), xichan._core._count_alive()
"""


def race(number):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [TESTS, os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-c", SOURCE, str(AT_ONCE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, (number, done.returncode, done.stdout, done.stderr)
    feed_watchdog()


def main():
    number = size()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(race, range(number)))
    print(f"imports: {number * AT_ONCE} first imports, {AT_ONCE} at once")


if __name__ == "__main__":
    main()
