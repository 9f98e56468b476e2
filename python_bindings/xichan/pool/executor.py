"""``xichan.InterpreterPoolExecutor``."""

import contextlib
import itertools
import os
import time
from concurrent.futures import Executor
from types import SimpleNamespace

from .. import _core
from .._errors import NotShareableError
from . import scripts
from .arguments import check_names, culprit, own, positive
from .batch import Batch
from .functions import describe, describe_value
from .futures import Future
from .policy import Policy

try:
    from .crew import Crew
except ImportError:  # CPython 3.13 has no concurrent.interpreters
    Crew = None

_counter = itertools.count().__next__


class InterpreterPoolExecutor(Executor):
    """Runs functions in worker interpreters, each on a thread of its own: a ``concurrent.futures.Executor``.

    max_workers: how many at the most, made as they are needed; None: as many as this process may use CPUs.
    initializer, initargs: called in each worker before its first task; if it raises, the pool is broken.
    shared: {name: value}, put into each worker's ``__main__`` at its start, and found as globals by functions that are
    sent by value. Ends among them are cloned, and closed when the workers have gone.
    restart_after: a worker's interpreter is replaced after so many tasks; None: never.
    pickle: whether what cannot be sent as a value is pickled (and counted in ``stats()``), or refused.
    fallback: "main": what needs a module that subinterpreters cannot load runs in threads of this interpreter instead;
    see xichan.dispatch. thread_name_prefix: of the workers' threads.

    Needs CPython 3.14. Methods may be called by any thread.
    """

    __module__ = "xichan"

    def __init__(
        self,
        max_workers=None,
        *,
        initializer=None,
        initargs=(),
        shared=None,
        restart_after=None,
        pickle=True,
        fallback=None,
        thread_name_prefix="",
    ):
        if Crew is None:
            raise RuntimeError("InterpreterPoolExecutor needs concurrent.interpreters, which came with CPython 3.14")
        self._max_workers = positive("max_workers", max_workers, os.process_cpu_count() or 1)
        limit = positive("restart_after", restart_after, None)
        if fallback not in (None, "main"):
            raise ValueError(f"fallback must be None or 'main', not {fallback!r}")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._pickle = bool(pickle)
        shared = dict(shared or {})
        check_names(shared)
        self._names = frozenset(shared)
        self._policy = None if fallback is None else Policy()
        self._crew = Crew(self._max_workers, thread_name_prefix or f"xichan.InterpreterPoolExecutor-{_counter()}")
        self._crew.belong_to(self)
        values = []
        for shared_name, value in shared.items():
            described = describe_value(value, f"shared[{shared_name!r}] is", pickle=self._pickle)
            values.append((shared_name, (described.data, described.beside)))
        if initializer is not None:
            described = describe(initializer, pickle=self._pickle, skip=self._names)
            args = tuple(initargs)
            sent = (args, None) if _core.is_shareable(args) else self._pickled(args, {})
            initializer = (described.data, described.beside, *sent)
        self._crew.setup = own((self._pickle, limit, tuple(values), initializer))

    def submit(self, fn, /, *args, **kwargs):
        """Run ``fn(*args, **kwargs)`` in a worker: a Future, which can be cancelled until a worker takes the task.

        Everything is sent now: what changes afterwards does not matter, and ends may be closed. Raises
        NotShareableError if something cannot be sent, BrokenInterpreterPool, RuntimeError after ``shutdown``.
        """
        return self._submit(fn, args, kwargs, self._policy)

    def _submit(self, fn, args, kwargs, policy):
        """As submit. ``policy``: tells what is to run here, or None."""
        crew = self._crew
        if policy is None:
            future = Future(crew)
            self._send(future, self._prepare(fn), args, kwargs)
            return future
        described = self._describe(fn)
        reason = policy.reason(fn, args, kwargs, described.modules)
        if reason is not None:
            future = Future(crew, policy, (fn, args, kwargs))
            with _counted(policy, 0, (reason,)):
                crew.keep(future)
            return future
        call = None if policy.is_anywhere(fn, described.modules) else (fn, args, kwargs)
        future = Future(crew, call and policy, call)
        with _counted(policy, 1):
            self._send(future, self._sent(described), args, kwargs)
        return future

    def _send(self, future, function, args, kwargs):
        try:
            self._crew.submit(future, function, args, tuple(kwargs.items()) if kwargs else None)
        except NotShareableError:
            self._crew.submit(future, function, *self._pickled(args, kwargs))

    def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
        """As ``map(fn, *iterables)``, run by the workers: an iterator over the results, in order.

        timeout: seconds from now after which waiting for a result raises TimeoutError; None: never. chunksize: how many
        calls make one task. buffersize: how many calls may be ahead of the result that is yielded next; None: all of
        them are submitted now. When the iterator ends early, calls that no worker has taken are not made; but if it is
        closed or dropped before its first step all are made, as with the executors of the standard library.
        """
        return self._map(self, fn, iterables, timeout, chunksize, buffersize, self._policy)

    def _map(self, executor, fn, iterables, timeout, chunksize, buffersize, policy):
        if buffersize is not None and not isinstance(buffersize, int):
            raise TypeError("buffersize must be an integer or None")
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None:
            return Executor.map(executor, fn, *iterables, timeout=timeout, buffersize=buffersize)
        deadline = None if timeout is None else timeout + time.monotonic()
        calls = list(zip(*iterables))
        if not calls:
            return iter(())
        return self._batch(fn, calls, chunksize, policy).results(deadline)

    def _batch(self, fn, calls, chunksize, policy):
        """Submit calls of one function."""
        crew = self._crew
        if policy is None:
            batch = Batch(crew, self._prepare(fn), list(map(self._item, calls)))
            crew.submit_batch(batch, chunksize, range(len(calls)))
            return batch
        described = self._describe(fn)
        found = (policy.reason(fn, args, {}, described.modules) for args in calls)
        here = {place: reason for place, reason in enumerate(found) if reason is not None}
        places = [place for place in range(len(calls)) if place not in here]
        function = self._sent(described) if places else ()
        items = [None if place in here else self._item(args) for place, args in enumerate(calls)]
        anywhere = policy.is_anywhere(fn, described.modules)
        batch = Batch(crew, function, items, None if anywhere else policy, None if anywhere else (fn, calls))
        with _counted(policy, len(places), here.values()):
            crew.submit_batch(batch, chunksize, places, here)
        return batch

    def _item(self, args):
        """(args, kwargs) of a call as they are sent."""
        return (args, None) if _core.is_shareable(args) else self._pickled(args, {})

    def run_string(self, code, *, shared=None):
        """Run source code as a task, as a script, in a namespace of its own that has the names of ``shared``: a Future.

        Its result is what the code leaves under the name ``result``, or None.
        """
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, not {type(code).__name__}")
        return self.submit(scripts.run_string, code, self._shared(shared))

    def run_path(self, file, *, shared=None):
        """As ``run_string``, with a file of source code, or one compiled by this version of Python (``.pyc``)."""
        return self.submit(scripts.run_path, os.path.abspath(os.fsdecode(file)), self._shared(shared))

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Take no more tasks; the workers leave when they have done those that there are.

        wait: return when they have left. A task that never returns is waited for without end, here and at the end of
        the program: nothing can stop it from outside, except what it waits for itself. cancel_futures: cancel the tasks
        that no worker has taken.
        """
        crew = self._crew
        crew.stop()
        if cancel_futures:
            crew.take_back(range(crew.next_id))
        if wait:
            crew.join()
            if self._policy is not None:
                self._policy.join()

    def stats(self):
        """A record: workers, tasks queued and running, how many were submitted, finished (with a result), failed (with
        an exception), cancelled; workers lost in a task, or replaced; calls and results that were pickled."""
        if self._policy is not None:
            return SimpleNamespace(**self._crew.stats(), **self._policy.stats())
        from .._stats import PoolStats

        return PoolStats(**self._crew.stats())

    def _prepare(self, fn):
        """What describes a function, see Crew.submit."""
        if not callable(fn):
            raise TypeError(f"{fn!r} is not callable")
        return self._sent(describe(fn, pickle=self._pickle, skip=self._names))

    def _describe(self, fn):
        """As `describe`, or if it cannot be sent a _Refused: that does not matter for what runs here."""
        if not callable(fn):
            raise TypeError(f"{fn!r} is not callable")
        try:
            return describe(fn, pickle=self._pickle, skip=self._names)
        except NotShareableError as error:
            return _Refused(error)

    def _sent(self, described):
        """A description as it is sent."""
        if type(described) is _Refused:
            raise described.error
        if described.pickled:
            self._crew.counts["pickled_calls"] += 1
        return described.data if described.cacheable else (described.data, described.beside)

    def _pickled(self, args, kwargs):
        if not self._pickle:
            raise NotShareableError(f"{culprit(args, kwargs)}, and this pool does not pickle")
        from .pickles import dumps

        try:
            pickled = dumps((args, kwargs))
        except NotShareableError:
            raise
        except Exception as error:
            raise NotShareableError(f"{culprit(args, kwargs)}, and cannot be pickled: {error}") from error
        self._crew.counts["pickled_calls"] += 1
        return pickled

    def _shared(self, shared):
        """The argument of a script."""
        shared = dict(shared or {})
        check_names(shared)
        return tuple(shared.items())


class _Refused:
    """In the place of a Description."""

    modules = ()

    def __init__(self, error):
        self.error = error


@contextlib.contextmanager
def _counted(policy, number, reasons=()):
    """The tasks that are sent within are counted; before, because workers may refuse them at once."""
    policy.count(number, reasons)
    try:
        yield
    except BaseException:
        policy.count(number, reasons, -1)
        raise
