"""Lent objects outlive the interpreter that lent them, and are freed; forks leave loans alone.

Each test in a process of its own: what it frees must not be used again.
"""

import pytest
from support import run_script

pytest.importorskip("concurrent.interpreters")

PRELUDE = """
import gc, os, sys, threading, time
import xichan
from support import Call, execute, interpreter, wait_until

MAKE = '''
def make(kind, size, seed=0):
    "Return a new bytes or str object of `size` bytes or characters."
    letter = {"ascii": "a", "latin1": chr(0xe9), "ucs2": chr(0x20ac), "ucs4": chr(0x1f600)}
    if kind == "bytes":
        return bytes(bytearray(range(256))) * (size // 256) + bytes([seed % 256]) * (size % 256)
    return "".join([letter[kind] * (size - 1), letter[kind]])
'''
exec(MAKE)

KINDS = ("bytes", "ascii", "latin1", "ucs2", "ucs4")

def lent():
    return xichan.memory_stats().lent_bytes

def resident():
    gc.collect()
    xichan.trim()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

def churn():
    "Use memory that was freed."
    return [bytes([i % 256]) * 100_000 for i in range(100)]
"""


def run(source, timeout=100, **options):
    return run_script(PRELUDE + source, timeout=timeout, **options)


@pytest.mark.parametrize("malloc", ["pymalloc", "malloc"])
def test_lent_objects_outlive_their_interpreter(malloc):
    run(
        """
tx, rx = xichan.channel(None)
with interpreter(tx=tx) as interp:
    interp.exec(MAKE + '''
import xichan
for kind in ("bytes", "ascii", "latin1", "ucs2", "ucs4"):
    value = make(kind, 20_000)
    if kind != "bytes":
        value.encode()  # caches its UTF-8
    tx.send_many([value, (value, [value]), {value: 1}])
    tx.send(make(kind, 100_000))
del value
''')
    assert lent() == 9 * (3 * 20_000 + 100_000)  # characters of 1, 1, 1, 2 and 4 bytes
    early = [rx.recv(copy=False) for _ in range(2)]
waiting = churn()
views = early + [rx.recv(copy=False) for _ in range(len(KINDS) * 4 - 2)]
assert lent() > 0
for i, kind in enumerate(KINDS):
    value = make(kind, 20_000)
    assert views[4 * i] == value
    assert views[4 * i + 1] == (value, [value])
    assert views[4 * i + 2][value] == 1
    assert views[4 * i + 3] == make(kind, 100_000)
tx.send(views[1])
del views, early
assert rx.recv() == (make("bytes", 20_000), [make("bytes", 20_000)])
assert lent() == 0
churn()
""",
        env={"PYTHONMALLOC": malloc, "MALLOC_PERTURB_": "165", "MALLOC_CHECK_": "3"},
    )


def test_memory_of_many_interpreters_is_freed():
    run(
        """
def round():
    tx, rx = xichan.channel(None)
    views = []
    with interpreter(tx=tx) as interp:
        interp.exec(MAKE + '''
import xichan
value = make("bytes", 2_000_000)
text = make("latin1", 1_000_000)
text.encode()
tx.send_many([value, value, (text, value), text])
del value, text
''')
        views.append(rx.recv(copy=False))
    views += [rx.recv(copy=False) for _ in range(3)]
    assert views[0] == views[1] == make("bytes", 2_000_000)
    assert views[3] == make("latin1", 1_000_000)
    threads = [threading.Thread(target=lambda: views.pop()) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert lent() == 0

for _ in range(10): round()
before = resident()
for _ in range(40): round()  # 40 times 5 MB, and the pools of the interpreters
after = resident()
assert after < before + 10_000_000, (before, after)
"""
    )


def test_object_that_is_in_use_when_its_interpreter_ends_stays_valid():
    run(
        """
tx, rx = xichan.channel(None)
with interpreter(tx=tx) as interp:
    interp.exec(MAKE + '''
import builtins, sys, xichan
value = make("bytes", 50_000)
interned = sys.intern(make("ascii", 50_000))
builtins.kept = value
text = make("ascii", 60_000)
tx.send_many([value, text, interned])
sys.intern(text)
''')
views = [rx.recv(copy=False) for _ in range(3)]
churn()
assert views == [make("bytes", 50_000), make("ascii", 60_000), make("ascii", 50_000)]
del views
assert lent() == 0
churn()
"""
    )


