"""``xichan.deadlocks()``: finds calls that can never return.

It takes two looks at the process, a short time apart, and a third at its waits. The analysis is in ``liveness``; these
are the conditions under which its input is one state of the process, although it is read piece by piece:

1. A wait counts if all three looks show it, and its thread slept after the second. So the thread slept in this wait
   when the second look began, and nothing had woken it before the second look was over.
2. A thread that waits outside of xichan counts if it did not run between the first look and the last. The main thread
   wakes now and then when it waits for a pool, to look for signals; it counts if all looks find it in the same wait.
3. Any other thread is live, also one that begins or ends between the looks. So what changes meanwhile is changed by a
   live thread, and what that thread could use is in reach when it is read.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _core
from . import interior, kernel
from .groups import grouped
from .liveness import MAIN, Outside, World, find_blocked
from .wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._inspect import Inspection, Wait

_PAUSE = 0.05  # seconds between the looks
_ATTEMPTS = 20  # to see a thread asleep that wakes now and then by itself, as the main thread does to look for signals
_OWN = ("xichan-page",)  # threads of xichan that change nothing


@dataclass(frozen=True, slots=True)
class Deadlock:
    """Calls that wait for each other, or for threads that have ended, and so can never return."""

    __module__ = "xichan"

    waits: tuple[Wait, ...]  # longest first
    kind: str  # what they wait for: "channel", "lock", "barrier", "event", ...; "mixed": several kinds
    reason: str  # one sentence that names what each call waits for, what holds it, and the lines
    details: str = field(repr=False)  # one paragraph per call

    def __str__(self) -> str:
        number = "1 call" if len(self.waits) == 1 else f"{len(self.waits)} calls"
        return f"deadlock: {number} can never return\n{self.details}"


def deadlocks() -> tuple[Deadlock, ...]:
    """Return the calls of the process that can never return.

    Looks twice, so the call takes at least 50 ms. The calling thread only looks: it counts as blocked. Calls with a
    timeout are not reported, nor any call that a live thread might end. A thread that xichan does not know counts as
    live; so there are deadlocks that are not found, but none is reported that is not there. Ctrl-C does not count, nor
    do the timer of ``signal.alarm()`` and that of ``faulthandler.dump_traceback_later()``.

    Thread-safe.
    """
    from .._inspect_process import look

    first = look({})  # not inspect(): its rates are those since the caller's last one
    if not any(_is_candidate(wait) for wait in first.waits):
        return ()
    main = _look_inside(MAIN)
    before = kernel.sleeps()
    known = kernel.threads()
    time.sleep(_PAUSE)
    world = None if main is None else _look(first, main["nap"], before, known)
    if world is None:
        return ()
    found = []
    for group in grouped(world, find_blocked(world)):
        words = Wording(world, group)
        found.append(Deadlock(group.waits, words.kind, words.reason, words.details))
    return tuple(found)


def _is_candidate(wait: Wait) -> bool:
    return not (wait.idle or wait.timeout) and wait.interpreter is not None


def _look(first: Inspection, nap: int, before: dict[int, kernel.Sleep], known: set[int]) -> World | None:
    """Take the second look, and the third at the waits. Returns None if the main interpreter cannot be seen."""
    from .._inspect_process import look

    main = _look_inside(MAIN)
    if main is None or main["exiting"]:
        return None
    running = _running()
    second = look({})
    candidates = _lasting(first, second)
    loops = _quiet_loops(main, candidates)
    asleep = {wait.thread for wait in candidates if _falls_asleep(wait.thread)}
    after = kernel.sleeps()
    waits = _lasting(second, look({}), candidates)
    still = {thread for thread, sleep in after.items() if thread in before and before[thread] == sleep}
    spectators = {_current_thread(), *main["spectators"]}
    threads = known | kernel.threads()
    threads -= {thread for thread in threads if thread in spectators or kernel.name_of(thread) in _OWN}
    of_main = frozenset(thread for thread, *_ in main["threads"])
    in_loops = frozenset(thread for thread in loops & still if after[thread].in_loop)
    outside = {thread for thread in still if after[thread].in_lock}
    third = _look_inside(MAIN) if nap and main["nap"] == nap else None
    if third is not None and third["nap"] == nap:
        outside.add(os.getpid())  # the main thread
    if main["has_faulthandler"]:
        threads -= set([thread for thread in threads - of_main if kernel.is_watchdog(thread)][:1])
    return World(
        second,
        tuple(wait for wait in waits if wait.thread in (loops & still if wait.coroutine else asleep)),
        frozenset(threads),
        of_main,
        tuple(_outside(main["threads"], outside, in_loops)),
        in_loops,
        frozenset(running),
        main["handlers"],
        _current_interpreter() if _runs_interpreter(main) else None,
    )


def _outside(threads: Iterable[Any], in_locks: set[int], in_loops: frozenset[int]) -> Iterator[Outside]:
    """Iterate over the threads that wait for others: in a lock, or in an event loop that only another thread wakes."""
    for thread in threads:
        if thread[0] in in_locks:
            yield Outside(*thread)
        elif thread[0] in in_loops:
            yield Outside(*thread)._replace(own=True)


def _lasting(one: Inspection, other: Inspection, among: tuple[Wait, ...] | None = None) -> tuple[Wait, ...]:
    """Return the waits of `one` that `other` shows as well."""
    ids = {wait.id for wait in other.waits} & {wait.id for wait in (one.waits if among is None else among)}
    return tuple(wait for wait in one.waits if wait.id in ids)


def _falls_asleep(thread: int) -> bool:
    for _ in range(_ATTEMPTS):
        if kernel.sleep_of(thread) is not None:
            return True
        time.sleep(0.001)
    return False


def _quiet_loops(main: dict[str, Any], waits: tuple[Wait, ...]) -> set[int]:
    found = set(main["loops"])
    others = {wait.interpreter for wait in waits if wait.coroutine and wait.interpreter is not None}
    for interpreter in others - {MAIN}:
        inside = _look_inside(interpreter)
        if inside is not None and not inside["exiting"]:
            found |= set(inside["loops"])
    return found


def _look_inside(interpreter: int) -> dict[str, Any] | None:
    """Call ``interior.look`` in an interpreter. Returns None if it has ended or has not imported xichan."""
    if interpreter == _current_interpreter():
        data: bytes | None = interior.look()
    else:
        data = _core._call_in(interpreter, "xichan._deadlocks.interior", "look")
    return None if data is None else _core.loads(data)


def _runs_interpreter(main: dict[str, Any]) -> bool:
    """Return whether the calling thread belongs to the main interpreter and has called the current one from there.

    Then the main interpreter knows it twice: by its own thread state, and by the one made for `look`.
    """
    return [native for native, *_ in main["threads"]].count(_current_thread()) > 1


def _current_interpreter() -> int:
    import _interpreters

    return int(_interpreters.get_current()[0])


def _running() -> set[int]:
    """Return the interpreters, except the main one, in which a thread runs that has called them."""
    import _interpreters

    found = set()
    for id, *_ in _interpreters.list_all():
        try:
            if id != MAIN and _interpreters.is_running(id):
                found.add(int(id))
        except _interpreters.InterpreterNotFoundError:  # it has ended
            pass
    return found


def _current_thread() -> int:
    from _thread import get_native_id

    return get_native_id()
