"""Runs tasks in threads of the main interpreter.

1. A local task is an entry of the scheduler like any other, under its id, and ends by the same ``deliver``, ``fail``
   and ``mark_cancelled``. Until it has ended it is in ``Scheduler.local``. A thread takes it there before it runs it,
   so a task that was taken is not cancelled.
2. Only the collector uses the ThreadPoolExecutor, whose locks an interrupted call would keep.
"""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .. import _core
from . import coroutines
from .worker_results import local

if TYPE_CHECKING:
    from .scheduler import Scheduler


class MainThreads:
    """Threads that run local tasks. max_threads: as the max_workers of a ThreadPoolExecutor."""

    def __init__(self, max_threads: int | None) -> None:
        self._threads = ThreadPoolExecutor(max_threads, "xichan-main")  # which starts threads on demand
        self._used = False

    def run(self, scheduler: Scheduler, id: int) -> None:
        """Have a thread run a task that is in ``Scheduler.local``. (2)"""
        if not self._used:
            self._used = True
            scheduler.closing.append(self.join)
        try:
            self._threads.submit(_run, scheduler, id)
        except Exception as error:  # no thread, no memory, or the interpreter exits
            scheduler.local.pop(id, None)
            scheduler.results.fail(id, error)

    def join(self) -> None:
        """End the threads, after their tasks."""
        self._threads.shutdown()


def _run(scheduler: Scheduler, id: int) -> None:
    """Run a task in this thread, unless it was cancelled."""
    entry = scheduler.take_local(id)
    if entry is None:
        return
    collector = scheduler.collector
    scheduler.own_threads.add(threading.get_ident())
    try:
        fn, args, kwargs = entry.call_of(id)
        runner = _core._TaskRunner(scheduler.board.number())
        if coroutines.is_function(fn):
            coroutines.attach(runner)
            fn = functools.partial(coroutines.run, fn)
        local.task = id, scheduler.published.prefix
        value = runner.run(id, fn, args, kwargs)
    except BaseException as error:
        policy = entry.policy
        if policy is None or not policy.refused_in_main(scheduler, entry, id, error):
            scheduler.results.fail(id, error)
    else:
        scheduler.results.deliver(id, value)
    finally:
        coroutines.close()
        scheduler.own_threads.discard(threading.get_ident())
        scheduler.local.pop(id, None)
        collector.nudge()
        if scheduler.stopping:
            collector.wake()
