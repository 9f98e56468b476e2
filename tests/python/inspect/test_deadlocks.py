"""xichan.deadlocks() finds planted hangs, each in a process of its own, and names what a reader needs: the lines."""

import json
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from support import Call, environment, run_python, run_script, wait_until

HANGS = sorted((Path(__file__).parent / "hangs").glob("*.py"))


def expected(program):
    """Return the kind of a hang; the places of its waits, of other threads and of endpoints; and the names."""
    text = program.read_text()
    places = {mark: set() for mark in ("waits", "joins", "opened")}
    for number, line in enumerate(text.splitlines(), 1):
        for mark, numbers in places.items():
            if line.endswith(f"# {mark}"):
                numbers.add(f"{program.name}:{number}")
    names = re.findall(r'xichan\.\w+\(.*name="([^"]+)"', text)
    return re.search(r"^kind: (\w+)$", text, re.M)[1], places, set(names)


def run_program(folder, source, env=None):
    """Run source in a process that is not watched by a thread of faulthandler, as those of run_script() are.

    A child of a fork waits for this thread when it exits.
    """
    program = folder / "program.py"
    program.write_text(source)
    run_python("-W", "ignore::DeprecationWarning", program, env=env)


@pytest.mark.parametrize("program", HANGS, ids=lambda program: program.stem)
def test_planted_hang_is_found_with_its_lines(program):
    kind, places, names = expected(program)
    done = run_python(program, timeout=60)
    found = json.loads(done.stdout.splitlines()[-1])
    text = "\n".join(each["text"] for each in found)
    reasons = "\n".join(each["reason"] for each in found)
    assert kind in {each["kind"] for each in found}, text
    for place in places["waits"]:
        assert re.search(rf"at \S*{re.escape(place)}\b", text), (place, text)
        assert place in reasons, (place, reasons)
    for place in places["joins"] | places["opened"]:
        assert re.search(rf"{re.escape(place)}\b", text), (place, text)
    for name in names:
        assert repr(name) in text, (name, text)


def test_at_least_twenty_hangs_are_planted():
    assert len(HANGS) >= 20


def test_variable_makes_a_program_warn_once(tmp_path):
    program, errors = tmp_path / "hangs.py", tmp_path / "errors"
    program.write_text(
        "import threading, xichan\n"
        "tx, rx = xichan.channel(name='rows')\n"
        "thread = threading.Thread(target=lambda: list(rx))\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    with (
        errors.open("w") as file,
        subprocess.Popen([sys.executable, program], stderr=file, env=environment(XICHAN_DEADLOCK="warn")) as process,
    ):
        try:
            wait_until(lambda: f"{program}:5, in <module>" in errors.read_text(), 60)
        finally:
            process.kill()
    text = errors.read_text()
    assert text.count("RuntimeWarning: deadlock: 1 call can never return") == 1
    assert text.startswith(f"{program}:3: RuntimeWarning") and "channel 'rows'" in text


def test_variable_does_not_keep_the_process_alive_and_works_in_children(tmp_path):
    run_program(
        tmp_path,
        """
import os, sys, threading, xichan
def watching():
    return [thread.name for thread in threading.enumerate()].count("xichan deadlocks")
assert watching() == 1
child = os.fork()
if child == 0:
    sys.exit(7 if watching() == 1 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
""",
        env={"XICHAN_DEADLOCK": "warn"},
    )


def test_variable_is_ignored_by_other_interpreters():
    run_script(
        """
    from support import interpreter
    with interpreter() as other:
        other.exec("import xichan, threading; assert threading.active_count() == 1")
    """,
        env={"XICHAN_DEADLOCK": "warn"},
    )


def test_unknown_value_of_the_variable_is_reported():
    done = run_script("import xichan", env={"XICHAN_DEADLOCK": "raise"})
    assert done.stderr == "xichan: XICHAN_DEADLOCK must be 'warn' or '0', got 'raise': it is ignored\n"
    assert run_script("import xichan", env={"XICHAN_DEADLOCK": "0"}).stderr == ""


def test_nothing_is_found_while_a_live_thread_holds_a_sender(tmp_path):
    run_program(
        tmp_path,
        """
import threading, xichan
from support import wait_for_blocked

tx, rx = xichan.channel()
thread = threading.Thread(target=list, args=(rx,))
thread.start()
go_on = threading.Event()
other = threading.Thread(target=go_on.wait, args=(60,))  # with a timeout: it may do anything then
other.start()
wait_for_blocked(rx, receivers=1)
for _ in range(3):
    assert xichan.deadlocks() == ()
go_on.set()
other.join()
[found] = xichan.deadlocks()
assert found.kind == "channel" and found.waits[0].channels == (tx.id,) and found.reason in repr(found)
tx.close()
thread.join()
assert xichan.deadlocks() == ()
""",
    )


