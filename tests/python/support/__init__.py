"""What the tests share. Standard library and xichan only: scripts and subinterpreters import it too."""

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
PATIENCE = 30.0  # seconds that something may take on a busy machine before it counts as hung


def wait_until(condition, timeout=PATIENCE):
    """Poll until the condition holds; it has to come true by itself, whatever the order of events."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {condition}"
        time.sleep(0.0005)


def counts(end):
    """(senders, receivers) counted for the end's channel."""
    found = end.stats()
    return found.senders, found.receivers


def wait_for_blocked(end, senders=0, receivers=0):
    """Wait until exactly so many calls are asleep in the end's channel."""

    def there():
        found = end.stats()
        return (found.waiting_senders, found.waiting_receivers) == (senders, receivers)

    wait_until(there)


def wait_for_sleep(thread):
    """Wait until a thread of this process, by its native id, sleeps in its call: asleep at 100 looks in a row, so that
    nothing but the machine can have held it up on its way there.
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
    """Run a coroutine in an event loop of its own; it must end within a minute."""
    import asyncio  # here, because it is large and most who import this module do not need it

    return asyncio.run(asyncio.wait_for(main, 60))


async def settled(end, senders=0, receivers=0):
    """As wait_for_blocked, for a coroutine."""
    import asyncio

    async with asyncio.timeout(PATIENCE):
        while (end.stats().waiting_senders, end.stats().waiting_receivers) != (senders, receivers):
            await asyncio.sleep(0)


def alive():
    """Everything of xichan's that is alive in the process."""
    stats = xichan.memory_stats()
    return {**xichan._core._count_alive(), "blocks": stats.blocks, "bytes": stats.bytes}


def left_over(before):
    """What is alive now beyond `before`, once garbage has been collected."""

    def more():
        return {name: n - before[name] for name, n in alive().items() if n > before[name]}

    if more():
        gc.collect()
    return more()


class Call(threading.Thread):
    """A call in a thread of its own; `result()` returns or raises what it did."""

    def __init__(self, function, *args, **kwargs):
        super().__init__(daemon=True)
        self.work = lambda: function(*args, **kwargs)
        self.start()

    def run(self):
        try:
            self.answer, self.error = self.work(), None
        except BaseException as error:
            self.answer, self.error = None, error
        del self.work

    def result(self, timeout=PATIENCE):
        self.join(timeout)
        assert not self.is_alive(), f"still running after {timeout} s"
        if self.error is not None:
            raise self.error
        return self.answer


def on_a_small_stack(function, timeout=PATIENCE):
    """Run a function in a thread with a stack of 256 KiB; what it returns."""
    before = threading.stack_size(256 * 1024)
    try:
        call = Call(function)
    finally:
        threading.stack_size(before)
    return call.result(timeout)


@contextlib.contextmanager
def interpreter(**shared):
    """A fresh interpreter that can import this module, with `shared` in its __main__; closed at the end."""
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
    """Run source in an interpreter, in a thread of its own: a Call."""
    return Call(interp.exec, textwrap.dedent(source))


def environment(**changes):
    """The environment for a process that can import xichan and this module."""
    places = [PACKAGE, HERE, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places)), **changes}


def run_script(source, *arguments, timeout=60, options=(), env=None, expect=0):
    """Run source in a process of its own, which shows its stacks and dies if it hangs; the finished process.

    `expect` is the exit status that it must have; None accepts any.
    """
    prologue = f"import faulthandler; faulthandler.enable(); faulthandler.dump_traceback_later({timeout}, exit=True)\n"
    return run_python(
        *options, "-c", prologue + textwrap.dedent(source), *arguments, timeout=timeout, env=env, expect=expect
    )


def run_python(*arguments, timeout=60, env=None, expect=0):
    """Run this Python with the given command line."""
    import subprocess  # here, because interpreters that import this module do not need it

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


# The arguments of channel() for each flavor: those that queue a bounded number, all that queue, and all.
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
    """Called in another interpreter: keeps an argument there."""
    KEPT.append(value)


def bits(number):
    """The bits of a float as an int: tells apart what == does not, and NaNs."""
    return struct.unpack("<Q", struct.pack("<d", number))[0]


def float_of(pattern):
    """The float of these 64 bits."""
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


def same(one, other):
    """Whether two values are the same in every type, bit and hash; without recursion."""
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
        elif a != b or hash(a) != hash(b):
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
    """Some value that can be sent; the same one for the same state of `rng`, in every interpreter."""
    if depth and rng.random() < 0.3:
        return tuple(random_value(rng, depth - 1) for _ in range(rng.choice((1, 1, 2, 3, 6))))
    return random_leaf(rng)


TEXT = "a text that needs a block of its own"


def rich():
    """A bit of everything that can be sent and dumped."""
    return (
        None, True, False, -7, 2**63 - 1, -(2**63), 1.5, -0.0, "", "short", "é", "\u20ac", "\U0001f600", b"", b"\0\xff",
        TEXT, "é" * 30, "\u20ac\ud800" * 10, "\U0001f600" * 10, b"\xff" * 30, 2**63, -(2**127), 2**1000,
        (), ((),), (((TEXT, "deep"),),), TEXT,
    )  # fmt: skip


def samples(tx, rx):
    """Values of each kind that travels in a block; some hold these ends."""
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
    """The value as recv(copy=False) gives it."""
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send_nowait(value)
        return rx.recv_nowait(copy=False)


def ends_in(value):
    """The ends anywhere in a value, in order."""
    if type(value) is tuple:
        return [end for item in value for end in ends_in(item)]
    return [value] if isinstance(value, (xichan.Sender, xichan.Receiver)) else []
