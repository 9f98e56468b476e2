"""Decides which tasks run in the main interpreter, and runs them there. See xichan.dispatch.

1. A local task, one that runs in the main interpreter, is an entry of the scheduler like any other, under its id, and
   ends by the same ``deliver``, ``fail`` and ``mark_cancelled``. Until it has ended it is in ``Scheduler.local``. A
   thread takes it there before it runs it, so a task that was taken is not cancelled.
2. Only the collector uses the ThreadPoolExecutor, whose locks an interrupted call would keep.
3. What has been learned only grows, by steps of C code; submissions read it at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import threading
import types
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from .. import _core
from .._stats import PoolStats
from . import coroutines, options
from .atomic import Counter
from .byvalue.functions import label, qualified_name
from .worker_results import Refusal

if TYPE_CHECKING:
    from .batch import Batch
    from .futures import Future
    from .scheduler import Scheduler

Named = str | types.ModuleType | Callable[..., Any]

_REFUSING = re.compile(r"module '?([\w.]+)'? does not support loading in subinterpreters")


@dataclasses.dataclass(frozen=True, slots=True)
class DispatchStats:
    """Counts of the tasks of one Dispatcher."""

    in_workers: int
    in_main: int
    reasons: dict[str, int]  # why tasks ran in the main interpreter: how many


@dataclasses.dataclass(frozen=True)
class FallbackPoolStats(PoolStats):
    """Counts of a pool with ``fallback="main"``: those of PoolStats and of DispatchStats."""

    in_workers: int
    in_main: int
    reasons: dict[str, int]


class Policy:
    """Decides where calls run. Parameters as for Dispatcher. Methods may be called by any thread."""

    def __init__(
        self,
        main_only: Collection[Named] = (),
        anywhere: Collection[Named] = (),
        max_threads: int | None = None,
    ) -> None:
        self._main_only = frozenset(map(_name, _checked("main_only", main_only)))
        self._anywhere = frozenset(map(_name, _checked("anywhere", anywhere)))
        self._threads = ThreadPoolExecutor(max_threads, "xichan-main")  # which starts threads on demand
        self._used = False
        self._modules: dict[str, str] = {}  # refused module: reason
        self._functions: dict[tuple[str, ...], str] = {}  # (name, names of callables among the args): reason
        self._reasons: dict[str, tuple[Counter, Counter]] = {}  # reason: tasks, those that do not count after all
        self._in_workers = Counter(), Counter()  # likewise

    @contextlib.contextmanager
    def counted(self, number: int, reasons: Collection[str] = ()) -> Iterator[None]:
        """Count the tasks that the block submits: so many to workers, and a local one for each reason.

        They are counted before they are sent, because a worker may refuse one at once.
        """
        self._count(number, reasons, 0)
        try:
            yield
        except BaseException:
            self._count(number, reasons, 1)
            raise

    def _count(self, number: int, reasons: Iterable[str], which: int) -> None:
        self._in_workers[which].many(number)()
        for reason in reasons:
            self._reasons.setdefault(reason, (Counter(), Counter()))[which].add()

    def reason(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], modules: Iterable[str]
    ) -> str | None:
        """Return the reason why a call has to run in the main interpreter, or None."""
        names = [_name(fn), *modules]
        if found := _match(self._anywhere, names):
            return None
        if found := _match(self._main_only, names):
            return f"main_only: {found}"
        if found := _match(self._modules, names):
            return self._modules[found]
        return self._functions.get(_key(fn, args, kwargs)) if self._functions else None

    def is_anywhere(self, fn: Callable[..., Any], modules: Iterable[str]) -> bool:
        """Return whether a call must never run in the main interpreter."""
        return bool(self._anywhere) and _match(self._anywhere, [_name(fn), *modules]) is not None

    def run_refused(self, scheduler: Scheduler, entry: Future | Batch, id: int, traceback: str, refusal: int) -> bool:
        """Run a task locally whose module a worker could not load, and remember why.

        Returns False if the module is among ``anywhere``.
        """
        fn, args, kwargs = entry.call_of(id)
        found = _REFUSING.search(traceback)
        module = found[1] if found else None
        if module is not None and _match(self._anywhere, [module]):
            return False
        reason = self._remember(fn, args, kwargs, module, refusal == Refusal.AT_LOAD)
        self._count(1, (), 1)
        self._count(0, (reason,), 0)
        scheduler.waiting[id] = None
        scheduler.local[id] = False
        self.run(scheduler, id)
        return True

    def learn(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], module: str, at_load: bool
    ) -> None:
        """Have later calls run locally after one that went on without a refused module (``degraded="main"``).

        at_load: whether the module was refused while the function was loaded.
        """
        if not _match(self._anywhere, [module]):
            self._remember(fn, args, kwargs, module, at_load)

    def _remember(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], module: str | None, at_load: bool
    ) -> str:
        """Remember why a call cannot run in a worker, and return the reason."""
        reason = f"{module or 'a module'} does not support loading in subinterpreters"
        if module is not None:
            self._modules.setdefault(module.partition(".")[0], reason)
        home = qualified_name(fn)
        if at_load and home is not None:
            self._modules.setdefault(home.partition(":")[0], reason)
        self._functions.setdefault(_key(fn, args, kwargs), reason)
        return reason

    def run(self, scheduler: Scheduler, id: int) -> None:
        """Have a thread run a task that is in ``Scheduler.local``. (2)"""
        if not self._used:
            self._used = True
            scheduler.closing.append(self.join)
        try:
            self._threads.submit(_run_local, scheduler, id)
        except Exception as error:  # no thread, no memory, or the interpreter exits
            scheduler.local.pop(id, None)
            scheduler.collector.fail(id, error)

    def join(self) -> None:
        """End the threads, after their tasks."""
        self._threads.shutdown()

    def stats(self) -> dict[str, Any]:
        """Return the fields of DispatchStats, as a dict."""
        counted = {reason: added.value - less.value for reason, (added, less) in list(self._reasons.items())}
        reasons = {reason: number for reason, number in counted.items() if number}
        in_workers = self._in_workers[0].value - self._in_workers[1].value
        return {"in_workers": in_workers, "in_main": sum(reasons.values()), "reasons": reasons}


def _run_local(scheduler: Scheduler, id: int) -> None:
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
        options.local.task = id, scheduler.published.prefix
        value = runner.run(id, fn, args, kwargs)
    except BaseException as error:
        collector.fail(id, error)
    else:
        collector.deliver(id, value)
    finally:
        coroutines.close()
        scheduler.own_threads.discard(threading.get_ident())
        scheduler.local.pop(id, None)
        collector.nudge()
        if scheduler.stopping:
            collector.wake()


def _checked(name: str, values: Collection[Named]) -> Collection[Named]:
    if isinstance(values, str):
        raise TypeError(f"{name} must be a collection of names, modules and functions, got str")
    return values


def _name(thing: Named) -> str:
    """Return the dotted path of a module or function, or the place of its source if it has none."""
    if isinstance(thing, str):
        return thing.replace(":", ".")
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    while isinstance(thing, functools.partial):
        thing = options.function_of(thing)
    name = qualified_name(thing)
    return name.replace(":", ".") if name is not None else label(thing)


def _key(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, ...]:
    """Return the key of a call in ``_functions``, in which ``map(apply, functions)`` has one for each function."""
    callables = [value for value in (*args, *kwargs.values()) if callable(value) and not isinstance(value, type)]
    return (_name(fn), *map(_name, callables))


def _match(known: Collection[str], names: Iterable[str]) -> str | None:
    """Return the item of `known` that equals one of the names or contains it, or None."""
    for name in names:
        while name:
            if name in known:
                return name
            name = name.rpartition(".")[0]
    return None
