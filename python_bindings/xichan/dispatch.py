"""Tasks in worker interpreters, or in the main interpreter if they need a module that only that can load.

    from xichan.dispatch import Dispatcher

    with xichan.InterpreterPoolExecutor() as pool, Dispatcher(pool) as dispatcher:
        future = dispatcher.submit(function, argument)

Many C extensions refuse other interpreters (``ImportError: module ... does not support loading in subinterpreters``). A
task that meets that is run again, from its start, in a thread of this interpreter. What was refused is remembered: for
the module, and for the function (together with functions among its arguments); later tasks that are known to need it
go there at once.
"""

from concurrent.futures import Executor
from types import SimpleNamespace

from .pool.policy import Policy


class Dispatcher(Executor):
    """Runs tasks in a pool's workers or, if these cannot load a module, in threads of this interpreter.

    main_only: what always runs here; anywhere: what never does, whatever it raises. Both are collections of modules,
    functions, or names of these ("numpy", "package.module.function"); a module stands for all that is in it, and for
    functions sent by value that use it. max_threads: as ThreadPoolExecutor's max_workers.

    ``submit``, ``map`` and ``shutdown`` are those of the pool, which ``shutdown`` shuts down too.
    """

    def __init__(self, pool, *, main_only=(), anywhere=(), max_threads=None):
        self._pool = pool
        self._policy = Policy(main_only, anywhere, max_threads)

    def submit(self, fn, /, *args, **kwargs):
        return self._pool._submit(fn, args, kwargs, self._policy)

    def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
        return self._pool._map(self, fn, iterables, timeout, chunksize, buffersize, self._policy)

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._pool.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._policy.join()

    def stats(self):
        """A record: in_workers, in_main (tasks submitted by this dispatcher), and reasons: {why in main: how many}."""
        return SimpleNamespace(**self._policy.stats())
