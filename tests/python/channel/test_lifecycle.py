"""Lifecycle of the module: imports, deletion, reimports and process exit."""

import pytest
from support import HERE, run_python, run_script

SETTINGS = {
    "as usual": ([], {"PYTHONHASHSEED": "random"}),
    "development mode, with debug hooks of malloc": (["-X", "dev", "-W", "error::ResourceWarning"], {}),
    "plain malloc, perturbed memory, hash seed 0": (
        [],
        {"MALLOC_PERTURB_": "165", "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"},
    ),
    "C locale, few digits": (
        ["-X", "int_max_str_digits=640"],
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ),
    "no site": (["-S"], {}),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_package_works_under_interpreter_settings(setting):
    options, env = SETTINGS[setting]
    done = run_python(*options, f"{HERE}/support/tour.py", env=env)
    assert done.stdout.startswith("done")
    assert "Warning" not in done.stderr and "Exception" not in done.stderr, done.stderr


def test_handles_outlive_their_module():
    run_script("""
        import gc, sys, threading

        def forget():
            for name in [name for name in sys.modules if name.startswith("xichan")]:
                del sys.modules[name]
            gc.collect()

        import xichan
        tx, rx = xichan.channel(2)
        number, closed = tx.id, xichan.ChannelClosed
        tx.send((tx, "text that needs a block"))
        del xichan
        forget()
        end, text = rx.recv()
        end.send(2**100)
        assert rx.recv(timeout=1) == 2**100
        clone = rx.clone()
        thread = threading.Thread(target=tx.send, args=("woken",))
        thread.start()
        assert clone.recv() == "woken"
        thread.join()
        try:
            rx.recv(timeout=0)
        except TimeoutError as error:
            assert type(error).__name__ == "ChannelTimeout"

        import xichan as again
        assert again.ChannelClosed is not closed
        other = again.Sender.from_id(number)  # a type of its own, but the same channel
        assert type(other) is not type(tx)
        other.send("through the new module")
        assert rx.recv() == "through the new module"
        ours = again.channel()
        ours[0].send((1, other))
        ours[1].recv()[1].send("and on")
        assert rx.recv() == "and on"
        del ours, other, again
        forget()
        del rx, clone
        gc.collect()
        try:
            tx.send(1)
        except closed:
            pass
        else:
            raise AssertionError
        del tx, end
        gc.collect()
    """)


def test_module_can_be_reimported():
    run_script("""
        import gc, importlib, sys

        def round():
            for name in [name for name in sys.modules if name.startswith("xichan")]:
                del sys.modules[name]
            module = importlib.import_module("xichan")
            tx, rx = module.channel()
            tx.send((1, tx))
            rx.recv()
            gc.collect()
            return sys.getallocatedblocks()

        for _ in range(20):
            before = round()
        for _ in range(50):
            after = round()
        grown = (after - before) / 50
        assert grown < 100, f"{grown} blocks left by each import"
        from xichan import _core
        assert _core._count_alive() == {"channels": 0, "tickets": 0, "objects": 0}
    """)


def test_200_concurrent_first_imports_succeed():
    run_script("""
        import threading
        from concurrent import interpreters
        import support

        start = threading.Barrier(8)
        def work():
            start.wait()
            for _ in range(25):
                interp = interpreters.create()
                interp.exec(f"import sys; sys.path[:0] = [{support.PACKAGE!r}]")
                interp.exec("import xichan; tx, rx = xichan.channel(); tx.send((1, tx)); assert rx.recv()[0] == 1")
                interp.close()

        calls = [support.Call(work) for _ in range(8)]
        for call in calls:
            call.result(100)
        assert support.alive()["channels"] == 0
    """)


EXIT = """
import atexit, sys, threading
import xichan
from support import Call, execute, wait_for_blocked

tx, rx = xichan.channel(1)
full = xichan.channel(1)
full[0].send("text that needs a block")
"""


@pytest.mark.parametrize("way", ["end of main", "sys.exit", "exception", "handles gone first"])
def test_process_exits_with_blocked_daemon_threads(way):
    done = run_script(
        EXIT
        + """
for _ in range(3):
    threading.Thread(target=rx.recv, daemon=True).start()
    threading.Thread(target=full[0].send, args=("x" * 100,), daemon=True).start()
    threading.Thread(target=list, args=(rx,), daemon=True).start()
wait_for_blocked(tx, receivers=6)
wait_for_blocked(full[1], senders=3)
atexit.register(lambda: print("leaving", tx.closed, len(full[1])))
way = sys.argv[1]
if way == "sys.exit":
    sys.exit(3)
if way == "exception":
    raise ZeroDivisionError
if way == "handles gone first":
    del rx
""",
        way,
        expect={"sys.exit": 3, "exception": 1}.get(way, 0),
    )
    assert "leaving False 1" in done.stdout


@pytest.mark.parametrize("kind", ["recv", "send"])
def test_process_exits_with_daemon_threads_blocked_in_another_interpreter(kind):
    done = run_script(
        EXIT
        + """
from concurrent import interpreters
interp = interpreters.create()
interp.prepare_main(rx=rx, full=full[0])
calls = [Call(interp.exec, "rx.recv()" if sys.argv[1] == "recv" else "full.send('x' * 100)")]
if sys.argv[1] == "recv":
    wait_for_blocked(tx, receivers=1)
else:
    wait_for_blocked(full[1], senders=1)
print("leaving")
""",
        kind,
    )
    assert "leaving" in done.stdout


def test_process_exits_with_everything_open():
    run_script(
        EXIT
        + """
import pickle
pickle.dumps((tx, rx))
tx.send((tx, rx, "text that needs a block"))
cycle = [tx, rx]
cycle.append(cycle)
class Late:
    def __del__(self):
        try:
            self.tx.clone().send_nowait((self.tx, "text that needs a block"))
        except xichan.Error:
            pass
late = Late()
late.tx, late.cycle = tx, cycle
import builtins
builtins.kept = late
"""
    )
