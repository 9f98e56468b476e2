"""The pinned interpreter: the one that loads the extension modules which the workers refuse (``fallback="pinned"``).

It has a lock of its own, as a worker has, so its tasks run beside those of the workers and the main interpreter. It
runs one task after the other, from a queue of its own, by the code of a worker.

1. A process has one at most, because most of these modules cannot be loaded twice. It is created when the first task
   needs it, serves one pool after another, and stays until the process ends: what it has loaded, no other interpreter
   can load any more. A second pool that is open at the same time is refused.
2. claims.py decides what it may load. What it cannot load runs in the main interpreter.
3. After ``sys.exit`` in a task, and for the next pool, the loop of the worker begins again in the same interpreter:
   modules and their globals remain.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
from concurrent import interpreters
from typing import TYPE_CHECKING, Any

from .. import _core
from . import claims, threads
from .arguments import pickled
from .byvalue.functions import describe
from .launch import run_interpreter
from .task_queue import TaskQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from .scheduler import Scheduler

    type _Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

_interpreter: interpreters.Interpreter | None = None
_user: PinnedWorker | None = None  # that of the pool which is open
_inherited = False  # this is the child of fork(), where the interpreter has no thread


class PinnedWorker:
    """The use of the pinned interpreter by one pool. pickle, names: as for functions.describe.

    Raises RuntimeError if another pool uses it.
    """

    def __init__(self, scheduler: Scheduler, pickle: bool, names: frozenset[str]) -> None:
        global _user
        if _inherited:
            raise RuntimeError("the pinned interpreter belongs to the process that has called fork()")
        if _user is not None:
            raise RuntimeError(
                "another pool with fallback='pinned' is open, and a process has one pinned interpreter; use that pool, "
                "or shut it down first"
            )
        _user = self
        self._claims = claims.guard()
        self._scheduler = scheduler
        self._pickle = pickle
        self._names = names
        self._thread: threading.Thread | None = None
        self.alive = False
        self.needed = False  # the collector has to start the thread
        self.queue = TaskQueue(
            f"pool {scheduler.workers.name!r} tasks of the pinned interpreter",
            scheduler.in_flight,
            16,
            scheduler.counts["submitted"],
            scheduler.collector.attend,
            scheduler.results.fail,
        )

    def request(self) -> None:
        """Have the collector start the worker, unless it has."""
        if not self.alive:
            self.needed = True
            self._scheduler.collector.start()
            self._scheduler.collector.notify()

    def send(self, id: int, call: _Call) -> None:
        """Send a task that a worker has refused or that was taken out of another queue. For the collector."""
        try:
            function, args, kwargs = call
            described = describe(function, pickle=self._pickle, skip=self._names)
            if described.pickled:
                self._scheduler.counts["pickled_calls"].add()
            sent: Any = args, tuple(kwargs.items()) if kwargs else None
            if not _core.is_shareable(sent):
                sent = pickled(args, kwargs, pickle=self._pickle, where="the pool")
                self._scheduler.counts["pickled_calls"].add()
            self.queue.again_tx.send_nowait((id, (described.data, described.external), *sent))
        except BaseException as error:  # a Buffer that has moved, for example
            self._scheduler.results.fail(id, error)
        else:
            self.start()

    def start(self) -> None:
        """Start the worker if it is needed. For the collector."""
        self.needed = False
        if self.alive or self.queue.again_tx.closed:
            return
        thread = threads.make(self._run, f"{self._scheduler.workers.name}_pinned")
        try:
            thread.start()
        except Exception as error:  # too many threads, no memory
            self._scheduler.workers.break_pool(error)
        else:
            self.alive = True
            self._thread = thread

    def release(self) -> None:
        """Let another pool use the interpreter. The worker has ended."""
        global _user
        if _user is self:
            _user = None

    def _run(self) -> None:
        scheduler, failure = self._scheduler, None
        scheduler.own_threads.add(threading.get_ident())
        try:
            interpreter = _get_interpreter()
            setup = scheduler.workers.setup_of(self.queue, claims=self._claims)
            while True:
                run_interpreter(interpreter, setup, keep=True)
                if self.queue.rx.closed:  # and empty
                    break
                scheduler.collector.wake()  # it may have left results unverified, see worker
        except BaseException as error:
            failure = error
        scheduler.own_threads.discard(threading.get_ident())
        scheduler.collector.send(functools.partial(self._ended, failure))

    def _ended(self, error: BaseException | None) -> None:
        self.alive = False
        if error is not None:
            self._scheduler.workers.break_pool(error)


def _get_interpreter() -> interpreters.Interpreter:
    """Return the pinned interpreter, which the first call creates."""
    global _interpreter
    if _interpreter is None:
        _interpreter = interpreters.create()
        atexit.register(_close)
    return _interpreter


def _close() -> None:
    """Close the interpreter at the end of the process, after the pools."""
    if _interpreter is not None and not _inherited:
        try:
            _interpreter.close()
        except interpreters.InterpreterError:  # a task that was interrupted still runs, see interrupt_safe
            pass


def _after_fork() -> None:
    global _inherited, _user
    _inherited, _user = _interpreter is not None, None


os.register_at_fork(after_in_child=_after_fork)
