"""Decides where calls run: in workers, or elsewhere because a module does not load there. See xichan.dispatch.

Elsewhere is the main interpreter (local_runs.py), or for ``fallback="pinned"`` the pinned one (pinned.py). What
decides:

1. The lists ``main_only`` and ``anywhere`` of a Dispatcher.
2. What a call shows before it runs: the module of its function, those that a function sent by value names, and those
   of functions among the arguments. If importing one of them has failed before because a module was refused, the call
   would fail again, so it makes no attempt.
3. For all other calls, what has become of earlier ones of the same kind (call_kinds.py, learning.py). A refused call
   runs again elsewhere. When its kind stops making attempts, calls that are still in the queue are taken back.

What is learned only grows or is replaced, by steps of C code; submissions read it at any time.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from .. import _core
from .._remote import REFUSALS
from .call_kinds import Kind, Kinds, Named, Route, match
from .claims import is_pinned_elsewhere
from .endpoints import contains
from .fallback_counts import TaskCounts
from .local_runs import MainThreads
from .worker_results import Refusal

if TYPE_CHECKING:
    from .batch import Batch
    from .futures import Future
    from .scheduler import Scheduler


class Policy:
    """Decides where calls run. Parameters as for Dispatcher; pinned: whether there is a pinned interpreter.

    Methods may be called by any thread.
    """

    def __init__(
        self,
        main_only: Collection[Named] = (),
        anywhere: Collection[Named] = (),
        max_threads: int | None = None,
        *,
        pinned: bool = False,
    ) -> None:
        self._kinds = Kinds(main_only, anywhere)
        self._threads = MainThreads(max_threads)
        self._pinned = pinned
        self._modules: dict[str, Route] = {}  # by the name of a module that cannot be imported in workers
        self._lessons = 0  # number of changes of that
        self.counts = TaskCounts()
        self.kind = self._kinds.of

    def route(self, kind: Kind) -> Route | None:
        """Return where a call runs; None: in a worker."""
        if kind.checked != self._lessons:
            self._check(kind)
        if (known := kind.always()) is not None:
            return known
        return kind.elsewhere() if kind.history.skips_attempt() else None

    def _check(self, kind: Kind) -> None:
        """Look whether calls need a module that cannot be imported in workers. (2)"""
        kind.checked = self._lessons
        if not (kind.fixed or kind.anywhere):
            found = match(self._modules, kind.names)
            kind.known = None if found is None else self._modules[found]

    def routes(self, kinds: Iterable[Kind]) -> dict[int, Route]:
        """Return where those calls of a batch run that do not run in workers, by index."""
        found = {}
        for index, route in enumerate(map(self.route, kinds)):
            if route is not None:
                found[index] = route
        return found

    # For the collector

    def run_local(self, scheduler: Scheduler, id: int) -> None:
        """Have a thread of this interpreter run a task that is in ``Scheduler.local``."""
        self._threads.run(scheduler, id)

    def join(self) -> None:
        """End the threads of this interpreter, after their tasks."""
        self._threads.join()

    def run_refused(self, scheduler: Scheduler, entry: Future | Batch, id: int, refusal: tuple[Any, ...]) -> bool:
        """Run a task elsewhere whose module was refused, and learn from that. refusal: see worker_results.Refusal.

        Returns False if the module is among ``anywhere``.
        """
        where, _, module, *others = refusal
        kind, previous = entry.kind_of(id), entry.route_of(id)
        if kind is None or self._kinds.is_anywhere((module, *others)):
            return False
        in_worker = where == Refusal.IN_WORKER
        if previous is not None and (in_worker or not previous.pinned):
            return True  # a finalizer in this thread has handled this result
        if previous is not None and previous.last:
            return False
        route = Route(f"{module} {REFUSALS[0]}", in_worker and self._may_pin(module), not in_worker)
        self._reroute(entry, id, route)
        self.counts.wasted.add()
        kind.note(route)
        for name in (module, *others):
            known = self._modules.get(name)
            if known is None or known.pinned != route.pinned:
                self._modules[name] = Route(route.reason, route.pinned)
                self._lessons += 1
        self._check(kind)
        pauses = False
        if in_worker:
            collector = scheduler.collector
            begun = len(scheduler.board.running()) + len(collector.results_rx)
            pauses = kind.history.refused(min(begun, scheduler.workers.alive - 1))
        else:
            kind.pinned_history.refused(0)
            if kind.degraded is not None:
                kind.degraded = Route(route.reason)
        self._start(scheduler, entry, id, route)
        if in_worker and (kind.known is not None or pauses):
            self._take_back(scheduler, kind)
        return True

    def learn_degraded(
        self, scheduler: Scheduler, entry: Future | Batch, id: int, module: str, package: str | None
    ) -> None:
        """Have calls run elsewhere after a task that has gone on without a refused module (``degraded="main"``).

        Another attempt there would show nothing, because an interpreter imports a package once. So these are all calls
        of the kind, and those that name the package.
        """
        kind, names = entry.kind_of(id), (module,) if package is None else (module, package)
        if kind is None or self._kinds.is_anywhere(names):
            return
        route = Route(f"{module} {REFUSALS[0]}", entry.route_of(id) is None and self._may_pin(module))
        if package is not None:
            self._modules[package] = route
            self._lessons += 1
        kind.degraded = route
        self._take_back(scheduler, kind)

    def _may_pin(self, module: str) -> bool:
        """Return whether the pinned interpreter may be able to load a module that a worker has refused."""
        known = self._modules.get(module)
        return self._pinned and module not in sys.modules and (known is None or known.pinned)

    def refused_in_main(self, scheduler: Scheduler, entry: Future | Batch, id: int, error: BaseException) -> bool:
        """Run a task in the pinned interpreter if that has a module which a local task needs. For any thread."""
        kind, previous = entry.kind_of(id), entry.route_of(id)
        if kind is None or previous is None or previous.last or not self._pinned or not is_pinned_elsewhere(error):
            return False
        route = Route(previous.reason, True, True)
        self._reroute(entry, id, route)
        self.counts.wasted.add()
        kind.note(route)
        scheduler.collector.send(functools.partial(self._start, scheduler, entry, id, route))
        return True

    def _take_back(self, scheduler: Scheduler, kind: Kind) -> None:
        """Take the next calls of a kind out of the queue of the workers, as far as they are to make no attempt.

        Not those with a Buffer, which has moved into the message.
        """

        def is_wanted(id: int, task: object) -> bool:
            entry = scheduler.in_flight.get(id)
            return (
                entry is not None
                and entry.policy is self
                and entry.kind_of(id) is kind
                and not contains(_core.Buffer, task)
            )

        always = kind.always()
        for id in scheduler.queue.take(kind.history.direct if always is None else sys.maxsize, is_wanted):
            entry, route = scheduler.in_flight.get(id), always or kind.elsewhere()
            if entry is not None and route is not None:
                kind.history.skips_attempt()
                self._reroute(entry, id, route)
                self._start(scheduler, entry, id, route)
        scheduler.queue.feed()

    def _reroute(self, entry: Future | Batch, id: int, route: Route) -> None:
        """Note that a task runs elsewhere that was sent to an interpreter."""
        self.counts.count(entry.route_of(id), 1, 1)
        self.counts.count(route)
        entry.move(id, route)

    def _start(self, scheduler: Scheduler, entry: Future | Batch, id: int, route: Route) -> None:
        """Run a task elsewhere."""
        if route.pinned and scheduler.pinned is not None:
            scheduler.pinned.send(id, entry.call_of(id))
        else:
            scheduler.waiting[id] = None
            scheduler.local[id] = False
            self.run_local(scheduler, id)
