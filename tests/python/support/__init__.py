"""Helpers of the tests. Scripts and subinterpreters import this module too, so it needs only xichan and the standard
library.
"""

import contextlib
import gc
import os
import struct
import sys
import textwrap
import threading
import time
from pathlib import Path

import xichan

HERE = str(Path(__file__).resolve().parent.parent)
PACKAGE = str(Path(xichan.__file__).resolve().parent.parent)
PATIENCE = 30.0  # seconds after which an operation counts as hung, even on a busy machine


def wait_until(condition, timeout=PATIENCE):
    """Poll until the condition holds. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not true within {timeout} s: {condition}"
        time.sleep(0.0005)


def counts(end):
    """Return (senders, receivers) of the endpoint's channel."""
    found = end.stats()
    return found.senders, found.receivers


def wait_for_blocked(end, senders=0, receivers=0):
    """Wait until exactly these numbers of calls are blocked in the endpoint's channel."""

    def blocked():
        found = end.stats()
        return (found.waiting_senders, found.waiting_receivers) == (senders, receivers)

    wait_until(blocked)


def wait_for_sleep(thread):
    """Wait until a thread of this process, given by its native id, sleeps in its call.

    It must be asleep in 100 consecutive samples, so that a short pause on its way into the call does not count.
    """
    seen = 0

    def asleep():
        nonlocal seen
        with open(f"/proc/self/task/{thread}/stat") as file:
            state = file.read().rpartition(")")[2].split()[0]
        seen = seen + 1 if state == "S" else 0
        return seen == 100

    wait_until(asleep)


def run_loop(main):
    """Run a coroutine in a new event loop. It must finish within a minute."""
    import asyncio  # not at the top: it is large, and most importers of this module do not need it

    return asyncio.run(asyncio.wait_for(main, 60))


async def wait_until_blocked(end, senders=0, receivers=0):
    """The same as wait_for_blocked(), for coroutines."""
    import asyncio

    async with asyncio.timeout(PATIENCE):
        while (end.stats().waiting_senders, end.stats().waiting_receivers) != (senders, receivers):
            await asyncio.sleep(0)


def alive():
    """Return the counts of all xichan objects, blocks and bytes alive in the process."""
    stats = xichan.memory_stats()
    return {**xichan._core._count_alive(), "blocks": stats.blocks, "bytes": stats.bytes}


def left_over(before):
    """Return what is alive beyond `before`, an earlier result of alive(). Collects garbage first if necessary."""

    def more():
        return {name: n - before[name] for name, n in alive().items() if n > before[name]}

    if more():
        gc.collect()
    return more()


class Call(threading.Thread):
    """A call in a new thread; `result()` returns its result or raises its exception."""

    def __init__(self, function, *args, **kwargs):
        super().__init__(daemon=True)
        self.work = lambda: function(*args, **kwargs)
        self.start()

    def run(self):
        try:
            self.value, self.error = self.work(), None
        except BaseException as error:
            self.value, self.error = None, error
        del self.work

    def result(self, timeout=PATIENCE):
        self.join(timeout)
        assert not self.is_alive(), f"still running after {timeout} s"
        if self.error is not None:
            raise self.error
        return self.value


def run_on_small_stack(function, timeout=PATIENCE):
    """Run a function in a thread with a stack of 256 KiB; return its result."""
    before = threading.stack_size(256 * 1024)
    try:
        call = Call(function)
    finally:
        threading.stack_size(before)
    return call.result(timeout)


@contextlib.contextmanager
def interpreter(**shared):
    """Create an interpreter that can import this module, with `shared` in its __main__; close it on exit."""
    from concurrent import interpreters

    interp = interpreters.create()
    try:
        interp.exec(f"import sys; sys.path[:0] = {[PACKAGE, HERE]!r}")
        if shared:
            interp.prepare_main(**shared)
        yield interp
    finally:
        interp.close()


def execute(interp, source):
    """Run source in an interpreter in a new thread; return the Call."""
    return Call(interp.exec, textwrap.dedent(source))


def environment(**changes):
    """Return the environment for a process that can import xichan and this module."""
    places = [PACKAGE, HERE, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places)), **changes}


def run_script(source, *arguments, timeout=60, options=(), env=None, expect=0):
    """Run source in a new process; return the finished process. The process dumps its stacks and exits if it hangs.

    `expect` is the required exit status; None accepts any.
    """
    prologue = f"import faulthandler; faulthandler.enable(); faulthandler.dump_traceback_later({timeout}, exit=True)\n"
    return run_python(
        *options, "-c", prologue + textwrap.dedent(source), *arguments, timeout=timeout, env=env, expect=expect
    )


def run_python(*arguments, timeout=60, env=None, expect=0):
    """Run this Python with a command line; return the finished process. `expect` as in run_script()."""
    import subprocess  # not at the top: interpreters that import this module do not need it

    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=timeout + 20,
        stdin=subprocess.DEVNULL,
    )
    if expect is not None:
        assert done.returncode == expect, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