def test_finalizers_of_an_ending_interpreter_may_send():
    run(
        """
tx, rx = xichan.channel(None)
with interpreter(tx=tx) as interp:
    interp.exec(MAKE + '''
import atexit, builtins, sys, xichan
class Late:
    def __del__(self, make=make, tx=tx):
        try:
            tx.send(make("bytes", 30_000))
        except Exception:
            pass
builtins.late = [Late()]
late = Late()
atexit.register(lambda: tx.send(make("bytes", 40_000)))
''')
tx.close()
got = [view for view in rx.views()] if hasattr(rx, "views") else list(rx)
assert make("bytes", 40_000) in got
assert all(view == make("bytes", len(view)) for view in got)
del got[:]
assert lent() == 0
"""
    )


@pytest.mark.parametrize("last", ["return", "park"])
def test_interpreters_that_end_under_traffic_leave_nothing_behind(last):
    run(
        f"last = {last!r}"
        """
count = 0
for number in range(12):
    tx, rx = xichan.channel(8)
    interp_tx = tx
    with interpreter(tx=tx) as interp:
        tx.close()
        running = execute(interp, MAKE + '''
import xichan
for i in range(300):
    tx.send(make("bytes", 9_000 + i, i))
tx.close()
''')
        views = []
        for view in rx.views():
            assert len(view) == 9_000 + count % 300
            count += 1
            views.append(view)
            if len(views) > 20: del views[:10]
            if last == "return" and count % 300 == 200: break
        if last == "return":
            rx.close()
            try: running.result()
            except Exception: pass
            count = 0
        else:
            running.result()
    churn()
    for view in views: assert bytes(view[:256]) == bytes(range(256))
    del views, view
    assert lent() == 0, lent()
"""
    )


def test_blocked_interpreter_takes_back_its_loans():
    run(
        """
tx, rx = xichan.channel(None)
back_tx, back_rx = xichan.channel()
with interpreter(tx=tx, back_rx=back_rx) as interp:
    running = execute(interp, MAKE + '''
import xichan
for i in range(30): tx.send(make("bytes", 1_000_000))
back_rx.recv()
''')
    views = [rx.recv(copy=False) for _ in range(30)]
    assert lent() == 30_000_000
    held = resident()
    del views
    assert lent() == 0
    wait_until(lambda: resident() < held - 25_000_000, timeout=20)
    back_tx.send(None)
    running.result()
"""
    )


def test_loans_returned_to_a_silent_interpreter_do_not_count():
    run(
        """
tx, rx = xichan.channel(None)
with interpreter(tx=tx) as interp:
    interp.exec(MAKE + '''
import xichan
for i in range(30): tx.send(make("bytes", 1_000_000))
''')
    assert lent() == 30_000_000
    for _ in range(30):
        assert len(rx.recv()) == 1_000_000
    assert lent() == 0 and xichan.memory_stats().bytes < 100_000
"""
    )


# CPython 3.14 crashes in the child of a fork while another interpreter is alive.
def test_child_of_a_fork_lends_and_releases():
    run(
        """
import faulthandler, signal, warnings
faulthandler.cancel_dump_traceback_later()  # its thread is missing in the child, which would wait for it when it leaves
warnings.simplefilter("ignore", DeprecationWarning)
tx, rx = xichan.channel(None)
value = make("bytes", 30_000)
before = sys.getrefcount(value)
with interpreter(tx=tx) as interp:
    interp.exec(MAKE + '''
import xichan
tx.send_many([make("ucs2", 30_000), make("latin1", 30_000)])
''')
tx.send(value)
views = [rx.recv(copy=False) for _ in range(3)]
expected = [make("ucs2", 30_000), make("latin1", 30_000), value]
held = sys.getrefcount(value)
for end in ("exit", "_exit"):
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(50)
        assert views == expected
        del views[:]
        gc.collect()
        assert sys.getrefcount(value) == held - 1
        assert lent() == 0
        new, there = xichan.channel(4)
        new.send_many([value, make("bytes", 40_000)])
        assert there.recv() == value and len(there.recv(copy=False)) == 40_000
        gc.collect()
        assert sys.getrefcount(value) == held - 1
        if end == "_exit": os._exit(7)
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert views == expected
del views, expected
assert lent() == 0
assert sys.getrefcount(value) == before
"""
    )


def test_process_exits_with_loans_of_interpreters():
    run(
        """
tx, rx = xichan.channel(None)
with interpreter(tx=tx) as interp:
    interp.exec(MAKE + '''
import xichan
tx.send_many([make("bytes", 30_000), make("ucs2", 30_000)])
''')
kept = [rx.recv(copy=False)]
kept.append(kept)
opened = interpreter(tx=tx)
open_interp = opened.__enter__()
open_interp.exec(MAKE + '''
import xichan
value = make("bytes", 30_000)
tx.send_many([value, make("ucs2", 30_000)])
''')
kept.append(rx.recv(copy=False))
"""
    )