def test_deadlock_is_seen_from_another_interpreter(tmp_path):
    run_program(
        tmp_path,
        """
import threading, xichan
from support import interpreter, wait_for_blocked

tx, rx = xichan.channel()
thread = threading.Thread(target=list, args=(rx,))
thread.start()
wait_for_blocked(rx, receivers=1)
with interpreter() as other:
    other.exec(f"import xichan; [found] = xichan.deadlocks(); assert found.waits[0].channels == ({tx.id},)")
tx.close()
thread.join()
""",
    )


def test_signal_handlers_are_live(tmp_path):
    run_program(
        tmp_path,
        """
import signal, threading, xichan
from support import wait_for_blocked

tx, rx = xichan.channel()
thread = threading.Thread(target=list, args=(rx,))
thread.start()
wait_for_blocked(rx, receivers=1)
assert len(xichan.deadlocks()) == 1
signal.signal(signal.SIGTERM, lambda *_: tx.close())
assert xichan.deadlocks() == ()
signal.raise_signal(signal.SIGTERM)
thread.join()
""",
    )


def test_timers_that_end_what_hangs_are_not_live(tmp_path):
    """As those of pytest-timeout."""
    run_program(
        tmp_path,
        """
import signal, threading, xichan
from support import wait_for_blocked

tx, rx = xichan.channel()
thread = threading.Thread(target=list, args=(rx,))
thread.start()
wait_for_blocked(rx, receivers=1)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.alarm(60)
assert len(xichan.deadlocks()) == 1
signal.setitimer(signal.ITIMER_REAL, 60, 60)
assert xichan.deadlocks() == ()
signal.setitimer(signal.ITIMER_REAL, 0)
tx.close()
thread.join()
""",
    )


def test_foreign_threads_are_live_but_for_that_of_faulthandler():
    """Threads of other libraries may enter any interpreter."""
    run_script("""
    import ctypes, faulthandler, threading, xichan
    from support import wait_for_blocked
    tx, rx = xichan.channel()
    thread = threading.Thread(target=list, args=(rx,))
    thread.start()
    wait_for_blocked(rx, receivers=1)
    faulthandler.dump_traceback_later(60, exit=True)
    assert len(xichan.deadlocks()) == 1
    library = ctypes.CDLL(None)
    foreign = ctypes.c_ulong()
    assert library.pthread_create(ctypes.byref(foreign), None, library.pause, None) == 0
    assert xichan.deadlocks() == ()
    tx.close()
    thread.join()
    """)


INSIDE = """
from xichan import _core
import xichan
seen = xichan.loads(_core._call_in(0, "xichan._deadlocks.interior", "look"))
assert seen["threads"] and seen["handlers"] is False
try:
    _core._threads()
except RuntimeError as error:
    assert "main interpreter only" in str(error)
else:
    raise AssertionError
"""


def test_functions_run_in_other_interpreters():
    run_script(
        f"INSIDE = {INSIDE!r}\n"
        + textwrap.dedent("""
    import xichan
    from xichan import _core
    from support import interpreter
    LOOK = "xichan._deadlocks.interior", "look"
    with interpreter() as other:
        assert _core._call_in(other.id, *LOOK) is None  # it has not imported xichan
        other.exec("import xichan")
        assert xichan.loads(_core._call_in(other.id, *LOOK)) == {"exiting": False, "loops": ()}
        calls = ("no_such", "f", "No module named"), ("os", "getcwd", "expected bytes"), (LOOK[0], "no", "has no")
        for module, name, text in calls:
            try:
                _core._call_in(other.id, module, name)
            except RuntimeError as error:
                assert text in str(error) and f"failed in interpreter {other.id}" in str(error), error
            else:
                raise AssertionError(name)
        other.exec(INSIDE)
    assert _core._call_in(other.id, *LOOK) is None
    assert _core._call_in(-1, *LOOK) is None
    [main] = [place for native, _, _, _, _, place in xichan.loads(_core._call_in(0, *LOOK))["threads"]]
    assert main.startswith("<string>:")
    """)
    )


def test_main_thread_that_was_woken_does_not_count_as_asleep():
    atomic = pytest.importorskip("xichan.pool.atomic")
    sleepers, found = [], []

    def look():
        wait_until(lambda: atomic.nap() != 0)
        before = atomic.nap()
        assert atomic.nap() == before
        atomic.wake(sleepers)
        found.append(atomic.nap())  # the main thread has not run yet, or has returned

    call = Call(look)
    atomic.sleep(sleepers, lambda: False, None)
    call.result()
    assert found == [0]
    atomic.sleep(sleepers, lambda: False, time.monotonic() + 0.01)
    assert sleepers == [] and atomic.nap() == 0