# Arguments of channel() for each flavor: bounded queues, all queues, all flavors.
BOUNDED = {
    "mpmc 1": {"capacity": 1},
    "mpmc 2": {"capacity": 2},
    "mpmc 3": {"capacity": 3},
    "mpmc 1000": {"capacity": 1000},
    "mpmc 3, bytes bounded": {"capacity": 3, "max_bytes": 10**9},
    "spsc 1": {"capacity": 1, "flavor": "spsc"},
    "spsc 3": {"capacity": 3, "flavor": "spsc"},
    "spsc 1000": {"capacity": 1000, "flavor": "spsc"},
    "relaxed 1": {"capacity": 1, "flavor": "relaxed"},
    "relaxed 3": {"capacity": 3, "flavor": "relaxed"},
    "relaxed 1000": {"capacity": 1000, "flavor": "relaxed"},
}
QUEUES = {**BOUNDED, "unbounded": {"capacity": None}, "relaxed unbounded": {"capacity": None, "flavor": "relaxed"}}
RENDEZVOUS = {"rendezvous": {"capacity": 0}}
FLAVORS = {**QUEUES, **RENDEZVOUS}


KEPT = []


def keep(value):
    """Keep an argument alive in the interpreter that runs the call."""
    KEPT.append(value)


def bits(number):
    """Return the bits of a float as an int. Distinguishes NaNs, and 0.0 from -0.0."""
    return struct.unpack("<Q", struct.pack("<d", number))[0]


def float_of(pattern):
    """Return the float with this 64-bit pattern."""
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


def is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def same(one, other):
    """Return whether two values agree in every type, bit and hash. Does not recurse."""
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if type(a) is not type(b):
            return False
        if type(a) is tuple:
            if len(a) != len(b):
                return False
            pairs.extend(zip(a, b, strict=True))
        elif type(a) is float:
            if bits(a) != bits(b):
                return False
        elif a != b or is_hashable(a) != is_hashable(b) or (is_hashable(a) and hash(a) != hash(b)):
            return False
    return True


ALPHABETS = ("ab\0z\x7f", "aé\xff\x80", "aé\u0101\u20ac\ud800\udfff", "a\u20ac\U0001f600\U0010ffff")


def random_leaf(rng):
    match rng.randrange(10):
        case 0:
            return rng.choice((None, False, True, (), "", b"", 0, 0.0, -0.0))
        case 1:
            return rng.randrange(-300, 300)
        case 2:
            return rng.getrandbits(rng.choice((31, 62, 63, 64, 65, 127, 128, 1000))) * rng.choice((1, -1))
        case 3:
            return float_of(rng.getrandbits(64))
        case 4:
            return rng.random()
        case 5 | 6 | 7:
            return "".join(rng.choices(rng.choice(ALPHABETS), k=rng.choice((1, 2, 3, 4, 7, 8, 13, 14, 15, 40, 200))))
        case _:
            return rng.randbytes(rng.choice((1, 13, 14, 15, 16, 64, 300)))


def random_value(rng, depth=4):
    """Return a random shareable value; the same for the same state of `rng`, in every interpreter."""
    if depth and rng.random() < 0.3:
        return tuple(random_value(rng, depth - 1) for _ in range(rng.choice((1, 1, 2, 3, 6))))
    return random_leaf(rng)


TEXT = "a text that needs a block of its own"


def rich():
    """Return a tuple of every kind of value that can be sent and dumped."""
    return (
        None, True, False, -7, 2**63 - 1, -(2**63), 1.5, -0.0, "", "short", "é", "\u20ac", "\U0001f600", b"", b"\0\xff",
        TEXT, "é" * 30, "\u20ac\ud800" * 10, "\U0001f600" * 10, b"\xff" * 30, 2**63, -(2**127), 2**1000,
        (), ((),), (((TEXT, "deep"),),), TEXT,
    )  # fmt: skip


def samples(tx, rx):
    """Return values of each kind that needs a block; some contain the given endpoints."""
    text = "text that needs a block"
    deep = text
    for _ in range(50):
        deep = (deep,)
    return {
        "str": text,
        "bytes": b"x" * 10_000,
        "int": 2**1000,
        "tuple": (1, (text, (2**1000, b"x" * 100, 0.5, None))),
        "deep": deep,
        "wide": tuple(range(500)),
        "records": tuple((i, str(i) * 9, 2**i) for i in range(99)),
        "ends": (tx, rx, (text, tx)),
    }


def viewed(value):
    """Return the value as recv(copy=False) returns it."""
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send_nowait(value)
        return rx.recv_nowait(copy=False)


def endpoints_in(value):
    """Return all endpoints in a value, in order."""
    if type(value) is tuple:
        return [end for item in value for end in endpoints_in(item)]
    return [value] if isinstance(value, (xichan.Sender, xichan.Receiver)) else []
